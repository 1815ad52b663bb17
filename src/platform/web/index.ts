/** Convoy in a browser: SQLite in the origin private file system (OPFS); LokiJS where OPFS is missing. */

import type { AppSchema } from '@nozbe/watermelondb';
import type { DatabaseAdapter } from '@nozbe/watermelondb/adapters/type';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import type { StorageError } from '@/core/errors';
import type { Backend, LocalDatabaseOptions, Platform } from '@/core/platform';
import type { Result } from '@/core/result';
import type { Closable } from '@/core/storage';
import { hasOpfs } from './hasOpfs';
import { hasDatabase, openOpfs, readFile, readUnsynced, removeDatabase } from './opfs';
import { persistentStorage } from './persistentStorage';

export type WatermelonPlatform = Platform<DatabaseAdapter, AppSchema, SchemaMigrations>;

export function createPlatform(): WatermelonPlatform {
  return {
    openAdapter,
    hasDatabase: async (name) => ((await hasOpfs()) ? hasDatabase(name) : (await loki()).hasLoki(name)),
    removeDatabase: async (name, patienceMs) =>
      (await hasOpfs()) ? removeDatabase(name, patienceMs) : (await loki()).removeLoki(name),
    readUnsynced,
    readFile,
    keeping: persistentStorage,
    sessionStorage: () => window.localStorage,
    backend: readBackend,
    isOnline: () => navigator.onLine,
    onConnectivity(listener) {
      const online = () => listener(true);
      const offline = () => listener(false);
      window.addEventListener('online', online);
      window.addEventListener('offline', offline);
      return () => {
        window.removeEventListener('online', online);
        window.removeEventListener('offline', offline);
      };
    },
    onVisible(listener) {
      const look = () => {
        if (document.visibilityState === 'visible') listener();
      };
      document.addEventListener('visibilitychange', look);
      return () => document.removeEventListener('visibilitychange', look);
    },
    exclusively<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
      if (!navigator.locks) return work();
      return navigator.locks.request(`convoy:${name}`, { signal }, work) as Promise<T>;
    },
  };
}

/** Imported on demand, so browsers with OPFS never load its code. */
const loki = () => import('./loki');

async function openAdapter(
  options: LocalDatabaseOptions<AppSchema, SchemaMigrations>,
): Promise<Result<DatabaseAdapter & Closable, StorageError>> {
  if (await hasOpfs()) return openOpfs(options);
  return (await loki()).openLoki(options);
}

const REMEMBERED = 'convoy:backend';

/** ms to wait for the server where an earlier answer can serve instead. */
const SLOW_MS = 1_000;

/** Asks the server for the page's backend; its last answer serves while the server is unreachable or slow. */
async function readBackend(): Promise<Backend | null> {
  const remembered = localStorage.getItem(REMEMBERED);
  try {
    const signal = remembered === null ? undefined : AbortSignal.timeout(SLOW_MS);
    const response = await fetch('/convoy.json', { cache: 'no-store', signal });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const { supabaseUrl, anonKey } = (await response.json()) as { supabaseUrl: string; anonKey: string };
    const backend = { url: supabaseUrl, anonKey };
    localStorage.setItem(REMEMBERED, JSON.stringify(backend));
    return backend;
  } catch {
    return remembered === null ? null : (JSON.parse(remembered) as Backend);
  }
}
