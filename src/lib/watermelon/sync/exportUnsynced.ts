/** Everything of a device that is not on the server, as plain JSON that a person can keep. */

import type { ConvoyDatabase } from '../database';
import { Archived, Conflict, Quarantined } from '../models';
import type { Model, RawValue } from '../models/watermelondb';
import { fetchDirty } from './localChanges';

type Plain = Record<string, RawValue>;

export interface UnsyncedExport {
  /** ISO 8601. */
  exported_at: string;
  user_id: string;
  /** Records with edits that the server has not acknowledged. */
  unsynced: (Plain & { table: string })[];
  /** Changes that the server refused. */
  quarantine: Plain[];
  /** Unsynced values of records that had to leave the device. */
  archive: Plain[];
  /** Conflicts: what each side wanted and what was chosen. */
  ledger: Plain[];
}

export async function exportUnsynced(
  database: ConvoyDatabase,
  userId: string,
  now: number,
): Promise<UnsyncedExport> {
  const { dirty } = await fetchDirty(database);
  const all = async (model: { table: unknown }): Promise<Plain[]> => {
    const records = await database
      .get<Model>(model.table as never)
      .query()
      .fetch();
    return records.map(({ _raw }) => ({ ..._raw }) as unknown as Plain);
  };
  return {
    exported_at: new Date(now).toISOString(),
    user_id: userId,
    unsynced: dirty.map(({ table, raw }) => ({ ...raw, table })),
    quarantine: await all(Quarantined),
    archive: await all(Archived),
    ledger: await all(Conflict),
  };
}
