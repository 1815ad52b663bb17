/** Local changes → server: batches are stored, sent one at a time, and each change gets an outcome. */

import { v7 as uuidv7 } from 'uuid';
import type { SyncError } from '@/core/errors';
import { reactionTo } from '@/core/errors';
import { PROTOCOL_VERSION, type PushAnswer, SCHEMA_VERSION } from '@/core/protocol';
import { fail, ok, type Result } from '@/core/result';
import { OutboxBatch } from '../models';
import { IN_DOUBT } from '../models/tracking';
import { applyPushAnswer, refuseBatch } from './push/applyAnswer';
import { PushPlan } from './push/plan';
import type { AppliedPush } from './push/pushContext';
import { type SyncedBatch, type SyncedChange, toSyncedBatch } from './records/codec';
import { UnitOfWork } from './records/unitOfWork';
import { hasUnsynced } from './records/unsynced';
import type { SyncContext } from './state/syncContext';

/** Changes in one batch, about: groups are never cut. */
const BATCH_CHANGES = 1_000;
/** Batches in a row before the pull gets its turn. */
const MOST_BATCHES = 100;

type NextBatch = () => ReturnType<PushPlan['nextBatch']>;

export interface PushCounts {
  pushed: number;
  conflicts: number;
  rejected: number;
  sent: number;
  received: number;
  /** Unsynced records are left, and have to wait for a pull. */
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

/** A batch that is stored, and sent now. */
interface InFlight {
  request: SyncedBatch;
  /** An earlier push may have sent it already. */
  isResent: boolean;
}

/**
 * Resends the batch in flight, if any, then pushes unsynced records until none is left.
 * Conflicts that were merged are pushed again by the next round of the sync.
 * @param counts counted while it runs, so that they hold also where this rejects
 * @param inFlightOnly sends nothing but the batch in flight
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
    // Changes that came back unsettled wait for the next pull: the plan is then not made again with them.
    const next = () => plan.nextBatch(limit, !unsettled);
    const batch = await batchInFlight(sync, inFlightOnly ? null : next);
    if (!batch) break;
    const answered = await sendAsServed(sync, batch.request, signal, counts);
    if (answered.ok) {
      const applied = await applyPushAnswer(sync, batch.request, answered.value);
      countApplied(counts, applied);
      onSent(applied.pushed + applied.rejected);
      limit = Math.min(limit * 2, BATCH_CHANGES);
      unsettled ||= applied.unsettled;
      if (applied.held) break;
      continue;
    }
    const refused = await afterRefusal(sync, batch, answered.error, counts);
    if (!refused.ok) return refused.error;
    if (counts.pullFirst && !inFlightOnly) break;
    limit = refused.value ?? limit;
    plan = new PushPlan(sync);
  }
  return null;
}

/** @returns the stored batch, else the next one of the plan, stored; null where there is none. */
async function batchInFlight(sync: SyncContext, next: NextBatch | null): Promise<InFlight | null> {
  const outbox = await sync.store.outbox();
  if (outbox) return { request: toSyncedBatch(outbox.request), isResent: true };
  const request = next && (await storeNextBatch(sync, next));
  return request && { request, isResent: false };
}

/**
 * Sends a batch. A stored batch names the versions of the code that made it; where the server no longer serves
 * those, it is sent once more in the name of this code: its changes, and so its hash, stay the same (U1, U2).
 */
async function sendAsServed(
  sync: SyncContext,
  request: SyncedBatch,
  signal: AbortSignal,
  counts: PushCounts,
): Promise<Result<PushAnswer, SyncError>> {
  const answered = await send(sync, request, signal, counts);
  const isOld = request.protocol < PROTOCOL_VERSION || request.schema < SCHEMA_VERSION;
  if (answered.ok || answered.error.code !== 'client_too_old' || !isOld) return answered;
  return send(sync, { ...request, protocol: PROTOCOL_VERSION, schema: SCHEMA_VERSION }, signal, counts);
}

/** Sends a request, and learns the clock offset from its answer. */
async function send(
  { transport, clock, userId }: SyncContext,
  request: SyncedBatch,
  signal: AbortSignal,
  counts: PushCounts,
): Promise<Result<PushAnswer, SyncError>> {
  const sentAt = clock.now();
  const answered = await transport.push(request, signal);
  if (!answered.ok) return answered;
  const { user_id, server_time, traffic } = answered.value;
  if (user_id !== userId) {
    return fail({ kind: 'auth', code: 'wrong_user', message: 'The server answered for another user.' });
  }
  clock.observe(server_time, sentAt);
  counts.sent += traffic.sent;
  counts.received += traffic.received;
  return answered;
}

function countApplied(counts: PushCounts, { pushed, conflicts, rejected }: AppliedPush): void {
  counts.pushed += pushed;
  counts.conflicts += conflicts;
  counts.rejected += rejected;
}

/** Makes the next batch and stores it before it is sent (rule U1). */
async function storeNextBatch(sync: SyncContext, next: NextBatch): Promise<SyncedBatch | null> {
  const { database, store } = sync;
  // Asked outside of `write`: a sync that has nothing to send keeps no other writer waiting.
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

/** @returns the limit for the next batch where it changes, else null; the error where the push has to stop. */
async function afterRefusal(
  sync: SyncContext,
  batch: InFlight,
  error: SyncError,
  counts: PushCounts,
): Promise<Result<number | null, SyncError>> {
  if (error.kind === 'protocol' && error.code === 'history_changed') {
    await dropAfterOtherHistory(sync, batch);
    counts.pullFirst = true;
    return ok(null);
  }
  switch (reactionTo(error)) {
    case 'new_device':
      await dropOutbox(sync, { deviceId: uuidv7(), nextBatch: 1 });
      return ok(null);
    case 'split':
      return ok(await splitOrRefuse(sync, batch.request, error, counts));
    default:
      return fail(error);
  }
}

/** Halves a batch that was refused as a whole, until the group that causes it stands alone and is quarantined (D9). */
async function splitOrRefuse(
  sync: SyncContext,
  request: SyncedBatch,
  error: SyncError,
  counts: PushCounts,
): Promise<number | null> {
  const groups = new Set(request.changes.map((change) => change.group)).size;
  if (groups > 1) {
    await dropOutbox(sync, {});
    return Math.max(1, Math.floor(request.changes.length / 2));
  }
  await refuseBatch(sync, request, error);
  counts.rejected += request.changes.length;
  return null;
}

/**
 * Drops a batch that the server refused because its history is another one. If an earlier push has sent the batch,
 * that may have been applied and its answer lost: new records in it are marked as in doubt, and the server has to
 * say whether it has them (U20). Dropped at once, since a batch found in the outbox counts as sent before.
 */
async function dropAfterOtherHistory(sync: SyncContext, { request, isResent }: InFlight): Promise<void> {
  const { database, store, ids } = sync;
  // `database.write`, since this must happen also where a foreign write has overtaken this sync: the check
  // below sees that the stored batch is still this one.
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

/** Drops a batch of which the server took nothing: its changes are still unsynced, and go into new batches. */
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
