/** Storage where OPFS is missing, in private windows of some browsers: memory, saved to IndexedDB, which ends with the window. */

import type { AppSchema } from '@nozbe/watermelondb';
import * as lokiModule from '@nozbe/watermelondb/adapters/lokijs/index.js';
import type { DatabaseAdapter } from '@nozbe/watermelondb/adapters/type';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import type { StorageError } from '@/core/errors';
import type { LocalDatabaseOptions } from '@/core/platform';
import { fail, ok, type Result } from '@/core/result';
import type { Closable } from '@/core/storage';
import { silenceWatermelon } from '../watermelonLogger';

type LokiAdapter = DatabaseAdapter & {
  _clearCachedRecords(): void;
  /** `loki` is undefined until the database is set up. */
  readonly _driver: { loki?: Loki };
};
interface Loki {
  saveDatabase(done: (error?: Error) => void): void;
  autosaveDisable(): void;
  /** `idb` is undefined until the first load, and where there is no IndexedDB. */
  readonly persistenceAdapter: { idb?: IDBDatabase };
}
type AdapterClass = new (options: Record<string, unknown>) => LokiAdapter;
type OpenLoki = LokiAdapter & Closable;

/** Bundlers and Node unwrap the default export of a CommonJS module differently. */
const LokiJSAdapter = ((lokiModule.default as { default?: unknown }).default ??
  lokiModule.default) as AdapterClass;

const versionKey = (name: string) => `convoy:schema-version:${name}`;

/** Adapters that this tab has open, by name; opening a database again returns the same adapter. */
const opened = new Map<string, OpenLoki>();

/**
 * Opens WatermelonDB's LokiJS adapter, in one tab at a time: LokiJS would overwrite the writes of another.
 */
export async function openLoki(
  options: LocalDatabaseOptions<AppSchema, SchemaMigrations>,
): Promise<Result<DatabaseAdapter & Closable, StorageError>> {
  silenceWatermelon();
  const { name, schema } = options;
  // WatermelonDB would reset a database of an unknown version, unsynced records included.
  const known = Number(localStorage.getItem(versionKey(name)) ?? 0);
  if (known > schema.version) {
    const message = `The local database is of version ${known}, this page knows versions up to ${schema.version}. Reload the page; nothing was changed.`;
    return fail({ kind: 'storage', code: 'newer_schema', message });
  }
  const before = opened.get(name);
  if (before) {
    // The adapter returns only ids of records that it gave to the previous Database; the next one has none in memory.
    before._clearCachedRecords();
    return ok(before);
  }
  const release = await holdForThisTab(name);
  if (release === null) {
    const message =
      'In this kind of window Convoy can be open in one tab at a time. Use the other one, or close it and reload this page.';
    return fail({ kind: 'storage', code: 'locked', message });
  }
  return new Promise((resolve) => {
    const failed = (error: Error) => {
      opened.delete(name);
      release();
      resolve(
        fail({
          kind: 'storage',
          code: 'unavailable',
          message: `The local database could not be opened: ${error.message}`,
        }),
      );
    };
    const adapter = closable(name, release, createAdapter(options, failed));
    localStorage.setItem(versionKey(name), String(schema.version));
    opened.set(name, adapter);
    resolve(ok(adapter));
  });
}

function createAdapter(
  { name, schema, migrations }: LocalDatabaseOptions<AppSchema, SchemaMigrations>,
  onFailed: (error: Error) => void,
): LokiAdapter {
  return new LokiJSAdapter({
    dbName: name,
    schema,
    migrations,
    useWebWorker: false,
    useIncrementalIndexedDB: true,
    onSetUpError: onFailed,
    onQuotaExceededError: onFailed,
    extraLokiOptions: { autosave: true, autosaveInterval: 100 },
  });
}

/**
 * LokiJS writes to memory and saves later; `flush` resolves when all writes before it are in IndexedDB.
 * Calls during a save share the next one.
 */
function closable(name: string, release: () => void, adapter: LokiAdapter): OpenLoki {
  const flush = () =>
    new Promise<void>((resolve, reject) => {
      const { loki } = adapter._driver;
      if (loki) loki.saveDatabase((error) => (error ? reject(error) : resolve()));
      else resolve();
    });
  const close = async () => {
    if (opened.get(name) !== open) return;
    await flush();
    opened.delete(name);
    const { loki } = adapter._driver;
    if (loki) {
      loki.autosaveDisable();
      // A later save would reopen IndexedDB, and overwrite the writes of the tab that has the database then.
      loki.saveDatabase = (done) => done(new Error('The local database was closed.'));
      loki.persistenceAdapter.idb?.close();
    }
    release();
  };
  const open = Object.assign(adapter, { flush, close, isDurable: false });
  return open;
}

/** @returns whether this browser has a database of that name */
export function hasLoki(name: string): boolean {
  return localStorage.getItem(versionKey(name)) !== null;
}

/** Rejects when another tab has the database open. */
export async function removeLoki(name: string): Promise<void> {
  const release = await holdForThisTab(name);
  if (release === null) throw new Error(`Another tab has the database ${name} open.`);
  try {
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.deleteDatabase(name);
      request.onsuccess = () => resolve();
      request.onerror = () => reject(request.error ?? new Error(`${name} could not be removed.`));
    });
    localStorage.removeItem(versionKey(name));
  } finally {
    release();
  }
}

/** ms to wait for the lock: a page that reloads or closes releases it shortly. */
const LOCK_PATIENCE_MS = 2_000;

/** Takes the lock of a database. @returns a function that releases it; null when another tab holds it */
function holdForThisTab(name: string): Promise<(() => void) | null> {
  if (!navigator.locks) return Promise.resolve(() => undefined);
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(LOCK_PATIENCE_MS);
    const hold = () => new Promise<void>((release) => resolve(release));
    navigator.locks.request(`convoy:database:${name}`, { signal }, hold).catch(() => resolve(null));
  });
}
