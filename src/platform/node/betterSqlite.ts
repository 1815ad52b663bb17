/** SQLite on Node, by better-sqlite3. */

import Sqlite from 'better-sqlite3';
import { failureOf, type Selected, type SqliteHandle, type SqlValue } from '../sqlite/handle';
import { nativeBinding } from './nativeBinding';

/** ms to wait while another process holds SQLite's write lock. */
const BUSY_MS = 10_000;
/** Statements that stay prepared. */
const KEPT = 200;

/** SQLite's primary result codes, by the prefix of better-sqlite3's name for them. */
const CODES: Readonly<Record<string, number>> = {
  SQLITE_BUSY: 5,
  SQLITE_LOCKED: 6,
  SQLITE_CORRUPT: 11,
  SQLITE_FULL: 13,
  SQLITE_NOTADB: 26,
};

interface Prepared {
  statement: Sqlite.Statement;
  /** null: the statement returns no rows. */
  columns: string[] | null;
}

export class BetterSqliteHandle implements SqliteHandle {
  private readonly database: Sqlite.Database;
  private readonly statements = new Map<string, Prepared>();
  private version: Sqlite.Statement | null = null;

  /** @param from path of the file, which is created when missing; or the content of one, for a copy in memory */
  constructor(from: string | Buffer) {
    this.database = guarded(() => new Sqlite(from, { timeout: BUSY_MS, ...nativeBinding() }));
  }

  makeDurable(): void {
    guarded(() => {
      // On macOS a plain fsync leaves the data in the drive's own memory, where a power cut takes it; elsewhere these change nothing.
      this.database.pragma('fullfsync = 1');
      this.database.pragma('checkpoint_fullfsync = 1');
      this.database.pragma('journal_mode = WAL');
      this.database.pragma('synchronous = FULL');
    });
  }

  exec(sql: string): void {
    // The script may change the columns that a prepared statement returns.
    this.statements.clear();
    guarded(() => this.database.exec(sql));
  }

  select(sql: string, args: readonly SqlValue[] = []): Selected {
    return guarded(() => {
      const prepared = this.prepared(sql);
      if (prepared.columns === null) {
        prepared.statement.run(...args);
        return { columns: [], rows: [] };
      }
      return { columns: prepared.columns, rows: prepared.statement.all(...args) as SqlValue[][] };
    });
  }

  run(sql: string, argLists: readonly (readonly SqlValue[])[]): void {
    guarded(() => {
      const { statement } = this.prepared(sql);
      for (const args of argLists) statement.run(...args);
    });
  }

  serialize(): Uint8Array {
    return guarded(() => this.database.serialize());
  }

  openCopy(bytes: Uint8Array): SqliteHandle {
    return new BetterSqliteHandle(Buffer.from(bytes));
  }

  dataVersion(): number {
    return guarded(() => {
      this.version ??= this.database.prepare('pragma data_version').pluck();
      return this.version.get() as number;
    });
  }

  close(): void {
    this.statements.clear();
    this.database.close();
  }

  private prepared(sql: string): Prepared {
    const known = this.statements.get(sql);
    if (known) {
      // Reinserted at the end: the first entry is the least recently used.
      this.statements.delete(sql);
      this.statements.set(sql, known);
      return known;
    }
    const statement = this.database.prepare(sql);
    const columns = statement.reader ? statement.columns().map(({ name }) => name) : null;
    const prepared = { statement: statement.reader ? statement.raw() : statement, columns };
    this.statements.set(sql, prepared);
    if (this.statements.size > KEPT) this.statements.delete(this.statements.keys().next().value as string);
    return prepared;
  }
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Sqlite.SqliteError)) throw error;
    const name = Object.keys(CODES).find((prefix) => error.code.startsWith(prefix));
    throw failureOf(
      name === undefined ? 0 : (CODES[name] as number),
      `${error.code}: ${error.message}`,
      error,
    );
  }
}

/** @returns whether another connection, in this process or another, has the file open */
export function isOpenElsewhere(path: string): boolean {
  let database: Sqlite.Database | null = null;
  try {
    database = new Sqlite(path, { timeout: 0, fileMustExist: true, ...nativeBinding() });
    // SQLite leaves WAL mode only for the sole connection.
    database.pragma('journal_mode = DELETE');
    return false;
  } catch (error) {
    if (!(error instanceof Sqlite.SqliteError)) throw error;
    return error.code.startsWith('SQLITE_BUSY') || error.code.startsWith('SQLITE_LOCKED');
  } finally {
    database?.close();
  }
}
