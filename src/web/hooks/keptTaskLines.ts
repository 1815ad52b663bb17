import { finalize, type Observable, ReplaySubject, share } from 'rxjs';
import {
  type ConvoyDatabase,
  type Observed,
  observeTaskLines,
  type TaskLine,
  type Where,
} from '@/lib/watermelon';

type Lines = Observable<Observed<TaskLine>[]>;

/** A list stays up to date for so long after it was left, ms: Back, and the next look at it, show it at once. */
const KEPT_MS = 30_000;

const lists = new WeakMap<ConvoyDatabase, Map<string, Lines>>();

/** @returns the tasks of a list, live; one observable for all who look at the same ones */
export function keptTaskLines(database: ConvoyDatabase, where: Where): Lines {
  const own = lists.get(database) ?? new Map<string, Lines>();
  lists.set(database, own);
  const key = JSON.stringify(where);
  const known = own.get(key);
  if (known) return known;
  const lines = observeTaskLines(database, where).pipe(
    finalize(() => own.delete(key)),
    share({
      connector: () => new ReplaySubject(1),
      resetOnRefCountZero: () => new Promise((resolve) => setTimeout(resolve, KEPT_MS)),
    }),
  );
  own.set(key, lines);
  return lines;
}
