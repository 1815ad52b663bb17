/** Wire values ↔ stored values. Times are ISO strings on the wire and ms here; JSON is stored as canonical text. Pure. */

import type { Columns, Json, PushChange, PushRequest } from '@/core/protocol';
import type { BulkRows } from '@/core/storage';
import {
  COMMON_COLUMNS,
  type Column,
  columnsOf,
  endingColumns,
  isSyncedTable,
  type SyncedTable,
  type TableColumns,
} from '@/domain/schema';
import { isRole, type ScopeRole } from '@/domain/vocabulary';
import { followStatus } from '../../models/tracking';
import type { Raw, RawValue } from '../../models/watermelondb';
import type { IdMap } from '../idMapping';

/** A change of a table that this version knows; on the wire a table is any text. */
export interface SyncedChange extends PushChange {
  table: SyncedTable;
}

/** A batch of such changes. */
export interface SyncedBatch extends PushRequest {
  changes: SyncedChange[];
}

/**
 * Narrows the tables of a stored batch to known ones; nowhere else does a table of the wire become one of ours.
 * @throws for an unknown table, which would be a bug: this device wrote the batch, and no version removes a table
 */
export function toSyncedBatch(request: PushRequest): SyncedBatch {
  return { ...request, changes: request.changes.map(toSyncedChange) };
}

function toSyncedChange(change: PushChange): SyncedChange {
  const { table } = change;
  if (!isSyncedTable(table)) throw new Error(`A stored change names an unknown table: ${table}`);
  return { ...change, table };
}

/** @returns about how many characters a change adds to the request; texts are what grows. */
export function charactersOf({ values = {}, expected = {} }: PushChange): number {
  let sum = 200;
  for (const value of [...Object.values(values), ...Object.values(expected)]) {
    sum += typeof value === 'string' ? value.length : JSON.stringify(value).length;
  }
  return sum;
}

/** @returns the role; `viewer`, which has the least rights, for one that only a newer version knows. */
export function toScopeRole(role: string): ScopeRole {
  return role === 'reference' || isRole(role) ? role : 'viewer';
}

const ALL_COLUMNS = new Map<SyncedTable, TableColumns>();

function allColumns(table: SyncedTable): TableColumns {
  let columns = ALL_COLUMNS.get(table);
  if (!columns) {
    columns = { ...columnsOf(table), ...COMMON_COLUMNS };
    ALL_COLUMNS.set(table, columns);
  }
  return columns;
}

/** @returns JSON text with sorted keys, so that equal values are equal texts. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  // `JSON.stringify` with a replacer takes several times as long, and a page has thousands of values.
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`);
  return `{${members.join()}}`;
}

/** @returns ms since the epoch; null where the text is no time, since a stored NaN would throw wherever it is read. */
export function toMoment(text: string): number | null {
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? null : moment;
}

function decode(column: Column, value: Json | undefined, ids: IdMap): RawValue {
  if (value === null || value === undefined) return null;
  switch (column.kind) {
    case 'time':
      return toMoment(value as string);
    case 'json':
      return canonicalJson(value);
    case 'ref':
      return column.to === 'user' ? (value as string) : ids.toLocal(value as string);
    default:
      return value as RawValue;
  }
}

function encode(column: Column, value: RawValue, ids: IdMap): Json {
  if (value === null) return null;
  switch (column.kind) {
    case 'time':
      return new Date(value as number).toISOString();
    case 'json':
      return JSON.parse(value as string) as Json;
    case 'ref':
      return column.to === 'user' ? value : ids.toRemote(value as string);
    default:
      return value;
  }
}

/** @returns the wire value of a stored value. Throws for a column that the table does not have. */
export function toWire(table: SyncedTable, name: string, value: RawValue, ids: IdMap): Json {
  const column = allColumns(table)[name];
  if (!column) throw new Error(`${table} has no column ${name}`);
  return encode(column, value, ids);
}

/** The mapping where local and remote ids are the same. */
export const SAME_IDS: IdMap = { toLocal: (id) => id, toRemote: (id) => id };

/** @returns a record as it is made again: the claim on a task that the server has lost went with it (C6). */
export function withoutEnded(table: SyncedTable, raw: Raw): Raw {
  return { ...raw, ...Object.fromEntries(endingColumns(table).map((name) => [name, null])) };
}

