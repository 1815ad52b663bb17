/** Outcomes of a push → local records. One local transaction for a whole answer. */

import type { SyncError } from '@/core/errors';
import { type Columns, type Json, type PushAnswer, type PushOutcome, SCHEMA_VERSION } from '@/core/protocol';
import type { SyncedTable } from '@/domain/schema';
import { type LocalDeletion, markEdited, readBase, stampsOf } from '../../models/tracking';
import type { Raw } from '../../models/watermelondb';
import { applyPage, applyTombstone, withLocalEdits } from '../pull/applyRows';
import { purgeForgotten } from '../pull/purge';
import type { ApplyContext } from '../records/applyContext';
import { deletedWith, restoreDeleted } from '../records/cascade';
import type { SyncedBatch, SyncedChange } from '../records/codec';
import { rowsOf, toRaw } from '../records/codec';
import { UnitOfWork } from '../records/unitOfWork';
import { quarantine } from '../setAside/quarantine';
import { reapplyLost } from '../setAside/reapply';
import { upTo } from '../state/schemaUpgrade';
import type { SyncContext } from '../state/syncContext';
import { acknowledge, deleteTwin, destroyDeleted, replaceDuplicate } from './acknowledge';
import {
  type AppliedPush,
  keepPlace,
  type LostConflicts,
  parentColumns,
  refusedGroup,
  settleBlocked,
} from './blocked';
import type { PushContext } from './pushContext';
import { resolveConflict, revertDeletion } from './resolve';

/** Applies the answer to the batch in flight, and forgets the batch. */
export async function applyPushAnswer(
  sync: SyncContext,
  request: SyncedBatch,
  answer: PushAnswer,
): Promise<AppliedPush> {
  const { database, store, ids, clock } = sync;
  return sync.write(async () => {
    const work = new UnitOfWork(database);
    const context: PushContext = {
      database,
      work,
      ids,
      deviceId: store.facts.deviceId,
      userId: sync.userId,
      now: clock.now(),
      sync,
      answer,
      rows: indexRows(answer),
      cascaded: new Set(
        Object.values(answer.effects.deleted).flatMap((deleted) => deleted.map((id) => ids.toLocal(id))),
      ),
    };
    await loadAll(context, request.changes);
    const applied: AppliedPush = { pushed: 0, conflicts: 0, rejected: 0, unsettled: false, held: false };
    const indexOf = new Map(request.changes.map((change, index) => [change.id, index]));
    const lost: LostConflicts = { changes: new Set(), stages: new Set(), moves: new Set() };
    const undone = await undoneInFlight(context, request);
    for (const [index, change] of request.changes.entries()) {
      const outcome = answer.outcomes[index];
      if (outcome) await settle(context, change, outcome, applied, lost);
    }
    for (const [index, change] of request.changes.entries()) {
      const outcome = answer.outcomes[index];
      if (outcome?.outcome === 'blocked') {
        await settleBlocked(context, request, indexOf, change, outcome, lost, applied);
      }
    }
    const { appeared } = await applyPage(context, answer.effects, settledIds(context, request));
    await restoreUndone(context, undone);
    if (appeared > 0) await reapplyLost(context);
    for (const [scope, made] of Object.entries(answer.revisions)) {
      const state = store.scopes.get(scope);
      // What a batch of an older version made may lack the columns that are new since.
      const isOld = request.schema < SCHEMA_VERSION;
      if (state) {
        const refill = isOld && state.refill ? upTo(state.refill, made.revision) : state.refill;
        const cursor = { ...state.cursor, own: made };
        const skip = [...state.skip, made.revision];
        work.also(() => store.prepareScope(scope, { ...state, cursor, refill, skip }));
      } else if (made.revision === 1 && !isOld) {
        // A workspace begins with this push: everything in it is known here.
        work.also(() => store.prepareScope(scope, { cursor: made, role: 'owner', skip: [made.revision] }));
      }
    }
    // What was to be created again has been answered for now.
    const remade = store.facts.remade?.filter((scope) => !indexOf.has(scope));
    if (remade && remade.length < (store.facts.remade?.length ?? 0)) {
      work.also(() => store.prepareFacts({ remade }));
    }
    const stored = await store.outbox();
    work.also(() => stored?.prepareDestroyPermanently() ?? null);
    await work.commit();
    return applied;
  }, 'sync: apply push');
}

/** A few statements for a whole batch, where each change by itself would take one. */
async function loadAll({ work, ids }: ApplyContext, changes: readonly SyncedChange[]): Promise<void> {
  const byTable = new Map<SyncedTable, string[]>();
  for (const { table, id } of changes) {
    const known = byTable.get(table);
    if (known) known.push(ids.toLocal(id));
    else byTable.set(table, [ids.toLocal(id)]);
  }
  for (const [table, local] of byTable) await work.load(table, local);
}

function indexRows(answer: PushAnswer): Map<string, Record<string, Json>> {
  const rows = new Map<string, Record<string, Json>>();
  for (const columns of Object.values(answer.effects.rows)) {
    for (const row of rowsOf(columns as Columns)) rows.set(row.id as string, row);
  }
  return rows;
}

/** @returns local ids of what took its row when it was settled. What came to nothing may have moved along all the same (U29). */
function settledIds({ ids, answer }: PushContext, request: SyncedBatch): ReadonlySet<string> {
  const isRefused = (index: number) =>
    ['rejected', 'blocked', 'gone'].includes(answer.outcomes[index]?.outcome ?? 'blocked');
  const settled = request.changes.filter((_, index) => !isRefused(index));
  return new Set(settled.map(({ id }) => ids.toLocal(id)));
}

