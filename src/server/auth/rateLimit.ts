/** Limits password guessing and flooding: counts attempts in a sliding window, in this process's memory. */

export interface AttemptLimit {
  /** @returns milliseconds until the next attempt is allowed; 0: now */
  waitMs(key: string): number;
  /** Counts an attempt. @returns a function that uncounts it */
  count(key: string): () => void;
  forget(key: string): void;
}

/**
 * @param most attempts allowed within the window
 * @param windowMs milliseconds for which an attempt counts
 * @param uptime monotonic, ms
 */
export function createAttemptLimit(most: number, windowMs: number, uptime: () => number): AttemptLimit {
  const attempts = new Map<string, number[]>();
  const recent = (key: string) => (attempts.get(key) ?? []).filter((time) => time > uptime() - windowMs);

  function forgetOld(): void {
    for (const key of attempts.keys()) if (recent(key).length === 0) attempts.delete(key);
  }

  return {
    waitMs(key) {
      const times = recent(key);
      const oldest = times[times.length - most];
      return oldest === undefined ? 0 : Math.max(1, oldest + windowMs - uptime());
    },
    count(key) {
      if (attempts.size >= 10_000) forgetOld();
      const time = uptime();
      attempts.set(key, [...recent(key), time].slice(-most));
      return () => {
        const times = attempts.get(key) ?? [];
        const at = times.lastIndexOf(time);
        if (at >= 0) attempts.set(key, times.toSpliced(at, 1));
      };
    },
    forget: (key) => {
      attempts.delete(key);
    },
  };
}
