/** Convoy on Node: SQLite files in a data folder. */

import type { AppSchema } from '@nozbe/watermelondb';
import type { DatabaseAdapter } from '@nozbe/watermelondb/adapters/type';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import WebSocket from 'ws';
import type { Platform } from '@/core/platform';
import { claimsFile } from './claimsFile';
import { dataFolder } from './dataFolder';
import type { FileLock } from './fileLock';
import { sessionFile } from './sessionFile';
import { hasSqlite, openSqlite, removeSqlite } from './sqlite';
import { withFileLock } from './withFileLock';

export interface NodePlatformOptions {
  /** Folder of the databases and the session. Default: `CONVOY_DATA_DIR`, else the user's data folder. */
  folder?: string;
  /** Names the network file system that holds a folder; for tests. Default: the machine is asked. */
  fileSystemOf?: (path: string) => string | null;
}

export type WatermelonPlatform = Platform<DatabaseAdapter, AppSchema, SchemaMigrations>;

export function createPlatform(options: NodePlatformOptions = {}): WatermelonPlatform {
  const folder = options.folder ?? dataFolder();
  const locks = new Map<string, FileLock>();
  return {
    openAdapter: (database) => openSqlite(folder, database, options.fileSystemOf),
    hasDatabase: async (name) => hasSqlite(folder, name),
    removeDatabase: (name, patienceMs) => removeSqlite(folder, name, patienceMs),
    sessionStorage: () => sessionFile(folder, 'session.json'),
    backend: async () => {
      const { SUPABASE_URL: url, SUPABASE_ANON_KEY: anonKey } = process.env;
      return url && anonKey ? { url, anonKey } : null;
    },
    fetchesCode: false,
    // Node cannot tell whether there is a network; requests fail where there is none.
    isOnline: () => true,
    onConnectivity: () => () => undefined,
    exclusively: (name, work, signal) => withFileLock(folder, name, work, signal, locks),
    claims: claimsFile(folder, locks),
    refreshing: (work) => withFileLock(folder, 'refresh', work, undefined, locks),
    webSocket: WebSocket,
  };
}
