/** SQLite on Node, by better-sqlite3. */

import Sqlite from 'better-sqlite3';
import { failureOf, type Selected, type SqliteHandle, type SqlValue } from '../sqlite/handle';

/** ms to wait for another process that writes just now. */
const BUSY_MS = 10_000;
/** Statements that stay prepared. */
const KEPT = 200;

/** SQLite's primary result codes by the beginning of better-sqlite3's names for them. */
const CODES: Readonly<Record<string, number>> = {
  SQLITE_BUSY: 5,
  SQLITE_LOCKED: 6,
  SQLITE_CORRUPT: 11,
  SQLITE_FULL: 13,
  SQLITE_NOTADB: 26,
};

export class BetterSqliteHandle implements SqliteHandle {
  private readonly database: Sqlite.Database;
  private readonly statements = new Map<string, Sqlite.Statement>();
  private version: Sqlite.Statement | null = null;

  /** Opens or makes the file. */
  constructor(path: string) {
    this.database = guarded(() => new Sqlite(path, { timeout: BUSY_MS }));
  }

  makeDurable(): void {
    guarded(() => {
      this.database.pragma('journal_mode = WAL');
      this.database.pragma('synchronous = FULL');
    });
  }

  exec(sql: string): void {
    guarded(() => this.database.exec(sql));
  }

  select(sql: string, args: readonly SqlValue[] = []): Selected {
    return guarded(() => {
      const statement = this.prepared(sql);
      if (!statement.reader) {
        statement.run(...args);
        return { columns: [], rows: [] };
      }
      const columns = statement.columns().map(({ name }) => name);
      return { columns, rows: statement.raw().all(...args) as SqlValue[][] };
    });
  }

  run(sql: string, argLists: readonly (readonly SqlValue[])[]): void {
    guarded(() => {
      const statement = this.prepared(sql);
      for (const args of argLists) statement.run(...args);
    });
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

  private prepared(sql: string): Sqlite.Statement {
    const known = this.statements.get(sql);
    if (known) {
      // The least recently used one is the first.
      this.statements.delete(sql);
      this.statements.set(sql, known);
      return known;
    }
    const statement = this.database.prepare(sql);
    this.statements.set(sql, statement);
    if (this.statements.size > KEPT) this.statements.delete(this.statements.keys().next().value as string);
    return statement;
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
