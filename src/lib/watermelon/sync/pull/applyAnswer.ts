/**
 * The answer to a pull → local database: one page, and the cursors it leads to, in one local transaction. Before it go
 * the scopes that are lost or sent from the beginning, after it those whose rows are all here.
 */

import type { Cursor, Page, PullAnswer, Scope } from '@/core/protocol';
import type { ScopeRole } from '@/domain/vocabulary';
import type { ApplyContext } from '../records/applyContext';
import { pendingDeletions } from '../records/cascade';
import { toScopeRole } from '../records/codec';
import { partReadable } from '../records/readable';
import { reapplyLost } from '../setAside/reapply';
import { retryPermitted } from '../setAside/retry';
import { forgetReadable, setAsideUnreadable } from '../setAside/unreadable';
import { completeRevision, type ScopeState } from '../state/deviceStore';
import { newContext } from '../state/newContext';
import { afterPage } from '../state/schemaUpgrade';
import type { Progress } from '../state/status';
import type { SyncContext } from '../state/syncContext';
import { applyPage, type PageCounts } from './applyRows';
import { bulkApplyPage } from './bulkApply';
import { forgetRevisions } from './resync';
import { type LostScopes, leaveScopes, markResetScopes, sweepScopes } from './scopeWork';

export interface AppliedPull {
  /** Rows and tombstones of the page. */
  rows: number;
  conflicts: number;
  /** Lost edits reapplied because their records came back (D13). */
  reapplied: number;
}

/** Remote ids of the scopes whose visibility or history the answer changes. */
interface ScopeChanges extends LostScopes {
  /** Their revisions are of another history than the server's (P8). */
  otherHistory: readonly string[];
}

/**
 * Applies one answer.
 * @param runBefore how far the run of pages was before this page; null for none
 * @param deletedInDoubt local ids of the records that the batch in doubt deletes, if there is one
 * @returns what was done
 * Rejects with a `ConvoyError` (storage, `overtaken` among them); nothing of the page is applied then.
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
  await leaveScopes(sync, answer, changes);
  if (!(await markResetScopes(sync, answer))) return { rows: 0, conflicts: 0, reapplied: 0 };
  const applied = await sync.write(async () => {
    const context = { ...makeContext(sync, changes), deletedInDoubt };
    const seenByDeletions = hasOwnRevisions(sync) ? await pendingDeletions(sync.database) : new Map();
    const counts = await applyRowsOf(context, readable);
    counts.rows += unreadable.length;
    forgetReadable(context, sync.store, readable);
    await setAsideUnreadable(context, sync.store, unreadable);
    for (const scope of answer.scopes) advanceScope(sync, context, answer, scope, seenByDeletions);
    storeRun(sync, context, answer.more ? runAfter(runBefore, counts.rows) : null);
    const reapplied = counts.appeared > 0 ? await reapplyLost(context) : 0;
    for (const scope of changes.otherHistory) await forgetRevisions(context, scope);
    await context.work.commit();
    return { ...counts, reapplied };
  }, 'sync: apply page');
  const reapplied = applied.reapplied + (await sweepScopes(sync, deletedInDoubt));
  await retryWhereRaised(sync, answer, before);
  return { ...applied, reapplied };
}

/** Whether a cursor has revisions above it that this device made: deletions may not have seen them. */
function hasOwnRevisions({ store }: SyncContext): boolean {
  return [...store.scopes.values()].some(({ skip }) => skip.length > 0);
}

function findScopeChanges({ store }: SyncContext, answer: PullAnswer): ScopeChanges {
  const visible = new Set(answer.scopes.map(({ id }) => id));
  const lost = [...store.scopes.keys()].filter((id) => !visible.has(id));
  const recreated = lost.filter(
    (id) => answer.forgotten.includes(id) && store.scopes.get(id)?.role === 'owner',
  );
  const reset = answer.scopes.filter(({ id, reset, expired }) => reset && !expired && store.scopes.has(id));
  return { lost, recreated, otherHistory: reset.map(({ id }) => id) };
}

function isUnchanged({ store }: SyncContext, answer: PullAnswer): boolean {
  return (
    // A scope whose marking broke off has to go on, or to be asked for anew.
    answer.scopes.every(({ id }) => store.scopes.get(id)?.resync !== 'marking') &&
    Object.keys(answer.cursors).length === 0 &&
    // Rows that were asked for again come without a cursor (P33).
    Object.keys(answer.rows).length === 0 &&
    Object.keys(answer.deleted).length === 0 &&
    Object.keys(answer.refilled).length === 0 &&
    answer.scopes.every(({ id, role }) => store.scopes.get(id)?.role === toScopeRole(role))
  );
}

function makeContext(sync: SyncContext, { otherHistory }: ScopeChanges): ApplyContext {
  const { store, ids } = sync;
  return {
    ...newContext(sync),
    otherHistory: new Set(otherHistory.map((id) => ids.toLocal(id))),
    refillSince: new Map(
      [...store.scopes].flatMap(([id, { refill }]) => (refill ? [[ids.toLocal(id), refill.since]] : [])),
    ),
  };
}

/** Writes the rows of the page: in bulk where nothing here has a say in them (P31), else one by one. */
async function applyRowsOf(context: ApplyContext, page: Page): Promise<PageCounts> {
  if (!context.ids.isIdentity) return applyPage(context, page);
  const { applied, left } = await bulkApplyPage(context, page);
  const counts = await applyPage(context, left);
  return { ...counts, rows: counts.rows + applied };
}

/**
 * Moves a scope to where the page leads; it is to be swept when all of its rows are here.
 * @param seenByDeletions by workspace, the earliest revision that an unsynced deletion has seen
 */
function advanceScope(
  { store, ids }: SyncContext,
  context: ApplyContext,
  answer: PullAnswer,
  scope: Scope,
  seenByDeletions: ReadonlyMap<string, number>,
): void {
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
  const state: ScopeState = {
    cursor: { ...cursor, own },
    role,
    skip,
    resync: reached ? stepOfResync(known, scope, reached) : known?.resync,
    refill: scope.reset ? undefined : afterPage(known?.refill, refilled),
  };
  context.work.also(() => store.prepareScope(scope.id, state));
}

/** @returns the step that the resync of a scope is at with a cursor; undefined where it is not resynced. */
function stepOfResync(known: ScopeState | undefined, scope: Scope, reached: Cursor): ScopeState['resync'] {
  if (known === undefined || (scope.reset !== true && known.resync === undefined)) return undefined;
  return isAtHead(reached, scope) ? 'sweeping' : 'paging';
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
 * Stores how far the run of pages is, so that it goes on in its count (D30).
 * @param run null: it is over
 */
function storeRun({ store }: SyncContext, { work }: ApplyContext, run: Progress | null): void {
  if (run) work.also(() => store.prepareFacts({ run }));
  else if (store.facts.run) work.also(() => store.prepareFacts({ run: undefined }));
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
