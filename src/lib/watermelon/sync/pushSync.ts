/** Local changes → Supabase: stored batches, one in flight, each change with its outcome. */

import { v7 as uuidv7 } from 'uuid';
import type { SyncError } from '@/core/errors';
import { reactionTo } from '@/core/errors';
import { PROTOCOL_VERSION, type PushAnswer, SCHEMA_VERSION } from '@/core/protocol';
import { fail, ok, type Result } from '@/core/result';
import { OutboxBatch } from '../models';
import { IN_DOUBT } from '../models/tracking';
import { applyPushAnswer, refuseLocally } from './push/applyAnswer';
import { PushPlan } from './push/plan';
import { type SyncedBatch, type SyncedChange, toSyncedBatch } from './records/codec';
import { UnitOfWork } from './records/unitOfWork';
import { hasUnsynced } from './records/unsynced';
import type { SyncContext } from './state/syncContext';

/** Changes sent in one batch, about; groups are never cut. */
const BATCH_CHANGES = 1_000;
/** Pushes in a row before the pull gets its turn. */
const MOST_BATCHES = 100;

export interface PushCounts {
  pushed: number;
  conflicts: number;
  rejected: number;
  sent: number;
  received: number;
  /** Not all was pushed: what the server has is to be pulled first. */
  pullFirst: boolean;
}

export const newPushCounts = (pullFirst = false): PushCounts => ({
  pushed: 0,
  conflicts: 0,
  rejected: 0,
  sent: 0,
  received: 0,
  pullFirst,
});

/**
 * Resends the batch in flight, if any, then pushes what is unsynced until nothing new is left.
 * Changes that come back as conflicts are left for the next round.
 * @param counts what is done, counted as it is done: also where this rejects
 * @param inFlightOnly nothing but the batch that is stored already
 * @param onSent called with the number of changes of each batch that was answered
 * @returns why it ended before everything was pushed; what was acknowledged until then stays so
 */
export async function pushSync(
  sync: SyncContext,
  signal: AbortSignal,
  counts: PushCounts,
  { inFlightOnly, onSent }: { inFlightOnly: boolean; onSent: (changes: number) => void },
): Promise<SyncError | null> {
  counts.pullFirst = inFlightOnly;
  /** Most changes in the next batch; halved while whole batches are refused. */
  let limit = BATCH_CHANGES;
  let plan = new PushPlan(sync);
  let unsettled = false;
  for (let number = 0; number < MOST_BATCHES; number += 1) {
    // What came back is pushed again after the next pull; the rest of the plan need not wait for that.
    const next = () => storeNextBatch(sync, () => plan.nextBatch(limit, !unsettled));
    const outbox = await sync.store.outbox();
    const stored = outbox && toSyncedBatch(outbox.request);
    const request = stored ?? (inFlightOnly ? null : await next());
    if (!request) break;
    const sentAt = sync.clock.now();
    const answered = await sync.transport.push(request, signal);
    if (answered.ok) {
      const accepted = accept(sync, answered.value, sentAt);
      if (!accepted.ok) return accepted.error;
      counts.sent += answered.value.traffic.sent;
      counts.received += answered.value.traffic.received;
      const applied = await applyPushAnswer(sync, request, answered.value);
      counts.pushed += applied.pushed;
      counts.conflicts += applied.conflicts;
      counts.rejected += applied.rejected;
      onSent(applied.pushed + applied.rejected);
      limit = Math.min(limit * 2, BATCH_CHANGES);
      unsettled ||= applied.unsettled;
      if (applied.held) break;
      continue;
    }
    const refused = await afterRefusal(sync, request, answered.error, counts, stored !== null);
    if (!refused.ok) return refused.error;
    if (counts.pullFirst && !inFlightOnly) break;
    limit = refused.value ?? limit;
    plan = new PushPlan(sync);
  }
  return null;
}

function accept(sync: SyncContext, answer: PushAnswer, sentAt: number): Result<null, SyncError> {
  if (answer.user_id !== sync.userId) {
    return fail({ kind: 'auth', code: 'wrong_user', message: 'The server answered for another user.' });
  }
  sync.clock.observe(answer.server_time, sentAt);
  return ok(null);
}

