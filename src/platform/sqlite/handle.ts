/** The little that the store needs of SQLite, whichever way it is reached. Everything throws `SqliteFailure`. */

import type { StorageError } from '@/core/errors';

export type SqlValue = string | number | null;

/** Rows as arrays, in the order of `columns`. */
export interface Selected {
  columns: string[];
  rows: SqlValue[][];
}

export interface SqliteHandle {
  /** From here on a committed transaction is on disk. Changes the file's header. */
  makeDurable(): void;
  /** Runs one or more statements that return nothing. */
  exec(sql: string): void;
  select(sql: string, args?: readonly SqlValue[]): Selected;
  /** Prepares once and runs for each list of arguments. */
  run(sql: string, argLists: readonly (readonly SqlValue[])[]): void;
  /** @returns the database as a file */
  serialize(): Uint8Array;
  /** @returns a copy in memory of a database file; whether it is one shows when it is read */
  openCopy(bytes: Uint8Array): SqliteHandle;
  /** Changes whenever another connection has committed. */
  dataVersion(): number;
  close(): void;
}

/** SQLite said no; `detail` says what that means. */
export class SqliteFailure extends Error {
  override readonly name = 'SqliteFailure';
  constructor(
    readonly detail: StorageError,
    options?: ErrorOptions,
    /** SQLite's own words. */
    readonly reason = detail.message,
  ) {
    super(detail.message, options);
  }
}

const ONCE = [[]];

/** Runs work in one transaction that has the write lock from its beginning. */
export function inTransaction<T>(handle: SqliteHandle, work: () => T): T {
  return within(handle, 'begin immediate', work);
}

/** Runs work that only reads, while what others write is not seen. */
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
      // SQLite has rolled back by itself, on a full disk for instance.
    }
    throw error;
  }
}

const WORDS: Record<Exclude<StorageError['code'], 'newer_schema' | 'unsynced_work'>, string> = {
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

/** @param reason SQLite's own words, for those who repair it */
export function storageError(
  code: Exclude<StorageError['code'], 'newer_schema' | 'unsynced_work'>,
  reason?: string,
): StorageError {
  return {
    kind: 'storage',
    code,
    message: reason === undefined ? WORDS[code] : `${WORDS[code]} (${reason})`,
  };
}

/** @param code SQLite's primary result code (https://sqlite.org/rescode.html) */
export function failureOf(code: number, reason: string, cause?: unknown): SqliteFailure {
  return new SqliteFailure(storageError(MEANINGS[code] ?? 'unavailable', reason), { cause }, reason);
}

const MEANINGS: Readonly<Record<number, 'quota' | 'corrupt' | 'locked'>> = {
  5: 'locked', // SQLITE_BUSY
  6: 'locked', // SQLITE_LOCKED
  11: 'corrupt', // SQLITE_CORRUPT
  13: 'quota', // SQLITE_FULL
  26: 'corrupt', // SQLITE_NOTADB
};
