/** Outcomes of a push → local records. One local transaction for a whole answer. */

import type { SyncError } from '@/core/errors';
import {
  type Columns,
  type Json,
  type PushAnswer,
  type PushChange,
  type PushOutcome,
  type PushRequest,
  SCHEMA_VERSION,
} from '@/core/protocol';
import type { SyncedTable } from '@/domain/schema';
import { type Deleted, markEdited, readBase, stampsOf } from '../../models/tracking';
import type { Raw } from '../../models/watermelondb';
import { applyPage, applyTombstone, keepingEdits } from '../pull/applyRows';
import { purgeForgotten } from '../pull/purge';
import type { Applying } from '../records/applyContext';
import { deletedWith, undelete } from '../records/cascade';
import { rowsOf, toRaw } from '../records/codec';
import { Draft } from '../records/unitOfWork';
import { quarantine } from '../setAside/quarantine';
import { reviveLost } from '../setAside/revive';
import { upTo } from '../state/schemaUpgrade';
import type { SyncSession } from '../state/syncContext';
import { acknowledge, deleteTwin, destroyDeleted, replaceDuplicate } from './acknowledge';
import { type AppliedPush, type Lost, placeOf, refusedGroup, settleBlocked, stayInPlace } from './blocked';
import type { Settling } from './pushContext';
import { resolveConflict, restoreDeletion } from './resolve';

/** Applies the answer to the batch in flight, and forgets the batch. */
export async function applyPushAnswer(
  session: SyncSession,
  request: PushRequest,
  answer: PushAnswer,
): Promise<AppliedPush> {
  const { database, store, ids, clock } = session;
  return session.write(async () => {
    const draft = new Draft(database);
    const to: Settling = {
      database,
      draft,
      ids,
      deviceId: store.facts.deviceId,
      userId: session.userId,
      now: clock.now(),
      session,
      answer,
      rows: indexRows(answer),
      cascaded: new Set(
        Object.values(answer.effects.deleted).flatMap((deleted) => deleted.map((id) => ids.toLocal(id))),
      ),
    };
    await loadAll(to, request.changes);
    const applied: AppliedPush = { pushed: 0, conflicts: 0, rejected: 0, unsettled: false, held: false };
    const indexOf = new Map(request.changes.map((change, index) => [change.id, index]));
    const lost: Lost = { changes: new Set(), stages: new Set(), moves: new Set() };
    const undone = await undoneAmong(to, request);
    for (const [index, change] of request.changes.entries()) {
      const outcome = answer.outcomes[index];
      if (outcome) await settle(to, change, outcome, applied, lost);
    }
    for (const [index, change] of request.changes.entries()) {
      const outcome = answer.outcomes[index];
      if (outcome?.outcome === 'blocked') {
        await settleBlocked(to, request, indexOf, change, outcome, lost, applied);
      }
    }
    const { appeared } = await applyPage(to, answer.effects, settledAmong(to, request));
    await restoreUndone(to, undone);
    if (appeared > 0) await reviveLost(to);
    for (const [scope, made] of Object.entries(answer.revisions)) {
      const state = store.scopes.get(scope);
      // What a batch of an older version made may lack the columns that are new since.
      const isOld = request.schema < SCHEMA_VERSION;
      if (state) {
        const refill = isOld && state.refill ? upTo(state.refill, made.revision) : state.refill;
        const cursor = { ...state.cursor, own: made };
        const skip = [...state.skip, made.revision];
        draft.also(() => store.prepareScope(scope, { ...state, cursor, refill, skip }));
      } else if (made.revision === 1 && !isOld) {
        // A workspace begins with this push: everything in it is known here.
        draft.also(() => store.prepareScope(scope, { cursor: made, role: 'owner', skip: [made.revision] }));
      }
    }
    // What was to be created again has been answered for now.
    const remade = store.facts.remade?.filter((scope) => !indexOf.has(scope));
    if (remade && remade.length < (store.facts.remade?.length ?? 0)) {
      draft.also(() => store.prepareFacts({ remade }));
    }
    const stored = await store.outbox();
    draft.also(() => stored?.prepareDestroyPermanently() ?? null);
    await draft.commit();
    return applied;
  }, 'sync: apply push');
}

/** A few statements for a whole batch, where each change by itself would take one. */
async function loadAll({ draft, ids }: Applying, changes: readonly PushChange[]): Promise<void> {
  const byTable = new Map<SyncedTable, string[]>();
  for (const { table, id } of changes) {
    const known = byTable.get(table);
    if (known) known.push(ids.toLocal(id));
    else byTable.set(table, [ids.toLocal(id)]);
  }
  for (const [table, local] of byTable) await draft.load(table, local);
}

function indexRows(answer: PushAnswer): Map<string, Record<string, Json>> {
  const rows = new Map<string, Record<string, Json>>();
  for (const columns of Object.values(answer.effects.rows)) {
    for (const row of rowsOf(columns as Columns)) rows.set(row.id as string, row);
  }
  return rows;
}

