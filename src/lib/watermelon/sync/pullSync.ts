/** Remote changes → local database: one page, and the cursors it leads to, per local transaction. */

import type { SyncError } from '@/core/errors';
import { PROTOCOL_VERSION, type PullAnswer, type PullRequest, SCHEMA_VERSION } from '@/core/protocol';
import { applyAnswer } from './pull/applyAnswer';
import { PagePrefetch, requestAfter } from './pull/prefetch';
import { refillsOf } from './state/schemaUpgrade';
import type { Progress } from './state/status';
import type { SyncContext } from './state/syncContext';

export interface PullCounts {
  pulled: number;
  conflicts: number;
  received: number;
  sent: number;
  /** Edits that were made again because what they were lost with came back. */
  reapplied: number;
}

export const newPullCounts = (): PullCounts => ({
  pulled: 0,
  conflicts: 0,
  received: 0,
  sent: 0,
  reapplied: 0,
});

/**
 * Pulls page after page until this device stands at the server's head. A run of pages that broke off
 * goes on where it was, in its count as well.
 * @param counts what is done, counted as it is done: also where this rejects
 * @param onProgress called after every page
 * @returns why it ended before this device stood at the server's head; pages applied until then stay applied
 */
export async function pullSync(
  sync: SyncContext,
  signal: AbortSignal,
  counts: PullCounts,
  onProgress: (progress: Progress) => void,
): Promise<SyncError | null> {
  const { store, userId } = sync;
  const ahead = new PagePrefetch(sync, signal);
  try {
    for (;;) {
      const answered = await ahead.answerTo(makeRequest(sync));
      if (!answered.ok) return answered.error;
      const answer = answered.value;
      if (answer.user_id !== userId) {
        const message = 'The server answered for another user.';
        return { kind: 'auth', code: 'wrong_user', message };
      }
      ahead.start(requestAfter(makeRequest(sync), answer));
      counts.sent += answer.traffic.sent;
      counts.received += answer.traffic.received;
      const before = answer.total === null ? (store.facts.run ?? null) : { rows: 0, total: answer.total };
      const applied = await applyAnswer(sync, answer, before);
      counts.pulled += applied.rows;
      counts.conflicts += applied.conflicts;
      counts.reapplied += applied.reapplied;
      onProgress({ rows: (before?.rows ?? 0) + applied.rows, total: before?.total ?? null });
      if (!answer.more && !isBehindResync(sync, answer)) return null;
    }
  } finally {
    ahead.cancel();
  }
}

/** Whether a scope is still to be swept: its run of pages is over, and more was changed meanwhile. */
function isBehindResync({ store }: SyncContext, { scopes }: PullAnswer): boolean {
  return scopes.some(({ id }) => {
    const { resync, cursor } = store.scopes.get(id) ?? {};
    return resync === true && cursor?.target === undefined;
  });
}

function makeRequest({ store, userId, pageRows }: SyncContext): PullRequest {
  const scopes = [...store.scopes];
  return {
    protocol: PROTOCOL_VERSION,
    schema: SCHEMA_VERSION,
    user_id: userId,
    cursors: Object.fromEntries(scopes.map(([id, { cursor }]) => [id, cursor])),
    skip: Object.fromEntries(
      scopes.filter(([, { skip }]) => skip.length > 0).map(([id, { skip }]) => [id, skip]),
    ),
    ...refillsOf(store),
    limit: pageRows,
  };
}
