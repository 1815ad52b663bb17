import { type DependencyList, useEffect, useMemo, useState } from 'react';
import type { Observable } from 'rxjs';

type Latest<T> = { source: Observable<T> } & ({ value: T } | { error: unknown });

/**
 * The latest value of an observable, and a new render with every next one.
 * @param make called again when one of `deps` changes; what the last one gave is then forgotten.
 * @returns undefined until the first value
 * @throws into the nearest error boundary what the observable fails with
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

  if (latest?.source !== source) return undefined;
  if ('error' in latest) throw latest.error;
  return latest.value;
}
