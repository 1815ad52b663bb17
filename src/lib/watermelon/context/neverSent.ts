/** Tasks that are deleted before this device ever sent them: nobody hears of them, on this device neither (U30). */

import { neededIn } from '@/domain/activities';
import type { PlannedChange, WritePlan } from '@/domain/writes/plan';
import type { ConvoyDatabase } from '../database';
import { type ConvoyModel, OutboxBatch } from '../models';
import { IN_DOUBT } from '../models/tracking';
import { Q } from '../models/watermelondb';

/** @returns the ids among these records of those that no server can have; to be called inside `database.write` */
export async function neverSent(
  database: ConvoyDatabase,
  records: readonly ConvoyModel[],
): Promise<ReadonlySet<string>> {
  const isNew = ({ raw }: ConvoyModel) =>
    raw._status === 'created' && raw.remote_id === null && raw.revision !== IN_DOUBT;
  const fresh = records.filter(isNew);
  if (fresh.length === 0) return new Set();
  // An id of WatermelonDB's own kind has another one on its way; its mapping is made when a batch is.
  const sent = new Set<string>();
  for (const { request } of await database.of(OutboxBatch).query().fetch()) {
    for (const { id } of request.changes) sent.add(id);
  }
  const isSent = ({ id }: ConvoyModel) => sent.size > 0 && (sent.has(id) || id.length < 36);
  return new Set(fresh.filter((record) => !isSent(record)).map(({ id }) => id));
}

/** @returns the activities of a plan, without those that tell of the deletion of what nobody has seen */
export function toldActivities(
  { activities }: WritePlan,
  changes: readonly PlannedChange[],
  unsent: ReadonlySet<string>,
): WritePlan['activities'] {
  const isUntold = changes.some(({ op, id }) => op === 'delete' && unsent.has(id));
  return isUntold ? activities.filter(({ draft }) => draft.activity_type !== 'task_deleted') : activities;
}

/** @returns new activities of other tasks that name one of these tasks as what they depend on, or depended on */
export async function dependencyActivities(
  database: ConvoyDatabase,
  unsent: ReadonlySet<string>,
  known: ReadonlySet<string>,
): Promise<ConvoyModel[]> {
  if (unsent.size === 0) return [];
  const activities = await database
    .records('activity_feed')
    .query(
      Q.where('_status', 'created'),
      Q.where('activity_type', Q.oneOf(['dependency_added', 'dependency_removed'])),
    )
    .fetch();
  return activities.filter(({ id, raw }) => !known.has(id) && unsent.has(String(neededIn(raw))));
}
