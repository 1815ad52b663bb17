/**
 * Work on all records of a scope, slice by slice: each slice is a local transaction of its own, so that other writers
 * get their turn, and memory and the work of one transaction are bounded, however much the scope holds. What is broken
 * off between two slices goes on from the start, which passes over what is done.
 */

import type { SyncedTable } from '@/domain/schema';
import type { ApplyContext } from '../records/applyContext';
import { newContext } from '../state/newContext';
import type { SyncContext } from '../state/syncContext';

/** Most records of a slice. */
const SLICE_ROWS = 2_000;

/** A record of a slice: no more of it is read. */
export interface SliceRecord {
  id: string;
  isSynced: boolean;
  revision: number;
}

export interface SliceOf {
  table: SyncedTable;
  /** Local id of the workspace. */
  scope: string;
  /** SQL that the records meet. */
  condition: string;
}

/**
 * Calls `work` for each slice, inside `database.write`; what it adds to the unit of work is committed then. Rejects
 * between two slices once the device was told to stop (D32).
 */
export async function inSlices(
  sync: SyncContext,
  { table, scope, condition }: SliceOf,
  work: (context: ApplyContext, slice: readonly SliceRecord[]) => Promise<void>,
): Promise<void> {
  // The index on the workspace holds the records of a scope in the order of their row ids.
  const sql = `select "rowid", "id", "_status", "revision" from "${table}"
    where "workspace_id" = ? and "rowid" > ? and (${condition}) order by "rowid" limit ${SLICE_ROWS}`;
  for (let after = 0, isOver = false; !isOver; ) {
    sync.signal.throwIfAborted();
    await sync.write(async () => {
      const [found = []] = await sync.database.readAll([{ sql, args: [scope, after] }]);
      isOver = found.length < SLICE_ROWS;
      if (found.length === 0) return;
      const context = newContext(sync);
      await work(context, found.map(toSliceRecord));
      await context.work.commit();
      after = Number(found.at(-1)?.[0]);
    }, 'sync: slice');
  }
}

function toSliceRecord([, id, status, revision]: (string | number | null)[]): SliceRecord {
  return { id: String(id), isSynced: status === 'synced', revision: Number(revision) };
}

export const idsOf = (records: readonly SliceRecord[]): string[] => records.map(({ id }) => id);
