/** What people do about conflicts and refusals. */

import type { Conflict, Quarantined } from '@/lib/watermelon/models';
import { Q } from '@/lib/watermelon/models/watermelondb';
import { type Hand, NothingToDo } from './hand';

/** Retries, discards or settles every entry that waits for a person on this device. */
export async function resolveSomething(hand: Hand): Promise<void> {
  const { device } = hand.life;
  const refused = await device.database
    .get<Quarantined>('sync_quarantine' as never)
    .query()
    .fetch();
  const conflicts = await device.database
    .get<Conflict>('sync_conflicts' as never)
    .query(Q.where('kind', 'columns'))
    .fetch();
  const entry = refused[hand.random.below(Math.max(1, refused.length))];
  const conflict = conflicts[hand.random.below(Math.max(1, conflicts.length))];
  if (entry && (!conflict || hand.random.chance(0.6))) {
    const together = refused
      .filter(({ groupId }) => groupId === entry.groupId)
      .map(({ _raw }) => ({ ..._raw }));
    // A person who retries a change looks at the current values first.
    hand.oracle.giveUp([
      together,
      await seen(
        hand,
        together.map((one) => (one as unknown as { record_id: string }).record_id),
      ),
    ]);
    if (hand.random.chance(0.7)) await device.retryQuarantined(entry.id);
    else {
      for (const { operation, record_id } of together as unknown as {
        operation: string;
        record_id: string;
      }[]) {
        if (operation === 'delete') hand.oracle.giveUpDeletion(record_id);
      }
      await device.discardQuarantined(entry.id);
    }
  } else if (conflict) {
    hand.oracle.giveUp([{ ...conflict._raw }, await seen(hand, [conflict.recordId])]);
    await device.settleConflict(conflict.id, hand.random.chance(0.5) ? 'mine' : 'theirs');
  } else throw new NothingToDo();
}

/** The records as they stand on this device. */
async function seen(hand: Hand, ids: string[]): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const table of [
    'workspaces',
    'projects',
    'milestones',
    'tasks',
    'patterns',
    'best_practices',
    'workflows',
  ] as const) {
    for (const record of await hand.all(table)) if (ids.includes(record.id)) found.push({ ...record.raw });
  }
  return found;
}
