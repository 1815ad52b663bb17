/** Lists the deletions that the server has not acknowledged, and undoes them on the device alone (rule D14). */

import { ConvoyError } from '@/core/errors';
import type { StoredQuery } from '@/core/storage';
import { columnsOf, RESTORABLE_TABLES, type RestorableTable } from '@/domain/schema';
import type { ConvoyDatabase } from '../../database';
import { OutboxBatch } from '../../models';
import { type LocalDeletion, readBase, writeBase } from '../../models/tracking';
import { Q, type Raw } from '../../models/watermelondb';
import { restoreInBulk } from './cascade';
import { IS_DELETED } from './statements';
import { UnitOfWork } from './unitOfWork';

/** A deletion that the server has not acknowledged. */
export interface PendingDeletion {
  id: string;
  table: RestorableTable;
  raw: Raw;
  deletion: LocalDeletion;
  /** Records deleted by it, the root included; activities and dependencies are not counted. */
  parts: number;
}

/** Of a deletion of many records only the root is read whole. */
const IS_ROOT = `${IS_DELETED} and "sync_base" ->> '$.deletion.id' is not null`;

/** How many records of each table a deletion took along. */
const PARTS: StoredQuery = {
  sql: RESTORABLE_TABLES.map(
    (table) => `select "sync_base" ->> '$.deletion.root' as "root", count(*) from "${table}"
      where ${IS_DELETED} group by "root"`,
  ).join(' union all '),
  args: [],
};

/** @returns the unacknowledged deletions of this device, without those already undone while in flight. */
export async function unsyncedDeletions(database: ConvoyDatabase): Promise<PendingDeletion[]> {
  const [counted = []] = await database.readAll([PARTS]);
  if (counted.length === 0) return [];
  const parts = new Map<unknown, number>();
  for (const [root, count] of counted) parts.set(root, (parts.get(root) ?? 0) + Number(count));
  const roots: PendingDeletion[] = [];
  for (const table of RESTORABLE_TABLES) {
    for (const { raw } of await database.fetchStored(table, IS_ROOT)) {
      const deletion = readBase(raw)?.deletion;
      if (deletion?.id === undefined || deletion.undone) continue;
      roots.push({ id: deletion.id, table, raw: { ...raw }, deletion, parts: parts.get(raw.id) ?? 1 });
    }
  }
  return roots;
}

/**
 * Undoes a deletion at once. A deletion in flight is marked as undone instead, and restored when its answer is applied.
 * To be called inside `database.write`. Rejects with a `ConvoyError` (rejected/missing_parent), as the server does, where the
 * record's parent is not here any more.
 */
export async function undoDeletion(
  database: ConvoyDatabase,
  { id, table, raw, deletion }: PendingDeletion,
): Promise<void> {
  const work = new UnitOfWork(database);
  if (await isInFlight(database, id)) {
    const marked: Raw = { ...raw };
    const base = readBase(raw);
    if (base) writeBase(marked, { ...base, deletion: { ...deletion, undone: true } });
    work.put(table, marked);
  } else {
    await checkParents(work, table, raw);
    await restoreInBulk(work, raw.id);
    // The activities that tell of the deletion have not been pushed, and go with it.
    const told = await database
      .records('activity_feed')
      .query(
        Q.where('entity_id', raw.id),
        Q.where('activity_type', 'task_deleted'),
        Q.where('remote_id', null),
      )
      .fetch();
    for (const activity of told) work.destroy('activity_feed', activity.id);
  }
  await work.commit();
}

/** A record that was never pushed is in no list, and refused by the server, under a parent that has gone since. */
async function checkParents(work: UnitOfWork, table: RestorableTable, raw: Raw): Promise<void> {
  const parents = Object.entries(columnsOf(table)).filter(([, { parent }]) => parent === true);
  for (const [column, { to }] of parents) {
    const id = raw[column];
    if (typeof id !== 'string' || to === undefined || to === 'user') continue;
    const parent = await work.get(to, id);
    if (parent !== null && parent._status !== 'deleted') continue;
    const message = 'What it belonged to is deleted too: restore that first.';
    throw new ConvoyError({ kind: 'rejected', code: 'missing_parent', column, message });
  }
}

async function isInFlight(database: ConvoyDatabase, deletionId: string): Promise<boolean> {
  const batches = await database.of(OutboxBatch).query().fetch();
  return batches.some(({ request }) =>
    request.changes.some((change) => change.values?.deletion_id === deletionId),
  );
}
