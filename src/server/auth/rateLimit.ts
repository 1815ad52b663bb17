/** Slows down guessing: counts failed attempts in a sliding window, in this process's memory. */

export interface AttemptLimit {
  /** @returns milliseconds until the next attempt is let through; 0 when it is now. */
  waitMs(key: string): number;
  failed(key: string): void;
  succeeded(key: string): void;
}

/**
 * @param most failures that are let through within the window.
 * @param windowMs how long a failure counts, milliseconds.
 */
export function createAttemptLimit(most: number, windowMs: number, now: () => number): AttemptLimit {
  const failures = new Map<string, number[]>();
  const recent = (key: string) => (failures.get(key) ?? []).filter((time) => time > now() - windowMs);

  function forgetOld(): void {
    for (const key of failures.keys()) if (recent(key).length === 0) failures.delete(key);
  }

  return {
    waitMs(key) {
      const times = recent(key);
      const oldest = times[times.length - most];
      return oldest === undefined ? 0 : Math.max(1, oldest + windowMs - now());
    },
    failed(key) {
      if (failures.size >= 10_000) forgetOld();
      failures.set(key, [...recent(key), now()].slice(-most));
    },
    succeeded: (key) => {
      failures.delete(key);
    },
  };
}
