/** The answer to a pull → local database: one page, and the cursors it leads to, in one local transaction. */

import type { Cursor, Page, PullAnswer, Scope } from '@/core/protocol';
import type { ScopeRole } from '@/domain/vocabulary';
import type { DeviceFacts } from '../../models/local/deviceState';
import type { ApplyContext } from '../records/applyContext';
import { pendingDeletions } from '../records/cascade';
import { toScopeRole } from '../records/codec';
import { partReadable } from '../records/readable';
import { UnitOfWork } from '../records/unitOfWork';
import { reapplyLost } from '../setAside/reapply';
import { retryPermitted } from '../setAside/retry';
import { forgetReadable, forgetUnreadableOf, setAsideUnreadable } from '../setAside/unreadable';
import { completeRevision, type ScopeState } from '../state/deviceStore';
import { afterPage } from '../state/schemaUpgrade';
import type { Progress } from '../state/status';
import type { SyncContext } from '../state/syncContext';
import { applyPage, type PageCounts } from './applyRows';
import { bulkApplyPage, canBulkApply } from './bulkApply';
import { purgeForgotten, purgeScope } from './purge';
import { forgetRevisions, markScope, recreateScope, sweepScope } from './resync';

export interface AppliedPull {
  /** Rows and tombstones of the page. */
  rows: number;
  conflicts: number;
  /** Lost edits reapplied because their records came back (D13). */
  reapplied: number;
}

/** Remote ids of the scopes whose visibility or history the answer changes. */
interface ScopeChanges {
  /** Not in the answer: the user may no longer see them, or the server has forgotten them. */
  lost: string[];
  /** Those of the lost that an owner's device recreates on the server (P19). */
  recreated: string[];
  /** Their revisions are of another history than the server's (P8, P19). */
  otherHistory: string[];
}

/**
 * Applies one answer.
 * @param runBefore how far the run of pages was before this page; null for none
 * @param deletedInDoubt local ids of the records that the batch in doubt deletes, if there is one
 * @returns what was done
 * Rejects with a `ConvoyError` (storage, `overtaken` among them); nothing is applied then.
 */
export async function applyAnswer(
  sync: SyncContext,
  answer: PullAnswer,
  runBefore: Progress | null,
  deletedInDoubt?: ReadonlySet<string>,
): Promise<AppliedPull> {
  const changes = findScopeChanges(sync, answer);
  if (changes.lost.length === 0 && isUnchanged(sync, answer)) return { rows: 0, conflicts: 0, reapplied: 0 };

  const { readable, unreadable } = partReadable(answer);
  const before = new Map(sync.store.scopes);
  const inBulk = await canBulkApply(sync, answer);
  const applied = await sync.write(async () => {
    const context = { ...makeContext(sync, changes), deletedInDoubt };
    await leaveLostScopes(sync, context, answer, changes);
    const seenByDeletions = await pendingDeletions(context.work);
    await markResetScopes(sync, context, answer);
    const counts = await applyRowsOf(context, readable, inBulk);
    counts.rows += unreadable.length;
    forgetReadable(context, sync.store, readable);
    await setAsideUnreadable(context, sync.store, unreadable);
    for (const scope of answer.scopes) await advanceScope(sync, context, answer, scope, seenByDeletions);
    storeFacts(sync, context, changes, answer.more ? runAfter(runBefore, counts.rows) : null);
    const reapplied = counts.appeared > 0 ? await reapplyLost(context) : 0;
    for (const scope of changes.otherHistory) await forgetRevisions(context, scope);
    await context.work.commit();
    return { ...counts, reapplied };
  }, 'sync: apply page');
  await retryWhereRaised(sync, answer, before);
  return applied;
}

function findScopeChanges({ store }: SyncContext, answer: PullAnswer): ScopeChanges {
  const visible = new Set(answer.scopes.map(({ id }) => id));
  const lost = [...store.scopes.keys()].filter((id) => !visible.has(id));
  const recreated = lost.filter(
    (id) => answer.forgotten.includes(id) && store.scopes.get(id)?.role === 'owner',
  );
  const reset = answer.scopes.filter(({ id, reset, expired }) => reset && !expired && store.scopes.has(id));
  return { lost, recreated, otherHistory: [...recreated, ...reset.map(({ id }) => id)] };
}

function isUnchanged({ store }: SyncContext, answer: PullAnswer): boolean {
  return (
    Object.keys(answer.cursors).length === 0 &&
    // Rows that were asked for again come without a cursor (P33).
    Object.keys(answer.rows).length === 0 &&
    Object.keys(answer.deleted).length === 0 &&
    Object.keys(answer.refilled).length === 0 &&
    answer.scopes.every(({ id, role }) => store.scopes.get(id)?.role === toScopeRole(role))
  );
}

function makeContext(sync: SyncContext, { otherHistory }: ScopeChanges): ApplyContext {
  const { database, store, ids } = sync;
  return {
    database,
    work: new UnitOfWork(database),
    ids,
    deviceId: store.facts.deviceId,
    userId: sync.userId,
    now: sync.clock.now(),
    otherHistory: new Set(otherHistory.map((id) => ids.toLocal(id))),
    refillSince: new Map(
      [...store.scopes].flatMap(([id, { refill }]) => (refill ? [[ids.toLocal(id), refill.since]] : [])),
    ),
  };
}

