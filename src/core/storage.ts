/** What a local store offers beyond WatermelonDB's adapter: several tabs or processes on one database. */

import type { StorageError } from './errors';

/** A stored record, column by column. */
export type StoredRow = { id: string; [column: string]: string | number | boolean | null };

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
  takeOver(changes: ForeignChange[]): void;
}

/** What to save of a damaged database, by table: records that are unsynced unless said otherwise. */
export type SalvageRules = Readonly<Record<string, 'all' | 'unsynced' | 'none'>>;

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

/** Implemented by adapters whose database may be open more than once. */
export interface SharedStore extends Closable {
  /** Names who is told what others write; called once, before the first read. */
  attach(replica: Replica): void;
  /**
   * Runs work while no other tab or process writes, with everything they wrote before in memory.
   * Throws a `ConvoyError` (storage, `locked`) when the others do not let go.
   */
  whileSoleWriter<T>(work: () => Promise<T>): Promise<T>;
  /** The database was found damaged and made anew when it was opened. */
  readonly salvaged: SalvageReport | null;
  /** Calls back when the store can be used no more, or something else has to be told. */
  onTrouble(listener: (error: StorageError) => void): void;
}

export function isSharedStore(adapter: unknown): adapter is SharedStore {
  return typeof (adapter as Partial<SharedStore> | null)?.whileSoleWriter === 'function';
}
