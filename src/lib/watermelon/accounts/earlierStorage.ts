/** Moves records that an earlier release left in another kind of storage into the database of the same name (D52). */

import type { EarlierRecords } from '@/core/platform';
import type { SalvageReport } from '@/core/storage';
import { SYNCED_TABLES } from '@/domain/schema';
import type { ConvoyDatabase } from '../database';
import { Archived, Conflict, DeviceState, IdMapping, LOCAL_DATABASE, Quarantined, schema } from '../models';
import { Q, type Raw, sanitizedRaw } from '../models/watermelondb';
import { IdMappings } from '../sync/idMapping';
import type { ApplyContext } from '../sync/records/applyContext';
import { UnitOfWork } from '../sync/records/unitOfWork';
import { type AccountsPlatform, databaseName } from './databases';
import { adopt } from './takeAlong';

/** Local tables of what a person may still decide about. Device id, batches and cursors are not moved: this is another device. */
const KEPT = [Quarantined, Archived, Conflict, IdMapping];

const markOf = (version: string) => `earlier:${version}`;

/** @returns the ids of the records that were moved, by table; null where there was nothing */
export async function adoptEarlier(
  platform: Pick<AccountsPlatform, 'earlier'>,
  database: ConvoyDatabase,
  userId: string,
): Promise<SalvageReport['saved'] | null> {
  const { earlier } = platform;
  const name = databaseName(userId);
  if (!earlier?.has(name)) return null;
  // Where it cannot be read it stays, and does not keep the database from being opened.
  const found = await earlier.read(name, LOCAL_DATABASE.salvage).catch(() => null);
  if (!found) return null;
  const moved = await move(database, userId, found);
  await earlier.adopted(name);
  return moved;
}

/** In one transaction, with a mark: what broke off before the records were removed there is not repeated. */
async function move(
  database: ConvoyDatabase,
  userId: string,
  { version, records }: EarlierRecords,
): Promise<SalvageReport['saved'] | null> {
  return database.write(async () => {
    const states = database.of(DeviceState);
    if ((await states.query(Q.where('id', markOf(version))).fetchCount()) > 0) return null;
    const work = new UnitOfWork(database);
    const ids = await IdMappings.load(database);
    const context: ApplyContext = { database, work, ids, deviceId: '', userId, now: database.clock.now() };
    const moved: SalvageReport['saved'] = {};
    for (const table of SYNCED_TABLES) {
      for (const raw of rowsOf(records, table)) {
        if ((await work.get(table, raw.id)) === null) work.put(table, raw);
        else await adopt(context, table, raw);
        moved[table] = [...(moved[table] ?? []), raw.id];
      }
    }
    for (const model of KEPT) {
      const collection = database.get(model.table);
      for (const raw of rowsOf(records, model.table)) {
        const isThere = (await collection.query(Q.where('id', raw.id)).fetchCount()) > 0;
        if (!isThere) work.also(() => collection.prepareCreateFromDirtyRaw(raw));
      }
    }
    const mark = { id: markOf(version), _status: 'synced', value: 'true' };
    work.also(() => states.prepareCreateFromDirtyRaw(mark));
    await work.commit();
    return Object.keys(moved).length > 0 ? moved : null;
  }, 'earlier storage: adopt');
}

/** Without what the earlier storage added to its records. */
function rowsOf(records: EarlierRecords['records'], table: string): Raw[] {
  const columns = schema.tables[table as keyof typeof schema.tables];
  if (!columns) return [];
  return (records[table] ?? []).map((row) => sanitizedRaw(row as never, columns) as unknown as Raw);
}
