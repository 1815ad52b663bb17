/** What was deleted and can be restored: deletions the server knows, and those that are still only here. */

import { debounceTime, distinctUntilChanged, from, map, type Observable, startWith, switchMap } from 'rxjs';
import type { ContextService } from '@/domain/contextService';
import type { Deletion } from '@/domain/entities';
import { RESTORABLE_TABLES } from '@/domain/schema';
import { mayRestore } from '@/domain/taskRules';
import { validateId } from '@/domain/validation';
import { Q, type Raw } from '../models/watermelondb';
import { type PendingDeletion, undoDeletion, unsyncedDeletions } from '../sync/records/undo';
import { type LocalFirst, storing, writeOn } from './localFirst';
import { toEntity } from './localStore';
import { membership, orThrow, prepareUpdate, refuse } from './localWrites';

/**
 * How far a deletion is: `deleted` the server has it; `unsynced` it is undone here, at once; `restoring` it
 * was restored here, and the server has not answered; `refused` the server would not restore it.
 */
export type ObservedDeletion = Deletion & { state: 'deleted' | 'unsynced' | 'restoring' | 'refused' };

/** @returns the deletions of a workspace that are not restored, and those that are being, newest first. */
async function listAll(local: LocalFirst, workspaceId: string): Promise<ObservedDeletion[]> {
  const { database } = local.store;
  const known = await database.get('deletions').query(Q.where('workspace_id', workspaceId)).fetch();
  const all: ObservedDeletion[] = known.flatMap((record) => {
    const raw = record._raw as unknown as Raw;
    const isRestoring = raw._status !== 'synced';
    if (raw.restored_at !== null && !isRestoring) return [];
    const state = isRestoring ? 'restoring' : raw.sync_error ? 'refused' : 'deleted';
    return [{ ...toEntity<Deletion>('deletions', raw), state }];
  });
  for (const pending of await unsyncedDeletions(database)) {
    if (pending.raw.workspace_id === workspaceId) all.push(asDeletion(pending, local.userId));
  }
  const newest = (a: Deletion, b: Deletion) =>
    a.created_at === b.created_at ? (a.id < b.id ? 1 : -1) : a.created_at < b.created_at ? 1 : -1;
  return all.sort(newest);
}

function asDeletion({ id, table, raw, deletion, parts }: PendingDeletion, userId: string): ObservedDeletion {
  const at = new Date(deletion.at ?? 0).toISOString();
  return {
    id,
    workspace_id: raw.workspace_id as string,
    created_at: at,
    updated_at: at,
    last_modified_by: userId,
    entity_type: table,
    entity_id: raw.id,
    name: String((table === 'tasks' ? raw.title : raw.name) ?? ''),
    parts,
    restored_at: null,
    state: 'unsynced',
  };
}

/** @returns what can be restored, newest first. */
export async function listDeletions(local: LocalFirst, workspaceId: string): Promise<Deletion[]> {
  const open = (await listAll(local, workspaceId)).filter(({ restored_at }) => restored_at === null);
  return open.map(({ state: _, ...deletion }) => deletion);
}

/** The deletions of a workspace that are not restored, and those that are being, now and whenever they change. */
export function observeDeletions(local: LocalFirst, workspaceId: string): Observable<ObservedDeletion[]> {
  return local.store.database.changesIn([...RESTORABLE_TABLES, 'deletions']).pipe(
    debounceTime(20),
    startWith(null),
    switchMap(() => from(listAll(local, workspaceId))),
    map((deletions) => ({ deletions, text: JSON.stringify(deletions) })),
    distinctUntilChanged((a, b) => a.text === b.text),
    map(({ deletions }) => deletions),
  );
}

export async function restoreDeletion(
  local: LocalFirst,
  deletionId: string,
): Promise<Awaited<ReturnType<ContextService['restoreDeletion']>>> {
  const id = orThrow(validateId('deletion_id', deletionId));
  const { database } = local.store;
  const undone = await storing(() =>
    database.write(async () => {
      const pending = (await unsyncedDeletions(database)).find((deletion) => deletion.id === id);
      if (pending) await undoDeletion(database, pending);
      return pending !== undefined;
    }),
  );
  if (undone) return;
  await writeOn(
    local,
    { table: 'deletions', id, field: 'deletion_id' },
    async (record) => {
      const deletion = toEntity<Deletion>('deletions', record.raw);
      if (!mayRestore(await membership(local, deletion.workspace_id), deletion.entity_type)) {
        refuse('forbidden', null, 'You may not restore this here. Ask an owner of the workspace.');
      }
      if (deletion.restored_at !== null)
        refuse('nothing_to_restore', 'restored_at', 'It has been restored already.');
      const restored_at = new Date(local.clock.now()).toISOString();
      return {
        models: () => [prepareUpdate(local, record, 'deletions', { restored_at })],
        result: () => undefined,
      };
    },
    (remote) => remote.restoreDeletion(deletionId),
  );
}
