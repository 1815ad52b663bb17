/** Deletions and restores of many records go on in steps on the server; any device of the workspace takes them (U44). */

import { PROTOCOL_VERSION, SCHEMA_VERSION } from '@/core/protocol';
import type { PullCounts } from './pullSync';
import type { SyncContext } from './state/syncContext';

/** Steps between two rounds of a sync: pushes and pulls do not wait for all of them. */
const STEPS_OF_A_ROUND = 20;

/**
 * Takes steps until none are left, or a round has taken enough.
 * @param counts counted while it runs
 * @returns false where a step failed; another device, or the next sync, goes on
 */
export async function takeSteps(
  { transport, userId, store }: SyncContext,
  signal: AbortSignal,
  counts: PullCounts,
): Promise<boolean> {
  for (let taken = 0; taken < STEPS_OF_A_ROUND; taken += 1) {
    const request = { protocol: PROTOCOL_VERSION, schema: SCHEMA_VERSION, user_id: userId };
    const answered = await transport.step(request, signal);
    if (!answered.ok) return false;
    store.answersHeard += 1;
    counts.sent += answered.value.traffic.sent;
    counts.received += answered.value.traffic.received;
    if (!answered.value.left) return true;
  }
  return true;
}
