/**
 * Resyncs a scope that has another history (a restored backup), or whose tombstones the server has purged since (the
 * device was away for longer than the horizon): marks the records that are here, applies the pages of the server, then
 * sweeps the records that were not among them. Nothing is wiped first (P13, P16).
 */

import { tales, toldBy } from '@/domain/activities';
import { mayWrite } from '@/domain/permissions';
import { SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import type { ScopeRole } from '@/domain/vocabulary';
import { Conflict, Quarantined } from '../../models';
import { EXPIRED, IN_DOUBT, markCreated, readBase, UNCONFIRMED, writeBase } from '../../models/tracking';
import { type Model, Q, type Raw } from '../../models/watermelondb';
import type { ApplyContext } from '../records/applyContext';
import { archive } from '../setAside/archive';
import { quarantine } from '../setAside/quarantine';
import { applyTombstone } from './applyRows';

/**
 * Marks every record of a scope that the server once acknowledged. In another history, edits lose the revisions they
 * were based on; where the cursor has expired, these are still of this history.
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
 * Entries that are set aside lose the revisions they were based on, which mean nothing in another history. To be called
 * after the steps that retry and reapply such entries.
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

/** Skips an entry that this same unit of work already reapplies. */
function unlessPrepared<T extends Model>(entry: T, change: (draft: T) => void): Model | null {
  return entry._preparedState === null ? entry.prepareUpdate(change as never) : null;
}

/**
 * Sweeps a scope when all of it was sent: marked records are those that the server acknowledged and no longer has.
 * In another history they are pushed again where the user's role allows it, else archived. Where the cursor had expired
 * they were deleted, and their unsynced values go to the ledger; a record whose first push was never answered may
 * have been, so it is set aside as `uncertain` for a person to decide (P13, P16, U20).
 */
export async function sweepScope(context: ApplyContext, scope: string, role: ScopeRole): Promise<void> {
  /** By what activities may tell of it, the group that a record is recreated in. */
  const recreated = new Map<string, string>();
  for (const [table, raw] of await recordsOf(context, scope)) {
    if (raw.revision === EXPIRED && raw._status === 'created') await setAsideUncertain(context, table, raw);
    else if (raw.revision === EXPIRED) await applyTombstone(context, table, raw.id);
    if (raw.revision !== UNCONFIRMED) continue;
    const mayPush = role !== 'reference' && mayWrite(role, table, 'insert');
    // The server takes an activity of Convoy's own only with the change it tells of (U30).
    const tale = table === 'activity_feed' ? toldBy(raw) : null;
    // That a conflict was settled is taken from who met it.
    const isOthers = raw.activity_type === 'conflict_settled' && raw.actor_id !== context.userId;
    const isTold = tale === null ? !isOthers : recreated.has(tale);
    if (raw._status !== 'deleted' && mayPush && isTold) {
      const created = { editedAt: Number(raw.created_at), offset: 0 };
      const group = recreated.get(tale ?? '') ?? `recreated/${raw.id}`;
      const groups = [...(readBase(raw)?.groups ?? []), group];
      for (const told of tales({ table, op: 'insert', id: raw.id, taskId: raw.task_id }))
        recreated.set(told, group);
      const again: Raw = { ...raw, remote_id: null, revision: 0 };
      markCreated(again, { revision: 0, groups, columns: {}, created });
      context.work.put(table, again);
      continue;
    }
    if (role !== 'reference' && table !== 'deletions') archive(context, table, raw, 'history_changed');
    context.work.destroy(table, raw.id);
  }
}

/** Makes an owner's workspace that the server has lost, with its records, new again: they are pushed (P19). */
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
    message: 'It was sent long ago. The server may have had it, and it may have been deleted since.',
    group: `uncertain/${group}`,
  });
}

/** @returns the records of a scope as the unit of work leaves them, those marked as deleted included. */
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
