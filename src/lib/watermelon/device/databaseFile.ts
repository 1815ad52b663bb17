/** A device's whole local database as a file: for a backup, or for another device of the same user. */

import { ConvoyError, type StorageError } from '@/core/errors';
import { fail, ok, type Result } from '@/core/result';
import type { ConvoyDatabase } from '../database';
import { countUnsynced } from '../sync/setAside/exportUnsynced';
import type { SyncEngine } from '../sync/synchronize';

/** @returns a SQLite file with everything that is here, unsynced and refused changes included. */
export async function exportDatabase(
  database: ConvoyDatabase,
  userId: string,
): Promise<Result<Uint8Array, StorageError>> {
  return asResult(() => database.exportFile(userId));
}

/**
 * Replaces everything here by what a file holds that was exported by the same user, on this or another device.
 * The server tells the two apart by themselves when both go on (rule U2).
 * @returns a storage error where nothing was changed: `unsynced_work` while something here is on no server,
 * `foreign_file`, `newer_schema`, `no_migration`, `quota`
 */
export async function importDatabase(
  { database, engine, userId }: { database: ConvoyDatabase; engine: SyncEngine; userId: string },
  bytes: Uint8Array,
): Promise<Result<null, StorageError>> {
  return asResult(() =>
    engine.whileIdle(() =>
      database.write(async () => {
        const { total } = await countUnsynced(database);
        if (total > 0) {
          const message =
            'Some of what is here is not on the server. Sync or export it, before it is replaced.';
          throw new ConvoyError({ kind: 'storage', code: 'unsynced_work', message });
        }
        await database.importFile(bytes, userId);
        return null;
      }, 'database: import'),
    ),
  );
}

async function asResult<T>(work: () => Promise<T>): Promise<Result<T, StorageError>> {
  try {
    return ok(await work());
  } catch (error) {
    if (error instanceof ConvoyError && error.detail.kind === 'storage') return fail(error.detail);
    throw error;
  }
}
