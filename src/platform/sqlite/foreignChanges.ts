import type { ForeignChange, Replica, StoredRow } from '@/core/storage';
import type { Written } from './changeLog';
import type { SqliteStore } from './store';

/** Records of one table to be read; null: all of them. */
export interface Wanted {
  table: string;
  ids: string[] | null;
}

/** @returns what a replica has to take over of what others wrote: what it holds, and what it is told about. */
export function foreignChanges(store: SqliteStore, written: Written, replica: Replica): ForeignChange[] {
  return wantedOf(written, replica).map((wanted) =>
    changeOf(wanted, store.rowsOf(wanted.table, wanted.ids), replica),
  );
}

/** @returns which records have to be read, table by table; also tables of which it is none */
export function wantedOf(written: Written, replica: Replica): Wanted[] {
  return Object.entries(written).map(([table, ids]) => {
    const watched = replica.watches(table);
    if (ids === null) return { table, ids: watched ? null : [...replica.held(table)] };
    return { table, ids: watched ? [...ids] : ids.filter((id) => replica.holds(table, id)) };
  });
}

/** @param rows the wanted records that are stored */
export function changeOf({ table, ids }: Wanted, rows: StoredRow[], replica: Replica): ForeignChange {
  const alive = rows.filter((row) => row._status !== 'deleted');
  const known = new Set(alive.map(({ id }) => id));
  return { table, rows: alive, gone: [...(ids ?? replica.held(table))].filter((id) => !known.has(id)) };
}
