/** Applies outcomes that follow from another change: blocked by one, or under a parent that is gone. */

import type { PushOutcome } from '@/core/protocol';
import { tellsOfMove } from '@/domain/activities';
import { columnsOf, type SyncedTable } from '@/domain/schema';
import { readBase, writeBase } from '../../models/tracking';
import type { Raw } from '../../models/watermelondb';
import type { ApplyContext } from '../records/applyContext';
import type { SyncedChange } from '../records/codec';
import { keepInLedger } from '../setAside/ledger';
import { changeOf, leftoversOf } from '../setAside/leftovers';
import { quarantine, revertColumns } from '../setAside/quarantine';
import { hasSeveralActions, withColumns } from './groups';
import type { PushContext } from './pushContext';

type Blocked = Extract<PushOutcome, { outcome: 'blocked' }>;

/** Applies the outcome of a change that another change of the batch blocked, once the outcome of that one is applied. */
export async function applyBlocked(
  context: PushContext,
  change: SyncedChange,
  { by }: Blocked,
): Promise<void> {
  const { applied } = context;
  const raw = await context.work.get(change.table, context.ids.toLocal(change.id));
  const blocker = finalBlocker(context, by);
  if (blocker?.outcome === 'gone' && change.op !== 'delete') {
    applied.conflicts += 1;
    applied.unsettled = true;
    if (raw) await loseToDeletion(context, change, raw);
    return;
  }
  if (blocker === null || blocker.outcome === 'conflict') {
    applied.unsettled = true;
    applied.held = true;
    if (blocker?.group === change.group && raw) await withdraw(context, change, raw);
    return;
  }
  applied.rejected += await quarantine(context, change, raw, {
    code: 'blocked',
    column: null,
    message: 'It depends on a change that was refused.',
    group: refusedGroup(context, context.answer.batch, blocker.group),
  });
}

/**
 * Follows blocked changes to the change that none other blocks.
 * @param by remote id of the record whose change blocks
 * @returns that change's outcome; null when the server did not try it, so that the next push sends it again (U18)
 */
function finalBlocker(
  { batch, answer, indexOf }: PushContext,
  by: string,
): { outcome: PushOutcome['outcome']; group: number } | null {
  const passed = new Set<string>();
  for (let id = by; !passed.has(id); ) {
    passed.add(id);
    const index = indexOf.get(id) ?? -1;
    const [change, outcome] = [batch.changes[index], answer.outcomes[index]];
    if (!change || !outcome) return null;
    if (outcome.outcome !== 'blocked') return { outcome: outcome.outcome, group: change.group };
    id = outcome.by;
  }
  return null;
}

/**
 * Takes refused groups apart that hold edits of several actions on one record: they are sent again, each action by itself,
 * so that only the one is refused that the server does not take (D7).
 * @returns the numbers of these groups
 */
export async function takeApart(
  context: ApplyContext,
  changes: readonly SyncedChange[],
): Promise<ReadonlySet<number>> {
  const { work, ids } = context;
  const groups = new Set<number>();
  for (const { table, op, id, values = {}, group } of changes) {
    const raw = op === 'update' ? await work.get(table, ids.toLocal(id)) : null;
    const base = raw && readBase(raw);
    if (!base || base.apart || raw._status !== 'updated') continue;
    if (!hasSeveralActions(withColumns({ table, raw, base }, Object.keys(values)))) continue;
    writeBase(raw, { ...base, apart: true });
    work.put(table, raw);
    groups.add(group);
  }
  return groups;
}

/** @returns the changes that the server refused, and those that others among them blocked. */
export function refusedChanges(context: PushContext): SyncedChange[] {
  const { batch, answer } = context;
  return batch.changes.filter((_, index) => {
    const outcome = answer.outcomes[index];
    if (outcome?.outcome === 'blocked') return finalBlocker(context, outcome.by)?.outcome === 'rejected';
    return outcome?.outcome === 'rejected';
  });
}

/** @returns the quarantine's name for a group of a batch. Each device id numbers its batches from 1. */
export function refusedGroup({ deviceId }: ApplyContext, batch: number, group: number): string {
  return `${deviceId}/${batch}/${group}`;
}

/** The parent that a record was moved under is gone: the record stays where the server has it, the move goes to the ledger (U7). */
export function keepPlace(context: PushContext, change: SyncedChange, raw: Raw): void {
  const place = parentColumns(change.table, Object.keys(change.values ?? {}));
  const base = readBase(raw);
  if (base) keepInLedger(context, { table: change.table, raw, base, kind: 'gone', only: place });
  revertColumns(context, change, raw, place, null);
}

/** @returns those of the columns that name a record's parents, and the columns that merge with them (U6). */
export function parentColumns(table: SyncedTable, names: readonly string[]): string[] {
  const columns = columnsOf(table);
  const units = new Set(
    names.filter((name) => columns[name]?.parent).map((name) => columns[name]?.unit ?? name),
  );
  return names.filter((name) => units.has(columns[name]?.unit ?? name));
}

/** The change that blocks this one came to nothing because of a deletion: this one goes to the ledger with it. */
async function loseToDeletion(context: PushContext, change: SyncedChange, raw: Raw): Promise<void> {
  const base = readBase(raw);
  if (change.op === 'insert') {
    if (base) keepInLedger(context, { table: change.table, raw, base, kind: 'gone' });
    context.work.destroy(change.table, raw.id);
    for (const left of await leftoversOf(context, change, raw)) {
      await loseToDeletion(context, changeOf(context, left), left);
    }
    return;
  }
  const sent = Object.keys(change.values ?? {});
  if (base) keepInLedger(context, { table: change.table, raw, base, kind: 'gone', only: sent });
  revertColumns(context, change, raw, sent, null);
}

/**
 * Withdraws a change that depends on the change of its group that came to nothing: the activity that tells of it
 * (U13, U21), and the move of a subtask whose task did not move (U28). Other changes are pushed by themselves.
 */
async function withdraw(context: PushContext, change: SyncedChange, raw: Raw): Promise<void> {
  const { lost } = context;
  const base = readBase(raw);
  if (change.table === 'activity_feed') {
    const isMove = tellsOfMove(change.values?.activity_type);
    const about = [raw.task_id, raw.entity_id].map(String);
    if (!about.some((id) => lost.changes.has(id) || (isMove && lost.stages.has(id)))) return;
    if (base) keepInLedger(context, { table: change.table, raw, base, kind: 'withdrawn' });
    context.work.destroy(change.table, raw.id);
  } else if (change.table === 'tasks' && change.op === 'update' && (await followsLostMove(context, raw))) {
    const place = parentColumns(change.table, Object.keys(change.values ?? {}));
    if (base) keepInLedger(context, { table: change.table, raw, base, kind: 'withdrawn', only: place });
    revertColumns(context, change, raw, place, null);
  }
}

async function followsLostMove(context: PushContext, task: Raw): Promise<boolean> {
  const seen = new Set<string>();
  for (let id = task.parent_task_id; typeof id === 'string' && !seen.has(id); ) {
    if (context.lost.moves.has(id)) return true;
    seen.add(id);
    id = (await context.work.get('tasks', id))?.parent_task_id ?? null;
  }
  return false;
}
