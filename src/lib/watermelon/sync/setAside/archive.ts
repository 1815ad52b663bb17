/** The archive: values of records that had to leave the device (P12, P13). */

import { v7 as uuidv7 } from 'uuid';
import type { SyncedTable } from '@/domain/schema';
import type { ConvoyDatabase } from '../../database';
import { Archived } from '../../models';
import { readBase } from '../../models/tracking';
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

/** Discards archived values; unknown ids are passed over. */
export async function discardArchived(database: ConvoyDatabase, ids: readonly string[]): Promise<void> {
  await database.write(async () => {
    const archived = database.of(Archived);
    const entries = await archived.query(Q.where('id', Q.oneOf([...ids]))).fetch();
    await database.batch(entries.map((entry) => entry.prepareDestroyPermanently()));
  }, 'archive: discard');
}
