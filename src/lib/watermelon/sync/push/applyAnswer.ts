/** The answer to a push → local database: every outcome and the batch's own end, in one local transaction. */

import type { SyncError } from '@/core/errors';
import { type Columns, type Json, type Page, type PushAnswer, SCHEMA_VERSION } from '@/core/protocol';
import type { SyncedTable } from '@/domain/schema';
import { type LocalDeletion, markEdited, readBase, stampsOf } from '../../models/tracking';
import type { Raw } from '../../models/watermelondb';
import { applyPage } from '../pull/applyRows';
import type { ApplyContext } from '../records/applyContext';
import { deletedWith, restoreDeleted } from '../records/cascade';
import type { SyncedBatch, SyncedChange } from '../records/codec';
import { rowsOf } from '../records/codec';
import { partReadable } from '../records/readable';
import type { UnitOfWork } from '../records/unitOfWork';
import { quarantine } from '../setAside/quarantine';
import { reapplyLost } from '../setAside/reapply';
import { forgetReadable, setAsideUnreadable } from '../setAside/unreadable';
import { completeRevision } from '../state/deviceStore';
import { newContext } from '../state/newContext';
import { upTo } from '../state/schemaUpgrade';
import type { SyncContext } from '../state/syncContext';
import { applyBlocked, refusedChanges, refusedGroup, takeApart } from './blocked';
import { endCutMoves } from './cutMoves';
import { applyOutcome } from './outcomes';
import type { AppliedPush, PushContext } from './pushContext';

/**
 * Applies the answer to the batch in flight, and removes the batch from the outbox.
 * Rejects with a `ConvoyError` (storage, `overtaken` among them); nothing is applied then.
 */
export async function applyPushAnswer(
  sync: SyncContext,
  batch: SyncedBatch,
  answer: PushAnswer,
): Promise<AppliedPush> {
  return sync.write(async () => {
    const context = makeContext(sync, batch, answer);
    await loadRecords(context, batch.changes);
    const undone = await deletionsUndoneInFlight(context);
    await applyOutcomes(context);
    await endCutMoves(context);
    const { readable } = context;
    const { appeared } = await applyPage(context, readable, idsWithOutcome(context));
    forgetReadable(context, sync.store, readable);
    await setAsideUnreadable(context, sync.store, [...context.unreadable.values()]);
    await restoreUndone(context, undone);
    if (appeared > 0) await reapplyLost(context);
    storeOwnRevisions(context);
    storeRecreated(context);
    await emptyOutbox(sync, context.work);
    await context.work.commit();
    return context.applied;
  }, 'sync: apply push');
}

function makeContext(sync: SyncContext, batch: SyncedBatch, answer: PushAnswer): PushContext {
  const { ids } = sync;
  const { readable, unreadable } = partReadable(answer.effects);
  const cascaded = Object.values(answer.effects.deleted).flat();
  return {
    ...newContext(sync),
    sync,
    batch,
    answer,
    indexOf: new Map(batch.changes.map((change, index) => [change.id, index])),
    readable,
    rows: rowsById(readable),
    unreadable: new Map(unreadable.map((row) => [row.id, row])),
    cascaded: new Set(cascaded.map((id) => ids.toLocal(id))),
    lost: { changes: new Set(), stages: new Set(), moves: new Set() },
    lostMoves: new Map(),
    left: new Set(),
    missing: new Set(),
    applied: { pushed: 0, conflicts: 0, rejected: 0, unsettled: false, held: false },
  };
}

function rowsById(effects: Page): Map<string, Record<string, Json>> {
  const rows = new Map<string, Record<string, Json>>();
  for (const columns of Object.values(effects.rows)) {
    for (const row of rowsOf(columns as Columns)) rows.set(row.id as string, row);
  }
  return rows;
}

/** Loads the records of a batch with a few queries for each table, where `work.get` would take one for each record. */
async function loadRecords({ work, ids }: ApplyContext, changes: readonly SyncedChange[]): Promise<void> {
  const byTable = new Map<SyncedTable, string[]>();
  for (const { table, id } of changes) {
    const known = byTable.get(table);
    if (known) known.push(ids.toLocal(id));
    else byTable.set(table, [ids.toLocal(id)]);
  }
  for (const [table, local] of byTable) await work.load(table, local);
}

/** @returns the deletions of this batch that the user undid while it was in flight (D14). */
async function deletionsUndoneInFlight({ work, ids, batch }: PushContext): Promise<LocalDeletion[]> {
  const undone: LocalDeletion[] = [];
  for (const { op, table, id } of batch.changes) {
    if (op !== 'delete') continue;
    const raw = await work.get(table, ids.toLocal(id));
    const deletion = raw && readBase(raw)?.deletion;
    if (deletion?.undone) undone.push(deletion);
  }
  return undone;
}

