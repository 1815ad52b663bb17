/** Tells observers of written records. */

import { config } from 'rxjs';
import type { Change } from '../models/replica';
import type { Database, Model } from '../models/watermelondb';

/** A subscriber, with what it subscribed to. */
type Subscribers<Args extends unknown[]> = [subscriber: (...args: Args) => void, info?: unknown][];

/** The internals of WatermelonDB (0.28.0, pinned) that are used here. */
interface Internals {
  _pendingNotificationBatches: number;
  _pendingNotificationChanges: [string, Change[]][][];
  _subscribers: [tables: string[], subscriber: () => void][];
  collections: {
    get(table: string): { _subscribers: Subscribers<[Change[]]>; changes: { next(changes: Change[]): void } };
  };
}
interface Observed {
  _subscribers: Subscribers<[isDeleted: boolean]>;
  _getChanges(): { next(record: unknown): void; complete(): void };
}

/**
 * In the order of WatermelonDB: observers of the database, of each table, of each record. An observer that throws is
 * reported like an uncaught exception: the write is stored, and the other observers are told.
 */
export function notifyEach(database: Database, changes: [string, Change[]][]): void {
  const internals = database as unknown as Internals;
  if (internals._pendingNotificationBatches > 0) {
    internals._pendingNotificationChanges.push(changes);
    return;
  }
  const written = new Set(changes.map(([table]) => table));
  for (const entry of standing(internals._subscribers)) {
    const [tables, subscriber] = entry;
    if (tables.some((table) => written.has(table))) guarded(subscriber);
  }
  for (const [table, ofTable] of changes) {
    const collection = internals.collections.get(table);
    for (const [subscriber] of standing(collection._subscribers)) guarded(() => subscriber(ofTable));
    collection.changes.next(ofTable);
    for (const { record, type } of ofTable) if (type !== 'created') notifyOfRecord(record, type);
  }
}

function notifyOfRecord(record: Model, type: 'updated' | 'destroyed'): void {
  const observed = record as unknown as Observed;
  const isDeleted = type === 'destroyed';
  if (isDeleted) observed._getChanges().complete();
  else observed._getChanges().next(record);
  for (const [subscriber] of standing(observed._subscribers)) guarded(() => subscriber(isDeleted));
}

/** The entries of a list that its subscribers may change meanwhile: those that are in it when their turn comes. */
function* standing<Entry>(entries: Entry[]): Generator<Entry> {
  for (const entry of [...entries]) if (entries.includes(entry)) yield entry;
}

function guarded(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    report(error);
  }
}

/** As RxJS reports what a subscriber throws: to `config.onUnhandledError`, else as an uncaught exception. */
function report(error: unknown): void {
  setTimeout(() => {
    const { onUnhandledError } = config;
    if (!onUnhandledError) throw error;
    onUnhandledError(error);
  });
}
