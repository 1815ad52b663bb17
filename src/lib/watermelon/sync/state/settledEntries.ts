/** How long the conflict ledger keeps what is settled (D57). What a person has to decide is not touched here. */

import type { ConvoyDatabase } from '../../database';
import { Conflict } from '../../models';
import { type Model, Q } from '../../models/watermelondb';

/**
 * Twice the server's horizon: a deletion can be restored for as long as that, and a device may be away for as long before it
 * hears of it. By then no lost edit of an entry can be reapplied.
 */
export const KEPT_DAYS = 360;
const DAY_MS = 24 * 60 * 60_000;

/** Most entries that one sync removes; the next one goes on. */
const MOST_REMOVED = 500;

/**
 * @param now device time, ms
 * @param offset the clock offset, ms: a device whose clock is ahead of the server's is not believed
 * @returns the removal of settled entries that are too old
 */
export async function prepareOutdated(
  database: ConvoyDatabase,
  now: number,
  offset: number,
): Promise<Model[]> {
  const before = Math.min(now, now + offset) - KEPT_DAYS * DAY_MS;
  const outdated = await database
    .of(Conflict)
    .query(Q.where('occurred_at', Q.lt(before)), Q.where('state', 'settled'), Q.take(MOST_REMOVED))
    .fetch();
  return outdated.map((entry) => entry.prepareDestroyPermanently());
}
