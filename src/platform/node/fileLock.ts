import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { nativeBinding } from './nativeBinding';

/** A lock among the processes of this machine: SQLite's file lock, which the system releases when a process dies. */
export class FileLock {
  /** Opened by the first attempt: a process that only reads needs no lock. */
  private file: Sqlite.Database | null = null;

  constructor(private readonly path: string) {}

  /** @returns whether this object holds the lock now */
  tryTake(): boolean {
    try {
      this.file ??= open(this.path);
      this.file.exec('begin exclusive');
      return true;
    } catch (error) {
      if (error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')) return false;
      throw error;
    }
  }

  release(): void {
    this.file?.exec('rollback');
  }

  /** Closes the lock file, which releases the lock. */
  close(): void {
    this.file?.close();
  }
}

function open(path: string): Sqlite.Database {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return new Sqlite(path, { timeout: 0, ...nativeBinding() });
}

/** @returns whether a process holds the lock of this file; nothing is made or taken for it */
export function isLocked(path: string): boolean {
  if (!existsSync(path)) return false;
  const file = new Sqlite(path, { timeout: 0, readonly: true, ...nativeBinding() });
  try {
    file.prepare('select 1 from "sqlite_master"').get();
    return false;
  } catch (error) {
    if (error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')) return true;
    throw error;
  } finally {
    file.close();
  }
}
