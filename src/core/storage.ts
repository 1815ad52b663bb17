/** The port of a local store that several tabs or processes share, beyond WatermelonDB's adapter. */

import type { StorageError } from './errors';

/** A stored record, column by column. */
export type StoredRow = { id: string; [column: string]: string | number | boolean | null };

/** A reading SQL statement, with the values of its parameters in order. */
export interface StoredQuery {
  sql: string;
  args: readonly (string | number | null)[];
}

/** Synced records of one table; each replaces the stored record with its id. Plain data, so that it can be sent to a worker. */
export interface BulkRows {
  /** `id` is the first. */
  columns: string[];
  /** Values in the order of `columns`. */
  rows: (string | number | null)[][];
  /** Columns with the same value in all of these rows. */
  same: Record<string, string | number | null>;
}

/** An SQL statement that writes records of one table without a record for each. Plain data, as `BulkRows`. */
export interface RecordStatement {
  sql: string;
  args: readonly (string | number | null)[];
  /** The records that it writes or removes: those in memory follow. */
  ids: readonly string[];
}

/** @returns a row as a stored record. */
export function filledRow({ columns, same }: BulkRows, row: readonly (string | number | null)[]): StoredRow {
  const record: Record<string, string | number | null> = { ...same };
  for (let index = 0; index < columns.length; index += 1)
    record[columns[index] as string] = row[index] ?? null;
  return record as StoredRow;
}

/** Foreign writes to one table, as far as they concern a replica. */
export interface ForeignChange {
  table: string;
  /** Records as they are now, those among them that the replica holds. */
  rows: StoredRow[];
  /** Ids of records that were removed or marked as deleted. */
  gone: string[];
}

/** An in-memory copy of records of the store. */
export interface Replica {
  holds(table: string, id: string): boolean;
  /** Ids of the records of a table that are in memory. */
  held(table: string): Iterable<string>;
  /** @param changes of every table with foreign writes, held or not */
  takeOver(changes: ForeignChange[]): void;
}

/** The records to save from a damaged database, by table; unsynced ones where a table is absent (D44). */
export type SalvageRules = Readonly<Record<string, 'all' | 'unsynced' | 'none'>>;

/** Records as they are stored, by table. */
export type UnsyncedRecords = Record<string, StoredRow[]>;

/** The result of salvaging a damaged database. */
export interface SalvageReport {
  /** Ids of the records that were saved, by table. */
  saved: Record<string, string[]>;
  /** The whole file could be read. */
  complete: boolean;
  /** The name of the damaged file, which is kept. */
  keptAs: string;
}

/** A warning for users about the place of the storage. It works, and is not to be trusted with everything. */
export interface StorageWarning {
  code: 'network_file_system';
  /** Its name, such as NFS. */
  fileSystem: string;
  message: string;
}

/** Open storage. */
export interface Closable {
  /** Resolves when all writes are on disk and other tabs or processes may open it. It cannot be used afterwards. */
  close(): Promise<void>;
}

/**
 * Implemented by adapters whose database may be open more than once. Their batches also take
 * `['fill', table, BulkRows]` and `['run', table, RecordStatement]`: rows written without a record for each (P31).
 */
export interface SharedStore extends Closable {
  /** Whether what is written outlives this window or process. */
  readonly isDurable: boolean;
  readonly warning: StorageWarning | null;
  /** Sets the replica that takes over foreign writes; called once, before the first read. */
  attach(replica: Replica): void;
  /**
   * Runs work while no other tab or process writes, after taking over their earlier writes.
   * Throws a `ConvoyError` (storage, `locked`) when another one does not release the lock.
   */
  whileSoleWriter<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when the foreign writes made until now are in memory. */
  catchUp(): Promise<void>;
  /** @returns the database as a SQLite file that names its owner */
  exportFile(owner: string): Promise<Uint8Array>;
  /**
   * Replaces the whole content by that of an exported file, in one transaction; every replica takes it over.
   * Rejects with a `ConvoyError` (storage): `foreign_file`, `newer_schema`, `no_migration`, `quota`.
   */
  importFile(bytes: Uint8Array, owner: string): Promise<void>;
  /**
   * Answers several queries in one transaction and one round trip, without making records in memory.
   * @returns the rows of each, in the order of its columns; rejects with a `ConvoyError` where the storage fails
   */
  readAll(queries: readonly StoredQuery[]): Promise<(string | number | null)[][][]>;
  /** Set where the database was damaged and created anew, until `forgetSalvaged` acknowledges it. */
  readonly salvaged: SalvageReport | null;
  /** Acknowledges `salvaged`; it is null for everyone who opens the database afterwards. */
  forgetSalvaged(): Promise<void>;
  /**
   * Calls back with an error when the store fails; with null when a full disk takes writes again, and when
   * `salvaged` has changed.
   */
  onTrouble(listener: (error: StorageError | null) => void): void;
}
