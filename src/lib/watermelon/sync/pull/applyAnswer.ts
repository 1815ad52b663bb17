import type { PullAnswer, Scope } from '@/core/protocol';
import type { DeviceFacts } from '../../models/local/deviceState';
import { pendingDeletions } from '../records/cascade';
import { Draft } from '../records/unitOfWork';
import { reviveQuarantined } from '../setAside/retry';
import { reviveLost } from '../setAside/revive';
import { doneUpTo, type ScopeState } from '../state/deviceStore';
import { afterPage } from '../state/schemaUpgrade';
import type { Progress } from '../state/status';
import type { SyncSession } from '../state/syncContext';
import { applyPage } from './applyRows';
import { fillPage, mayFill } from './bulkApply';
import { purgeForgotten, purgeScope } from './purge';
import { forgetRevisions, markScope, remakeScope, sweepScope } from './resync';

/** Roles from the least rights to the most. */
const BY_RIGHTS: readonly Scope['role'][] = ['reference', 'viewer', 'agent', 'editor', 'owner'];

/** @param runBefore how far this run of pages was before this one */
export async function applyAnswer(session: SyncSession, answer: PullAnswer, runBefore: Progress | null) {
  const { database, store, ids } = session;
  const visible = new Set(answer.scopes.map(({ id }) => id));
  const lost = [...store.scopes.keys()].filter((id) => !visible.has(id));
  if (lost.length === 0 && isUnchanged(session, answer)) return { rows: 0, conflicts: 0, revived: 0 };

  const before = new Map(store.scopes);
  const isRemade = (id: string) => answer.forgotten.includes(id) && store.scopes.get(id)?.role === 'owner';
  const renewed = [
    ...lost.filter(isRemade),
    ...answer.scopes
      .filter(({ id, reset, expired }) => reset && !expired && before.has(id))
      .map(({ id }) => id),
  ];
  const fills = await mayFill(session, answer);
  const applied = await session.write(async () => {
    const draft = new Draft(database);
    const to = {
      database,
      draft,
      ids,
      deviceId: store.facts.deviceId,
      userId: session.userId,
      now: session.clock.now(),
      otherHistory: new Set(renewed.map((id) => ids.toLocal(id))),
      filledWith: new Map(
        [...store.scopes].flatMap(([id, { refill }]) => (refill ? [[ids.toLocal(id), refill.since]] : [])),
      ),
    };
    const remade = lost.filter(isRemade);
    for (const scope of lost) {
      if (!answer.forgotten.includes(scope)) await purgeScope(to, scope);
      else if (!isRemade(scope)) await purgeForgotten(to, scope);
      draft.also(() => store.prepareForgetScope(scope));
    }
    for (const scope of remade) await remakeScope(to, scope);
    const deletions = await pendingDeletions(draft);
    for (const { id, reset, expired } of answer.scopes) {
      if (reset && store.scopes.has(id)) await markScope(to, id, expired ? 'expired' : 'other history');
    }
    const { filled, left } = fills ? await fillPage(to, answer) : { filled: 0, left: answer };
    const counts = await applyPage(to, left);
    counts.rows += filled;
    for (const scope of answer.scopes) {
      const known = store.scopes.get(scope.id);
      const reached = answer.cursors[scope.id];
      const cursor = reached ?? known?.cursor ?? { revision: 0, tag: '' };
      const refilled = answer.refilled[scope.id];
      if (known && !reached && scope.role === known.role && !refilled) continue;
      // A deletion made before this page does not conflict with what this device itself pushed meanwhile.
      const from = Math.min(
        doneUpTo(cursor),
        deletions.get(ids.toLocal(scope.id)) ?? Number.POSITIVE_INFINITY,
      );
      const skip = scope.reset ? [] : (known?.skip ?? []).filter((revision) => revision > from);
      const own = skip.length > 0 ? known?.cursor.own : undefined;
      const isPaging = cursor.target !== undefined;
      const resync = scope.reset === true ? known !== undefined : known?.resync === true;
      // What was changed since the run of pages began is behind its end: only at the head all of it has been sent.
      const isAll = !isPaging && cursor.revision >= scope.head;
      if (resync && isAll) await sweepScope(to, scope.id, scope.role);
      const refill = scope.reset ? undefined : afterPage(known?.refill, refilled);
      const state = {
        cursor: { ...cursor, own },
        role: scope.role,
        skip,
        resync: resync && !isAll,
        refill,
      };
      draft.also(() => store.prepareScope(scope.id, state));
    }
    const reached = answer.more && {
      rows: (runBefore?.rows ?? 0) + counts.rows,
      total: runBefore?.total ?? null,
    };
    const run: Partial<DeviceFacts> = reached || store.facts.run ? { run: reached || undefined } : {};
    const facts = remade.length > 0 ? { ...run, remade: [...(store.facts.remade ?? []), ...remade] } : run;
    if (Object.keys(facts).length > 0) draft.also(() => store.prepareFacts(facts));
    const revived = counts.appeared > 0 ? await reviveLost(to) : 0;
    for (const scope of renewed) await forgetRevisions(to, scope);
    await draft.commit();
    return { ...counts, revived };
  }, 'sync: apply page');
  // What was refused for lack of permission may be allowed now; if not, it is refused once more.
  const raised = answer.scopes.filter(({ id }) => isRaised(before.get(id), store.scopes.get(id)));
  for (const { id } of raised) await reviveQuarantined(database, ids.toLocal(id));
  return applied;
}

/** All of the scope is here, and more may be written in it than before, or it was not all here yet. */
function isRaised(before: ScopeState | undefined, now: ScopeState | undefined): boolean {
  if (!now || now.cursor.target !== undefined) return false;
  if (!before || before.cursor.target !== undefined) return true;
  return BY_RIGHTS.indexOf(now.role) > BY_RIGHTS.indexOf(before.role);
}

function isUnchanged({ store }: SyncSession, answer: PullAnswer): boolean {
  return (
    Object.keys(answer.cursors).length === 0 &&
    Object.keys(answer.refilled).length === 0 &&
    answer.scopes.every(({ id, role }) => store.scopes.get(id)?.role === role)
  );
}
