/** Finds tasks of this device by what they are called; see `domain/keys.ts`. */

import { ConvoyError, orThrow } from '@/core/errors';
import type { StoredQuery } from '@/core/storage';
import { canonicalId } from '@/core/text';
import type { Task, Workspace } from '@/domain/entities';
import { type FoundTask, type KeyService, onlyOne, parseReference, type Reference } from '@/domain/keys';
import { type LocalFirst, storing } from './localFirst';
import type { LocalStore } from './localStore';

export function localKeys(local: LocalFirst): KeyService {
  return {
    async findTask(given, { workspace_id } = {}) {
      const reference = orThrow(parseReference(given));
      const workspace =
        workspace_id === undefined ? null : local.store.resolve(canonicalId(workspace_id) ?? '');
      const { found, isDeleted } = await storing(() => findHere(local.store, reference, workspace));
      const task = orThrow(onlyOne(found));
      if (task || isDeleted || local.remote === null || !local.isOnline()) return task;
      try {
        const remote = await local.remote.findTask(given, workspace_id === undefined ? {} : { workspace_id });
        if (remote) local.requestSync();
        return remote;
      } catch (thrown) {
        // Several tasks that are not on this device yet are called so.
        if (thrown instanceof ConvoyError && thrown.detail.kind === 'validation') throw thrown;
        return null;
      }
    },
  };
}

/** @returns the live tasks of this device that are called so, by creation; and whether one that is deleted here is. */
async function findHere(
  store: LocalStore,
  reference: Reference,
  workspace: string | null,
): Promise<{ found: FoundTask[]; isDeleted: boolean }> {
  const rows = (await store.database.readAll(queriesOf(store, reference))).flat();
  const ids = new Set(rows.filter(([, status]) => status !== 'deleted').map(([id]) => String(id)));
  const found: FoundTask[] = [];
  for (const id of ids) {
    const task = await store.find<Task>('tasks', id);
    if (!task || (workspace !== null && task.workspace_id !== workspace)) continue;
    const { name = '' } = (await store.find<Workspace>('workspaces', task.workspace_id)) ?? {};
    found.push({ task, workspace_name: name });
  }
  const byCreation = ({ task: a }: FoundTask, { task: b }: FoundTask) =>
    a.created_at < b.created_at || (a.created_at === b.created_at && a.id < b.id) ? -1 : 1;
  return { found: found.sort(byCreation), isDeleted: rows.length > ids.size };
}

/**
 * The ends of ids are looked for in the index of the ids alone: 100,000 of them take some twenty milliseconds. Ids of
 * WatermelonDB's own kind end as the server's ids of their tasks do.
 */
function queriesOf(store: LocalStore, reference: Reference): StoredQuery[] {
  if ('key' in reference) {
    return [{ sql: `select "id", "_status" from "tasks" where "key" = ?`, args: [reference.key] }];
  }
  if ('id' in reference) {
    return [
      { sql: `select "id", "_status" from "tasks" where "id" = ?`, args: [store.resolve(reference.id)] },
    ];
  }
  const args = [...reference.ends];
  return [
    {
      sql: `select "id", "_status" from "tasks" where "id" in (select "id" from "tasks" where substr("id", -9) in (?, ?))`,
      args,
    },
    {
      sql: `select "id", "_status" from "tasks" where "id" in (
        select "local_id" from "sync_id_mappings" where "record_table" = 'tasks' and substr("remote_id", -9) in (?, ?))`,
      args,
    },
  ];
}
