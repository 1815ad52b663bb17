/** The part of SQLite that the store needs, on Node and in browsers. Every method throws `SqliteFailure`. */

import type { StorageError } from '@/core/errors';

export type SqlValue = string | number | null;

/** Rows as arrays, in the order of `columns`. */
export interface Selected {
  columns: string[];
  rows: SqlValue[][];
}

export interface SqliteHandle {
  /** From now on commit waits until the transaction is on disk. Changes the file's header. */
  makeDurable(): void;
  /** Runs one or more statements that return nothing. */
  exec(sql: string): void;
  select(sql: string, args?: readonly SqlValue[]): Selected;
  /** Prepares once and runs for each list of arguments. */
  run(sql: string, argLists: readonly (readonly SqlValue[])[]): void;
  /** @returns the database as a file */
  serialize(): Uint8Array;
  /** @returns a database in memory with this content; content that is no database fails at the first read */
  openCopy(bytes: Uint8Array): SqliteHandle;
  /** Changes whenever another connection has committed. */
  dataVersion(): number;
  close(): void;
}

/** An operation of SQLite failed; `detail` classifies the failure. */
export class SqliteFailure extends Error {
  override readonly name = 'SqliteFailure';
  constructor(
    readonly detail: StorageError,
    options?: ErrorOptions,
    /** SQLite's message. */
    readonly reason = detail.message,
  ) {
    super(detail.message, options);
  }
}

const ONCE = [[]];

/** Runs work in one transaction that takes the write lock when it begins. */
export function inTransaction<T>(handle: SqliteHandle, work: () => T): T {
  return within(handle, 'begin immediate', work);
}

/** Runs work that only reads, all of it in one snapshot. */
export function atOneMoment<T>(handle: SqliteHandle, work: () => T): T {
  return within(handle, 'begin', work);
}

function within<T>(handle: SqliteHandle, begin: string, work: () => T): T {
  handle.run(begin, ONCE);
  try {
    const result = work();
    handle.run('commit', ONCE);
    return result;
  } catch (error) {
    try {
      handle.run('rollback', ONCE);
    } catch {
      // SQLite has already rolled back, as it does on a full disk.
    }
    throw error;
  }
}

/** Codes of what the storage of a database says; others are about files, versions and sessions. */
type StorageCode = Exclude<StorageError['code'], 'newer_schema' | 'unsynced_work' | 'session_kept'>;

const MESSAGES: Record<StorageCode, string> = {
  quota: 'There is no room left on this device. Free some space; what was written before is safe.',
  corrupt: 'The local database is damaged.',
  locked: 'The local database is in use by another program that does not let go of it.',
  overtaken:
    'Another tab or program has written meanwhile. Nothing was changed: look at what is there now, and try again.',
  no_migration: 'The local database is too old for this version of Convoy.',
  migration_failed:
    'The local database could not be brought to this version of Convoy. Nothing was changed: everything is as it was. Try again, or open it with a newer version.',
  foreign_file: 'This file is no database of this account.',
  unavailable: 'The local database cannot be read or written.',
  not_loaded:
    'The part of Convoy that opens your data could not be loaded. Check your connection and try again; everything on this device is safe.',
};

/** @param reason technical detail, such as SQLite's message; appended in parentheses */
export function storageError(code: StorageCode, reason?: string): StorageError {
  return {
    kind: 'storage',
    code,
    message: reason === undefined ? MESSAGES[code] : `${MESSAGES[code]} (${reason})`,
  };
}

/** @param code SQLite's primary result code (https://sqlite.org/rescode.html) */
export function failureOf(code: number, reason: string, cause?: unknown): SqliteFailure {
  return new SqliteFailure(storageError(CODES[code] ?? 'unavailable', reason), { cause }, reason);
}

const CODES: Readonly<Record<number, 'quota' | 'corrupt' | 'locked'>> = {
  5: 'locked', // SQLITE_BUSY
  6: 'locked', // SQLITE_LOCKED
  11: 'corrupt', // SQLITE_CORRUPT
  13: 'quota', // SQLITE_FULL
  26: 'corrupt', // SQLITE_NOTADB
};
