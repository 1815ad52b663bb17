/** What a runtime (browser, Node) gives Convoy. `platform/web` and `platform/node` implement it. */

import type { StorageError } from './errors';
import type { Result } from './result';
import type { Closable, SalvageRules, UnsyncedRecords } from './storage';

/** Where a Supabase project or a local stack is. */
export interface Backend {
  url: string;
  anonKey: string;
}

/** Keeps the session between runs. Shaped as supabase-js wants its storage. */
export interface SessionStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): void | Promise<void>;
  removeItem(key: string): void | Promise<void>;
}

export interface LocalDatabaseOptions<Schema, Migrations> {
  /** Names the database on this device; one for each user and backend. */
  name: string;
  schema: Schema;
  migrations: Migrations;
  /** What is saved where the database turns out to be damaged. */
  salvage?: SalvageRules;
}

/** `Adapter`, `Schema` and `Migrations` are WatermelonDB's; `core` does not know them. */
export interface Platform<Adapter, Schema, Migrations> {
  /** @returns a storage adapter, or why there is none. A database newer than the schema is refused, never reset. */
  openAdapter(
    options: LocalDatabaseOptions<Schema, Migrations>,
  ): Promise<Result<Adapter & Closable, StorageError>>;
  /** @returns whether this device has a database of that name; it is not opened. */
  hasDatabase(name: string): Promise<boolean>;
  /**
   * Removes a closed database for good, with everything in it. Rejects where that cannot be done.
   * @param patienceMs how long to wait for others who have it open and are about to let go of it
   */
  removeDatabase(name: string, patienceMs?: number): Promise<void>;
  /**
   * Reads what is unsynced out of a database that cannot be opened: of a newer version, or one that
   * does not migrate. Nothing is changed.
   */
  readUnsynced?(name: string, rules: SalvageRules): Promise<Result<UnsyncedRecords, StorageError>>;
  /**
   * The whole database that cannot be opened, as `SharedStore.exportFile` gives one that can. Nothing is changed.
   * @param owner whose name the file bears
   */
  readFile?(name: string, owner: string): Promise<Result<Uint8Array, StorageError>>;
  /** Runtimes that may clear what is stored here, unless they agreed not to. */
  keeping?: {
    /** @returns whether it agreed */
    isAgreed(): Promise<boolean>;
    /** Asks for it, which may ask the person. @returns whether it agrees */
    ask(): Promise<boolean>;
  };
  sessionStorage(): SessionStorage;
  /** @returns the backend this installation is set up for, or null: Convoy then works locally only. */
  backend(): Promise<Backend | null>;
  isOnline(): boolean;
  /** Calls back when the network comes or goes. @returns how to stop. */
  onConnectivity(listener: (online: boolean) => void): () => void;
  /** Calls back when somebody looks at the application again, where that can be told. @returns how to stop. */
  onVisible?: (listener: () => void) => () => void;
  /** Runs work while no other tab or process runs work of the same name. Rejects when `signal` aborts the wait. */
  exclusively<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** A WebSocket for runtimes that have none of their own. */
  webSocket?: unknown;
}
