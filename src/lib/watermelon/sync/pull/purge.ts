/** Purges a scope that the user may no longer see from the device (rules P12, P19). */

import { SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import type { ApplyContext } from '../records/applyContext';
import {
  type Archiving,
  archiveAll,
  erase,
  IS_OWN,
  IS_TO_SEND,
  IS_UNSYNCED,
  MAY_BE_KNOWN,
} from '../records/statements';
import type { SyncContext } from '../state/syncContext';
import { idsOf, inSlices } from './slices';

/** Why a scope is purged: the user may not see it any more, or the server has forgotten it. */
export type PurgeReason = 'access_lost' | 'forgotten';

/** Nothing leads to a record of a scope but through these. */
const WAYS_IN: readonly SyncedTable[] = ['workspaces', 'projects'];

/**
 * Removes at once what is unsynced of a scope, which goes to the archive, and all that leads to the rest. To be written
 * with the note that the scope is being purged.
 */
export async function beginPurge(context: ApplyContext, scope: string, why: PurgeReason): Promise<void> {
  const local = context.ids.toLocal(scope);
  const found = await context.work.readStored(
    SYNCED_TABLES.map((table) => ({
      sql: WAYS_IN.includes(table)
        ? `select "id" from "${table}" where "workspace_id" = ?`
        : `select "id" from "${table}" where ${IS_UNSYNCED} and +"workspace_id" = ?`,
      args: [local],
    })),
  );
  for (const [n, table] of SYNCED_TABLES.entries()) {
    const ids = (found[n] ?? []).map(([id]) => String(id));
    remove(context, table, ids, why);
  }
}

/** Removes what is left of a scope. */
export async function finishPurge(sync: SyncContext, scope: string, why: PurgeReason): Promise<void> {
  for (const table of SYNCED_TABLES) {
    const all = { table, scope: sync.ids.toLocal(scope), condition: 'true' };
    await inSlices(sync, all, async (context, slice) => remove(context, table, idsOf(slice), why));
  }
}

function remove(context: ApplyContext, table: SyncedTable, ids: readonly string[], why: PurgeReason): void {
  if (ids.length === 0) return;
  const archiving = why === 'forgotten' ? archivingOfForgotten(context, table) : archivingOfLost(context);
  if (archiving) context.work.run('sync_archive', archiveAll(table, ids, archiving));
  context.work.run(table, erase(table, ids));
}

/** Unsynced values are kept. */
function archivingOfLost({ now }: ApplyContext): Archiving {
  return { reason: 'access_lost', now, only: { sql: IS_TO_SEND, args: [] } };
}

/**
 * Records that this user wrote last are kept, acknowledged or not, since the server may have lost them; those of others
 * are kept by their own devices.
 */
function archivingOfForgotten({ now, userId }: ApplyContext, table: SyncedTable): Archiving | null {
  if (table === 'deletions') return null;
  // Memberships are the server's to keep, but for what was written of them here and is unsynced.
  const sql = `${table === 'workspace_members' ? IS_UNSYNCED : MAY_BE_KNOWN} and ${IS_OWN}`;
  return { reason: 'history_changed', now, only: { sql, args: [userId, userId] } };
}
