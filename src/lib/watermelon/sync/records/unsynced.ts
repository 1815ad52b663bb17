/** Which records of a device are unsynced, and how many. */

import type { StoredQuery } from '@/core/storage';
import { SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import type { ConvoyDatabase } from '../../database';
import { type ConvoyModel, Quarantined } from '../../models';
import { readBase, type SyncBase } from '../../models/tracking';
import { Q, type Raw } from '../../models/watermelondb';
import { IS_DELETED, IS_UNSYNCED } from './statements';

/** An unsynced record as it stands. */
export interface UnsyncedRecord {
  table: SyncedTable;
  raw: Raw;
  base: SyncBase;
  record: ConvoyModel;
}

/** A record that was deleted before it was ever pushed: there is nothing to push, it is only removed. */
export type NeverPushed = { table: SyncedTable; id: string; record: ConvoyModel };

/** Answered by the index on the status, so that records in step cost nothing (rule D34). */
export const EDITED = Q.where('_status', Q.oneOf(['created', 'updated']));

/** Counts by the same index, for each table, records marked as deleted included. */
const UNSYNCED: StoredQuery = {
  sql: SYNCED_TABLES.map((table) => `select '${table}', count(*) from "${table}" where ${IS_UNSYNCED}`).join(
    ' union all ',
  ),
  args: [],
};

const REFUSED: StoredQuery = { sql: `select count(*) from "${Quarantined.table}"`, args: [] };

/** @returns the number of unsynced records of each table that has some, those marked as deleted included. */
async function unsyncedByTable(database: ConvoyDatabase): Promise<Map<SyncedTable, number>> {
  const [found = []] = await database.readAll([UNSYNCED]);
  const counts = found.map(([table, count]): [SyncedTable, number] => [table as SyncedTable, Number(count)]);
  return new Map(counts.filter(([, count]) => count > 0));
}

/** @returns whether a record is unsynced, those marked as deleted included. */
export async function hasUnsynced(database: ConvoyDatabase): Promise<boolean> {
  return (await unsyncedByTable(database)).size > 0;
}

/** @returns the number of unsynced records, those marked as deleted included, and of refused changes. */
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
): Promise<{ unsynced: UnsyncedRecord[]; neverPushed: NeverPushed[] }> {
  const found: UnsyncedRecord[] = [];
  const counts = await unsyncedByTable(database);
  for (const table of SYNCED_TABLES.filter((name) => counts.has(name))) {
    const collection = database.records(table);
    for (const record of await collection.query(EDITED).fetch()) found.push(toUnsynced(table, record));
    for (const record of await database.fetchStored(table, IS_DELETED)) found.push(toUnsynced(table, record));
  }
  const isNew = (item: UnsyncedRecord) => isDeleted(item) && item.raw.remote_id === null;
  // New records deleted along with one that the server has stay until it has answered that deletion.
  const awaited = new Set(found.filter((item) => isDeleted(item) && !isNew(item)).map(({ raw }) => raw.id));
  const isNeverPushed = (item: UnsyncedRecord) => isNew(item) && !awaited.has(item.base.deletion?.root ?? '');
  return {
    unsynced: found.filter((item) => !isNew(item)),
    neverPushed: found.filter(isNeverPushed).map(({ table, raw, record }) => ({ table, id: raw.id, record })),
  };
}

/** @returns the record as it is now, copied, with its base. */
export function toUnsynced(table: SyncedTable, record: ConvoyModel): UnsyncedRecord {
  const raw = { ...record.raw };
  const base = readBase(raw) ?? { revision: Number(raw.revision), groups: [], columns: {} };
  return { table, raw, base, record };
}

export const isDeleted = (item: UnsyncedRecord): boolean => item.raw._status === 'deleted';
