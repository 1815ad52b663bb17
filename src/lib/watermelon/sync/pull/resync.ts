/**
 * Resyncs a scope that has another history (a restored backup), or whose tombstones the server has purged since (the
 * device was away for longer than the horizon): marks the records that are here, applies the pages of the server, then
 * sweeps the records that were not among them. Nothing is wiped first (P13, P16). Marking and sweeping go slice by
 * slice, and only unsynced records become models.
 */

import { SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import type { ScopeRole } from '@/domain/vocabulary';
import { Conflict, Quarantined } from '../../models';
import { EXPIRED, IN_DOUBT, markCreated, readBase, UNCONFIRMED, writeBase } from '../../models/tracking';
import { type Model, Q, type Raw } from '../../models/watermelondb';
import type { ApplyContext } from '../records/applyContext';
import { withoutEnded } from '../records/codec';
import { archiveAll, erase, markAs, recreate } from '../records/statements';
import { archive } from '../setAside/archive';
import { quarantine } from '../setAside/quarantine';
import type { SyncContext } from '../state/syncContext';
import { applyTombstone } from './applyRows';
import { recreatedGroups } from './recreatedGroups';
import { idsOf, inSlices, type SliceRecord } from './slices';

/** Met by the records that the server once acknowledged, and that are still to be marked. */
const TO_BE_MARKED = {
  'other history': `"remote_id" is not null and ("revision" <> ${UNCONFIRMED} or "_status" <> 'synced')`,
  expired: `("remote_id" is not null or "revision" = ${IN_DOUBT}) and "revision" not in (${UNCONFIRMED}, ${EXPIRED})`,
} as const;

/**
 * Marks every record of a scope that the server once acknowledged. In another history, edits lose the revisions they
 * were based on; where the cursor has expired, these are still of this history. Records that are marked already cost
 * nothing.
 */
export async function markScope(
  sync: SyncContext,
  scope: string,
  why: keyof typeof TO_BE_MARKED,
): Promise<void> {
  const mark = why === 'expired' ? EXPIRED : UNCONFIRMED;
  for (const table of SYNCED_TABLES) {
    const marked = { table, scope: sync.ids.toLocal(scope), condition: TO_BE_MARKED[why] };
    await inSlices(sync, marked, async (context, slice) => {
      const keepsBases = why === 'expired';
      const plain = keepsBases ? slice : slice.filter(({ isSynced }) => isSynced);
      context.work.run(table, markAs(table, idsOf(plain), mark));
      if (!keepsBases) await loseBases(context, table, unsyncedOf(slice));
    });
  }
}

async function loseBases({ work }: ApplyContext, table: SyncedTable, ids: readonly string[]): Promise<void> {
  await work.load(table, ids);
  for (const id of ids) {
    const raw = await work.get(table, id);
    if (!raw) continue;
    const [base, before] = [readBase(raw), raw.sync_base];
    if (base) {
      const deletion = base.deletion && { ...base.deletion, seen: 0 };
      writeBase(raw, { ...base, revision: 0, deletion });
    }
    if (raw.revision === UNCONFIRMED && raw.sync_base === before) continue;
    work.put(table, { ...raw, revision: UNCONFIRMED });
  }
}

const unsyncedOf = (slice: readonly SliceRecord[]): string[] =>
  idsOf(slice.filter(({ isSynced }) => !isSynced));

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
 * @param deletedInDoubt local ids of the records that the batch in doubt deletes, if there is one
 */
export async function sweepScope(
  sync: SyncContext,
  scope: string,
  role: ScopeRole,
  deletedInDoubt?: ReadonlySet<string>,
): Promise<void> {
  for (const table of SYNCED_TABLES) {
    const condition = `"revision" in (${UNCONFIRMED}, ${EXPIRED})`;
    await inSlices(sync, { table, scope: sync.ids.toLocal(scope), condition }, async (context, slice) => {
      const swept: Swept = {
        context: { ...context, deletedInDoubt },
        table,
        role,
        groups: await recreatedGroups(
          context,
          table,
          slice.filter(isUnconfirmed).map(({ id }) => id),
          role,
        ),
      };
      sweepSynced(
        swept,
        slice.filter(({ isSynced }) => isSynced),
      );
      await sweepUnsynced(swept, unsyncedOf(slice));
    });
  }
}

const isUnconfirmed = ({ revision }: SliceRecord): boolean => revision === UNCONFIRMED;

/** The means with which a slice is swept. */
interface Swept {
  context: ApplyContext;
  table: SyncedTable;
  role: ScopeRole;
  /** The groups in which records that the server has lost are recreated; of the others nothing is. */
  groups: ReadonlyMap<string, string>;
}

function sweepSynced({ context, table, role, groups }: Swept, slice: readonly SliceRecord[]): void {
  const { work, now } = context;
  const lost = idsOf(slice.filter(isUnconfirmed));
  const again = lost.flatMap((id): [string, string][] => {
    const group = groups.get(id);
    return group === undefined ? [] : [[id, group]];
  });
  work.run(table, recreate(table, again));
  const left = lost.filter((id) => !groups.has(id));
  // The server makes the user's own membership itself, with the workspace.
  const only = table === 'workspace_members' ? { sql: '"user_id" <> ?', args: [context.userId] } : undefined;
  if (isKept(table, role))
    work.run('sync_archive', archiveAll(table, left, { reason: 'history_changed', now, only }));
  const deleted = idsOf(slice.filter((record) => !isUnconfirmed(record)));
  work.run(table, erase(table, [...left, ...deleted]));
}

/** Whether what the server has lost of a table goes to the archive where it is not recreated. */
const isKept = (table: SyncedTable, role: ScopeRole): boolean =>
  role !== 'reference' && table !== 'deletions';

async function sweepUnsynced(swept: Swept, ids: readonly string[]): Promise<void> {
  const { context, table, role, groups } = swept;
  await context.work.load(table, ids);
  for (const id of ids) {
    const raw = await context.work.get(table, id);
    if (raw?.revision === EXPIRED && raw._status === 'created') await setAsideUncertain(context, table, raw);
    else if (raw?.revision === EXPIRED) await applyTombstone(context, table, id);
    if (raw?.revision !== UNCONFIRMED) continue;
    const group = groups.get(id);
    if (raw._status !== 'deleted' && group !== undefined) {
      const created = { editedAt: Number(raw.created_at), offset: 0 };
      const again: Raw = { ...withoutEnded(table, raw), remote_id: null, revision: 0 };
      const joined = [...(readBase(raw)?.groups ?? []), group];
      markCreated(again, { revision: 0, groups: joined, columns: {}, created });
      context.work.put(table, again);
      continue;
    }
    if (isKept(table, role)) archive(context, table, raw, 'history_changed');
    context.work.destroy(table, id);
  }
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
