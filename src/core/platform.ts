/** The port to a runtime (browser, Node). `platform/web` and `platform/node` implement it. */

import type { StorageError } from './errors';
import type { Result } from './result';
import type { SalvageRules, SharedStore, UnsyncedRecords } from './storage';

/** The address of a Supabase project or a local stack, and its public key. */
export interface Backend {
  url: string;
  anonKey: string;
}

/** Keeps the session between runs. The shape is that of supabase-js's storage. */
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
  /** The records to save if the database is damaged. */
  salvage?: SalvageRules;
}

/** Records that an earlier release left in another kind of storage: unsynced ones, and what is kept here alone. */
export interface EarlierRecords {
  /** Changes whenever that storage is written. */
  version: string;
  records: UnsyncedRecords;
}

/** The storage of earlier releases. A database of the same name adopts what is in it. */
export interface EarlierStorage {
  /** @returns whether there is something under this name that was not adopted */
  has(name: string): boolean;
  /** Changes nothing. @returns null where there is nothing, or it cannot be had now */
  read(name: string, rules: SalvageRules): Promise<EarlierRecords | null>;
  /** The database of that name holds the records now. They are removed: at once, or by `settle` where that database ends with this window. */
  adopted(name: string): Promise<void>;
  /** Removes what was adopted, unless something of this window is unsynced. */
  settle(): Promise<void>;
  /** Removes it for good. */
  remove(name: string): Promise<void>;
}

/** A claim that was made on this machine without the server. */
export interface MachineClaim {
  /** As the server names it. */
  task_id: string;
  user_id: string;
  claim_id: string;
  /** ISO time. */
  until: string;
}

/** The claims that the agents of this machine have made without the server. */
export interface MachineClaims {
  /** Changes them while nobody else of this machine does. @returns the answer of `edit`. Rejects where the storage fails. */
  change<T>(
    edit: (claims: readonly MachineClaim[]) => { claims: readonly MachineClaim[]; answer: T },
  ): Promise<T>;
}

/** `Adapter`, `Schema` and `Migrations` are types of WatermelonDB, which the core does not import. */
export interface Platform<Adapter, Schema, Migrations> {
  /** @returns a storage adapter, or the error. A database newer than the schema is refused, never reset. */
  openAdapter(
    options: LocalDatabaseOptions<Schema, Migrations>,
  ): Promise<Result<Adapter & SharedStore, StorageError>>;
  /** @returns whether this device has a database of that name; does not open it. */
  hasDatabase(name: string): Promise<boolean>;
  /**
   * Deletes a closed database. Rejects where that fails.
   * @param patienceMs how long to wait for tabs or processes that are closing it, ms
   */
  removeDatabase(name: string, patienceMs?: number): Promise<void>;
  /**
   * Reads the unsynced records of a database that cannot be opened: of a newer version, or one whose
   * migration fails. Changes nothing.
   */
  readUnsynced?(name: string, rules: SalvageRules): Promise<Result<UnsyncedRecords, StorageError>>;
  /**
   * Reads the file of a database that cannot be opened, in the form of `SharedStore.exportFile`. Changes nothing.
   * @param owner the account to name in the file
   */
  readFile?(name: string, owner: string): Promise<Result<Uint8Array, StorageError>>;
  earlier?: EarlierStorage;
  /** Absent: always. @returns whether databases outlive this window; where not, each window has databases of its own */
  isDurable?(): Promise<boolean>;
  /** Present where the runtime may clear stored data unless it has agreed not to. */
  keeping?: {
    /** @returns whether it agreed */
    isAgreed(): Promise<boolean>;
    /** Asks the runtime to agree, which may show a prompt. @returns whether it agrees */
    ask(): Promise<boolean>;
  };
  sessionStorage(): SessionStorage;
  /** Absent: never. @returns whether what is in `sessionStorage` ends with this page, which the browser lets keep nothing */
  endsWithPage?(): boolean;
  /** @returns the configured backend, or null: Convoy then works locally only. */
  backend(): Promise<Backend | null>;
  /** Whether parts of the code come over a network, when they are needed first. */
  fetchesCode: boolean;
  isOnline(): boolean;
  /** Calls back when the network comes or goes. @returns a function that stops this. */
  onConnectivity(listener: (online: boolean) => void): () => void;
  /** Calls back when the application becomes visible, where the runtime reports that. @returns a function that stops this. */
  onVisible?: (listener: () => void) => () => void;
  /** Runs work under a lock of that name across tabs and processes. Rejects when `signal` aborts the wait. */
  exclusively<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Absent: a local database is all that agents here share. */
  claims?: MachineClaims;
  /** Runs work while no other process refreshes the stored session. Absent: supabase-js has such a lock of its own here. */
  refreshing?<T>(work: () => Promise<T>): Promise<T>;
  /** A WebSocket class for runtimes without one. */
  webSocket?: unknown;
}
