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

/** Implemented by adapters whose database may be open more than once. */
export interface SharedStore {
  /** Names who is told what others write; called once, before the first read. */
  attach(replica: Replica): void;
  /**
   * Runs work while no other tab or process writes, with everything they wrote before in memory.
   * Throws a `ConvoyError` (storage, `locked`) when the others do not let go.
   */
  whileSoleWriter<T>(work: () => Promise<T>): Promise<T>;
  /** Calls back when the store can be used no more, or something else has to be told. */
  onTrouble(listener: (error: StorageError) => void): void;
  close(): Promise<void>;
}

export function isSharedStore(adapter: unknown): adapter is SharedStore {
  return typeof (adapter as Partial<SharedStore> | null)?.whileSoleWriter === 'function';
}
