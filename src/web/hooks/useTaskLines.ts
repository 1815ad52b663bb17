import { useMemo } from 'react';
import {
  catchError,
  concat,
  defer,
  EMPTY,
  filter,
  from,
  map,
  type Observable,
  switchMap,
  takeUntil,
  timer,
} from 'rxjs';
import type { ConvoyDatabase, Observed, Where } from '@/lib/watermelon';
import { type GroupColumn, observeTaskLines, readFirstLines, type TaskLine } from '@/lib/watermelon/lists';
import { keptObservable, keptValues } from './keptObservable';
import { useDevice } from './useDevice';
import { useObservable } from './useObservable';
import { useQuery } from './useQuery';

/** The part of a list that is told before the whole. */
export interface FirstPart {
  /** It is what stands first in a list grouped by this column; null: in one without groups. */
  column: GroupColumn | null;
  /** How many tasks there are of each value of the column. */
  sizes: ReadonlyMap<string | null, number>;
}

export interface TaskLines {
  tasks: Observed<TaskLine>[];
  /** How many the list has: more than are here until it is whole. */
  total: number;
  /** null: the list is whole. */
  first: FirstPart | null;
}

const LINES = 'lines ';

/** The first part is waited for so long, ms. */
const FIRST_MS = 2_000;

/** A page that is not seen paints nothing, ms. */
const UNPAINTED_MS = 100;

/** Emits once what is on the page has been painted. */
function afterPaint(): Observable<void> {
  return from(
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, UNPAINTED_MS);
      requestAnimationFrame(() =>
        setTimeout(() => {
          clearTimeout(timer);
          resolve();
        }),
      );
    }),
  );
}

function observeLines(
  database: ConvoyDatabase,
  where: Where,
  firstBy: GroupColumn | null | undefined,
): Observable<TaskLines> {
  const whole = observeTaskLines(database, where).pipe(
    map((tasks): TaskLines => ({ tasks, total: tasks.length, first: null })),
  );
  if (firstBy === undefined) return whole;
  const first = defer(() => readFirstLines(database, where, firstBy)).pipe(
    filter((found) => found !== null),
    map(({ tasks, total, sizes }): TaskLines => ({ tasks, total, first: { column: firstBy, sizes } })),
    // The whole needs no first part: it is read, again and again, whatever became of this one.
    takeUntil(timer(FIRST_MS)),
    catchError(() => EMPTY),
  );
  return concat(first, defer(afterPaint).pipe(switchMap(() => whole)));
}

/**
 * The tasks of a list, live, and kept for the next look at it.
 * @param where columns with the value, or the list of values, they must have
 * @param firstBy where the list is read anew, those that stand first in it are told before the whole: grouped by this column; null:
 *   without groups; undefined: its view is none of which that can be told
 * @returns undefined until the local database has answered, and the workflows are known
 */
export function useTaskLines(where: Where, firstBy?: GroupColumn | null): TaskLines | undefined {
  const { database } = useDevice();
  const key = JSON.stringify(where);
  // Groups stand in the order of stages: rows that come before are put in another one a moment later.
  const workflows = useQuery('workflows');
  const lines = useObservable(
    () => keptObservable(database, LINES + key, () => observeLines(database, where, firstBy)),
    [database, key],
  );
  return workflows && lines;
}

/** @returns the task as a list has it that was looked at just now; undefined: none has */
export function useListedTask(id: string): TaskLine | undefined {
  const { database } = useDevice();
  return useMemo(() => {
    const lists = keptValues(database, LINES) as TaskLines[];
    return lists.flatMap(({ tasks }) => tasks.find((task) => task.id === id) ?? [])[0];
  }, [database, id]);
}
