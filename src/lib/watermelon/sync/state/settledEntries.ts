/** How long the conflict ledger keeps what is settled (D57). What a person has to decide is not touched here. */

import type { ConvoyDatabase } from '../../database';
import { Conflict, type DeviceFacts } from '../../models';
import { type Model, Q } from '../../models/watermelondb';

/**
 * Twice the server's horizon: a deletion can be restored for as long as that, and a device may be away for as long before it
 * hears of it. By then no lost edit of an entry can be reapplied.
 */
export const KEPT_DAYS = 360;
const DAY_MS = 24 * 60 * 60_000;

/** Most entries that one sync removes; the next one goes on. */
const MOST_REMOVED = 500;

/** Where entries begin whose times are the server's: those before it were written by device clocks, which may have been far behind. */
export type LedgerStart = NonNullable<DeviceFacts['ledger']>;

/** @returns where entries begin whose times are the server's. @param serverNow ms */
export async function ledgerStart(database: ConvoyDatabase, serverNow: number): Promise<LedgerStart> {
  const [found = []] = await database.readAll([
    { sql: 'select coalesce(max("rowid"), 0) from "sync_conflicts"', args: [] },
  ]);
  return { after: Number(found[0]?.[0]), since: serverNow };
}

/**
 * @param serverNow by the device's clock and an offset that was just measured, ms
 * @param start entries up to it are as old as it, at most
 * @returns the removal of settled entries that are too old
 */
export async function prepareOutdated(
  database: ConvoyDatabase,
  serverNow: number,
  start: LedgerStart,
): Promise<Model[]> {
  const before = serverNow - KEPT_DAYS * DAY_MS;
  const after = start.since < before ? 0 : start.after;
  const outdated = await database
    .of(Conflict)
    .query(
      Q.where('occurred_at', Q.lt(before)),
      Q.where('state', 'settled'),
      // With the plus it is no reason to walk the table instead of the index on the time.
      Q.unsafeSqlExpr(`+"sync_conflicts"."rowid" > ${after}`),
      Q.take(MOST_REMOVED),
    )
    .fetch();
  return outdated.map((entry) => entry.prepareDestroyPermanently());
}
