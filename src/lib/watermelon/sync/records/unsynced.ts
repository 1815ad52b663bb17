/** Which records of a device are unsynced, and how many. */

import type { StoredQuery } from '@/core/storage';
import { RESTORABLE_TABLES, SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import type { ConvoyDatabase } from '../../database';
import { type ConvoyModel, Quarantined } from '../../models';
import { readBase, type SyncBase } from '../../models/tracking';
import { Q, type Raw } from '../../models/watermelondb';
import { IS_DELETED, IS_TO_SEND } from './statements';

/** An unsynced record as it stands. */
export interface UnsyncedRecord {
  table: SyncedTable;
  raw: Raw;
  base: SyncBase;
  record: ConvoyModel;
}

/** Records that were deleted before they were ever pushed: of them there is nothing to push. */
export interface NeverPushed {
  /** They can still be brought back. */
  undoable: UnsyncedRecord[];
  /** They are only removed. */
  over: UnsyncedRecord[];
}

/** The deletion of records that were never pushed can be undone for so long, ms: they are nowhere else (D14). */
export const UNDOABLE_MS = 24 * 3_600_000;

/** Answered by the index on the status, so that records in step cost nothing (rule D34). */
export const EDITED = Q.where('_status', Q.oneOf(['created', 'updated']));

/** Counts by the same index, for each table, deletions that are to be pushed included. */
const UNSYNCED: StoredQuery = {
  sql: SYNCED_TABLES.map((table) => `select '${table}', count(*) from "${table}" where ${IS_TO_SEND}`).join(
    ' union all ',
  ),
  args: [],
};

const REFUSED: StoredQuery = { sql: `select count(*) from "${Quarantined.table}"`, args: [] };

/** @returns the number of records that are to be pushed of each table that has some. */
async function unsyncedByTable(database: ConvoyDatabase): Promise<Map<SyncedTable, number>> {
  const [found = []] = await database.readAll([UNSYNCED]);
  const counts = found.map(([table, count]): [SyncedTable, number] => [table as SyncedTable, Number(count)]);
  return new Map(counts.filter(([, count]) => count > 0));
}

/** @returns whether a record is to be pushed, deletions included. */
export async function hasUnsynced(database: ConvoyDatabase): Promise<boolean> {
  return (await unsyncedByTable(database)).size > 0;
}

/** @returns the number of records that are to be pushed, deletions included, and of refused changes. */
export async function countPending(
  database: ConvoyDatabase,
): Promise<{ pending: number; quarantined: number }> {
  const sum = (counts: Iterable<unknown>) => [...counts].reduce<number>((all, one) => all + Number(one), 0);
  const [unsynced = [], refused = []] = await database.readAll([UNSYNCED, REFUSED]);
  return { pending: sum(unsynced.map(([, count]) => count)), quarantined: Number(refused[0]?.[0]) };
}

/**
 * @returns every unsynced record, those marked as deleted included; and apart from them the records that were
 * deleted before they were ever pushed
 */
export async function fetchUnsynced(
  database: ConvoyDatabase,
): Promise<{ unsynced: UnsyncedRecord[]; neverPushed: NeverPushed }> {
  const found: UnsyncedRecord[] = [];
  const counts = await unsyncedByTable(database);
  for (const table of SYNCED_TABLES) {
    const edited = counts.has(table) ? await database.records(table).query(EDITED).fetch() : [];
    for (const record of edited) found.push(toUnsynced(table, record));
    for (const record of await database.fetchStored(table, IS_DELETED)) found.push(toUnsynced(table, record));
  }
  const isNew = (item: UnsyncedRecord) => isDeleted(item) && item.raw.remote_id === null;
  // New records deleted along with one that the server has stay until it has answered that deletion.
  const awaited = new Set(found.filter((item) => isDeleted(item) && !isNew(item)).map(({ raw }) => raw.id));
  const neverPushed = found.filter((item) => isNew(item) && !awaited.has(rootOf(item)));
  const earliest = database.clock.now() + database.clock.offset() - UNDOABLE_MS;
  // Records that the server has, moved under a new one, are deleted there by this push, for good.
  const takenAlong = new Set(found.filter((item) => isDeleted(item) && !isNew(item)).map(rootOf));
  const isUndoable = ({ table, raw, base: { deletion } }: UnsyncedRecord) =>
    RESTORABLE_TABLES.some((name) => name === table) &&
    Number(deletion?.at ?? 0) >= earliest &&
    !takenAlong.has(raw.id);
  const undoable = new Set(neverPushed.filter(isUndoable).map(({ raw }) => raw.id));
  return {
    unsynced: found.filter((item) => !isNew(item)),
    neverPushed: {
      undoable: neverPushed.filter((item) => undoable.has(rootOf(item))),
      over: neverPushed.filter((item) => !undoable.has(rootOf(item))),
    },
  };
}

/** @returns the record as it is now, copied, with its base. */
export function toUnsynced(table: SyncedTable, record: ConvoyModel): UnsyncedRecord {
  const raw = { ...record.raw };
  const base = readBase(raw) ?? { revision: Number(raw.revision), groups: [], columns: {} };
  return { table, raw, base, record };
}

/** @returns the id of the record whose deletion took this one along */
export const rootOf = ({ raw, base }: UnsyncedRecord): string => base.deletion?.root ?? raw.id;

export const isDeleted = (item: UnsyncedRecord): boolean => item.raw._status === 'deleted';
