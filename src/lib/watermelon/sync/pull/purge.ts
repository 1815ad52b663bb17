/** Purges a scope that the user may no longer see from the device (rules P12, P19). */

import { SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import { Q, type Raw } from '../../models/watermelondb';
import type { ApplyContext } from '../records/applyContext';
import { archive } from '../setAside/archive';

/** Removes every record of a scope; unsynced values go to the archive in the same transaction. */
export function purgeScope(context: ApplyContext, scope: string): Promise<void> {
  return removeScope(context, scope, (table, raw) => {
    if (raw._status !== 'synced') archive(context, table, raw, 'access_lost');
  });
}

/**
 * Removes every record of a scope that the server has forgotten. Records that this user wrote last go to the archive,
 * acknowledged or not, since the server may have lost them; those of others are kept by their own devices.
 */
export function purgeForgotten(context: ApplyContext, scope: string): Promise<void> {
  return removeScope(context, scope, (table, raw) => {
    if (table === 'deletions') return;
    // Memberships are the server's to keep, but for what was written of them here and is unsynced.
    const isOfServer = table === 'workspace_members' && raw._status === 'synced';
    const writer = raw.last_modified_by ?? context.userId;
    if (!isOfServer && (writer === context.userId || raw._status === 'updated'))
      archive(context, table, raw, 'history_changed');
  });
}

async function removeScope(
  context: ApplyContext,
  scope: string,
  keep: (table: SyncedTable, raw: Raw) => void,
): Promise<void> {
  for (const table of SYNCED_TABLES) {
    const local = context.ids.toLocal(scope);
    const records = await context.database.get(table).query(Q.where('workspace_id', local)).fetch();
    const ids = [...records.map(({ id }) => id), ...(await context.work.deletedIds(table))];
    await context.work.load(table, ids);
    for (const id of ids) {
      const raw = await context.work.get(table, id);
      if (!raw || raw.workspace_id !== local) continue;
      keep(table, raw);
      context.work.destroy(table, id);
    }
  }
}