/** Makes the next batch and stores it before it is sent (rule U1). */
async function storeNextBatch(
  sync: SyncContext,
  next: () => ReturnType<PushPlan['nextBatch']>,
): Promise<SyncedBatch | null> {
  const { database, store } = sync;
  // Nobody is kept from writing to learn that there is nothing to send.
  if (!(await hasUnsynced(database))) return null;
  return sync.write(async () => {
    const { changes, prepared } = await next();
    const request = changes.length > 0 ? makeRequest(sync, changes) : null;
    if (request) {
      prepared.push(
        database.of(OutboxBatch).prepareCreateFromDirtyRaw({
          id: uuidv7(),
          _status: 'synced',
          batch: request.batch,
          request: JSON.stringify(request),
        }),
        store.prepareFacts({ nextBatch: request.batch + 1 }),
      );
    }
    if (prepared.some((model) => model !== null)) await database.batch(prepared);
    return request;
  }, 'sync: store batch');
}

function makeRequest({ store, userId }: SyncContext, changes: SyncedChange[]): SyncedBatch {
  const touched = new Set(changes.map((change) => change.workspace_id));
  const scopes = [...store.scopes].filter(([id]) => touched.has(id));
  return {
    protocol: PROTOCOL_VERSION,
    schema: SCHEMA_VERSION,
    user_id: userId,
    device_id: store.facts.deviceId,
    batch: store.facts.nextBatch,
    cursors: Object.fromEntries(
      scopes
        .filter(([, { cursor }]) => cursor.tag !== '')
        .map(([id, { cursor }]) => [
          id,
          { revision: cursor.target ?? cursor.revision, tag: cursor.tag, own: cursor.own },
        ]),
    ),
    skip: Object.fromEntries(
      scopes.filter(([, { skip }]) => skip.length > 0).map(([id, { skip }]) => [id, skip]),
    ),
    changes,
  };
}

/** @returns the limit for the next batch where it changes; a failure where the push has to stop. */
async function afterRefusal(
  sync: SyncContext,
  request: SyncedBatch,
  error: SyncError,
  counts: PushCounts,
  isResent: boolean,
): Promise<Result<number | null, SyncError>> {
  if (error.kind === 'protocol' && error.code === 'history_changed') {
    await dropRefused(sync, request, isResent);
    counts.pullFirst = true;
    return ok(null);
  }
  switch (reactionTo(error)) {
    case 'new_device':
      await dropOutbox(sync, { deviceId: uuidv7(), nextBatch: 1 });
      return ok(null);
    case 'split': {
      const groups = new Set(request.changes.map((change) => change.group)).size;
      if (groups > 1) {
        await dropOutbox(sync, {});
        return ok(Math.max(1, Math.floor(request.changes.length / 2)));
      }
      // The culprit stands alone (rule D9).
      await refuseLocally(sync, request, error);
      counts.rejected += request.changes.length;
      return ok(null);
    }
    default:
      return fail(error);
  }
}

/**
 * The server's history is another one, and it took nothing of the batch now. One that was sent before may have been
 * answered, the answer lost and forgotten: whether what is new in it is there, the server has to say (U20). Done
 * at once: whoever finds the batch still stored takes it for one that was sent before.
 */
async function dropRefused(sync: SyncContext, request: SyncedBatch, isResent: boolean): Promise<void> {
  const { database, store, ids } = sync;
  // Also where somebody else has synced meanwhile, as long as it is this batch that is stored.
  await database.write(async () => {
    const work = new UnitOfWork(database);
    const stored = await store.outbox();
    if (stored?.request.device_id !== request.device_id || stored.request.batch !== request.batch) return;
    for (const { op, table, id } of isResent ? request.changes : []) {
      const raw = op === 'insert' ? await work.get(table, ids.toLocal(id)) : null;
      if (raw?._status === 'created') work.put(table, { ...raw, revision: IN_DOUBT });
    }
    work.also(() => stored.prepareDestroyPermanently());
    await work.commit();
  }, 'sync: drop batch');
}

/** The server took nothing of the batch: its changes are still unsynced and will be batched anew. */
async function dropOutbox(
  sync: SyncContext,
  facts: { deviceId?: string; nextBatch?: number },
): Promise<void> {
  const { database, store } = sync;
  await sync.write(async () => {
    const stored = await store.outbox();
    await database.batch([
      stored?.prepareDestroyPermanently() ?? null,
      Object.keys(facts).length > 0 && store.prepareFacts(facts),
    ]);
  }, 'sync: drop batch');
}
