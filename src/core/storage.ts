/** What a local store offers beyond WatermelonDB's adapter: several tabs or processes on one database. */

import type { StorageError } from './errors';

/** A stored record, column by column. */
export type StoredRow = { id: string; [column: string]: string | number | boolean | null };

/** A statement of SQL that only reads, with the values of its parameters in order. */
export interface StoredQuery {
  sql: string;
  args: readonly (string | number | null)[];
}

/** Clean records of one table, each in place of the one with its id where there is one. Plain data: it may travel to a worker. */
export interface BulkRows {
  /** `id` is the first. */
  columns: string[];
  /** Values in the order of `columns`. */
  rows: (string | number | null)[][];
  /** Columns that hold the same in all of these rows. */
  same: Record<string, string | number | null>;
}

/** @returns a row as a stored record. */
export function filledRow({ columns, same }: BulkRows, row: readonly (string | number | null)[]): StoredRow {
  const record: Record<string, string | number | null> = { ...same };
  for (let index = 0; index < columns.length; index += 1)
    record[columns[index] as string] = row[index] ?? null;
  return record as StoredRow;
}

/** What others did to one table. */
export interface ForeignChange {
  table: string;
  /** Records as they are now, new ones included. */
  rows: StoredRow[];
  /** Records that are no more, or are marked as deleted. */
  gone: string[];
}

/** Whoever keeps records of the store in memory. */
export interface Replica {
  holds(table: string, id: string): boolean;
  /** Ids of the records of a table that are in memory. */
  held(table: string): Iterable<string>;
  /** Somebody is told about every change of this table. */
  watches(table: string): boolean;
  /** @param changes of every table that others wrote to, also where nothing of it is held or watched */
  takeOver(changes: ForeignChange[]): void;
}

/** What to save of a damaged database, by table: records that are unsynced unless said otherwise. */
export type SalvageRules = Readonly<Record<string, 'all' | 'unsynced' | 'none'>>;

/** Records as they are stored, by table. */
export type UnsyncedRecords = Record<string, StoredRow[]>;

/** What became of a damaged database. */
export interface SalvageReport {
  /** Ids of the records that were saved, by table. */
  saved: Record<string, string[]>;
  /** Every place of the file could be read. */
  complete: boolean;
  /** Where the damaged file is kept. */
  keptAs: string;
}

/** Open storage that can be let go of. */
export interface Closable {
  /** Resolves when everything written is on disk and others may open it. It is of no use afterwards. */
  close(): Promise<void>;
}

/**
 * Implemented by adapters whose database may be open more than once. Their batches also take
 * `['fill', table, FilledRows]`: rows that nobody has to look at one by one.
 */
export interface SharedStore extends Closable {
  /** Names who is told what others write; called once, before the first read. */
  attach(replica: Replica): void;
  /**
   * Runs work while no other tab or process writes, with everything they wrote before in memory.
   * Throws a `ConvoyError` (storage, `locked`) when the others do not let go.
   */
  whileSoleWriter<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when what other tabs and processes wrote until now is in memory. */
  catchUp(): Promise<void>;
  /** @returns the whole database as a SQLite file, which bears its owner's name */
  exportFile(owner: string): Promise<Uint8Array>;
  /**
   * Replaces everything by what an exported file holds, at once or not at all; whoever has records in memory
   * takes that over. Rejects with a `ConvoyError` (storage): `foreign_file`, `newer_schema`, `no_migration`, `quota`.
   */
  importFile(bytes: Uint8Array, owner: string): Promise<void>;
  /**
   * Answers several queries at one moment and in one round trip, past the records in memory.
   * @returns the rows of each, in the order of its columns; rejects with a `ConvoyError` where the storage fails
   */
  readAll(queries: readonly StoredQuery[]): Promise<(string | number | null)[][][]>;
  /** The database was found damaged and made anew, and nobody has said yet that they know. */
  readonly salvaged: SalvageReport | null;
  /** Somebody knows; whoever opens the database from now on is not told any more. */
  forgetSalvaged(): Promise<void>;
  /**
   * Calls back when the store can be used no more, or something else has to be told; with null when a full disk
   * takes writes again, and when `salvaged` has changed.
   */
  onTrouble(listener: (error: StorageError | null) => void): void;
}

export function isSharedStore(adapter: unknown): adapter is SharedStore {
  return typeof (adapter as Partial<SharedStore> | null)?.whileSoleWriter === 'function';
}
