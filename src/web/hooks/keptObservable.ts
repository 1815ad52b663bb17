import { finalize, Observable, ReplaySubject, share, tap } from 'rxjs';

/** An observable that goes on for a while after it was left, and tells its last value at once. */
export class KeptObservable<T> extends Observable<T> {
  /** undefined until the first value. */
  latest: T | undefined;
}

/** How long, ms: Back, and the next look at a place, show at once what was there. */
const KEPT_MS = 30_000;

/** By database: one observable for all who look at the same thing. */
const kept = new WeakMap<object, Map<string, KeptObservable<unknown>>>();

/**
 * @param of what is looked at; the key names what of it
 * @param make called where nobody has looked at it in the last 30 s
 */
export function keptObservable<T>(of: object, key: string, make: () => Observable<T>): KeptObservable<T> {
  const own = kept.get(of) ?? new Map<string, KeptObservable<unknown>>();
  kept.set(of, own);
  const known = own.get(key);
  if (known) return known as KeptObservable<T>;
  const shared = make().pipe(
    tap((value) => {
      result.latest = value;
    }),
    finalize(() => own.delete(key)),
    share({
      connector: () => new ReplaySubject(1),
      resetOnRefCountZero: () => new Promise((resolve) => setTimeout(resolve, KEPT_MS)),
    }),
  );
  const result = new KeptObservable<T>((subscriber) => shared.subscribe(subscriber));
  own.set(key, result);
  return result;
}
