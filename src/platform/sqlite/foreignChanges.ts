import type { ForeignChange, Replica } from '@/core/storage';
import type { Written } from './changeLog';
import type { SqliteStore } from './store';

/** @returns what a replica has to take over of what others wrote: what it holds, and what it is told about. */
export function foreignChanges(store: SqliteStore, written: Written, replica: Replica): ForeignChange[] {
  return Object.entries(written).map(([table, ids]) => {
    const watched = replica.watches(table);
    const wanted =
      ids === null && watched ? null : wantedOf(ids ?? replica.held(table), watched, table, replica);
    const rows = store.rowsOf(table, wanted);
    const alive = rows.filter((row) => row._status !== 'deleted');
    const known = new Set(alive.map(({ id }) => id));
    const gone = [...(wanted ?? replica.held(table))].filter((id) => !known.has(id));
    return { table, rows: alive, gone };
  });
}

function wantedOf(ids: Iterable<string>, watched: boolean, table: string, replica: Replica): string[] {
  return watched ? [...ids] : [...ids].filter((id) => replica.holds(table, id));
}
