/** One connection to a local database: reads, atomic batches, foreign writes. Synchronous. */

import type { SalvageReport, StoredQuery, StoredRow } from '@/core/storage';
import { ChangeLog, NAMED, newerSchema, type Written } from './changeLog';
import { exportFile, importFile } from './databaseFile';
import { atOneMoment, inTransaction, type Selected, type SqliteHandle, type SqlValue } from './handle';
import { hasChangeLog, prepareDatabase, type SchemaOfCode, setUpAnew, versionOf } from './prepare';
import { readSalvageReport } from './salvageReport';

/** Statements of a batch with the arguments of each run, in order. */
export interface EncodedBatch {
  statements: { sql: string; argLists: SqlValue[][] }[];
  /** Ids by table: what replicas of other tabs and processes have to take over. */
  written: Record<string, string[]>;
  /** Request id: a batch that is sent twice is applied once. */
  request: string | null;
}

/** A batch in the change log: its number, and what it wrote. */
export interface Logged {
  seq: number;
  written: Written;
}

export class SqliteStore {
  private readonly log: ChangeLog;
  /** The latest batch known to this connection. */
  private seen: number;
  private version: number;

  private constructor(
    private readonly handle: SqliteHandle,
    private readonly code: SchemaOfCode,
  ) {
    this.log = new ChangeLog(handle);
    this.seen = this.log.latest();
    this.version = handle.dataVersion();
  }

  /** Opens a database and brings it to this schema. Throws `SqliteFailure` and leaves it unchanged where that fails. */
  static open(handle: SqliteHandle, code: SchemaOfCode): SqliteStore {
    const found = versionOf(handle);
    if (found > code.schema.version) throw newerSchema(found, code.schema.version);
    handle.makeDurable();
    prepareDatabase(handle, code);
    return new SqliteStore(handle, code);
  }

  /** @returns whether a database already has this schema: opening it then writes nothing */
  static isReady(handle: SqliteHandle, { schema }: SchemaOfCode): boolean {
    return versionOf(handle) === schema.version && hasChangeLog(handle);
  }

  select(sql: string, args?: readonly SqlValue[]): Selected {
    return this.handle.select(sql, args);
  }

  /** Several queries in one snapshot. */
  selectAll(queries: readonly StoredQuery[]): Selected[] {
    return atOneMoment(this.handle, () => queries.map(({ sql, args }) => this.handle.select(sql, args)));
  }

  /** Runs statements in one transaction, without an entry in the change log. */
  exec(sql: string): void {
    inTransaction(this.handle, () => this.handle.exec(sql));
  }

  /** Copies the write-ahead log into the database, except for frames that other connections still read. */
  checkpoint(): void {
    this.handle.select('pragma wal_checkpoint(passive)');
  }

  /**
   * All or nothing; on disk when it returns.
   * @returns its entry in the change log; null for a batch without one, or one that was applied before
   */
  batch({ statements, written, request }: EncodedBatch): Logged | null {
    const logged = inTransaction(this.handle, (): Logged | null => {
      if (this.handle.dataVersion() !== this.version) this.refuseNewer();
      if (request !== null && this.log.has(request)) return null;
      const idsOf = Object.entries(written).map(([table, ids]) => [table, new Set(ids)] as const);
      const large = idsOf.filter(([, ids]) => ids.size > NAMED);
      const before = new Map(large.map(([table]) => [table, this.lastRow(table)]));
      for (const { sql, argLists } of statements) this.handle.run(sql, argLists);
      if (request === null && idsOf.length === 0) return null;
      const toTell = Object.fromEntries(
        idsOf.map(([table, ids]) => [table, this.toName(table, ids, before.get(table))]),
      );
      return { seq: this.log.add(toTell, request), written: toTell };
    });
    if (logged) this.wrote(logged.seq);
    return logged;
  }

  private lastRow(table: string): number {
    return Number(this.handle.select(`select max("rowid") from "${table}"`).rows[0]?.[0] ?? 0);
  }

