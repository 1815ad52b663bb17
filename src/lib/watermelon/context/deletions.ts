/** Deletions that can be restored: those of the server, and unsynced ones of this device. */

import type { Observable } from 'rxjs';
import { orThrow } from '@/core/errors';
import type { ContextService } from '@/domain/contextService';
import type { Deletion } from '@/domain/entities';
import { RESTORABLE_TABLES, type SyncedTable } from '@/domain/schema';
import { validateId } from '@/domain/validation';
import { Q, type Raw } from '../models/watermelondb';
import { observeRead } from '../observation/observeRead';
import { type PendingDeletion, undoDeletion, unsyncedDeletions } from '../sync/records/undo';
import { type LocalFirst, storing } from './localFirst';
import { toEntity } from './localStore';

/**
 * The state of a deletion. `deleted`: the server has it. `unsynced`: the device has not pushed it, so it is
 * undone at once. `restoring`: restored on this device, not yet pushed. `refused`: the server refused to.
 */
export type ObservedDeletion = Deletion & { state: 'deleted' | 'unsynced' | 'restoring' | 'refused' };

/** @returns the deletions of a workspace that are not restored or are being restored, newest first. */
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

/** @returns the deletions that can be restored, newest first. */
export async function listDeletions(local: LocalFirst, workspaceId: string): Promise<Deletion[]> {
  const open = (await listAll(local, workspaceId)).filter(({ restored_at }) => restored_at === null);
  return open.map(({ state: _, ...deletion }) => deletion);
}

/** The deletions of a workspace that are not restored or are being restored, now and whenever they change. */
export function observeDeletions(local: LocalFirst, workspaceId: string): Observable<ObservedDeletion[]> {
  const tables: readonly SyncedTable[] = [...RESTORABLE_TABLES, 'deletions'];
  return observeRead(local.store.database, tables, () => listAll(local, workspaceId));
}

/**
 * Restores a deletion. One that was never pushed is undone on the device alone (D14).
 * @param restoreSynced restores one that the server has.
 */
export async function restoreDeletion(
  { store }: LocalFirst,
  deletionId: string,
  restoreSynced: ContextService['restoreDeletion'],
): Promise<void> {
  const id = orThrow(validateId('deletion_id', deletionId));
  const { database } = store;
  const isUndone = await storing(() =>
    database.write(async () => {
      const pending = (await unsyncedDeletions(database)).find((deletion) => deletion.id === id);
      if (pending) await undoDeletion(database, pending);
      return pending !== undefined;
    }),
  );
  if (!isUndone) await restoreSynced(id);
}
