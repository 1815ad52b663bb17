/** Changes that did not go through because another one did not: what becomes of them. */

import type { PushOutcome } from '@/core/protocol';
import { columnsOf, type SyncedTable } from '@/domain/schema';
import { readBase } from '../../models/tracking';
import type { Raw } from '../../models/watermelondb';
import type { ApplyContext } from '../records/applyContext';
import type { SyncedBatch, SyncedChange } from '../records/codec';
import { keepInLedger } from '../setAside/ledger';
import { quarantine, revertColumns } from '../setAside/quarantine';
import type { PushContext } from './pushContext';

export interface AppliedPush {
  pushed: number;
  conflicts: number;
  rejected: number;
  /** Something has to be pushed again after what came back has been looked at. */
  unsettled: boolean;
  /** Some of that was not tried: what depends on it has to wait for it. */
  held: boolean;
}

/** Local ids of records whose changes lost a conflict. */
export interface LostConflicts {
  /** All that was sent. */
  changes: Set<string>;
  /** A task's stage. */
  stages: Set<string>;
  /** A task's place. */
  moves: Set<string>;
}

/** What becomes of a change that was held back because of another one of the batch. */
export async function settleBlocked(
  context: PushContext,
  request: SyncedBatch,
  indexOf: ReadonlyMap<string, number>,
  change: SyncedChange,
  outcome: Extract<PushOutcome, { outcome: 'blocked' }>,
  lost: LostConflicts,
  applied: AppliedPush,
): Promise<void> {
  const raw = await context.work.get(change.table, context.ids.toLocal(change.id));
  const blocker = finalBlocker(context, request, indexOf, outcome.by);
  if (blocker?.outcome === 'gone' && change.op !== 'delete') {
    applied.conflicts += 1;
    applied.unsettled = true;
    if (raw) loseToDeletion(context, change, raw);
    return;
  }
  if (blocker === null || blocker.outcome === 'conflict') {
    applied.unsettled = true;
    applied.held = true;
    if (blocker?.group === change.group && raw) await withdraw(context, change, raw, lost);
    return;
  }
  applied.rejected += 1;
  await quarantine(context, change, raw, {
    code: 'blocked',
    column: null,
    message: 'It waits for a change that was refused.',
    group: refusedGroup(context, context.answer.batch, blocker.group),
  });
}

/**
 * Follows blocked changes to the one that all of them wait for.
 * @returns what became of that one; null when it only waits for its turn, in the next push
 */
function finalBlocker(
  context: PushContext,
  request: SyncedBatch,
  indexOf: ReadonlyMap<string, number>,
  by: string,
): { outcome: PushOutcome['outcome']; group: number } | null {
  const passed = new Set<string>();
  for (let id = by; !passed.has(id); ) {
    passed.add(id);
    const index = indexOf.get(id) ?? -1;
    const [change, outcome] = [request.changes[index], context.answer.outcomes[index]];
    if (!change || !outcome) return null;
    if (outcome.outcome !== 'blocked') return { outcome: outcome.outcome, group: change.group };
    id = outcome.by;
  }
  return null;
}

/** Batches are numbered by each device id anew. */
export function refusedGroup({ deviceId }: ApplyContext, batch: number, group: number): string {
  return `${deviceId}/${batch}/${group}`;
}

/** The place a record was moved to is gone, the record is not: it stays where the server has it. */
export function keepPlace(context: PushContext, change: SyncedChange, raw: Raw): void {
  const place = parentColumns(change.table, Object.keys(change.values ?? {}));
  const base = readBase(raw);
  if (base) keepInLedger(context, change.table, raw, base, 'gone', place);
  revertColumns(context, change, raw, place, null);
}

/** Those of the edited columns that say under which records this one stands. */
export function parentColumns(table: SyncedTable, names: readonly string[]): string[] {
  const columns = columnsOf(table);
  const units = new Set(
    names.filter((name) => columns[name]?.parent).map((name) => columns[name]?.unit ?? name),
  );
  return names.filter((name) => units.has(columns[name]?.unit ?? name));
}

/** It belongs to a change that came to nothing because of a deletion: it waits in the ledger with that one. */
function loseToDeletion(context: PushContext, change: SyncedChange, raw: Raw): void {
  const base = readBase(raw);
  if (change.op === 'insert') {
    if (base) keepInLedger(context, change.table, raw, base, 'gone');
    context.work.destroy(change.table, raw.id);
    return;
  }
  const sent = Object.keys(change.values ?? {});
  if (base) keepInLedger(context, change.table, raw, base, 'gone', sent);
  revertColumns(context, change, raw, sent, null);
}

/**
 * A change of its group came to nothing. An activity must not claim that it happened (rules U13, U21), and a
 * subtask does not go where its task does not (rule U28); what stands by itself is pushed by itself.
 */
async function withdraw(
  context: PushContext,
  change: SyncedChange,
  raw: Raw,
  lost: LostConflicts,
): Promise<void> {
  const base = readBase(raw);
  if (change.table === 'activity_feed') {
    const isMove = change.values?.activity_type === 'stage_changed';
    const about = [raw.task_id, raw.entity_id].map(String);
    if (!about.some((id) => lost.changes.has(id) || (isMove && lost.stages.has(id)))) return;
    if (base) keepInLedger(context, change.table, raw, base, 'withdrawn');
    context.work.destroy(change.table, raw.id);
  } else if (
    change.table === 'tasks' &&
    change.op === 'update' &&
    (await followsLostMove(context, raw, lost))
  ) {
    const place = parentColumns(change.table, Object.keys(change.values ?? {}));
    if (base) keepInLedger(context, change.table, raw, base, 'withdrawn', place);
    revertColumns(context, change, raw, place, null);
  }
}

async function followsLostMove(context: PushContext, task: Raw, lost: LostConflicts): Promise<boolean> {
  const seen = new Set<string>();
  for (let id = task.parent_task_id; typeof id === 'string' && !seen.has(id); ) {
    if (lost.moves.has(id)) return true;
    seen.add(id);
    id = (await context.work.get('tasks', id))?.parent_task_id ?? null;
  }
  return false;
}
