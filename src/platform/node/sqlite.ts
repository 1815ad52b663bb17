import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { AppSchema } from '@nozbe/watermelondb';
import * as sqliteModule from '@nozbe/watermelondb/adapters/sqlite/index.js';
import bridgeModule from '@nozbe/watermelondb/adapters/sqlite/sqlite-node/DatabaseBridge.js';
import type { DatabaseAdapter } from '@nozbe/watermelondb/adapters/type';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import Sqlite from 'better-sqlite3';
import type { StorageError } from '@/core/errors';
import type { Closable, LocalDatabaseOptions } from '@/core/platform';
import { fail, ok, type Result } from '@/core/result';
import { silenceWatermelon } from '../watermelonLogger';

type AdapterClass = new (
  options: Record<string, unknown>,
) => DatabaseAdapter & { initializingPromise: Promise<void>; readonly _tag: number };

/** The module is CommonJS: what Node calls its default export is the whole module. */
const SQLiteAdapter = ((sqliteModule.default as { default?: unknown }).default ??
  sqliteModule.default) as AdapterClass;

interface Bridge {
  connections: Record<number, { driver: { database: { instance: Sqlite.Database } } } | undefined>;
  disconnectDriver(tag: number): void;
}

/** Where WatermelonDB keeps its connections; it offers no way to close one (0.28.0, pinned). */
const bridge = ((bridgeModule as { default?: unknown }).default ?? bridgeModule) as Bridge;

function closeConnection(tag: number): void {
  const connection = bridge.connections[tag];
  if (!connection) return;
  connection.driver.database.instance.close();
  bridge.disconnectDriver(tag);
}

export function hasSqlite(folder: string, name: string): boolean {
  return existsSync(join(folder, `${name}.db`));
}

/** The journals go first: one without its database is nothing, one beside a new database would be its own. */
export function removeSqlite(folder: string, name: string): void {
  for (const suffix of ['-wal', '-shm', '-journal', '']) {
    rmSync(join(folder, `${name}.db${suffix}`), { force: true });
  }
}

/** Opens WatermelonDB's own SQLite adapter on `<folder>/<name>.db`. */
export async function openSqlite(
  folder: string,
  options: LocalDatabaseOptions<AppSchema, SchemaMigrations>,
): Promise<Result<DatabaseAdapter & Closable, StorageError>> {
  silenceWatermelon();
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, `${options.name}.db`);
    const newer = existsSync(path) ? refuseNewer(path, options.schema.version) : null;
    if (newer) return fail(newer);
    const adapter = new SQLiteAdapter({
      dbName: path,
      schema: options.schema,
      migrations: options.migrations,
    });
    await adapter.initializingPromise;
    return ok(Object.assign(adapter, { close: async () => closeConnection(adapter._tag) }));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return fail({
      kind: 'storage',
      code: 'unavailable',
      message: `The local database could not be opened: ${message}`,
    });
  }
}

/** WatermelonDB would reset a database of a version it does not know, unsynced records included. */
function refuseNewer(path: string, version: number): StorageError | null {
  const file = new Sqlite(path, { readonly: true });
  try {
    const found = Number(file.pragma('user_version', { simple: true }));
    if (found <= version) return null;
    return {
      kind: 'storage',
      code: 'newer_schema',
      message: `The local database is of version ${found}, this Convoy knows versions up to ${version}. Update Convoy; nothing was changed.`,
    };
  } finally {
    file.close();
  }
}
