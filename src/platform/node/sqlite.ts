import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AppSchema } from '@nozbe/watermelondb';
import type { DatabaseAdapter } from '@nozbe/watermelondb/adapters/type';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import type { StorageError } from '@/core/errors';
import type { Closable, LocalDatabaseOptions } from '@/core/platform';
import { fail, ok, type Result } from '@/core/result';
import { asDatabaseAdapter, SqliteAdapter } from '../sqlite/adapter';
import { SqliteFailure, storageError } from '../sqlite/handle';
import { SqliteStore } from '../sqlite/store';
import { silenceWatermelon } from '../watermelonLogger';
import { BetterSqliteHandle } from './betterSqlite';
import { FileLock } from './fileLock';
import { NodePort } from './nodePort';

/** Opens `<folder>/<name>.db`. Any number of processes may have it open. */
export async function openSqlite(
  folder: string,
  options: LocalDatabaseOptions<AppSchema, SchemaMigrations>,
): Promise<Result<DatabaseAdapter & Closable, StorageError>> {
  silenceWatermelon();
  let handle: BetterSqliteHandle | null = null;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    handle = new BetterSqliteHandle(join(folder, `${options.name}.db`));
    const store = SqliteStore.open(handle, options);
    const port = new NodePort(store, new FileLock(join(folder, `${options.name}.lock`)));
    return ok(asDatabaseAdapter(new SqliteAdapter({ ...options, port })));
  } catch (error) {
    handle?.close();
    if (error instanceof SqliteFailure) return fail(error.detail);
    return fail(storageError('unavailable', error instanceof Error ? error.message : String(error)));
  }
}
