import type { EditClock } from '../../models/tracking';

/** Device time, and how far the server's clock is from it. */
export class SyncClock implements EditClock {
  private known = 0;

  /** @param now device time, ms since the epoch */
  constructor(private readonly deviceNow: () => number = Date.now) {}

  now(): number {
    return this.deviceNow();
  }

  offset(): number {
    return this.known;
  }

  restore(offset: number): void {
    this.known = offset;
  }

  /**
   * Learns the offset from an answer, taking the server to have spoken half way between request and
   * now. Within that uncertainty the clocks agree (as in NTP, RFC 5905).
   * @param sentAt device time of the request, ms
   */
  observe(serverTime: string, sentAt: number): void {
    const server = Date.parse(serverTime);
    if (!Number.isFinite(server)) return;
    const now = this.now();
    const offset = Math.round(server - (sentAt + now) / 2);
    this.known = Math.abs(offset) <= Math.ceil((now - sentAt) / 2) + 1 ? 0 : offset;
  }
}
