/** A device's whole local database as a file: for a backup, or for another device of the same user (D60). */

import { ConvoyError, type StorageError } from '@/core/errors';
import { fail, ok, type Result } from '@/core/result';
import type { ConvoyDatabase } from '../database';
import { countUnsynced } from '../sync/setAside/exportUnsynced';
import type { SyncEngine } from '../sync/synchronize';

/** @returns the local database as a SQLite file, unsynced and refused changes included; a storage error where there is none. */
export async function exportDatabase(
  database: ConvoyDatabase,
  userId: string,
): Promise<Result<Uint8Array, StorageError>> {
  return asResult(() => database.exportFile(userId));
}

/**
 * Replaces the whole local database by a file that the same user has exported, on this or another device. When both
 * devices go on from it, the server notices, and the first to push something else takes a new device id (U2).
 * @returns a storage error where nothing was changed: `unsynced_work` while something here is not on the server,
 * `foreign_file`, `newer_schema`, `no_migration`, `quota`
 */
export async function importDatabase(
  { database, engine, userId }: { database: ConvoyDatabase; engine: SyncEngine; userId: string },
  bytes: Uint8Array,
): Promise<Result<null, StorageError>> {
  return asResult(() =>
    engine.whileIdle(() =>
      database.write(async () => {
        const { total } = await countUnsynced(database, userId);
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
