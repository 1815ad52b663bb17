/** Taking a scope off the device when it may no longer be seen (rules P12, P19). */

import { v7 as uuidv7 } from 'uuid';
import { SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import type { ConvoyDatabase } from '../../database';
import { Archived } from '../../models';
import { readBase } from '../../models/tracking';
import { Q, type Raw } from '../../models/watermelondb';
import type { Applying } from '../records/applyContext';

/** Removes every record of the scope; unsynced values go to the archive in the same transaction. */
export function purgeScope(to: Applying, scope: string): Promise<void> {
  return removeScope(to, scope, (table, raw) => {
    if (raw._status !== 'synced') archive(to, table, raw, 'access_lost');
  });
}

/**
 * Removes every record of a scope that the server has forgotten. What this user wrote goes to the archive,
 * acknowledged or not, since the server may have lost it; what others wrote is theirs to keep.
 */
export function purgeForgotten(to: Applying, scope: string): Promise<void> {
  return removeScope(to, scope, (table, raw) => {
    if (table === 'workspace_members' || table === 'deletions') return;
    const writer = raw.last_modified_by ?? to.userId;
    if (writer === to.userId || raw._status === 'updated') archive(to, table, raw, 'history_changed');
  });
}

async function removeScope(
  to: Applying,
  scope: string,
  keep: (table: SyncedTable, raw: Raw) => void,
): Promise<void> {
  for (const table of SYNCED_TABLES) {
    const local = to.ids.toLocal(scope);
    const records = await to.database.get(table).query(Q.where('workspace_id', local)).fetch();
    const ids = [...records.map(({ id }) => id), ...(await to.draft.deletedIds(table))];
    await to.draft.load(table, ids);
    for (const id of ids) {
      const raw = await to.draft.get(table, id);
      if (!raw || raw.workspace_id !== local) continue;
      keep(table, raw);
      to.draft.destroy(table, id);
    }
  }
}

/** Keeps what a record that leaves the device held and the server has not; all of it where the server has nothing. */
export function archive(to: Applying, table: SyncedTable, raw: Raw, reason: Archived['reason']): void {
  const isWhole = raw._status === 'created' || reason === 'history_changed';
  const operation = raw._status === 'deleted' ? 'delete' : isWhole ? 'insert' : 'update';
  const edited = Object.keys(readBase(raw)?.columns ?? {});
  const values =
    operation === 'update' ? Object.fromEntries(edited.map((name) => [name, raw[name] ?? null])) : raw;
  to.draft.also(() =>
    to.database.get<Archived>(Archived.table as never).prepareCreateFromDirtyRaw({
      id: uuidv7(),
      _status: 'synced',
      record_table: table,
      record_id: raw.id,
      workspace_id: raw.workspace_id,
      reason,
      operation,
      values: JSON.stringify(values),
      occurred_at: to.now,
    }),
  );
}

/** Forgets archived values; ids of nothing are passed over. */
export async function discardArchived(database: ConvoyDatabase, ids: readonly string[]): Promise<void> {
  await database.write(async () => {
    const archived = database.get<Archived>(Archived.table as never);
    const entries = await archived.query(Q.where('id', Q.oneOf([...ids]))).fetch();
    await database.batch(entries.map((entry) => entry.prepareDestroyPermanently()));
  }, 'archive: discard');
}
