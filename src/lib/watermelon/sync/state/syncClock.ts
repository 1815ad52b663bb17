/** The clock of a device, with its offset from the server's. */

import type { EditClock } from '../../models/tracking';

/** Tells device time, and estimates the clock offset from answers. */
export class SyncClock implements EditClock {
  private known = 0;
  /** By how much `known` may be wrong, ms; null until an exchange has confirmed or replaced it. */
  private leeway: number | null = null;

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
    this.leeway = null;
  }

  /**
   * Learns the offset from an answer, assuming that the server made it half way between request and now. A slow exchange
   * does not replace a better estimate that it does not contradict. Else an offset within that uncertainty counts as none
   * (as in NTP, RFC 5905).
   * @param serverTime of the answer, ISO 8601
   * @param sentAt device time of the request, ms
   */
  observe(serverTime: string, sentAt: number): void {
    const server = Date.parse(serverTime);
    if (!Number.isFinite(server)) return;
    const now = this.now();
    const offset = Math.round(server - (sentAt + now) / 2);
    const uncertainty = Math.ceil((now - sentAt) / 2) + 1;
    const agrees = Math.abs(offset - this.known) <= uncertainty + (this.leeway ?? 0);
    if (agrees && uncertainty >= (this.leeway ?? 0)) {
      this.leeway ??= uncertainty;
      return;
    }
    this.leeway = uncertainty;
    this.known = Math.abs(offset) <= uncertainty ? 0 : offset;
  }
}
