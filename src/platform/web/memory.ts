/**
 * SQLite in this tab's memory, for windows that keep nothing: private windows of some browsers, and addresses without
 * https. Each tab has databases of its own, which end with it, so that none overwrites another's.
 */

import type { AppSchema } from '@nozbe/watermelondb';
import type { DatabaseAdapter } from '@nozbe/watermelondb/adapters/type';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import { ConvoyError, type StorageError } from '@/core/errors';
import type { LocalDatabaseOptions } from '@/core/platform';
import { fail, ok, type Result } from '@/core/result';
import type { SalvageRules, SharedStore, UnsyncedRecords } from '@/core/storage';
import { asDatabaseAdapter, SqliteAdapter } from '../sqlite/adapter';
import { exportUnopened } from '../sqlite/databaseFile';
import { SqliteFailure, storageError } from '../sqlite/handle';
import { SqliteStore } from '../sqlite/store';
import { silenceWatermelon } from '../watermelonLogger';
import { MemoryPort, Openings } from './store/memoryPort';
import { loadSqlite, type Sqlite } from './store/sqliteWasm';
import { unsyncedOf } from './store/unsyncedOf';
import { WasmHandle } from './store/wasmHandle';

type Options = LocalDatabaseOptions<AppSchema, SchemaMigrations>;

/** A database of this tab. Closing it leaves it in memory: signing in, out and taking work along close databases. */
interface Database {
  handle: WasmHandle;
  openings: Openings;
  /** Leaves out the tables that never leave the device, whose status means nothing. */
  syncedOnly: SalvageRules;
}

const databases = new Map<string, Database>();
let sqlite: Promise<Sqlite> | null = null;

/** Opens or creates a database of this tab. */
export async function openAdapter(
  options: Options,
): Promise<Result<DatabaseAdapter & SharedStore, StorageError>> {
  silenceWatermelon();
  try {
    sqlite ??= loadSqlite();
    const loaded = await sqlite.catch((error: unknown) => {
      sqlite = null;
      throw error;
    });
    const { handle, openings } = databases.get(options.name) ?? create(loaded, options);
    const store = SqliteStore.open(handle, options);
    const port = new MemoryPort(store, options.schema.version, openings);
    return ok(asDatabaseAdapter(new SqliteAdapter({ ...options, port, isDurable: false })));
  } catch (error) {
    if (error instanceof SqliteFailure) return fail(error.detail);
    throw error;
  }
}

function create(loaded: Sqlite, { name, salvage = {} }: Options): Database {
  if (databases.size === 0) window.addEventListener('beforeunload', askBeforeLoss);
  const made: Database = {
    handle: new WasmHandle(loaded, () => new loaded.oo1.DB(':memory:')),
    openings: new Openings(),
    syncedOnly: Object.fromEntries(Object.keys(salvage).map((table) => [table, 'none'])),
  };
  databases.set(name, made);
  return made;
}

export async function hasDatabase(name: string): Promise<boolean> {
  return databases.has(name);
}

/** Rejects with a `ConvoyError` (storage, `locked`) while a part of the page has it open. */
export async function removeDatabase(name: string): Promise<void> {
  const found = databases.get(name);
  if (!found) return;
  if (found.openings.ports.size > 0) throw new ConvoyError(storageError('locked'));
  databases.delete(name);
  found.handle.close();
  if (databases.size === 0) window.removeEventListener('beforeunload', askBeforeLoss);
}

export async function readUnsynced(
  name: string,
  rules: SalvageRules,
): Promise<Result<UnsyncedRecords, StorageError>> {
  const found = databases.get(name);
  return found ? ok(unsyncedOf(found.handle, rules)) : ok({});
}

export async function readFile(name: string, owner: string): Promise<Result<Uint8Array, StorageError>> {
  const found = databases.get(name);
  return found ? ok(exportUnopened(found.handle, owner)) : fail(storageError('unavailable', 'it is empty'));
}

/** The browser asks whether to leave the page while a database of it, open or closed, holds unsynced records. */
function askBeforeLoss(event: BeforeUnloadEvent): void {
  if (holdUnsynced()) event.preventDefault();
}

/** @returns whether a database of this tab, open or closed, holds unsynced records */
export function holdUnsynced(): boolean {
  return [...databases.values()].some(
    ({ handle, syncedOnly }) => Object.keys(unsyncedOf(handle, syncedOnly)).length > 0,
  );
}
