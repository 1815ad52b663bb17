/** One connection to a local database: reads, atomic batches, and what others wrote. Synchronous. */

import type { SalvageReport, StoredQuery, StoredRow } from '@/core/storage';
import { ChangeLog, newerSchema, type Written, WrittenBatch } from './changeLog';
import { exportFile, importFile } from './databaseFile';
import { atOneMoment, inTransaction, type Selected, type SqliteHandle, type SqlValue } from './handle';
import { hasChangeLog, prepareDatabase, type SchemaOfCode, versionOf } from './prepare';
import { keptSalvaged } from './salvageReport';

/** Statements of a batch with the arguments of each run, in order. */
export interface EncodedBatch {
  statements: { sql: string; argLists: SqlValue[][] }[];
  /** Ids by table, for those who keep the records in memory. */
  written: Record<string, string[]>;
  /** Makes a batch that is sent twice apply once. */
  request: string | null;
}

/** A batch in the log of changes: its number, and what it wrote. */
export interface Logged {
  seq: number;
  written: Written;
}

export class SqliteStore {
  private readonly log: ChangeLog;
  /** The latest batch that this connection knows of. */
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

  /** Opens a database for this schema; throws `SqliteFailure` and leaves it as it was where that cannot be. */
  static open(handle: SqliteHandle, code: SchemaOfCode): SqliteStore {
    const found = versionOf(handle);
    if (found > code.schema.version) throw newerSchema(found, code.schema.version);
    handle.makeDurable();
    prepareDatabase(handle, code);
    return new SqliteStore(handle, code);
  }

  /** @returns whether a database has this schema, so that opening it writes nothing */
  static isReady(handle: SqliteHandle, { schema }: SchemaOfCode): boolean {
    return versionOf(handle) === schema.version && hasChangeLog(handle);
  }

  select(sql: string, args?: readonly SqlValue[]): Selected {
    return this.handle.select(sql, args);
  }

  /** Several queries as of one moment. */
  selectAll(queries: readonly StoredQuery[]): Selected[] {
    return atOneMoment(this.handle, () => queries.map(({ sql, args }) => this.handle.select(sql, args)));
  }

  /** Runs statements in one transaction; nobody else is told. */
  exec(sql: string): void {
    inTransaction(this.handle, () => this.handle.exec(sql));
  }

  /** Brings what the journal holds into the database, as far as nobody is in the way. */
  checkpoint(): void {
    this.handle.select('pragma wal_checkpoint(passive)');
  }

  /**
   * All or nothing; on disk when it returns.
   * @returns how it is remembered; null where there is nothing to tell, or it was applied before
   */
  batch({ statements, written, request }: EncodedBatch): Logged | null {
    const logged = inTransaction(this.handle, (): Logged | null => {
      if (this.handle.dataVersion() !== this.version) this.refuseNewer();
      if (request !== null && this.log.has(request)) return null;
      for (const { sql, argLists } of statements) this.handle.run(sql, argLists);
      if (request === null && Object.keys(written).length === 0) return null;
      const batch = new WrittenBatch();
      for (const [table, ids] of Object.entries(written)) for (const id of ids) batch.add(table, id);
      const toTell = batch.get();
      return { seq: this.log.add(toTell, request), written: toTell };
    });
    if (logged) this.wrote(logged.seq);
    return logged;
  }

  /** To be called when it is committed. Where others wrote in between, that is still to be told. */
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

  /** @returns what was written after a batch; of every table anything, where that is not known */
  writtenSince(seq: number): Written {
    return this.log.since(seq) ?? this.everything();
  }

  /** @returns whether requests that do not begin with this prefix wrote records after a batch, or may have: it is not known */
  othersWroteSince(seq: number, prefix: string): boolean {
    return this.log.othersSince(seq, prefix);
  }

  /**
   * @param read reads what other connections wrote since the last time; where that fails it is asked for again
   * @returns what it read, null where nothing was written. Throws `newer_schema` when one of them has brought
   * the database to a newer version.
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

  /** @returns the stored records among these ids, as they are; of all ids for null. */
  rowsOf(table: string, ids: readonly string[] | null): StoredRow[] {
    const chunks = ids === null ? [null] : chunked(ids, 500);
    return chunks.flatMap((chunk) => {
      const clause = chunk === null ? '' : ` where "id" in (${chunk.map(() => '?').join()})`;
      return asObjects(this.handle.select(`select * from "${table}"${clause}`, chunk ?? []));
    });
  }

  /** @returns what was saved when this database took the place of a damaged one; null: it did not, or that was read */
  salvaged(): SalvageReport | null {
    return keptSalvaged(this.handle);
  }

  /** @returns the whole database as a file that stands by itself */
  exportFile(owner: string): Uint8Array {
    return exportFile(this.handle, owner);
  }

  /** Replaces everything by what an exported file holds. @returns the batch as which others learn of it */
  importFile(bytes: Uint8Array, owner: string, request: string | null = null): Logged {
    const written = this.everything();
    const also = () => this.log.add(written, request);
    const seq = importFile(this.handle, bytes, { owner, code: this.code, also });
    this.wrote(seq);
    return { seq, written };
  }

  close(): void {
    this.handle.close();
  }

  /** Code that is older than the schema by now must not write any more. */
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