/** @returns the default of a column, as it is stored. */
export function defaultOf(table: SyncedTable, name: string): RawValue {
  return decode(allColumns(table)[name] as Column, allColumns(table)[name]?.default as Json, SAME_IDS);
}

/**
 * @param value a validated wire value
 * @param ids left out where ids in the value are local already
 * @returns the stored value; null for a column that the table does not have
 */
export function toStored(table: SyncedTable, name: string, value: Json, ids: IdMap = SAME_IDS): RawValue {
  const column = allColumns(table)[name];
  return column ? decode(column, value, ids) : null;
}

/**
 * @returns a row of the server as a stored record without unsynced edits. Columns unknown here are left out; columns
 * missing in the row, because the server is older, have their default.
 */
export function toRaw(table: SyncedTable, row: Record<string, Json>, ids: IdMap): Raw {
  const remoteId = row.id as string;
  const raw: Raw = {
    id: ids.toLocal(remoteId),
    _status: 'synced',
    _changed: '',
    workspace_id: ids.toLocal(row.workspace_id as string),
    remote_id: remoteId,
    sync_base: null,
    sync_error: null,
  };
  for (const [name, column] of Object.entries(allColumns(table))) {
    raw[name] = name in row ? decode(column, row[name], ids) : defaultOf(table, name);
  }
  followStatus(raw);
  return raw;
}

/**
 * The rows of a page as they are stored, as `toRaw` makes them, but without an object for each row (P31). To be used
 * only where local and remote ids are the same.
 * @param at places of the rows to take; all rows unless given
 */
export function toBulkRows(table: SyncedTable, page: Columns, at?: readonly number[]): BulkRows {
  const same: BulkRows['same'] = { ...CLEAN };
  const columns = ['id', 'remote_id', 'workspace_id'];
  const take = <T>(values: T[]): T[] => (at ? at.map((index) => values[index] as T) : values);
  const ids = take(page.id);
  const stored: RawValue[][] = [ids, ids, take(page.workspace_id as string[])];
  for (const [name, column] of Object.entries(allColumns(table))) {
    const sent = page[name];
    if (sent === undefined) same[name] = defaultOf(table, name) as string | number | null;
    else if (sent.every((value) => value === null)) same[name] = null;
    else {
      columns.push(name);
      stored.push(decodeAll(column, take(sent)));
    }
  }
  const rows = ids.map((_, index) => stored.map((values) => values[index] as string | number | null));
  return { columns, rows, same };
}

const CLEAN = {
  _status: 'synced',
  _changed: '',
  sync_base: null,
  sync_error: null,
  is_synced: 1,
  sync_status: 'synced',
} as const;

function decodeAll(column: Column, values: Json[]): RawValue[] {
  if (column.kind !== 'time' && column.kind !== 'json') return values as RawValue[];
  // Many rows of a page have the same time, of the transaction that wrote them: it is parsed once.
  let [text, moment]: [Json, RawValue] = [null, null];
  return values.map((value) => {
    if (column.kind === 'json') return decode(column, value, SAME_IDS);
    if (value !== text) [text, moment] = [value, decode(column, value, SAME_IDS)];
    return moment;
  });
}

/** @returns whether two stored values are equal; JSON is compared in canonical form. */
export function sameValue(table: SyncedTable, name: string, a: RawValue, b: RawValue): boolean {
  if (a === b) return true;
  if (a === null || b === null || allColumns(table)[name]?.kind !== 'json') return false;
  return canonicalJson(JSON.parse(a as string) as Json) === canonicalJson(JSON.parse(b as string) as Json);
}

/** Yields the rows of a table that is sent column by column (P6). */
export function* rowsOf(columns: Columns): Generator<Record<string, Json>> {
  const names = Object.keys(columns);
  for (let index = 0; index < columns.id.length; index += 1) {
    const row: Record<string, Json> = {};
    for (const name of names) row[name] = columns[name]?.[index] ?? null;
    yield row;
  }
}

const BOOKKEEPING = new Set([
  'id',
  '_status',
  '_changed',
  'workspace_id',
  'remote_id',
  'sync_base',
  'sync_error',
  'is_synced',
  'sync_status',
  'revision',
  'created_at',
  'updated_at',
  'last_modified_by',
  'actor_id',
  'display_name',
  'kind',
]);

/** @returns whether people edit the column: it is neither bookkeeping nor set by the server. */
export const isEditable = (table: SyncedTable, name: string): boolean =>
  !BOOKKEEPING.has(name) && !columnsOf(table)[name]?.serverSet;
