/**
 * Observed queries: each costs what it shows, whatever else is written. WatermelonDB's own hold every record of a table that is
 * written while one of its queries is observed, since each change is matched in memory. Here only changes made in this
 * tab are matched so. After writes that no change names, those of other tabs and processes, and of pages, the
 * query is run again, in pauses (P34).
 */

import { Observable, ReplaySubject, share } from 'rxjs';
import type { Change } from '../models/replica';
import { type Model, matcherOf, Query } from '../models/watermelondb';
import { type Done, PacedRun } from './pacedRun';
import { ShownList } from './shownList';

type Unsubscribe = () => void;
type Outcome<T> = { value: T } | { error: unknown };

/** The internals of WatermelonDB (0.28.0, pinned) that are used here. */
interface Internals {
  readonly allTables: string[];
  description: Parameters<typeof matcherOf>[0];
  _rawDescription: unknown;
  collection: {
    database: LiveDatabase;
    experimentalSubscribe(subscriber: (changes: Change[]) => void): Unsubscribe;
    _fetchQuery(query: unknown, done: (found: Outcome<Model[]>) => void): void;
    _fetchCount(query: unknown, done: (found: Outcome<number>) => void): void;
  };
}

/** The database of an observed query, as far as it needs it. */
export interface LiveDatabase {
  readonly isClosed: boolean;
  /** Calls back after writes to these tables; `isOwn`: those of this tab that name the changes. */
  onWrites(tables: readonly string[], subscriber: (isOwn: boolean) => void): Unsubscribe;
  /** Calls back after writes to these tables that no change names. */
  onUnnamedWrites(tables: readonly string[], subscriber: (written: readonly string[]) => void): Unsubscribe;
}

export class LiveQuery<T extends Model> extends Query<T> {
  private readonly records$ = this.records([]).pipe(sharing());
  private readonly count$ = this.counts().pipe(sharing());

  override extend = ((...clauses: [never]) => {
    const extended = Query.prototype.extend.apply(this, clauses) as unknown as Internals;
    const { _rawDescription, description } = extended;
    return Object.assign(new LiveQuery<T>(this.collection, []), { _rawDescription, description });
  }) as unknown as Query<T>['extend'];

  override observe(): Observable<T[]> {
    return this.records$;
  }

  override observeWithColumns(columns: never[]): Observable<T[]> {
    return this.records(columns);
  }

  /** Not throttled: a count beside a list does not lag behind it. */
  override observeCount(_isThrottled?: boolean): Observable<number> {
    return this.count$;
  }

  override experimentalSubscribe(subscriber: (records: T[]) => void): Unsubscribe {
    return unsubscribing(this.records$, subscriber);
  }

  override experimentalSubscribeWithColumns(
    columns: never[],
    subscriber: (records: T[]) => void,
  ): Unsubscribe {
    return unsubscribing(this.records(columns), subscriber);
  }

  override experimentalSubscribeToCount(subscriber: (count: number) => void): Unsubscribe {
    return unsubscribing(this.count$, subscriber);
  }

  /** @param columns a record whose value of one of these changes counts as a change of the list */
  private records(columns: readonly string[]): Observable<T[]> {
    return new Observable((observer) => {
      const { collection, allTables, description } = this as unknown as Internals;
      const { database } = collection;
      const matches = matcherOf(description);
      let shown: ShownList<T> | null = null;
      const read = (done: Done) =>
        collection._fetchQuery(this, (found) => {
          if ('error' in found) return done(found);
          if (!observer.closed) {
            const next = new ShownList(found.value as T[], columns);
            const isSame = shown?.equals(next);
            shown = next;
            if (!isSame) observer.next([...next.records]);
          }
          done();
        });
      const run = new PacedRun(database, read, (error) => observer.error(error));
      // Before the first answer there is nothing to match a change with: that answer has it already.
      const afterChanges = (changes: Change[]) => {
        if (matches && shown?.follow(changes as Change<T>[], matches)) observer.next([...shown.records]);
      };
      const stops = matches
        ? [
            collection.experimentalSubscribe(afterChanges),
            database.onUnnamedWrites(allTables, () => run.request()),
          ]
        : [database.onWrites(allTables, (isOwn) => run.request(isOwn))];
      run.request();
      return () => {
        run.stop();
        for (const stop of stops) stop();
      };
    });
  }

  private counts(): Observable<number> {
    return new Observable((observer) => {
      const { collection, allTables } = this as unknown as Internals;
      let shown = -1;
      const read = (done: Done) =>
        collection._fetchCount(this, (found) => {
          if ('error' in found) return done(found);
          if (!observer.closed && found.value !== shown) {
            shown = found.value;
            observer.next(shown);
          }
          done();
        });
      const run = new PacedRun(collection.database, read, (error) => observer.error(error));
      const stop = collection.database.onWrites(allTables, (isOwn) => run.request(isOwn));
      run.request();
      return () => {
        run.stop();
        stop();
      };
    });
  }
}

/** One run of the query for all its observers; a later one is told at once. */
function sharing<T>() {
  return share<T>({ connector: () => new ReplaySubject(1), resetOnRefCountZero: true });
}

function unsubscribing<T>(source: Observable<T>, subscriber: (value: T) => void): Unsubscribe {
  const subscription = source.subscribe(subscriber);
  return () => subscription.unsubscribe();
}
