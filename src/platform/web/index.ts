/** Convoy in a browser: SQLite in the origin private file system (OPFS), or in the tab's memory where that is missing. */

import type { AppSchema } from '@nozbe/watermelondb';
import type { DatabaseAdapter } from '@nozbe/watermelondb/adapters/type';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import type { Backend, Platform } from '@/core/platform';
import { fail } from '@/core/result';
import { storageError } from '../sqlite/handle';
import { earlierStorage } from './earlier';
import { hasOpfs } from './hasOpfs';
import * as opfs from './opfs';
import { PageLocks } from './pageLocks';
import { endsWithPage, pageStorage } from './pageStorage';
import { persistentStorage } from './persistentStorage';

export type WatermelonPlatform = Platform<DatabaseAdapter, AppSchema, SchemaMigrations>;

export function createPlatform(): WatermelonPlatform {
  return {
    openAdapter: async (options) => {
      const found = await storage().catch(() => null);
      return found ? found.openAdapter(options) : fail(storageError('not_loaded'));
    },
    hasDatabase: async (name) => earlierStorage.has(name) || (await storage()).hasDatabase(name),
    removeDatabase: async (name, patienceMs) => (await storage()).removeDatabase(name, patienceMs),
    readUnsynced: async (name, rules) => (await storage()).readUnsynced(name, rules),
    readFile: async (name, owner) => (await storage()).readFile(name, owner),
    isDurable: hasOpfs,
    fetchesCode: true,
    earlier: earlierStorage,
    keeping: persistentStorage,
    sessionStorage: pageStorage,
    endsWithPage,
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
    async exclusively<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
      // Databases in memory are those of this tab alone, and such a window may have no Web Locks.
      if (!(await hasOpfs())) return pageLocks.request(name, work, signal);
      return navigator.locks.request(`convoy:${name}`, { signal }, work) as Promise<T>;
    },
  };
}

const pageLocks = new PageLocks();

/** The storage of this window. That in memory is imported on demand, so that other windows never load its code. */
async function storage(): Promise<typeof opfs | typeof import('./memory')> {
  return (await hasOpfs()) ? opfs : import('./memory');
}

const REMEMBERED = 'convoy:backend';

/** ms to wait for the server where an earlier answer can serve instead. */
const SLOW_MS = 1_000;

/** Asks the server for the page's backend; its last answer serves while the server is unreachable or slow. */
async function readBackend(): Promise<Backend | null> {
  const remembered = pageStorage().getItem(REMEMBERED);
  try {
    const signal = remembered === null ? undefined : AbortSignal.timeout(SLOW_MS);
    const response = await fetch('/convoy.json', { cache: 'no-store', signal });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const { supabaseUrl, anonKey } = (await response.json()) as { supabaseUrl: string; anonKey: string };
    const backend = { url: supabaseUrl, anonKey };
    pageStorage().setItem(REMEMBERED, JSON.stringify(backend));
    return backend;
  } catch {
    return remembered === null ? null : (JSON.parse(remembered) as Backend);
  }
}