/** Applies the outcome of every change. Blocked changes come last, since theirs depend on the changes that block them. */
async function applyOutcomes(context: PushContext): Promise<void> {
  const { batch, answer } = context;
  const refused = refusedChanges(context);
  const apart = await takeApart(context, refused);
  const sentAgain = new Set(refused.filter(({ group }) => apart.has(group)));
  if (sentAgain.size > 0) context.applied.unsettled = true;
  const isToBeApplied = (change: SyncedChange) =>
    !sentAgain.has(change) && !context.left.has(change.workspace_id);
  for (const [index, change] of batch.changes.entries()) {
    const outcome = answer.outcomes[index];
    if (outcome && isToBeApplied(change)) await applyOutcome(context, change, outcome);
  }
  for (const [index, change] of batch.changes.entries()) {
    const outcome = answer.outcomes[index];
    if (outcome?.outcome === 'blocked' && isToBeApplied(change)) await applyBlocked(context, change, outcome);
  }
}

/**
 * @returns local ids of the records whose rows were taken over with their outcome. Those of changes that came to
 * nothing are left out: the push may have moved them along with others all the same (U29).
 */
function idsWithOutcome({ ids, answer, batch }: PushContext): ReadonlySet<string> {
  const cameToNothing = (index: number) =>
    ['rejected', 'blocked', 'gone'].includes(answer.outcomes[index]?.outcome ?? 'blocked');
  const taken = batch.changes.filter((_, index) => !cameToNothing(index));
  return new Set(taken.map(({ id }) => ids.toLocal(id)));
}

/** Restores the deletions that were undone in flight, now that the server's answer has been applied. */
async function restoreUndone(context: PushContext, undone: readonly LocalDeletion[]): Promise<void> {
  const { work, now, sync } = context;
  for (const { id, root } of undone) {
    if ((await deletedWith(work, root)).length > 0) await restoreDeleted(work, root);
    const record = id === undefined ? null : await work.get('deletions', id);
    if (!record || record.restored_at !== null) continue;
    const stamps = stampsOf(record);
    const edit = { value: null, editedAt: now, offset: sync.clock.offset() };
    const restored: Raw = { ...record, restored_at: now };
    const base = { revision: Number(record.revision), groups: [], columns: { restored_at: edit }, stamps };
    markEdited('deletions', restored, base);
    work.put('deletions', restored);
  }
}

/** Stores the revisions that the push made, so that the next pull skips them (P7, P18). */
function storeOwnRevisions({ work, sync: { store }, batch, answer, missing }: PushContext): void {
  // A batch that an older version made may lack columns of this version.
  const isOldSchema = batch.schema < SCHEMA_VERSION;
  for (const [scope, made] of Object.entries(answer.revisions)) {
    const state = store.scopes.get(scope);
    if (state) {
      const refill = isOldSchema && state.refill ? upTo(state.refill, made.revision) : state.refill;
      // An answer that is heard late tells of what was pulled since: the cursor stands above it.
      const isAbove = made.revision > completeRevision(state.cursor);
      const cursor = isAbove ? { ...state.cursor, own: made } : state.cursor;
      const skip = missing.has(scope) ? state.skip : [...state.skip, made.revision];
      work.also(() => store.prepareScope(scope, { ...state, cursor, refill, skip }));
    } else if (made.revision === 1 && !isOldSchema) {
      // This push created the workspace, so everything in it is here already.
      work.also(() => store.prepareScope(scope, { cursor: made, role: 'owner', skip: [made.revision] }));
    }
  }
}

/** Stores that the recreated workspaces among the changes have been answered, and which of them are purged (P19). */
function storeRecreated({ work, sync: { store }, indexOf, left }: PushContext): void {
  const known = store.facts.remade ?? [];
  const remade = known.filter((scope) => !indexOf.has(scope));
  if (remade.length === known.length) return;
  const leaving = { ...store.facts.leaving };
  for (const scope of left) leaving[scope] = 'forgotten';
  work.also(() => store.prepareFacts({ remade, ...(left.size > 0 && { leaving }) }));
}

async function emptyOutbox({ store }: SyncContext, work: UnitOfWork): Promise<void> {
  const stored = await store.outbox();
  work.also(() => stored?.prepareDestroyPermanently() ?? null);
}

/** The reason for which the quarantine keeps a change that the server has given up again and again (U43). */
export const TOO_SLOW = {
  code: 'too_slow',
  message: 'The server gave this change up each time, since it takes longer than a statement may.',
} as const;

/**
 * Applies the refusal of a whole batch that holds one group: its changes go to the quarantine (D9), unless several actions
 * made them, which are sent one by one then.
 * @returns how many changes were set aside
 * Rejects with a `ConvoyError` (storage).
 */
export async function refuseBatch(
  sync: SyncContext,
  batch: SyncedBatch,
  error: Pick<SyncError, 'code' | 'message'> | typeof TOO_SLOW,
): Promise<number> {
  return sync.write(async () => {
    const context = newContext(sync);
    const { work, ids } = context;
    await loadRecords(context, batch.changes);
    const isApart = (await takeApart(context, batch.changes)).size > 0;
    let refused = 0;
    for (const change of isApart ? [] : batch.changes) {
      const raw = await work.get(change.table, ids.toLocal(change.id));
      // Those that were cut off from a change are set aside with it, and not once more.
      refused += await quarantine(context, change, raw, {
        code: error.code,
        column: null,
        message: error.message,
        group: refusedGroup(context, batch.batch, change.group),
      });
    }
    await emptyOutbox(sync, work);
    await work.commit();
    return refused;
  }, 'sync: refuse batch');
}
