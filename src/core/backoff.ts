/**
 * Exponential backoff with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS 2015).
 * @param attempt failures in a row so far, from 1
 * @param random in [0, 1)
 * @returns ms to wait before the next attempt
 */
export function backoffMs(attempt: number, random: number, firstMs = 1_000, mostMs = 60_000): number {
  const ceiling = Math.min(mostMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(random * ceiling);
}
