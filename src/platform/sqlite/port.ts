/** How the adapter reaches a store: directly in this thread, or by messages to a worker. */

import { ConvoyError } from '@/core/errors';
import type { SharedStore, StoredQuery } from '@/core/storage';
import { type Selected, SqliteFailure, type SqlValue } from './handle';
import type { EncodedBatch } from './store';

/** The argument of WatermelonDB's callbacks. */
export type Outcome<T> = { value: T } | { error: Error };
export type Done<T> = (outcome: Outcome<T>) => void;

/** Runs work on a store in this thread. @returns its value, or what it threw: a `ConvoyError` where the store failed */
export function outcomeOf<T>(work: () => T): Outcome<T> {
  try {
    return { value: work() };
  } catch (error) {
    if (error instanceof SqliteFailure) return { error: new ConvoyError(error.detail) };
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
}

export interface StorePort
  extends Omit<
    SharedStore,
    'exportFile' | 'importFile' | 'readAll' | 'forgetSalvaged' | 'isDurable' | 'warning'
  > {
  /** Rows that include every write this tab or process has been told of. */
  select(sql: string, args: readonly SqlValue[], done: Done<Selected>): void;
  /** Several queries in one snapshot. */
  selectAll(queries: readonly StoredQuery[], done: Done<Selected[]>): void;
  /** All or nothing; on disk when `done` is called without an error. */
  batch(batch: EncodedBatch, done: Done<void>): void;
  /** Runs statements that return nothing, in one transaction. */
  exec(sql: string, done: Done<void>): void;
  /** Destroys all records, in its turn among the calls: a batch that is passed later is applied to the empty tables. */
  reset(done: Done<void>): void;
  exportTo(owner: string, done: Done<Uint8Array>): void;
  /** Replaces all records; the replica has taken them over when `done` is called without an error. */
  importFrom(bytes: Uint8Array, owner: string, done: Done<void>): void;
}