/** @returns local ids of what took its row when it was settled. What came to nothing may have moved along all the same (U29). */
function settledAmong({ ids, answer }: Settling, request: PushRequest): ReadonlySet<string> {
  const isRefused = (index: number) =>
    ['rejected', 'blocked', 'gone'].includes(answer.outcomes[index]?.outcome ?? 'blocked');
  const settled = request.changes.filter((_, index) => !isRefused(index));
  return new Set(settled.map(({ id }) => ids.toLocal(id)));
}

/** The deletions of this batch that the user undid while it was on its way. */
async function undoneAmong(to: Settling, request: PushRequest): Promise<Deleted[]> {
  const undone: Deleted[] = [];
  for (const { op, table, id } of request.changes) {
    if (op !== 'delete') continue;
    const raw = await to.draft.get(table, to.ids.toLocal(id));
    const deletion = raw && readBase(raw)?.deletion;
    if (deletion?.undone) undone.push(deletion);
  }
  return undone;
}

async function settle(
  to: Settling,
  change: PushChange,
  outcome: PushOutcome,
  applied: AppliedPush,
  lost: Lost,
): Promise<void> {
  const id = to.ids.toLocal(change.id);
  const raw = await to.draft.get(change.table, id);
  switch (outcome.outcome) {
    case 'applied':
    case 'merged':
      applied.pushed += 1;
      if (raw && change.op === 'delete') await destroyDeleted(to, raw.id, to.cascaded);
      else if (raw) acknowledge(to, change, raw, outcome.revision);
      return;
    case 'conflict': {
      applied.conflicts += 1;
      applied.unsettled = true;
      const row = to.rows.get(change.id);
      if (!raw || !row) return;
      if (change.op === 'delete') {
        await restoreDeletion(to, change.table, raw, row);
        lost.changes.add(id);
      } else if (raw._status === 'deleted') {
        // Deleted while it was on its way: what becomes of it is decided when the deletion is pushed.
        to.draft.put(change.table, keepingEdits(change.table, toRaw(change.table, row, to.ids), raw));
      } else {
        const wanted = await resolveConflict(to, change, raw, row, outcome.columns);
        const isLost = (names: string[]) => names.length > 0 && !names.some((name) => wanted.has(name));
        if (!Object.keys(change.values ?? {}).some((name) => wanted.has(name))) lost.changes.add(id);
        if (isLost('current_stage' in outcome.columns ? ['current_stage'] : [])) lost.stages.add(id);
        if (isLost(placeOf(change.table, Object.keys(change.values ?? {})))) lost.moves.add(id);
      }
      return;
    }
    case 'duplicate':
      applied.pushed += 1;
      await replaceDuplicate(to, change.table, id, outcome.of);
      if (raw?._status === 'deleted') deleteTwin(to, change.table, raw, outcome.of);
      return;
    case 'gone':
      applied.conflicts += 1;
      applied.unsettled = true;
      if (raw && outcome.which === 'parent' && change.op === 'update') stayInPlace(to, change, raw);
      else await applyTombstone(to, change.table, id);
      return;
    case 'rejected':
      applied.rejected += 1;
      if (await isStillTheirs(to, change, outcome.code)) {
        applied.held = true;
        return;
      }
      await quarantine(to, change, raw, {
        code: outcome.code,
        column: outcome.column,
        message: outcome.message,
        group: refusedGroup(to, to.answer.batch, change.group),
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
async function isStillTheirs(to: Settling, change: PushChange, code: string): Promise<boolean> {
  const { store } = to.session;
  if (change.table !== 'workspaces' || code !== 'id_taken' || !store.facts.remade?.includes(change.id))
    return false;
  await purgeForgotten(to, change.id);
  return true;
}

/** A batch of one group that the server refused as a whole: the changes go to the quarantine. */
export async function refuseLocally(
  session: SyncSession,
  request: PushRequest,
  error: SyncError,
): Promise<void> {
  const { database, store, ids, userId, clock } = session;
  await session.write(async () => {
    const draft = new Draft(database);
    const { deviceId } = store.facts;
    const to: Applying = { database, draft, ids, deviceId, userId, now: clock.now() };
    await loadAll(to, request.changes);
    for (const change of request.changes) {
      const raw = await draft.get(change.table, ids.toLocal(change.id));
      await quarantine(to, change, raw, {
        code: error.code,
        column: null,
        message: error.message,
        group: refusedGroup(to, request.batch, change.group),
      });
    }
    const stored = await store.outbox();
    draft.also(() => stored?.prepareDestroyPermanently() ?? null);
    await draft.commit();
  }, 'sync: refuse batch');
}

/** Restores deletions that were undone on their way, now that the server's answer has been applied. */
export async function restoreUndone(to: Settling, undone: readonly Deleted[]): Promise<void> {
  const { draft, now, session } = to;
  for (const { id, root } of undone) {
    if ((await deletedWith(draft, root)).length > 0) await undelete(draft, root);
    const record = id === undefined ? null : await draft.get('deletions', id);
    if (!record || record.restored_at !== null) continue;
    const stamps = stampsOf(record);
    const edit = { value: null, editedAt: now, offset: session.clock.offset() };
    const wanted: Raw = { ...record, restored_at: now };
    const base = { revision: Number(record.revision), groups: [], columns: { restored_at: edit }, stamps };
    markEdited('deletions', wanted, base);
    draft.put('deletions', wanted);
  }
}
