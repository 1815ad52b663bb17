/** The clock of a device, with its offset from the server's. */

import type { EditClock } from '../../models/tracking';

/** A device's clock that moves otherwise than the monotonic one during an exchange, by more than this, was set meanwhile, ms. */
const SET_MS = 1_000;

/** Tells device time, and estimates the clock offset from answers. */
export class SyncClock implements EditClock {
  private known = 0;
  /** By how much `known` may be wrong since an exchange replaced it, ms. What was stored is trusted as long as nothing contradicts it. */
  private leeway = 0;

  /** @param now device time, ms since the epoch */
  constructor(private readonly deviceNow: () => number = Date.now) {}

  now(): number {
    return this.deviceNow();
  }

  offset(): number {
    return this.known;
  }

  /** @param offset the stored clock offset, ms */
  restore(offset: number): void {
    this.known = offset;
    this.leeway = 0;
  }

  /**
   * Learns the offset from an answer. The server made it between request and now, so half the time of the exchange is how
   * far its middle may be from the truth. An offset within that counts as none (as in NTP, RFC 5905).
   *
   * A faster exchange replaces the estimate. A slower one that contradicts it, since the device's clock has drifted, corrects
   * it by no more than it has to; only a clock that was set is further off than the exchange itself may be. Of one that is
   * set during the exchange nobody can tell when, and the next exchange learns the offset.
   * @param serverTime of the answer, ISO 8601
   * @param sentAt device time of the request, ms
   * @param tookMs how long the exchange took, by a monotonic clock
   */
  observe(serverTime: string, sentAt: number, tookMs: number): void {
    const server = Date.parse(serverTime);
    const now = this.now();
    if (!Number.isFinite(server) || Math.abs(now - sentAt - tookMs) > SET_MS) return;
    const offset = Math.round(server - (sentAt + now) / 2);
    const uncertainty = Math.ceil((now - sentAt) / 2) + 1;
    const nearest = Math.min(Math.max(this.known, offset - uncertainty), offset + uncertainty);
    if (uncertainty >= this.leeway && Math.abs(nearest - this.known) <= uncertainty) {
      this.known = nearest;
      return;
    }
    this.leeway = uncertainty;
    this.known = Math.abs(offset) <= uncertainty ? 0 : offset;
  }
}
