/** Applies the outcome of a change to its record: a function for each kind of outcome. */

import type { PushOutcome } from '@/core/protocol';
import { tellsOfMove } from '@/domain/activities';
import { readBase } from '../../models/tracking';
import type { Raw } from '../../models/watermelondb';
import { applyTombstone, withLocalEdits } from '../pull/applyRows';
import { type SyncedChange, toRaw } from '../records/codec';
import type { UnreadableRow } from '../records/readable';
import { archive } from '../setAside/archive';
import { keepInLedger } from '../setAside/ledger';
import { leftoversOf } from '../setAside/leftovers';
import { quarantine } from '../setAside/quarantine';
import { acknowledge, deleteTwin, destroyDeleted, replaceDuplicate } from './acknowledge';
import { keepPlace, parentColumns, refusedGroup } from './blocked';
import { noteLostMove } from './cutMoves';
import type { PushContext } from './pushContext';
import { resolveConflict, revertDeletion } from './resolve';

type Outcome<Name extends PushOutcome['outcome']> = Extract<PushOutcome, { outcome: Name }>;

/** Applies the outcome of one change; a blocked one is left to `applyBlocked`. */
export async function applyOutcome(
  context: PushContext,
  change: SyncedChange,
  outcome: PushOutcome,
): Promise<void> {
  const raw = await context.work.get(change.table, context.ids.toLocal(change.id));
  if (raw === null) noteMissing(context, change, outcome);
  switch (outcome.outcome) {
    case 'applied':
    case 'merged':
      return applyTaken(context, change, raw, outcome);
    case 'conflict':
      return applyConflict(context, change, raw, outcome);
    case 'duplicate':
      return applyDuplicate(context, change, raw, outcome);
    case 'gone':
      return applyGone(context, change, raw, outcome);
    case 'rejected':
      return applyRejected(context, change, raw, outcome);
    case 'blocked':
      return;
  }
}

/**
 * The record went with a deletion of others that was pulled while the batch waited, and the server has restored it before the batch
 * came: its row has a revision of this push, which pulls skip (P7).
 */
function noteMissing(
  { missing }: PushContext,
  { op, workspace_id }: SyncedChange,
  outcome: PushOutcome,
): void {
  const isWritten = ['applied', 'merged', 'conflict'].includes(outcome.outcome);
  if (op !== 'delete' && isWritten) missing.add(workspace_id);
}

async function applyTaken(
  context: PushContext,
  change: SyncedChange,
  raw: Raw | null,
  outcome: Outcome<'applied' | 'merged'>,
): Promise<void> {
  const { revision } = outcome;
  context.applied.pushed += 1;
  if (!raw) return;
  // The columns of others in a row that cannot be stored have not been seen: the next edit is based on what was (P33).
  const seen = context.unreadable.has(change.id) ? (readBase(raw)?.revision ?? 0) : revision;
  if (change.op === 'delete') {
    await destroyDeleted(context, raw.id);
    // No tombstone of this device's own deletion comes (P7, P33).
    context.work.also(() => context.sync.store.prepareReadable(change.table, change.id));
  } else {
    const key = 'key' in outcome ? outcome.key : undefined;
    acknowledge(context, change, raw, { revision, seen, key });
  }
}

async function applyConflict(
  context: PushContext,
  change: SyncedChange,
  raw: Raw | null,
  outcome: Outcome<'conflict'>,
): Promise<void> {
  context.applied.conflicts += 1;
  context.applied.unsettled = true;
  const row = context.rows.get(change.id);
  const unreadable = context.unreadable.get(change.id);
  if (unreadable) return setAsideBlindly(context, change, raw, unreadable);
  if (!raw || !row) return;
  if (change.op === 'delete') {
    await revertDeletion(context, change.table, raw, row);
    context.lost.changes.add(raw.id);
  } else if (raw._status === 'deleted') {
    // Deleted while the batch was in flight: the push of the deletion decides about the conflict.
    context.work.put(change.table, withLocalEdits(change.table, toRaw(change.table, row, context.ids), raw));
  } else {
    const unsynced = await resolveConflict(context, change, raw, row, outcome);
    noteLost(context, change, raw.id, unsynced, outcome.columns);
    if (context.lost.moves.has(raw.id)) noteLostMove(context, change, raw, null);
    await withdrawLeftovers(context, change, raw);
  }
}

