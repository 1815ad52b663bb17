/**
 * Work on whole scopes that takes more than one local transaction: leaving those that are lost (P12, P19), marking and
 * sweeping those that are resynced (P13, P16). What is to be done is stored first, so that whatever breaks off is
 * finished before the next page is applied.
 */

import type { PullAnswer } from '@/core/protocol';
import { reapplyLost } from '../setAside/reapply';
import { forgetUnreadableOf } from '../setAside/unreadable';
import { newContext } from '../state/newContext';
import type { SyncContext } from '../state/syncContext';
import { beginPurge, finishPurge } from './purge';
import { forgetRevisions, markScope, sweepScope } from './resync';

/** Remote ids of scopes that the answer no longer shows. */
export interface LostScopes {
  /** The user may no longer see them, or the server has forgotten them. */
  lost: readonly string[];
  /** Those of the lost that an owner's device recreates on the server (P19). */
  recreated: readonly string[];
}

/** Leaves the scopes that are lost: notes it in one transaction, and purges or recreates what is here of them then. */
export async function leaveScopes(
  sync: SyncContext,
  { forgotten }: PullAnswer,
  { lost, recreated }: LostScopes,
): Promise<void> {
  if (lost.length === 0) return;
  const { store } = sync;
  await sync.write(async () => {
    const context = newContext(sync);
    const leaving = { ...store.facts.leaving };
    for (const scope of lost) {
      const why = forgotten.includes(scope) ? 'forgotten' : 'access_lost';
      if (recreated.includes(scope)) {
        leaving[scope] = 'recreated';
        await forgetRevisions(context, scope);
      } else {
        leaving[scope] = why;
        await beginPurge(context, scope, why);
      }
      forgetUnreadableOf(context, store, scope);
      context.work.also(() => store.prepareForgetScope(scope));
    }
    const remade = [...(store.facts.remade ?? []), ...recreated];
    context.work.also(() => store.prepareFacts({ leaving, ...(recreated.length > 0 && { remade }) }));
    await context.work.commit();
  }, 'sync: leave scopes');
  await finishLeaving(sync);
}

async function finishLeaving(sync: SyncContext): Promise<void> {
  const { store } = sync;
  for (const [scope, why] of store.leaving) {
    if (why === 'recreated') {
      await markScope(sync, scope, 'other history');
      await sweepScope(sync, scope, 'owner');
    } else await finishPurge(sync, scope, why);
    await sync.write(async () => {
      const { [scope]: _, ...others } = store.facts.leaving ?? {};
      const leaving = Object.keys(others).length > 0 ? others : undefined;
      await sync.database.batch([store.prepareFacts({ leaving })]);
    }, 'sync: left scope');
  }
}

/**
 * Marks the records of the scopes that the server sends from the beginning, and that this answer has rows of.
 * @returns false where it no longer sends one from the beginning that was being marked for it: it has to be asked again
 */
export async function markResetScopes(sync: SyncContext, answer: PullAnswer): Promise<boolean> {
  const { store } = sync;
  for (const { id, reset, expired } of answer.scopes) {
    const known = store.scopes.get(id);
    if (!known) continue;
    if (reset) {
      if (!answer.cursors[id]) continue;
      await noteMarking(sync, id);
      await markScope(sync, id, expired ? 'expired' : 'other history');
    } else if (known.resync === 'marking') {
      // Its history is the one of before again, be there news of it or not. Which of the marked records it has, all
      // of its rows have to say.
      const unknown = { revision: known.cursor.revision, tag: '' };
      await sync.write(
        () => sync.database.batch([store.prepareScope(id, { ...known, cursor: unknown })]),
        'sync: ask anew',
      );
      return false;
    }
  }
  return true;
}

/** From here on nothing is pushed until the scope is swept (P17). */
async function noteMarking(sync: SyncContext, scope: string): Promise<void> {
  const { store } = sync;
  await sync.write(async () => {
    const known = store.scopes.get(scope);
    if (!known) return;
    const context = newContext(sync);
    forgetUnreadableOf(context, store, scope);
    if (known.resync !== 'marking')
      context.work.also(() => store.prepareScope(scope, { ...known, resync: 'marking' }));
    await context.work.commit();
  }, 'sync: mark scope');
}

/**
 * Sweeps the scopes whose rows are all here.
 * @returns how many lost edits were reapplied then
 */
export async function sweepScopes(sync: SyncContext, deletedInDoubt?: ReadonlySet<string>): Promise<number> {
  const { store } = sync;
  let reapplied = 0;
  for (const [scope, { resync, role }] of [...store.scopes]) {
    if (resync !== 'sweeping') continue;
    await sweepScope(sync, scope, role, deletedInDoubt);
    reapplied += await endResync(sync, scope);
  }
  return reapplied;
}

async function endResync(sync: SyncContext, scope: string): Promise<number> {
  const { store } = sync;
  return sync.write(async () => {
    const known = store.scopes.get(scope);
    const context = newContext(sync);
    const local = sync.ids.toLocal(scope);
    const resyncing = new Set([...(context.resyncing ?? [])].filter((id) => id !== local));
    context.work.also(() => (known ? store.prepareScope(scope, { ...known, resync: undefined }) : null));
    const reapplied = await reapplyLost({ ...context, resyncing });
    await context.work.commit();
    return reapplied;
  }, 'sync: end resync');
}

/**
 * Finishes what broke off before: a process that ended between two slices, or an answer to a push by which a workspace
 * turned out to be lost.
 * @returns how many lost edits were reapplied
 */
export async function resumeScopes(sync: SyncContext, deletedInDoubt?: ReadonlySet<string>): Promise<number> {
  await finishLeaving(sync);
  return sweepScopes(sync, deletedInDoubt);
}
