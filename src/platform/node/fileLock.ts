import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { nativePart } from './nativePart';

/** A lock among the processes of this machine. It is SQLite's own file lock: the system lets go of it when a process dies. */
export class FileLock {
  /** null until it is wanted: whoever only reads needs none. */
  private file: Sqlite.Database | null = null;

  constructor(private readonly path: string) {}

  /** @returns whether it is now held by this object */
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

  /** Releases it too. */
  close(): void {
    this.file?.close();
  }
}

function open(path: string): Sqlite.Database {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return new Sqlite(path, { timeout: 0, ...nativePart() });
}
