/** SQLite in a browser: one connection of sqlite-wasm. */

import { failureOf, type Selected, type SqliteHandle, type SqlValue } from '../../sqlite/handle';
import { type Database, type Sqlite, takeRefusal } from './sqliteWasm';

/** Statements that stay prepared. */
const KEPT = 200;
/** Bytes to which the write-ahead log is truncated after it was copied into the database. */
const LOG_BYTES = 4 * 1024 * 1024;

const [OK, IOERR, FULL, ROW, DONE] = [0, 10, 13, 100, 101];
const [INTEGER, FLOAT, NULL] = [1, 2, 5];
/** SQLITE_TRANSIENT: SQLite copies a bound text. */
const TRANSIENT = -1;

type Pointer = number;

/** C functions called directly: sqlite-wasm's wrappers lose a leading U+FEFF. */
interface Exports {
  sqlite3_bind_double(statement: Pointer, index: number, value: number): number;
  sqlite3_bind_int(statement: Pointer, index: number, value: number): number;
  sqlite3_bind_null(statement: Pointer, index: number): number;
  sqlite3_bind_text(s: Pointer, index: number, text: Pointer, bytes: number, destructor: number): number;
  sqlite3_column_bytes(statement: Pointer, column: number): number;
  sqlite3_column_double(statement: Pointer, column: number): number;
  sqlite3_column_text(statement: Pointer, column: number): Pointer;
  sqlite3_column_type(statement: Pointer, column: number): number;
  sqlite3_reset(statement: Pointer): number;
  sqlite3_step(statement: Pointer): number;
}

interface Prepared {
  pointer: Pointer;
  columns: string[];
  finalize(): void;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

export class WasmHandle implements SqliteHandle {
  private readonly database: Database;
  private readonly exports: Exports;
  private readonly statements = new Map<string, Prepared>();
  private scratch: Pointer = 0;
  private scratchBytes = 0;

  constructor(
    private readonly sqlite: Sqlite,
    open: () => Database,
  ) {
    this.exports = sqlite.wasm.exports as Exports;
    this.database = this.guarded(open);
    // Without exclusive locking, a write-ahead log needs shared memory, which this VFS lacks. The files have one user anyway.
    this.exec('pragma locking_mode = exclusive; pragma temp_store = memory;');
  }

  makeDurable(): void {
    this.exec(
      `pragma journal_mode = wal; pragma synchronous = full; pragma journal_size_limit = ${LOG_BYTES};`,
    );
  }

  exec(sql: string): void {
    this.guarded(() => this.database.exec(sql));
  }

  select(sql: string, args: readonly SqlValue[] = []): Selected {
    const statement = this.prepared(sql);
    const { pointer, columns } = statement;
    const rows: SqlValue[][] = [];
    try {
      this.bind(pointer, args);
      for (;;) {
        const code = this.exports.sqlite3_step(pointer);
        if (code === DONE) break;
        if (code !== ROW) throw this.failure(code);
        rows.push(columns.map((_, index) => this.column(pointer, index)));
      }
    } finally {
      this.exports.sqlite3_reset(pointer);
    }
    return { columns, rows };
  }

  run(sql: string, argLists: readonly (readonly SqlValue[])[]): void {
    const { pointer } = this.prepared(sql);
    for (const args of argLists) {
      try {
        this.bind(pointer, args);
        const code = this.exports.sqlite3_step(pointer);
        if (code !== DONE && code !== ROW) throw this.failure(code);
      } finally {
        this.exports.sqlite3_reset(pointer);
      }
    }
  }

  serialize(): Uint8Array {
    return this.guarded(() => this.sqlite.capi.sqlite3_js_db_export(this.database));
  }

  openCopy(bytes: Uint8Array): SqliteHandle {
    return new WasmHandle(this.sqlite, () => {
      const { capi, oo1, wasm } = this.sqlite;
      const database = new oo1.DB();
      const content = wasm.allocFromTypedArray(bytes);
      // SQLite frees the content when the database is closed, or deserializing fails.
      const flags = capi.SQLITE_DESERIALIZE_FREEONCLOSE | capi.SQLITE_DESERIALIZE_RESIZEABLE;
      const size = bytes.byteLength;
      database.checkRc(
        capi.sqlite3_deserialize(database.pointer as number, 'main', content, size, size, flags),
      );
      return database;
    });
  }

  dataVersion(): number {
    return Number(this.select('pragma data_version').rows[0]?.[0]);
  }

  close(): void {
    for (const statement of this.statements.values()) statement.finalize();
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
    const statement = this.guarded(() => this.database.prepare(sql));
    const prepared: Prepared = {
      pointer: Number(statement.pointer),
      columns: statement.columnCount > 0 ? statement.getColumnNames() : [],
      finalize: () => void statement.finalize(),
    };
    this.statements.set(sql, prepared);
    if (this.statements.size > KEPT) {
      const [oldest, dropped] = this.statements.entries().next().value as [string, Prepared];
      this.statements.delete(oldest);
      dropped.finalize();
    }
    return prepared;
  }

  private bind(pointer: Pointer, args: readonly SqlValue[]): void {
    for (let index = 0; index < args.length; index += 1) {
      const code = this.bindOne(pointer, index + 1, args[index] as SqlValue);
      if (code !== OK) throw this.failure(code);
    }
  }

  private bindOne(pointer: Pointer, at: number, value: SqlValue): number {
    if (value === null) return this.exports.sqlite3_bind_null(pointer, at);
    if (typeof value === 'string') return this.bindText(pointer, at, value);
    if ((value | 0) === value) return this.exports.sqlite3_bind_int(pointer, at, value);
    return this.exports.sqlite3_bind_double(pointer, at, value);
  }

  private bindText(pointer: Pointer, at: number, text: string): number {
    const { wasm } = this.sqlite;
    const most = text.length * 3 + 1;
    if (most > this.scratchBytes) {
      this.scratchBytes = Math.max(most, 4096);
      this.scratch = Number(wasm.realloc(this.scratch, this.scratchBytes));
    }
    const { written } = encoder.encodeInto(
      text,
      wasm.heap8u().subarray(this.scratch, this.scratch + this.scratchBytes),
    );
    return this.exports.sqlite3_bind_text(pointer, at, this.scratch, written, TRANSIENT);
  }

  private column(pointer: Pointer, index: number): SqlValue {
    const type = this.exports.sqlite3_column_type(pointer, index);
    if (type === NULL) return null;
    if (type === INTEGER || type === FLOAT) return this.exports.sqlite3_column_double(pointer, index);
    const from = this.exports.sqlite3_column_text(pointer, index);
    const bytes = this.exports.sqlite3_column_bytes(pointer, index);
    return decoder.decode(this.sqlite.wasm.heap8u().subarray(from, from + bytes));
  }

  private guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof this.sqlite.SQLite3Error)) throw error;
      const code = (error as { resultCode?: number }).resultCode ?? 0;
      throw failureOf(meaning(code), error.message, error);
    }
  }

  private failure(code: number): Error {
    const words = this.sqlite.capi.sqlite3_errmsg(this.database);
    return failureOf(meaning(code), `${this.sqlite.capi.sqlite3_js_rc_str(code)}: ${words}`);
  }
}

/** @returns SQLite's primary result code; FULL for the I/O error by which a full disk shows in OPFS */
function meaning(code: number): number {
  const primary = code & 0xff;
  const refusal = takeRefusal();
  return primary === IOERR && refusal === 'QuotaExceededError' ? FULL : primary;
}
