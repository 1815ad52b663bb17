/** Local changes → server: batches are stored, sent one at a time, and each change gets an outcome. */

import { isStatementTimeout, isTimeout, isTooLarge, reactionTo, type SyncError } from '@/core/errors';
import {
  PROTOCOL_VERSION,
  type PushAnswer,
  type PushChange,
  SCHEMA_VERSION,
  type Traffic,
} from '@/core/protocol';
import { fail, ok, type Result } from '@/core/result';
import { applyPushAnswer, refuseBatch, TOO_SLOW } from './push/applyAnswer';
import { afterTry, MOST_REFUSALS } from './push/lateChanges';
import { batchInFlight, dropUnsettled, dropVoid, type InFlight, settlementOf } from './push/outbox';
import { PushPlan } from './push/plan';
import { charactersOf, type SyncedBatch } from './records/codec';
import type { GroupBounds } from './state/groupBounds';
import type { SyncContext } from './state/syncContext';

/** Changes in one batch, about: groups go whole. */
const BATCH_CHANGES = 1_000;
/** Batches in a row before the pull gets its turn. */
const MOST_BATCHES = 100;

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
  const run: PushRun = {
    sync,
    signal,
    counts,
    onSent,
    plan: new PushPlan(sync, sync.groupBounds),
    bounds: sync.groupBounds,
    limit: BATCH_CHANGES,
    lateInARow: 0,
  };
  for (let number = 0; number < MOST_BATCHES; number += 1) {
    // Changes that came back unsettled wait for the next pull: the plan is then not made again with them.
    const next = () => run.plan.nextBatch(run.limit, !run.unsettled, run.late === undefined);
    const batch = await batchInFlight(sync, inFlightOnly ? null : next);
    if (!batch) break;
    const answered = await sendAsServed(run, batch.request);
    const applied = answered.ok
      ? await applyTo(run, batch, answered.value)
      : await afterFailure(run, batch, answered.error);
    if (!applied.ok) return applied.error;
    if (applied.value === 'stop' || (counts.pullFirst && !inFlightOnly)) break;
  }
  return run.late ?? null;
}

/** One push, while it runs. */
interface PushRun {
  sync: SyncContext;
  signal: AbortSignal;
  counts: PushCounts;
  onSent: (changes: number) => void;
  plan: PushPlan;
  /** The bounds of one group; lower once something in between has refused one for its size. */
  bounds: GroupBounds;
  /** Most changes in the next batch; halved where a batch is refused as a whole, or not answered in time. */
  limit: number;
  /** Something has to be pushed again, after the next pull. */
  unsettled?: boolean;
  /** Why a change that was sent alone was not answered in time: the other late ones wait for the next sync. */
  late?: SyncError;
  /** Such changes in a row. */
  lateInARow: number;
}

/** Where not even single changes are answered, one after the other, the connection is at fault: the next sync goes on. */
const MOST_LATE_IN_A_ROW = 2;

/** Failures of one batch in a row after which it is settled and split, whatever they say. */
const MOST_FAILURES = 3;

type Step = Result<'go on' | 'stop', SyncError>;

async function applyTo(run: PushRun, { request }: InFlight, answer: PushAnswer): Promise<Step> {
  const applied = await applyPushAnswer(run.sync, request, answer);
  run.counts.pushed += applied.pushed;
  run.counts.conflicts += applied.conflicts;
  run.counts.rejected += applied.rejected;
  run.onSent(applied.pushed + applied.rejected);
  run.limit = Math.min(run.limit * 2, BATCH_CHANGES);
  run.lateInARow = 0;
  run.unsettled ||= applied.unsettled;
  return ok(applied.held ? 'stop' : 'go on');
}

/**
 * Sends a batch. A stored batch names the versions of the code that made it; where the server no longer serves
 * those, it is sent once more in the name of this code: its changes, and so its hash, stay the same (U1, U2).
 */
async function sendAsServed(run: PushRun, request: SyncedBatch): Promise<Result<PushAnswer, SyncError>> {
  const send = (batch: SyncedBatch) =>
    exchange(run, () => run.sync.transport.push(batch, run.signal), batch.changes);
  const answered = await send(request);
  const isOld = request.protocol < PROTOCOL_VERSION || request.schema < SCHEMA_VERSION;
  if (answered.ok || answered.error.code !== 'client_too_old' || !isOld) return answered;
  return send({ ...request, protocol: PROTOCOL_VERSION, schema: SCHEMA_VERSION });
}

/**
 * Sends a request, and learns the clock offset from its answer.
 * @param changes that it carries; null: it asks about a batch
 */
