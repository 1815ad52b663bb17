/**
 * Getting back in step with a scope that has another history (restored from a backup), or whose deletions
 * the server no longer knows (the device was away for longer than the horizon): mark what is here, take
 * what the server sends, then sweep what it does not have. Nothing is wiped first.
 */

import { SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import { mayWrite } from '@/domain/taskRules';
import type { ScopeRole } from '@/domain/vocabulary';
import { Conflict, Quarantined } from '../../models';
import { EXPIRED, IN_DOUBT, markCreated, readBase, UNCONFIRMED, writeBase } from '../../models/tracking';
import { type Model, Q, type Raw } from '../../models/watermelondb';
import type { ApplyContext } from '../records/applyContext';
import { archive } from '../setAside/archive';
import { quarantine } from '../setAside/quarantine';
import { applyTombstone } from './applyRows';

/**
 * Marks every record of the scope that the server once acknowledged. In another history edits forget the
 * old one's revisions; after an absence they are still of this one.
 */
export async function markScope(
  context: ApplyContext,
  scope: string,
  why: 'other history' | 'expired',
): Promise<void> {
  for (const [table, raw] of await recordsOf(context, scope)) {
    if (raw.remote_id === null && !(why === 'expired' && raw.revision === IN_DOUBT)) continue;
    if (why === 'expired') {
      if (raw.revision !== UNCONFIRMED) context.work.put(table, { ...raw, revision: EXPIRED });
      continue;
    }
    const base = readBase(raw);
    if (base) {
      const deletion = base.deletion && { ...base.deletion, seen: 0 };
      writeBase(raw, { ...base, revision: 0, deletion });
    }
    context.work.put(table, { ...raw, revision: UNCONFIRMED });
  }
}

/**
 * What is set aside was judged by revisions of the history before: in another one it has seen nothing. To be
 * called after all that makes some of it again.
 */
export async function forgetRevisions(context: ApplyContext, scope: string): Promise<void> {
  const inScope = Q.where('workspace_id', context.ids.toLocal(scope));
  const refused = await context.database
    .of(Quarantined)
    .query(inScope, Q.where('operation', 'delete'))
    .fetch();
  for (const entry of refused) {
    context.work.also(() =>
      unlessPrepared(entry, (draft) => {
        draft.change = { ...entry.change, base: { seen: 0 } };
      }),
    );
  }
  const lost = await context.database
    .of(Conflict)
    .query(inScope, Q.where('lost', Q.notEq(null)))
    .fetch();
  for (const entry of lost) {
    context.work.also(() =>
      unlessPrepared(entry, (draft) => {
        const raw: Raw = { ...(entry.lost as Raw) };
        const base = readBase(raw);
        if (base) writeBase(raw, { ...base, revision: 0 });
        draft.lost = raw;
      }),
    );
  }
}

/** One that is made again at the same time is not set aside any more. */
function unlessPrepared<T extends Model>(entry: T, change: (draft: T) => void): Model | null {
  return entry._preparedState === null ? entry.prepareUpdate(change as never) : null;
}

/**
 * The server has sent all it has. Records it acknowledged before and no longer has are pushed again where
 * the user's role allows it, and archived where it does not. After an absence they were deleted: their
 * unsynced values go to the ledger. What was sent and never answered for may have been: a person decides.
 */
export async function sweepScope(context: ApplyContext, scope: string, role: ScopeRole): Promise<void> {
  for (const [table, raw] of await recordsOf(context, scope)) {
    if (raw.revision === EXPIRED && raw._status === 'created') await setAsideUncertain(context, table, raw);
    else if (raw.revision === EXPIRED) await applyTombstone(context, table, raw.id);
    if (raw.revision !== UNCONFIRMED) continue;
    const mayPush = role !== 'reference' && table !== 'workspace_members' && mayWrite(role, table, 'insert');
    if (raw._status !== 'deleted' && mayPush) {
      const created = { editedAt: Number(raw.created_at), offset: 0 };
      const groups = readBase(raw)?.groups ?? [];
      const again: Raw = { ...raw, remote_id: null, revision: 0 };
      markCreated(again, { revision: 0, groups, columns: {}, created });
      context.work.put(table, again);
      continue;
    }
    if (role !== 'reference' && table !== 'deletions') archive(context, table, raw, 'history_changed');
    context.work.destroy(table, raw.id);
  }
}

/** The server has lost a workspace of the user's own, and all that was in it: it is created there again (P19). */
export async function recreateScope(context: ApplyContext, scope: string): Promise<void> {
  await markScope(context, scope, 'other history');
  await sweepScope(context, scope, 'owner');
}

async function setAsideUncertain(context: ApplyContext, table: SyncedTable, raw: Raw): Promise<void> {
  const [group = raw.id] = readBase(raw)?.groups ?? [];
  const workspace_id = context.ids.toRemote(raw.workspace_id as string);
  const insert = {
    table,
    op: 'insert',
    id: context.ids.toRemote(raw.id),
    workspace_id,
    base: null,
    group: 0,
  } as const;
  await quarantine(context, insert, raw, {
    code: 'uncertain',
    column: null,
    message: 'It was sent long ago, and it is not known whether it arrived and was deleted since.',
    group: `uncertain/${group}`,
  });
}

/** The records of a scope as the draft leaves them, those marked as deleted included. */
async function recordsOf(context: ApplyContext, scope: string): Promise<[SyncedTable, Raw][]> {
  const local = context.ids.toLocal(scope);
  const found: [SyncedTable, Raw][] = [];
  for (const table of SYNCED_TABLES) {
    const records = await context.database.get(table).query(Q.where('workspace_id', local)).fetch();
    const ids = [...records.map(({ id }) => id), ...(await context.work.deletedIds(table))];
    await context.work.load(table, ids);
    for (const id of ids) {
      const raw = await context.work.get(table, id);
      if (raw?.workspace_id === local) found.push([table, raw]);
    }
  }
  return found;
}
