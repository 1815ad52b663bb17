import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AppSchema } from '@nozbe/watermelondb';
import type { DatabaseAdapter } from '@nozbe/watermelondb/adapters/type';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import { ConvoyError, type StorageError } from '@/core/errors';
import type { LocalDatabaseOptions } from '@/core/platform';
import { fail, ok, type Result } from '@/core/result';
import type { SharedStore, StorageWarning } from '@/core/storage';
import { asDatabaseAdapter, SqliteAdapter } from '../sqlite/adapter';
import { SqliteFailure, storageError } from '../sqlite/handle';
import { silenceWatermelon } from '../watermelonLogger';
import { isOpenElsewhere } from './betterSqlite';
import { FileLock } from './fileLock';
import { networkWarning } from './networkFileSystem';
import { NodePort, waitFor } from './nodePort';
import { hasFile, type OpenedFile, openFile, openReady, removeFile } from './openFile';

const fileOf = (folder: string, name: string) => join(folder, `${name}.db`);
const lockOf = (folder: string, name: string) => new FileLock(join(folder, `${name}.lock`));

export function hasSqlite(folder: string, name: string): boolean {
  return hasFile(fileOf(folder, name));
}

/** ms between checks whether other connections have closed a database. */
const RETRY_MS = 50;

/**
 * Removes a database for good. Rejects with a `ConvoyError` (storage, `locked`) while a connection has it open.
 * @param patienceMs ms to wait for other connections to close it
 */
export async function removeSqlite(folder: string, name: string, patienceMs = 0): Promise<void> {
  const path = fileOf(folder, name);
  if (!hasFile(path)) return;
  const deadline = performance.now() + patienceMs;
  const lock = lockOf(folder, name);
  try {
    await waitFor(lock);
    while (isOpenElsewhere(path)) {
      if (performance.now() > deadline) throw new ConvoyError(storageError('locked'));
      lock.release();
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      await waitFor(lock);
    }
    removeFile(path);
  } finally {
    lock.close();
  }
}

/** Opens `<folder>/<name>.db`. Any number of processes may have it open. */
export async function openSqlite(
  folder: string,
  options: LocalDatabaseOptions<AppSchema, SchemaMigrations>,
  fileSystemOf?: (path: string) => string | null,
): Promise<Result<DatabaseAdapter & SharedStore, StorageError>> {
  silenceWatermelon();
  let lock: FileLock | null = null;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    lock = lockOf(folder, options.name);
    const path = fileOf(folder, options.name);
    const port = new NodePort(openReady(path, options) ?? (await openAlone(lock, path, options)), lock);
    return ok(
      asDatabaseAdapter(new SqliteAdapter({ ...options, port, warning: warningOf(folder, fileSystemOf) })),
    );
  } catch (error) {
    lock?.close();
    if (error instanceof SqliteFailure) return fail(error.detail);
    if (error instanceof ConvoyError && error.detail.kind === 'storage') return fail(error.detail);
    return fail(storageError('unavailable', error instanceof Error ? error.message : String(error)));
  }
}

/** Folders that this process has warned of. */
const warned = new Set<string>();

/** The warning about a data folder, which also goes to standard error once. */
function warningOf(folder: string, fileSystemOf?: (path: string) => string | null): StorageWarning | null {
  const warning = networkWarning(folder, fileSystemOf);
  if (warning && !warned.has(folder)) {
    warned.add(folder);
    process.emitWarning(warning.message, { type: 'ConvoyWarning', code: warning.code });
  }
  return warning;
}

/** Sets up, migrates or salvages a database under the write lock. */
async function openAlone(
  lock: FileLock,
  path: string,
  options: LocalDatabaseOptions<AppSchema, SchemaMigrations>,
): Promise<OpenedFile> {
  await waitFor(lock);
  const opened = openFile(path, options);
  lock.release();
  return opened;
}