async function exchange<Answer extends { user_id: string; server_time: string }>(
  { sync: { clock, userId, store, pace }, counts, signal }: PushRun,
  send: () => Promise<Result<Answer & { traffic: Traffic }, SyncError>>,
  changes: readonly PushChange[] | null,
): Promise<Result<Answer, SyncError>> {
  const [sentAt, from] = [clock.now(), performance.now()];
  const answered = await send();
  if (!answered.ok) {
    if (changes && !signal.aborted) pace.afterFailedBatch(answered.error, performance.now() - from);
    return answered;
  }
  const { user_id, server_time, traffic } = answered.value;
  if (user_id !== userId) {
    return fail({ kind: 'auth', code: 'wrong_user', message: 'The server answered for another user.' });
  }
  clock.observe(server_time, sentAt, performance.now() - from);
  store.answersHeard += 1;
  store.failuresInARow = 0;
  if (changes) pace.afterBatch(changes, traffic);
  counts.sent += traffic.sent;
  counts.received += traffic.received;
  return answered;
}

/** Goes on after a failure, where it can. */
async function afterFailure(
  run: PushRun,
  batch: InFlight,
  error: SyncError,
  hasAsked = false,
): Promise<Step> {
  const { store } = run.sync;
  if (run.signal.aborted) return fail(error);
  if (error.kind === 'protocol' && error.code === 'history_changed') {
    await dropUnsettled(run.sync, batch, 'other history');
    run.counts.pullFirst = true;
    return planAnew(run);
  }
  const reaction = reactionTo(error);
  if (reaction === 'new_device') {
    // Its number may be void: the process ended, or was overtaken, before that was noted.
    if (batch.isResent && !hasAsked) return settleBatch(run, batch, error);
    await dropUnsettled(run.sync, batch, 'other device');
    return planAnew(run);
  }
  if (reaction === 'split' || isTimeout(error)) return settleBatch(run, batch, error);
  // Something in between may end whatever is large or slow, by other words.
  store.failuresInARow += 1;
  const mayBeTooMuch = error.kind === 'transport' && error.code !== 'rate_limited';
  return mayBeTooMuch && store.failuresInARow >= MOST_FAILURES ? settleBatch(run, batch, error) : fail(error);
}

function planAnew(run: PushRun): Step {
  run.plan = new PushPlan(run.sync, run.bounds);
  return ok('go on');
}

/**
 * Asks what became of a batch before it is dropped: it may have been applied though its answer was lost, and a late copy
 * of it may still arrive (P-ONCE). What is void by then goes out in smaller batches (U43).
 * @param error why the batch does not go through as it is
 */
async function settleBatch(run: PushRun, batch: InFlight, error: SyncError): Promise<Step> {
  const { sync, signal } = run;
  const { length } = batch.request.changes;
  const asked = await exchange(
    run,
    () => sync.transport.settle(settlementOf(batch.request), length, signal),
    null,
  );
  if (!asked.ok) {
    const { code } = asked.error;
    const isGone = code === 'device_conflict' || code === 'history_changed';
    return isGone ? afterFailure(run, batch, asked.error, true) : fail(error);
  }
  run.limit = Math.max(1, Math.floor(length / 2));
  if (!('void' in asked.value)) return applyTo(run, batch, asked.value);
  const isAlone = batch.request.changes.every(({ group }) => group === batch.request.changes[0]?.group);
  if (isAlone && reactionTo(error) !== 'new_device') return afterLoneFailure(run, batch.request, error);
  await dropVoid(sync, {});
  return planAnew(run);
}

/** A group that does not go through though it stands alone is refused (D9), or waits behind the others (U43). */
async function afterLoneFailure(run: PushRun, request: SyncedBatch, error: SyncError): Promise<Step> {
  const { sync, counts } = run;
  const { store } = sync;
  const isRefusal = isStatementTimeout(error) && store.hasHeardSinceRefusal(request.changes);
  const characters = request.changes.reduce((sum, change) => sum + charactersOf(change), 0);
  // A group that is beyond the bounds though it was cut cannot be cut further.
  if (isTooLarge(error) && request.changes.length > 1 && characters <= run.bounds.characters) {
    run.bounds = { ...run.bounds, characters: Math.floor(characters / 2) };
    await dropVoid(sync, {});
    return planAnew(run);
  }
  const { late, refused } = afterTry(store.facts.late, request.changes, isRefusal);
  if (reactionTo(error) === 'split' || refused >= MOST_REFUSALS) {
    counts.rejected += await refuseBatch(sync, request, isStatementTimeout(error) ? TOO_SLOW : error);
    return planAnew(run);
  }
  await dropVoid(sync, { late });
  if (isRefusal) store.noteRefusal(request.changes);
  run.late = error;
  run.lateInARow += 1;
  return run.lateInARow < MOST_LATE_IN_A_ROW ? planAnew(run) : ok('stop');
}
