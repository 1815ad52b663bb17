/** The places that new tasks take in lists that are ordered by hand, where their maker names none. */

/**
 * A new task comes last: its place is the time of its creation, which exceeds places that people give by hand. The tasks of one
 * service stand in the order in which they were made, however many were made in one millisecond.
 * @param now ms since the epoch
 * @returns gives a place each time that it is called, in seconds since the epoch
 */
export function newPlaces(now: () => number): () => number {
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    // Whole milliseconds, since a clock that is corrected by an estimate has fractions.
    last = Math.max(Math.floor(now()), last + 1);
    return last / 1000;
  };
}
