import { Observable, type Subscriber, type Subscription } from 'rxjs';

/** How long, ms: Back, and the next look at a place, show at once what was there. */
const KEPT_MS = 30_000;

/**
 * One look at a source for all who want it, which goes on for a while after the last one has left, and tells its last value at once.
 * As `share` of RxJS with a `ReplaySubject`, which every page would load, and whose value only a subscriber gets.
 */
export class KeptObservable<T> extends Observable<T> {
  /** undefined until the first value. */
  latest: T | undefined;
  private readonly subscribers = new Set<Subscriber<T>>();
  private looking: Subscription | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onEnd called when it has stopped to look, and when the source has failed */
  constructor(
    make: () => Observable<T>,
    private readonly onEnd: () => void,
  ) {
    super((subscriber) => {
      clearTimeout(this.timer);
      this.subscribers.add(subscriber);
      if (this.latest !== undefined) subscriber.next(this.latest);
      this.looking ??= make().subscribe({
        next: (value) => {
          this.latest = value;
          for (const one of this.subscribers) one.next(value);
        },
        error: (error) => {
          this.end();
          for (const one of [...this.subscribers]) one.error(error);
        },
      });
      return () => {
        this.subscribers.delete(subscriber);
        if (this.subscribers.size === 0) this.timer = setTimeout(() => this.end(), KEPT_MS);
      };
    });
  }

  private end(): void {
    this.looking?.unsubscribe();
    this.looking = null;
    this.latest = undefined;
    this.onEnd();
  }
}

/** By what is looked at. */
const kept = new WeakMap<object, Map<string, KeptObservable<unknown>>>();

/** @returns the last values of those that are kept, whose keys begin so */
export function keptValues(of: object, beginning: string): unknown[] {
  return [...(kept.get(of) ?? [])].flatMap(([key, { latest }]) =>
    key.startsWith(beginning) && latest !== undefined ? [latest] : [],
  );
}

/**
 * @param of what is looked at; the key names what of it
 * @param make called where nobody has looked at it in the last 30 s
 */
export function keptObservable<T>(of: object, key: string, make: () => Observable<T>): KeptObservable<T> {
  const own = kept.get(of) ?? new Map<string, KeptObservable<unknown>>();
  kept.set(of, own);
  const known = own.get(key);
  if (known) return known as KeptObservable<T>;
  const made: KeptObservable<T> = new KeptObservable(make, () => {
    if (own.get(key) === made) own.delete(key);
  });
  own.set(key, made);
  return made;
}
