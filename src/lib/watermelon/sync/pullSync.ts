/** Server → local database: page after page, each in one local transaction with the cursors it leads to. */

import type { SyncError } from '@/core/errors';
import {
  PROTOCOL_VERSION,
  type PullAnswer,
  type PullRequest,
  type PushRequest,
  SCHEMA_VERSION,
} from '@/core/protocol';
import { applyAnswer } from './pull/applyAnswer';
import { PagePrefetch, requestAfter } from './pull/prefetch';
import { resumeScopes } from './pull/scopeWork';
import { noteAsked, wantedRows } from './setAside/unreadable';
import { refillsOf } from './state/schemaUpgrade';
import type { Progress } from './state/status';
import type { SyncContext } from './state/syncContext';

/** The result of a pull. */
export interface PullCounts {
  /** Rows and tombstones. */
  pulled: number;
  conflicts: number;
  /** Bytes. */
  received: number;
  sent: number;
  /** Lost edits reapplied because their records came back (D13). */
  reapplied: number;
  /** Whether deletions or restores of many records are under way in a workspace (U44). */
  unsettled: boolean;
}

export const newPullCounts = (): PullCounts => ({
  pulled: 0,
  conflicts: 0,
  received: 0,
  sent: 0,
  reapplied: 0,
  unsettled: false,
});

/**
 * Pulls page after page until this device stands at the server's heads. A run of pages that broke off is resumed,
 * its progress included (D30).
 * @param counts counted while it runs, so that they hold also where this rejects
 * @param afterFailure whether the push before it failed
 * @param onProgress called after every page
 * @returns why it ended before the heads were reached; pages applied until then stay applied
 */
export async function pullSync(
  sync: SyncContext,
  signal: AbortSignal,
  counts: PullCounts,
  afterFailure: boolean,
  onProgress: (progress: Progress) => void,
): Promise<SyncError | null> {
  const { store, userId, pace } = sync;
  const prefetch = new PagePrefetch(sync, signal);
  // That push did not learn what became of its batch.
  const inDoubt = afterFailure ? ((await store.outbox())?.request ?? null) : null;
  const deletedInDoubt = inDoubt ? deletedBy(inDoubt, sync.ids) : undefined;
  try {
    counts.reapplied += await resumeScopes(sync, deletedInDoubt);
    for (;;) {
      const request = makeRequest(sync);
      const { answered, tookMs } = await prefetch.answerTo(request);
      if (!answered.ok) {
        if (!signal.aborted) pace.afterFailedPage(answered.error, tookMs);
        return answered.error;
      }
      const answer = answered.value;
      if (answer.user_id !== userId) {
        const message = 'The server answered for another user.';
        return { kind: 'auth', code: 'wrong_user', message };
      }
      store.answersHeard += 1;
      counts.unsettled = answer.scopes.some(({ unsettled }) => unsettled === true);
      // The fate of the batch is judged by the history it was made on: a reset waits for it (P8, P19).
      if (inDoubt && (answer.forgotten.length > 0 || answer.scopes.some(({ reset }) => reset))) return null;
      noteAsked(store, request);
      // Before the next request is made: the one that is due then has to be the same.
      pace.afterPage(answer);
      prefetch.start(requestAfter(makeRequest(sync), answer));
      counts.sent += answer.traffic.sent;
      counts.received += answer.traffic.received;
      const before = answer.total === null ? (store.facts.run ?? null) : { rows: 0, total: answer.total };
      const applied = await applyAnswer(sync, answer, before, deletedInDoubt);
      counts.pulled += applied.rows;
      counts.conflicts += applied.conflicts;
      counts.reapplied += applied.reapplied;
      onProgress({ rows: (before?.rows ?? 0) + applied.rows, total: before?.total ?? null });
      if (!answer.more && !needsAnotherRun(sync, answer)) return null;
      // An answer that led nowhere would lead nowhere again: the next sync asks anew.
      if (JSON.stringify(makeRequest(sync)) === JSON.stringify(request)) return null;
    }
  } finally {
    prefetch.cancel();
  }
}

/** @returns local ids of the records that a batch deletes. */
function deletedBy({ changes }: PushRequest, ids: SyncContext['ids']): ReadonlySet<string> {
  return new Set(changes.flatMap(({ op, id }) => (op === 'delete' ? [ids.toLocal(id)] : [])));
}

/** Whether a resynced scope needs another run of pages: rows changed while the last one was under way (P13). */
function needsAnotherRun({ store }: SyncContext, { scopes }: PullAnswer): boolean {
  return scopes.some(({ id }) => {
    const { resync, cursor } = store.scopes.get(id) ?? {};
    return resync !== undefined && cursor?.target === undefined;
  });
}

function makeRequest({ store, userId, pace }: SyncContext): PullRequest {
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
    ...wantedRows(store),
    limit: pace.pageRows,
  };
}
