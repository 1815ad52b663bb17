/**
 * Parts the rows of a page into those that this device can store and those that it cannot: a column of another type
 * than the schema's, or a JSON value beyond the limits. One such row must not stop the others (P33). Pure.
 */

import type { Columns, Json, Page } from '@/core/protocol';
import { exceededLimit } from '@/core/text';
import {
  COMMON_COLUMNS,
  type Column,
  columnsOf,
  SYNCED_TABLES,
  type SyncedTable,
  type TableColumns,
} from '@/domain/schema';
import { toMoment } from './codec';

/** `type`: not of the column's type; `depth`, `count`, `number`: beyond the limits of JSON values. */
export type UnreadableReason = 'type' | 'depth' | 'count' | 'number';

export interface UnreadableRow {
  table: SyncedTable;
  /** Remote ids; '' where the row names no workspace. */
  id: string;
  workspaceId: string;
  /** 0 where the row has none. */
  revision: number;
  column: string;
  reason: UnreadableReason;
}

type Fault = Pick<UnreadableRow, 'column' | 'reason'>;

/** @returns the page without the rows that cannot be stored, and those rows */
export function partReadable(page: Page): { readable: Page; unreadable: UnreadableRow[] } {
  const unreadable: UnreadableRow[] = [];
  const rows = { ...page.rows };
  for (const table of SYNCED_TABLES) {
    const columns = page.rows[table];
    if (!columns) continue;
    const faults = faultsIn(table, columns);
    if (faults.size === 0) continue;
    for (const [at, fault] of faults) unreadable.push(describe(table, columns, at, fault));
    const sound = columns.id.map((_, at) => at).filter((at) => !faults.has(at));
    if (sound.length > 0) rows[table] = pickRows(columns, sound);
    else delete rows[table];
  }
  return unreadable.length > 0
    ? { readable: { rows, deleted: page.deleted }, unreadable }
    : { readable: page, unreadable };
}

/** @returns the rows at these places; columns that are no lists are left out */
export function pickRows(columns: Columns, at: readonly number[]): Columns {
  const entries = Object.entries(columns)
    .filter(([, values]) => Array.isArray(values))
    .map(([name, values]) => [name, at.map((index) => values[index])]);
  return Object.fromEntries(entries) as Columns;
}

const WORKSPACE = { workspace_id: { kind: 'ref' } } as const satisfies TableColumns;

/** @returns the first fault of each row that has one, by its place */
function faultsIn(table: SyncedTable, columns: Columns): Map<number, Fault> {
  const faults = new Map<number, Fault>();
  const known: TableColumns = { ...WORKSPACE, ...COMMON_COLUMNS, ...columnsOf(table) };
  for (const [name, column] of Object.entries(known)) {
    const values: unknown = columns[name];
    // Columns that an older server does not send have their default.
    if (values === undefined && name !== 'workspace_id') continue;
    const isAligned = Array.isArray(values) && values.length === columns.id.length;
    // Many rows of a page have the same time, of the transaction that wrote them: it is judged once.
    let [value, reason]: [unknown, UnreadableReason | null] = [undefined, 'type'];
    for (let at = 0; at < columns.id.length; at += 1) {
      if (isAligned && values[at] !== value) {
        value = values[at];
        reason = faultOf(column, value);
      }
      if (reason && !faults.has(at)) faults.set(at, { column: name, reason });
    }
  }
  return faults;
}

function faultOf(column: Column, value: unknown): UnreadableReason | null {
  if (value === null) return column.optional ? null : 'type';
  switch (column.kind) {
    case 'json':
      return exceededLimit(value);
    case 'number':
      return Number.isFinite(value) ? null : 'type';
    case 'time':
      // Where it may be missing, a time that JavaScript cannot represent counts as none.
      return typeof value === 'string' && (column.optional || toMoment(value) !== null) ? null : 'type';
    default:
      return typeof value === 'string' ? null : 'type';
  }
}

function describe(table: SyncedTable, columns: Columns, at: number, fault: Fault): UnreadableRow {
  const cell = (name: string): Json | undefined => {
    const values: unknown = columns[name];
    return Array.isArray(values) ? (values[at] as Json) : undefined;
  };
  const [workspaceId, revision] = [cell('workspace_id'), cell('revision')];
  return {
    table,
    id: columns.id[at] as string,
    workspaceId: typeof workspaceId === 'string' ? workspaceId : '',
    revision: Number.isSafeInteger(revision) ? (revision as number) : 0,
    ...fault,
  };
}
