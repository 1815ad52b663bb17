/** Observed rows: as observed queries (`LiveQuery`), without a record in memory for each row. */

import { Observable } from 'rxjs';
import type { SyncedTable } from '@/domain/schema';
import type { ConvoyDatabase } from '../database';
import type { Change } from '../models/replica';
import type { Raw, RawValue } from '../models/watermelondb';
import { PacedRun } from './pacedRun';

export interface ObservedRows<T> {
  table: SyncedTable;
  /**
   * Reads the columns of the rows that match.
   * @param take is given them, all at once or in parts; false: nobody waits for the rest
   */
  read(take: (rows: readonly (readonly RawValue[])[]) => boolean): Promise<void>;
  /** The first one is the id. */
  columns: readonly string[];
  matches(raw: Raw): boolean;
  /** Makes the value that is told of a row. */
  shownAs(row: readonly RawValue[]): T;
}

interface Shown<T> {
  row: readonly RawValue[];
  value: T;
}

/**
 * The matching rows now, and again whenever one appears, disappears or changes. Of a list of thousands a screenful is looked at, and records, which
 * an edit needs, would take most of the time until it is there. An unchanged row keeps its value. The order is not defined.
 */
export function observeRows<T>(database: ConvoyDatabase, observed: ObservedRows<T>): Observable<T[]> {
  return new Observable((observer) => {
    const { table, columns, matches } = observed;
    let shown: Map<string, Shown<T>> | null = null;
    /** Changes told since the read that is under way began: its answer may be older than they are. */
    let meanwhile: Change[] | null = null;

    const next = (row: readonly RawValue[], before: Shown<T> | undefined): Shown<T> =>
      before && row.every((value, n) => value === before.row[n])
        ? before
        : { row, value: observed.shownAs(row) };

    /** @returns whether anything that is shown has changed */
    const follow = (rows: Map<string, Shown<T>>, changes: readonly Change[]): boolean => {
      let isChanged = false;
      for (const { record, type } of changes) {
        const raw = record._raw as unknown as Raw;
        const before = rows.get(raw.id);
        if (type === 'destroyed' || !matches(raw)) {
          if (rows.delete(raw.id)) isChanged = true;
          continue;
        }
        const row = columns.map((name) => raw[name] ?? null);
        const after = next(row, before);
        if (after === before) continue;
        rows.set(raw.id, after);
        isChanged = true;
      }
      return isChanged;
    };
    const tell = (rows: Map<string, Shown<T>>) =>
      observer.next(Array.from(rows.values(), ({ value }) => value));

    const read = async () => {
      const later: Change[] = [];
      meanwhile = later;
      try {
        const before = shown;
        const rows = new Map<string, Shown<T>>();
        // A read that was no longer waited for has an old answer.
        const isOver = () => observer.closed || meanwhile !== later;
        await observed.read((found) => {
          if (isOver()) return false;
          run.goesOn();
          for (const row of found) {
            const id = row[0] as string;
            rows.set(id, next(row, before?.get(id)));
          }
          return true;
        });
        if (isOver()) return;
        follow(rows, later);
        shown = rows;
        if (!before || differ(before, rows)) tell(rows);
      } finally {
        if (meanwhile === later) meanwhile = null;
      }
    };
    const run = new PacedRun(
      database,
      (done) => {
        read().then(
          () => done(),
          (error: unknown) => done({ error }),
        );
      },
      (error) => observer.error(error),
    );
    const afterChanges = (changes: readonly Change[]) => {
      for (const change of meanwhile ? changes : []) meanwhile?.push(change);
      if (shown && follow(shown, changes)) tell(shown);
    };
    const stops = [
      database.records(table).experimentalSubscribe((changes) => afterChanges(changes as readonly Change[])),
      database.onUnnamedWrites([table], () => run.request()),
    ];
    run.request();
    return () => {
      run.stop();
      for (const stop of stops) stop();
    };
  });
}

function differ<T>(one: ReadonlyMap<string, T>, other: ReadonlyMap<string, T>): boolean {
  if (one.size !== other.size) return true;
  for (const [id, value] of other) if (one.get(id) !== value) return true;
  return false;
}
