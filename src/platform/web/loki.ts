import type { AppSchema } from '@nozbe/watermelondb';
import * as lokiModule from '@nozbe/watermelondb/adapters/lokijs/index.js';
import type { DatabaseAdapter } from '@nozbe/watermelondb/adapters/type';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import type { StorageError } from '@/core/errors';
import type { LocalDatabaseOptions } from '@/core/platform';
import { fail, ok, type Result } from '@/core/result';
import { silenceWatermelon } from '../watermelonLogger';

type LokiAdapter = DatabaseAdapter & {
  _clearCachedRecords(): void;
  readonly _driver: { loki: { saveDatabase(done: (error?: Error) => void): void } };
};
type AdapterClass = new (options: Record<string, unknown>) => LokiAdapter;

/** Bundlers and Node unwrap the default export of a CommonJS module differently. */
const LokiJSAdapter = ((lokiModule.default as { default?: unknown }).default ??
  lokiModule.default) as AdapterClass;

const versionKey = (name: string) => `convoy:schema-version:${name}`;

/** What this tab has opened. LokiJS keeps its data in memory and cannot be closed, so it is opened once. */
const opened = new Map<string, LokiAdapter>();

/** Opens WatermelonDB's own LokiJS adapter. Other tabs keep out: LokiJS would overwrite their writes. */
export async function openLoki(
  options: LocalDatabaseOptions<AppSchema, SchemaMigrations>,
): Promise<Result<DatabaseAdapter, StorageError>> {
  silenceWatermelon();
  const { name, schema, migrations } = options;
  // WatermelonDB would reset a database of a version it does not know, unsynced records included.
  const known = Number(localStorage.getItem(versionKey(name)) ?? 0);
  if (known > schema.version) {
    const message = `The local database is of version ${known}, this page knows versions up to ${schema.version}. Reload the page; nothing was changed.`;
    return fail({ kind: 'storage', code: 'newer_schema', message });
  }
  const before = opened.get(name);
  if (before) {
    // The next Database has none of the records in memory that the last one was given.
    before._clearCachedRecords();
    return ok(before);
  }
  if (!(await holdForThisTab(name))) {
    const message =
      'Convoy is open in another tab of this browser. Use that one, or close it and reload this page.';
    return fail({ kind: 'storage', code: 'locked', message });
  }
  return new Promise((resolve) => {
    const failed = (error: Error) => {
      opened.delete(name);
      resolve(
        fail({
          kind: 'storage',
          code: 'unavailable',
          message: `The local database could not be opened: ${error.message}`,
        }),
      );
    };
    const adapter = flushable(
      new LokiJSAdapter({
        dbName: name,
        schema,
        migrations,
        useWebWorker: false,
        useIncrementalIndexedDB: true,
        onSetUpError: failed,
        onQuotaExceededError: failed,
        extraLokiOptions: { autosave: true, autosaveInterval: 100 },
      }),
    );
    localStorage.setItem(versionKey(name), String(schema.version));
    opened.set(name, adapter);
    resolve(ok(adapter));
  });
}

/**
 * LokiJS writes to memory and saves some time later; `flush` resolves when what was written is in
 * IndexedDB. Calls that come while a save runs share the next one.
 */
function flushable(adapter: LokiAdapter): LokiAdapter {
  const flush = () =>
    new Promise<void>((resolve, reject) => {
      adapter._driver.loki.saveDatabase((error) => (error ? reject(error) : resolve()));
    });
  return Object.assign(adapter, { flush });
}

/** ms to wait for a page that is just going away (a reload, a tab that closes) to let go. */
const LOCK_PATIENCE_MS = 2_000;

/** @returns whether this tab is the one that may use the database; it then stays so until it closes. */
function holdForThisTab(name: string): Promise<boolean> {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(LOCK_PATIENCE_MS);
    const hold = () => {
      resolve(true);
      return new Promise<void>(() => undefined);
    };
    // The lock is never let go, so what this settles with is that it was not to be had.
    navigator.locks.request(`convoy:database:${name}`, { signal }, hold).catch(() => resolve(false));
  });
}
