import { type DependencyList, useEffect, useMemo, useState } from 'react';
import type { Observable } from 'rxjs';
import { KeptObservable } from './keptObservable';

type Latest<T> = { source: Observable<T> } & ({ value: T } | { error: unknown });

/**
 * The latest value of an observable; each new value renders the component again.
 * @param make called again when one of `deps` changes; the value of the previous observable is dropped.
 * @returns undefined until the first value; one that is kept has its own at once
 * @throws the observable's error, into the nearest error boundary
 */
export function useObservable<T>(make: () => Observable<T>, deps: DependencyList): T | undefined {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the caller names what `make` depends on
  const source = useMemo(make, deps);
  const [latest, setLatest] = useState<Latest<T> | null>(null);

  useEffect(() => {
    const subscription = source.subscribe({
      next: (value) => setLatest({ source, value }),
      error: (error: unknown) => setLatest({ source, error }),
    });
    return () => subscription.unsubscribe();
  }, [source]);

  if (latest?.source !== source) return source instanceof KeptObservable ? source.latest : undefined;
  if ('error' in latest) throw latest.error;
  return latest.value;
}
