/** The archive: values of records that had to leave the device (P12, P13). */

import { v7 as uuidv7 } from 'uuid';
import { mayWrite } from '@/domain/permissions';
import type { SyncedTable } from '@/domain/schema';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import type { ConvoyDatabase } from '../../database';
import { Archived } from '../../models';
import { readBase, UNCONFIRMED } from '../../models/tracking';
import { Q, type Raw } from '../../models/watermelondb';
import type { ApplyContext } from '../records/applyContext';

/** Archives the values of a record that the server does not have: its edits, or all of it where the server has no such record. */
export function archive(
  context: ApplyContext,
  table: SyncedTable,
  raw: Raw,
  reason: Archived['reason'],
): void {
  const isWhole = raw._status === 'created' || reason === 'history_changed';
  const operation = raw._status === 'deleted' ? 'delete' : isWhole ? 'insert' : 'update';
  const edited = Object.keys(readBase(raw)?.columns ?? {});
  const values =
    operation === 'update' ? Object.fromEntries(edited.map((name) => [name, raw[name] ?? null])) : raw;
  context.work.also(() =>
    context.database.of(Archived).prepareCreateFromDirtyRaw({
      id: uuidv7(),
      _status: 'synced',
      record_table: table,
      record_id: raw.id,
      workspace_id: raw.workspace_id,
      reason,
      operation,
      values: JSON.stringify(values),
      occurred_at: context.now,
    }),
  );
}

/**
 * Whether a record holds acknowledged values that a restored server may lack: it is not known what the server has of it
 * now. Records that can only be created hold no edits.
 */
export function mayBeLost(table: SyncedTable, raw: Raw): boolean {
  return (
    raw.revision === UNCONFIRMED &&
    raw._status !== 'deleted' &&
    raw.workspace_id !== GLOBAL_SCOPE_ID &&
    mayWrite('owner', table, 'update') &&
    table !== 'workspace_members' &&
    table !== 'deletions'
  );
}

/** Discards archived values; unknown ids are passed over. */
export async function discardArchived(database: ConvoyDatabase, ids: readonly string[]): Promise<void> {
  await database.write(async () => {
    const archived = database.of(Archived);
    const entries = await archived.query(Q.where('id', Q.oneOf([...ids]))).fetch();
    await database.batch(entries.map((entry) => entry.prepareDestroyPermanently()));
  }, 'archive: discard');
}
