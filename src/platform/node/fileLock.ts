import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';

/** A lock among the processes of this machine. It is SQLite's own file lock: the system lets go of it when a process dies. */
export class FileLock {
  private readonly file: Sqlite.Database;

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.file = new Sqlite(path, { timeout: 0 });
  }

  /** @returns whether it is now held by this object */
  tryTake(): boolean {
    try {
      this.file.exec('begin exclusive');
      return true;
    } catch (error) {
      if (error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')) return false;
      throw error;
    }
  }

  release(): void {
    this.file.exec('rollback');
  }

  /** Releases it too. */
  close(): void {
    this.file.close();
  }
}
