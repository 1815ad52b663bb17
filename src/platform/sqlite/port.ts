/** How the adapter reaches a store: at once in this thread, or by messages. */

import type { SharedStore, StoredQuery } from '@/core/storage';
import type { Selected, SqlValue } from './handle';
import type { EncodedBatch } from './store';

/** As WatermelonDB has its callbacks. */
export type Outcome<T> = { value: T } | { error: Error };
export type Done<T> = (outcome: Outcome<T>) => void;

export interface StorePort
  extends Omit<SharedStore, 'exportFile' | 'importFile' | 'readAll' | 'forgetSalvaged'> {
  /** Rows as they are after everything that this tab or process has been told is written. */
  select(sql: string, args: readonly SqlValue[], done: Done<Selected>): void;
  /** The same of several queries at one moment. */
  selectAll(queries: readonly StoredQuery[], done: Done<Selected[]>): void;
  /** All or nothing; on disk when `done` is called without an error. */
  batch(batch: EncodedBatch, done: Done<void>): void;
  /** Runs statements that return nothing, in one transaction. */
  exec(sql: string, done: Done<void>): void;
  exportTo(owner: string, done: Done<Uint8Array>): void;
  /** Everything is replaced, and taken over by the replica, when `done` is called without an error. */
  importFrom(bytes: Uint8Array, owner: string, done: Done<void>): void;
}
