/** Everything on a device that is not on the server: as JSON that a person can keep, and counted (D24). */

import type { ConvoyDatabase } from '../../database';
import { Archived, Conflict, Quarantined } from '../../models';
import type { Model, ModelClass, RawValue } from '../../models/watermelondb';
import { storedAcceptances } from '../invitations';
import { countUnconfirmed, fetchUnconfirmed } from '../records/unconfirmed';
import { fetchUnsynced } from '../records/unsynced';
import { isOnlyHere } from './ledger';

type Plain = Record<string, RawValue>;

export interface UnsyncedExport {
  /** ISO 8601. */
  exported_at: string;
  user_id: string;
  /** Records with edits that the server has not acknowledged, or that it may have lost. */
  unsynced: (Plain & { table: string })[];
  /** Changes that the server refused. */
  quarantine: Plain[];
  /** Unsynced values of records that had to leave the device. */
  archive: Plain[];
  /** Conflicts: the values of each side, and which were chosen. */
  ledger: Plain[];
  /** Ids of the invitations whose acceptance waits for the server. */
  acceptances: string[];
}

/** @param now device time, ms */
export async function exportUnsynced(
  database: ConvoyDatabase,
  userId: string,
  now: number,
): Promise<UnsyncedExport> {
  const { unsynced } = await fetchUnsynced(database);
  const all = async (model: ModelClass<Model>): Promise<Plain[]> => {
    const records = await database.of(model).query().fetch();
    return records.map(({ _raw }) => ({ ..._raw }) as unknown as Plain);
  };
  return {
    exported_at: new Date(now).toISOString(),
    user_id: userId,
    unsynced: [
      ...unsynced.map(({ table, raw }) => ({ ...raw, table })),
      ...(await fetchUnconfirmed(database, userId)),
    ],
    quarantine: await all(Quarantined),
    archive: await all(Archived),
    ledger: await all(Conflict),
    acceptances: await waitingAcceptances(database),
  };
}

async function waitingAcceptances(database: ConvoyDatabase): Promise<string[]> {
  const stored = await storedAcceptances(database);
  return stored.filter(({ state }) => state === 'waiting').map(({ id }) => id);
}

/** How much of a device is not on the server. */
export interface UnsyncedCounts {
  /** Records with edits that the server has not acknowledged. */
  pending: number;
  /** Records that the server may have lost since, as it was restored: the next syncs find out (P13). */
  unconfirmed: number;
  /** Changes that the server refused. */
  refused: number;
  /** Records that had to leave the device with unsynced values. */
  archived: number;
  /** Conflicts whose values are in this ledger alone. */
  conflicts: number;
  /** Invitations that the user has accepted, and the server does not know of it (U31). */
  acceptances: number;
  total: number;
}

export async function countUnsynced(database: ConvoyDatabase, userId: string): Promise<UnsyncedCounts> {
  const { unsynced } = await fetchUnsynced(database);
  const count = (model: ModelClass<Model>) => database.of(model).query().fetchCount();
  const ledger = await database.of(Conflict).query().fetch();
  const counts = {
    pending: unsynced.length,
    unconfirmed: await countUnconfirmed(database, userId),
    refused: await count(Quarantined),
    archived: await count(Archived),
    conflicts: ledger.filter(isOnlyHere).length,
    acceptances: (await waitingAcceptances(database)).length,
  };
  return { ...counts, total: Object.values(counts).reduce((sum, one) => sum + one, 0) };
}