/** Purges the scopes that are lost (P12), and prepares those to be recreated (P19). */
async function leaveLostScopes(
  { store }: SyncContext,
  context: ApplyContext,
  answer: PullAnswer,
  { lost, recreated }: ScopeChanges,
): Promise<void> {
  for (const scope of lost) {
    if (!answer.forgotten.includes(scope)) await purgeScope(context, scope);
    else if (!recreated.includes(scope)) await purgeForgotten(context, scope);
    forgetUnreadableOf(context, store, scope);
    context.work.also(() => store.prepareForgetScope(scope));
  }
  for (const scope of recreated) await recreateScope(context, scope);
}

/** Marks the records of scopes that the server sends from the beginning; they are swept when all pages have come (P13, P16). */
async function markResetScopes(
  { store }: SyncContext,
  context: ApplyContext,
  answer: PullAnswer,
): Promise<void> {
  for (const { id, reset, expired } of answer.scopes) {
    if (!reset || !store.scopes.has(id)) continue;
    forgetUnreadableOf(context, store, id);
    await markScope(context, id, expired ? 'expired' : 'other history');
  }
}

/** Writes the rows of the page: in bulk where they meet no unsynced edit (P31), else one by one. */
async function applyRowsOf(context: ApplyContext, page: Page, inBulk: boolean): Promise<PageCounts> {
  if (!inBulk) return applyPage(context, page);
  const { applied, left } = await bulkApplyPage(context, page);
  const counts = await applyPage(context, left);
  return { ...counts, rows: counts.rows + applied };
}

/**
 * Moves a scope to where the page leads, and sweeps it when all of its rows are here.
 * @param seenByDeletions by workspace, the earliest revision that an unsynced deletion has seen
 */
async function advanceScope(
  { store, ids }: SyncContext,
  context: ApplyContext,
  answer: PullAnswer,
  scope: Scope,
  seenByDeletions: ReadonlyMap<string, number>,
): Promise<void> {
  const known = store.scopes.get(scope.id);
  const reached = answer.cursors[scope.id];
  const refilled = answer.refilled[scope.id];
  const role = toScopeRole(scope.role);
  if (known && !reached && role === known.role && !refilled) return;
  const cursor = reached ?? known?.cursor ?? { revision: 0, tag: '' };
  // A deletion made before this page does not conflict with what this device itself pushed meanwhile.
  const from = Math.min(
    completeRevision(cursor),
    seenByDeletions.get(ids.toLocal(scope.id)) ?? Number.POSITIVE_INFINITY,
  );
  const skip = scope.reset ? [] : (known?.skip ?? []).filter((revision) => revision > from);
  const own = skip.length > 0 ? known?.cursor.own : undefined;
  const isResyncing = scope.reset === true ? known !== undefined : known?.resync === true;
  const isOver = isResyncing && isAtHead(cursor, scope);
  if (isOver) await sweepScope(context, scope.id, role);
  const state = {
    cursor: { ...cursor, own },
    role,
    skip,
    resync: isResyncing && !isOver,
    refill: scope.reset ? undefined : afterPage(known?.refill, refilled),
  };
  context.work.also(() => store.prepareScope(scope.id, state));
}

/** Rows that changed after paging began lie beyond its target: only at the head all of the scope has been sent. */
function isAtHead(cursor: Cursor, { head }: Scope): boolean {
  return cursor.target === undefined && cursor.revision >= head;
}

/** @returns how far the run of pages is after a page of `rows`. */
function runAfter(before: Progress | null, rows: number): Progress {
  return { rows: (before?.rows ?? 0) + rows, total: before?.total ?? null };
}

/**
 * Stores how far the run of pages is, so that it goes on in its count (D30), and which scopes are recreated (P19).
 * @param run null: it is over
 */
function storeFacts(
  { store }: SyncContext,
  { work }: ApplyContext,
  { recreated }: ScopeChanges,
  run: Progress | null,
): void {
  const facts: Partial<DeviceFacts> = {};
  if (run) facts.run = run;
  else if (store.facts.run) facts.run = undefined;
  if (recreated.length > 0) facts.remade = [...(store.facts.remade ?? []), ...recreated];
  if (Object.keys(facts).length > 0) work.also(() => store.prepareFacts(facts));
}

/** Retries changes that were refused for lack of permission, where the role may allow them now (D11). */
async function retryWhereRaised(
  { database, store, ids }: SyncContext,
  answer: PullAnswer,
  before: ReadonlyMap<string, ScopeState>,
): Promise<void> {
  const raised = answer.scopes.filter(({ id }) => isRaised(before.get(id), store.scopes.get(id)));
  for (const { id } of raised) await retryPermitted(database, ids.toLocal(id));
}

/** Roles from the least rights to the most. */
const BY_RIGHTS: readonly ScopeRole[] = ['reference', 'viewer', 'agent', 'editor', 'owner'];

/** Whether all of the scope is here, and was not before or may now be written by more rights. */
function isRaised(before: ScopeState | undefined, now: ScopeState | undefined): boolean {
  if (!now || now.cursor.target !== undefined) return false;
  if (!before || before.cursor.target !== undefined) return true;
  return BY_RIGHTS.indexOf(now.role) > BY_RIGHTS.indexOf(before.role);
}
