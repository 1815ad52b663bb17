/** What is set aside, in words that the web app and the command line share. Pure. */

import { columnsOf, type SyncedTable } from './schema';

/** What happened to a record of the ledger, by the kind of its entry; the noun of the record follows. */
export const CONFLICT_KINDS = {
  columns: 'You and somebody else changed the same',
  gone: 'Somebody deleted it while you edited the',
  deleted: 'Not yet synced when you deleted the',
  deletion: 'You deleted it while somebody edited the',
  withdrawn: 'Withdrawn together with the change it belonged to: the',
} as const;

/** Why changes are in the archive. */
export const ARCHIVE_REASONS = {
  access_lost: 'You may no longer see the workspace these belong to.',
  history_changed: 'The server was restored to an older state, which cannot take these changes.',
  taken_along: 'These were made without an account, on records that you had already edited with it.',
} as const;

/** What a change was to do; the noun of the record follows. */
export const CHANGE_VERBS = { insert: 'create', update: 'change', delete: 'delete' } as const;

export type StoredValue = string | number | boolean | null | undefined;

/** A change in the quarantine or the archive, with its stored values. */
export interface SetAsideValues {
  table: SyncedTable;
  operation: keyof typeof CHANGE_VERBS;
  values: Readonly<Record<string, StoredValue>>;
  /** update: the columns before the change, where known. */
  base: Readonly<Record<string, StoredValue>>;
}

export interface ShownColumn {
  column: string;
  wanted: StoredValue;
  /** undefined: not known, or there was none. */
  before: StoredValue;
}

/**
 * @param namesRecords the caller shows people and records by their names: what names them is told of updates, too
 * @returns the columns of a change that mean something to people, for updates with the value before
 */
export function shownColumns(
  { table, operation, values, base }: SetAsideValues,
  namesRecords = false,
): ShownColumn[] {
  if (operation === 'delete') return [];
  const columns = columnsOf(table);
  return Object.entries(values)
    .filter(([column, value]) => {
      const { kind, default: usual } = columns[column] ?? {};
      if (kind === undefined || column === 'sort_order') return false;
      if (kind === 'ref' && !(namesRecords && operation === 'update')) return false;
      return operation === 'update' || (value !== null && value !== usual);
    })
    .map(([column, wanted]) => ({
      column,
      wanted,
      before: operation === 'update' && column in base ? (base[column] ?? null) : undefined,
    }));
}
