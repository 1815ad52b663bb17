/** Convoy in a browser: LokiJS over IndexedDB. */

import type { AppSchema } from '@nozbe/watermelondb';
import type { DatabaseAdapter } from '@nozbe/watermelondb/adapters/type';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import type { Backend, Platform } from '@/core/platform';
import { hasLoki, openLoki, removeLoki } from './loki';

export type WatermelonPlatform = Platform<DatabaseAdapter, AppSchema, SchemaMigrations>;

export function createPlatform(): WatermelonPlatform {
  return {
    openAdapter: openLoki,
    hasDatabase: async (name) => hasLoki(name),
    removeDatabase: removeLoki,
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

const REMEMBERED = 'convoy:backend';

/** The server says which backend the page belongs to; what it said last serves while it is away. */
async function readBackend(): Promise<Backend | null> {
  const remembered = localStorage.getItem(REMEMBERED);
  try {
    const response = await fetch('/convoy.json', { cache: 'no-store' });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const { supabaseUrl, anonKey } = (await response.json()) as { supabaseUrl: string; anonKey: string };
    const backend = { url: supabaseUrl, anonKey };
    localStorage.setItem(REMEMBERED, JSON.stringify(backend));
    return backend;
  } catch {
    return remembered === null ? null : (JSON.parse(remembered) as Backend);
  }
}