  /**
   * @param last the table's last row before the batch, where that is large: nobody holds the records that it made, so that the
   *   pages of a first sync name none, whatever others have in memory
   */
  private toName(table: string, ids: ReadonlySet<string>, last: number | undefined): string[] | null {
    if (last === undefined) return [...ids];
    const number = this.handle.select(`select count(*) from "${table}" where "rowid" > ?`, [last])
      .rows[0]?.[0];
    if (number === ids.size) return [];
    const made = this.handle.select(`select "id" from "${table}" where "rowid" > ?`, [last]).rows;
    const fresh = new Set(made.map(([id]) => String(id)));
    const known = [...ids].filter((id) => !fresh.has(id));
    return known.length > NAMED ? null : known;
  }

  /** Call after the commit. Foreign writes in between stay unseen: then `seen` stays, so that they are read. */
  private wrote(seq: number): void {
    if (seq === this.seen + 1) this.seen = seq;
  }

  /** @returns whether a request was applied */
  hasApplied(request: string): boolean {
    return this.log.has(request);
  }

  /** @returns the number of the latest batch; 0 for none */
  latest(): number {
    return this.log.latest();
  }

  /** @returns the writes after a batch; every table as a whole where the change log does not reach back */
  writtenSince(seq: number): Written {
    return this.log.since(seq) ?? this.everything();
  }

  /** @returns whether a request without this prefix wrote records after a batch; true too where the log no longer reaches back */
  othersWroteSince(seq: number, prefix: string): boolean {
    return this.log.othersSince(seq, prefix);
  }

  /**
   * @param read reads the foreign writes since the last call; when it throws, the next call passes them again
   * @returns its result, null where nothing was written. Throws `newer_schema` when another connection has migrated
   * the database.
   */
  foreignWrites<T>(read: (written: Written) => T): T | null {
    const version = this.handle.dataVersion();
    if (version === this.version) return null;
    this.refuseNewer();
    const latest = this.log.latest();
    const found = latest === this.seen ? null : read(this.writtenSince(this.seen));
    this.seen = latest;
    this.version = version;
    return found;
  }

  /** @returns those records of a table that are stored */
  rowsOf(table: string, ids: readonly string[]): StoredRow[] {
    return chunked(ids, 500).flatMap((chunk) => {
      const places = chunk.map(() => '?').join();
      return asObjects(this.handle.select(`select * from "${table}" where "id" in (${places})`, chunk));
    });
  }

  /** @returns the report on the damaged database that this one replaced; null: none, or it was acknowledged */
  salvaged(): SalvageReport | null {
    return readSalvageReport(this.handle);
  }

  /** @returns the whole database as a self-contained file */
  exportFile(owner: string): Uint8Array {
    return exportFile(this.handle, owner);
  }

  /** Replaces all records by those of an exported file. @returns its entry in the change log */
  importFile(bytes: Uint8Array, owner: string, request: string | null = null): Logged {
    const written = this.everything();
    const also = () => this.log.add(written, request);
    const seq = importFile(this.handle, bytes, { owner, code: this.code, also });
    this.wrote(seq);
    return { seq, written };
  }

  /**
   * Destroys all records, and sets the tables up anew. The change log stays: others hear of it, and a reset that is
   * sent twice is made once.
   * @returns its entry in the change log
   */
  reset(request: string | null = null): Logged {
    const written = this.everything();
    const seq = inTransaction(this.handle, () => {
      setUpAnew(this.handle, this.code.schema);
      return this.log.add(written, request);
    });
    this.wrote(seq);
    return { seq, written };
  }

  close(): void {
    this.handle.close();
  }

  /** Throws where newer code has migrated the database: this code must not write any more. */
  private refuseNewer(): void {
    const found = versionOf(this.handle);
    if (found > this.code.schema.version) throw newerSchema(found, this.code.schema.version);
  }

  private everything(): Written {
    return Object.fromEntries(Object.keys(this.code.schema.tables).map((table) => [table, null]));
  }
}

export function asObjects({ columns, rows }: Selected): StoredRow[] {
  return rows.map((row) => {
    const object: Record<string, SqlValue> = {};
    for (let index = 0; index < columns.length; index += 1) {
      object[columns[index] as string] = row[index] as SqlValue;
    }
    return object as StoredRow;
  });
}

function chunked<T>(items: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let at = 0; at < items.length; at += size) chunks.push(items.slice(at, at + size));
  return chunks;
}
