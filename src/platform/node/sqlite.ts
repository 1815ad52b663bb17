import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { AppSchema } from '@nozbe/watermelondb';
import type { DatabaseAdapter } from '@nozbe/watermelondb/adapters/type';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import { ConvoyError, type StorageError } from '@/core/errors';
import type { LocalDatabaseOptions } from '@/core/platform';
import { fail, ok, type Result } from '@/core/result';
import type { Closable } from '@/core/storage';
import { asDatabaseAdapter, SqliteAdapter } from '../sqlite/adapter';
import { SqliteFailure, storageError } from '../sqlite/handle';
import { silenceWatermelon } from '../watermelonLogger';
import { FileLock } from './fileLock';
import { NodePort, waitFor } from './nodePort';
import { type OpenedFile, openFile, openReady } from './openFile';

export function hasSqlite(folder: string, name: string): boolean {
  return existsSync(join(folder, `${name}.db`));
}

/** The journals go first: one without its database is nothing, one beside a new database would be its own. */
export function removeSqlite(folder: string, name: string): void {
  for (const suffix of ['-wal', '-shm', '-journal', '-damaged', '']) {
    rmSync(join(folder, `${name}.db${suffix}`), { force: true });
  }
}

/** Opens `<folder>/<name>.db`. Any number of processes may have it open. */
export async function openSqlite(
  folder: string,
  options: LocalDatabaseOptions<AppSchema, SchemaMigrations>,
): Promise<Result<DatabaseAdapter & Closable, StorageError>> {
  silenceWatermelon();
  let lock: FileLock | null = null;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    lock = new FileLock(join(folder, `${options.name}.lock`));
    const path = join(folder, `${options.name}.db`);
    const { store, noteDamage } = openReady(path, options) ?? (await openAlone(lock, path, options));
    const port = new NodePort(store, lock, store.salvaged(), noteDamage);
    return ok(asDatabaseAdapter(new SqliteAdapter({ ...options, port })));
  } catch (error) {
    lock?.close();
    if (error instanceof SqliteFailure) return fail(error.detail);
    if (error instanceof ConvoyError && error.detail.kind === 'storage') return fail(error.detail);
    return fail(storageError('unavailable', error instanceof Error ? error.message : String(error)));
  }
}

/** Setting up, migrating and salvaging are writers' work. */
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
