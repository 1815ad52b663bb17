import type { ForeignChange, Replica, StoredRow } from '@/core/storage';
import type { Written } from './changeLog';
import type { SqliteStore } from './store';

/** Records of one table to read. */
export interface WantedRecords {
  table: string;
  ids: string[];
}

/** @returns the foreign writes that concern a replica: records that it holds, and the tables */
export function foreignChanges(store: SqliteStore, written: Written, replica: Replica): ForeignChange[] {
  return recordsToRead(written, replica).map((wanted) =>
    foreignChangeOf(wanted, store.rowsOf(wanted.table, wanted.ids)),
  );
}

/** @returns the records to read of each table that was written to, which may be none */
export function recordsToRead(written: Written, replica: Replica): WantedRecords[] {
  return Object.entries(written).map(([table, ids]) => ({
    table,
    ids: ids === null ? [...replica.held(table)] : ids.filter((id) => replica.holds(table, id)),
  }));
}

/** @param rows those of the wanted records that are stored */
export function foreignChangeOf({ table, ids }: WantedRecords, rows: StoredRow[]): ForeignChange {
  const alive = rows.filter((row) => row._status !== 'deleted');
  const known = new Set(alive.map(({ id }) => id));
  return { table, rows: alive, gone: ids.filter((id) => !known.has(id)) };
}
