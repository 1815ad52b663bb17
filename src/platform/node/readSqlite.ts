/** Reads a database file without changing it, its journals, or anything beside it. */

import { existsSync, readFileSync, statSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import type { StorageError } from '@/core/errors';
import { fail, ok, type Result } from '@/core/result';
import { storageError } from '../sqlite/handle';
import { nativeBinding } from './nativeBinding';

/** Bytes up to which a file that nobody has open is read into memory. */
const MOST_IN_MEMORY = 1_000_000_000;
/** Bytes of the header that say whether there is a write-ahead log (https://sqlite.org/fileformat2.html); 1: there is none. */
const FORMAT_AT = [18, 19] as const;

/** Runs a query. @returns its rows as arrays */
export type Select = (sql: string) => unknown[][];

/** @returns what `read` makes of the database at a path; fails with `corrupt` where it is none, with `unavailable` for any other reason */
export function readSqlite<T>(path: string, read: (select: Select) => T): Result<T, StorageError> {
  let database: Sqlite.Database | null = null;
  try {
    database = open(path);
    const opened = database;
    return ok(read((sql) => opened.prepare(sql).raw().all() as unknown[][]));
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const isDamaged = code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB');
    return fail(storageError(isDamaged ? 'corrupt' : 'unavailable', message));
  } finally {
    database?.close();
  }
}

/**
 * SQLite makes a log beside a file that it opens, and a connection that may only read leaves it behind. So a file without
 * a log, which holds everything, is read from memory; one with a log is open elsewhere, or was when a process died.
 */
function open(path: string): Sqlite.Database {
  const isAlone =
    !existsSync(`${path}-shm`) && (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0;
  if (!isAlone || statSync(path).size > MOST_IN_MEMORY) {
    return new Sqlite(path, { readonly: true, fileMustExist: true, ...nativeBinding() });
  }
  const content = readFileSync(path);
  for (const at of FORMAT_AT) if (at < content.length) content[at] = 1;
  return new Sqlite(content, nativeBinding());
}

/** @returns why SQLite cannot run at all; null: it does */
export function nativeFault(): string | null {
  try {
    new Sqlite(':memory:', nativeBinding()).close();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
