/** Reference data for the database without an account, which no server fills (D20). */

import type { Json } from '@/core/protocol';
import type { SyncedTable } from '@/domain/schema';
import type { ConvoyDatabase } from '../database';
import type { Raw } from '../models/watermelondb';
import { SAME_IDS, sameValue, toRaw } from '../sync/records/codec';
import { UnitOfWork } from '../sync/records/unitOfWork';
import { DeviceStore } from '../sync/state/deviceStore';
import { REFERENCE_DATA } from './referenceData.generated';

/**
 * Writes the records that are missing, or that an older version of the app had with other values. The first time it notes the
 * database's schema version along with them, which no sync does here.
 */
export async function writeReferenceData(database: ConvoyDatabase): Promise<void> {
  const now = database.clock.now();
  const stamps = { revision: 0, created_at: now, updated_at: now, last_modified_by: null };
  await database.write(async () => {
    const work = new UnitOfWork(database);
    let differs = false;
    for (const [name, rows] of Object.entries(REFERENCE_DATA)) {
      const table = name as SyncedTable;
      for (const row of rows as Record<string, Json>[]) {
        const raw: Raw = { ...toRaw(table, row, SAME_IDS), ...stamps };
        const known = await work.get(table, raw.id);
        const isKnown =
          known !== null &&
          Object.keys(row).every((column) =>
            sameValue(table, column, known[column] ?? null, raw[column] ?? null),
          );
        if (isKnown) continue;
        work.put(table, raw);
        differs = true;
      }
    }
    if (!differs) return;
    const store = await DeviceStore.load(database, SAME_IDS);
    if (!store.isStored) work.also(() => store.prepareFacts({}));
    await work.commit();
  }, 'reference data');
}
