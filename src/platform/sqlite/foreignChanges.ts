import type { ForeignChange, Replica, StoredRow } from '@/core/storage';
import type { Written } from './changeLog';
import type { SqliteStore } from './store';

/** Records of one table to read; null: all of them. */
export interface WantedRecords {
  table: string;
  ids: string[] | null;
}

/** @returns the foreign writes that concern a replica: records that it holds, and tables that it watches */
export function foreignChanges(store: SqliteStore, written: Written, replica: Replica): ForeignChange[] {
  return recordsToRead(written, replica).map((wanted) =>
    foreignChangeOf(wanted, store.rowsOf(wanted.table, wanted.ids), replica),
  );
}

/** @returns the records to read of each table that was written to, which may be none */
export function recordsToRead(written: Written, replica: Replica): WantedRecords[] {
  return Object.entries(written).map(([table, ids]) => {
    const watched = replica.watches(table);
    if (ids === null) return { table, ids: watched ? null : [...replica.held(table)] };
    return { table, ids: watched ? [...ids] : ids.filter((id) => replica.holds(table, id)) };
  });
}

/** @param rows those of the wanted records that are stored */
export function foreignChangeOf(
  { table, ids }: WantedRecords,
  rows: StoredRow[],
  replica: Replica,
): ForeignChange {
  const alive = rows.filter((row) => row._status !== 'deleted');
  const known = new Set(alive.map(({ id }) => id));
  return { table, rows: alive, gone: [...(ids ?? replica.held(table))].filter((id) => !known.has(id)) };
}
