/** Activities that did not fit beside the change they tell of, and wait for a part of their own (D35): they share its fate. */

import { isReserved, tells } from '@/domain/activities';
import { readBase } from '../../models/tracking';
import { Q, type Raw } from '../../models/watermelondb';
import type { ApplyContext } from '../records/applyContext';
import type { SyncedChange } from '../records/codec';

/** @returns the activities that tell of a change of this record and were cut off from it. */
export async function leftoversOf(context: ApplyContext, change: SyncedChange, raw: Raw): Promise<Raw[]> {
  const until = readBase(raw)?.cut;
  if (until === undefined || change.op === 'delete') return [];
  const found = await context.database
    .records('activity_feed')
    .query(Q.where('_status', 'created'), Q.or(Q.where('task_id', raw.id), Q.where('entity_id', raw.id)))
    .fetch();
  const left: Raw[] = [];
  for (const { id } of found) {
    const activity = await context.work.get('activity_feed', id);
    const isOfCut = activity !== null && (readBase(activity)?.created?.editedAt ?? 0) <= until;
    if (!isOfCut || !isReserved(activity.activity_type)) continue;
    if (change.op === 'insert' || tells(activity, Object.keys(change.values ?? {}))) left.push(activity);
  }
  return left;
}

/** @returns the change that would have sent the activity. */
export function changeOf({ ids }: ApplyContext, activity: Raw): SyncedChange {
  return {
    table: 'activity_feed',
    op: 'insert',
    id: ids.toRemote(activity.id),
    workspace_id: ids.toRemote(activity.workspace_id as string),
    base: null,
    group: 0,
  };
}