/** The deletions of this batch that the user undid while it was on its way. */
async function undoneInFlight(context: PushContext, request: SyncedBatch): Promise<LocalDeletion[]> {
  const undone: LocalDeletion[] = [];
  for (const { op, table, id } of request.changes) {
    if (op !== 'delete') continue;
    const raw = await context.work.get(table, context.ids.toLocal(id));
    const deletion = raw && readBase(raw)?.deletion;
    if (deletion?.undone) undone.push(deletion);
  }
  return undone;
}

async function settle(
  context: PushContext,
  change: SyncedChange,
  outcome: PushOutcome,
  applied: AppliedPush,
  lost: LostConflicts,
): Promise<void> {
  const id = context.ids.toLocal(change.id);
  const raw = await context.work.get(change.table, id);
  switch (outcome.outcome) {
    case 'applied':
    case 'merged':
      applied.pushed += 1;
      if (raw && change.op === 'delete') await destroyDeleted(context, raw.id, context.cascaded);
      else if (raw) acknowledge(context, change, raw, outcome.revision);
      return;
    case 'conflict': {
      applied.conflicts += 1;
      applied.unsettled = true;
      const row = context.rows.get(change.id);
      if (!raw || !row) return;
      if (change.op === 'delete') {
        await revertDeletion(context, change.table, raw, row);
        lost.changes.add(id);
      } else if (raw._status === 'deleted') {
        // Deleted while it was on its way: what becomes of it is decided when the deletion is pushed.
        context.work.put(
          change.table,
          withLocalEdits(change.table, toRaw(change.table, row, context.ids), raw),
        );
      } else {
        const wanted = await resolveConflict(context, change, raw, row, outcome.columns);
        const isLost = (names: string[]) => names.length > 0 && !names.some((name) => wanted.has(name));
        if (!Object.keys(change.values ?? {}).some((name) => wanted.has(name))) lost.changes.add(id);
        if (isLost('current_stage' in outcome.columns ? ['current_stage'] : [])) lost.stages.add(id);
        if (isLost(parentColumns(change.table, Object.keys(change.values ?? {})))) lost.moves.add(id);
      }
      return;
    }
    case 'duplicate':
      applied.pushed += 1;
      await replaceDuplicate(context, change.table, id, outcome.of);
      if (raw?._status === 'deleted') deleteTwin(context, change.table, raw, outcome.of);
      return;
    case 'gone':
      applied.conflicts += 1;
      applied.unsettled = true;
      if (raw && outcome.which === 'parent' && change.op === 'update') keepPlace(context, change, raw);
      else await applyTombstone(context, change.table, id);
      return;
    case 'rejected':
      applied.rejected += 1;
      if (await isStillTheirs(context, change, outcome.code)) {
        applied.held = true;
        return;
      }
      await quarantine(context, change, raw, {
        code: outcome.code,
        column: outcome.column,
        message: outcome.message,
        group: refusedGroup(context, context.answer.batch, change.group),
      });
      return;
    case 'blocked':
      // Settled when it is known what became of the change it waits for.
      return;
  }
}

/**
 * A workspace that the server seemed to have lost is still there, and the user is no longer a member of it: it
 * goes, as it would have if the server had known that the user had been one (P19).
 */
async function isStillTheirs(context: PushContext, change: SyncedChange, code: string): Promise<boolean> {
  const { store } = context.sync;
  if (change.table !== 'workspaces' || code !== 'id_taken' || !store.facts.remade?.includes(change.id))
    return false;
  await purgeForgotten(context, change.id);
  return true;
}

/** A batch of one group that the server refused as a whole: the changes go to the quarantine. */
export async function refuseLocally(
  sync: SyncContext,
  request: SyncedBatch,
  error: SyncError,
): Promise<void> {
  const { database, store, ids, userId, clock } = sync;
  await sync.write(async () => {
    const work = new UnitOfWork(database);
    const { deviceId } = store.facts;
    const context: ApplyContext = { database, work, ids, deviceId, userId, now: clock.now() };
    await loadAll(context, request.changes);
    for (const change of request.changes) {
      const raw = await work.get(change.table, ids.toLocal(change.id));
      await quarantine(context, change, raw, {
        code: error.code,
        column: null,
        message: error.message,
        group: refusedGroup(context, request.batch, change.group),
      });
    }
    const stored = await store.outbox();
    work.also(() => stored?.prepareDestroyPermanently() ?? null);
    await work.commit();
  }, 'sync: refuse batch');
}

/** Restores deletions that were undone on their way, now that the server's answer has been applied. */
export async function restoreUndone(context: PushContext, undone: readonly LocalDeletion[]): Promise<void> {
  const { work, now, sync } = context;
  for (const { id, root } of undone) {
    if ((await deletedWith(work, root)).length > 0) await restoreDeleted(work, root);
    const record = id === undefined ? null : await work.get('deletions', id);
    if (!record || record.restored_at !== null) continue;
    const stamps = stampsOf(record);
    const edit = { value: null, editedAt: now, offset: sync.clock.offset() };
    const wanted: Raw = { ...record, restored_at: now };
    const base = { revision: Number(record.revision), groups: [], columns: { restored_at: edit }, stamps };
    markEdited('deletions', wanted, base);
    work.put('deletions', wanted);
  }
}