/** The edit waits in the quarantine: a conflict with a row that this device cannot show is not to be settled here (P33). */
async function setAsideBlindly(
  context: PushContext,
  change: SyncedChange,
  raw: Raw | null,
  { column }: UnreadableRow,
): Promise<void> {
  const group = refusedGroup(context, context.answer.batch, change.group);
  const message = 'Others changed it too, to something that this device cannot show.';
  await quarantine(context, change, raw, { code: 'unreadable', column, message, group });
}

/**
 * Notes which edits of a change lost their conflict, for the other changes of its group (U13, U21, U28).
 * @param unsynced the columns that the merge left to be pushed again
 */
function noteLost(
  { lost }: PushContext,
  change: SyncedChange,
  id: string,
  unsynced: ReadonlySet<string>,
  conflicting: Record<string, unknown>,
): void {
  const sent = Object.keys(change.values ?? {});
  const isLost = (names: readonly string[]) => !names.some((name) => unsynced.has(name));
  const place = parentColumns(change.table, sent);
  if (isLost(sent)) lost.changes.add(id);
  if ('current_stage' in conflicting && isLost(['current_stage'])) lost.stages.add(id);
  if (place.length > 0 && isLost(place)) lost.moves.add(id);
}

/** Activities that were cut off from a change that lost are withdrawn like those that were sent with it (U13, U21, D35). */
async function withdrawLeftovers(context: PushContext, change: SyncedChange, raw: Raw): Promise<void> {
  const { lost, work } = context;
  for (const left of await leftoversOf(context, change, raw)) {
    const isMove = tellsOfMove(left.activity_type) && lost.stages.has(raw.id);
    const base = readBase(left);
    // The rest of its group waits for `withdraw`.
    if (!base || context.indexOf.has(context.ids.toRemote(left.id))) continue;
    if (!isMove && !lost.changes.has(raw.id)) continue;
    keepInLedger(context, { table: 'activity_feed', raw: left, base, kind: 'withdrawn' });
    work.destroy('activity_feed', left.id);
  }
}

async function applyDuplicate(
  context: PushContext,
  { table, id }: SyncedChange,
  raw: Raw | null,
  { of }: Outcome<'duplicate'>,
): Promise<void> {
  context.applied.pushed += 1;
  await replaceDuplicate(context, table, context.ids.toLocal(id), of);
  if (raw?._status === 'deleted') deleteTwin(context, table, raw, of);
}

async function applyGone(
  context: PushContext,
  change: SyncedChange,
  raw: Raw | null,
  { which }: Outcome<'gone'>,
): Promise<void> {
  context.applied.conflicts += 1;
  context.applied.unsettled = true;
  if (raw && which === 'parent' && change.op === 'update') keepPlace(context, change, raw);
  else await applyTombstone(context, change.table, context.ids.toLocal(change.id));
}

async function applyRejected(
  context: PushContext,
  change: SyncedChange,
  raw: Raw | null,
  { code, column, message }: Outcome<'rejected'>,
): Promise<void> {
  if (code === 'reserved_activity' && raw?.activity_type === 'conflict_settled') {
    // The server knows of no such conflict, for instance since it was restored from a backup.
    archive(context, change.table, raw, 'history_changed');
    context.work.destroy(change.table, raw.id);
    context.applied.rejected += 1;
    return;
  }
  if (isRecreatedInVain(context, change, code)) {
    context.left.add(change.id);
    context.applied.held = true;
    context.applied.rejected += 1;
    return;
  }
  const group = refusedGroup(context, context.answer.batch, change.group);
  const refusal = { code, column, message, group };
  if (raw) noteLostMove(context, change, raw, refusal);
  context.applied.rejected += await quarantine(context, change, raw, refusal);
}

/**
 * @returns whether the change recreates a workspace that the server still has, without this user as a member:
 * it is purged then, as it would have been had the server recognised the former membership (P19).
 */
function isRecreatedInVain({ sync }: PushContext, { table, id }: SyncedChange, code: string): boolean {
  return table === 'workspaces' && code === 'id_taken' && (sync.store.facts.remade?.includes(id) ?? false);
}
