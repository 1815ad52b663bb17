/**
 * How much one request carries. Pages and batches follow what the connection has just carried, so that one takes about
 * ten seconds: where connections break off, or a proxy waits for the whole answer, a smaller one gets through (D55).
 * Nothing of it is stored: a new process begins with the largest.
 */

import type { SyncError } from '@/core/errors';
import type { PullAnswer, PushChange, Traffic } from '@/core/protocol';
import { charactersOf } from '../records/codec';

/** The time that one page or batch is to take, ms. The server's part of it is not known, and much less. */
const TRANSFER_MS = 10_000;

/** Characters in the values of one batch, about: small enough to get through where connections keep breaking off. */
const MOST_CHARACTERS = 250_000;
/** Of a batch in characters, of a page in bytes. At 2 KB/s they take four seconds; below, round trips take most of the time. */
const LEAST_TRANSFER = 8_000;

/** The next one is at most so many times as large as what was carried: a short exchange says little about a long one. */
const MOST_GROWTH = 4;
/** Exchanges after which a size that has failed is tried again. */
const PROBATION = 8;

/** Of what one request carries, in rows or characters. */
export interface Bounds {
  least: number;
  most: number;
}

/**
 * @param limit what the last request was allowed to carry, in rows or characters
 * @param carried what it carried, and for how long, ms
 * @param transferMs what a request is to take, ms
 * @returns what the next one may carry. An exchange that took longer shrinks it to what would have fitted; a faster one
 * lets it grow.
 */
export function limitAfter(
  limit: number,
  carried: { size: number; ms: number },
  { least, most }: Bounds,
  transferMs: number,
): number {
  const fits = Math.floor((carried.size * transferMs) / Math.max(carried.ms, 1));
  const next =
    carried.ms > transferMs
      ? Math.min(limit, fits)
      : Math.max(limit, Math.min(fits, MOST_GROWTH * carried.size));
  return Math.min(most, Math.max(least, next));
}

/** The size of the next page, or of the next batch. */
class Limit {
  value: number;
  /** Below what has failed, until enough exchanges went well. */
  private ceiling: number;
  private passed = 0;

  constructor(
    private readonly bounds: Bounds,
    private readonly transferMs: number,
  ) {
    this.value = bounds.most;
    this.ceiling = bounds.most;
  }

  /** @param least below which this exchange does not shrink it */
  afterExchange(carried: { size: number; ms: number }, least = this.bounds.least): void {
    this.passed += 1;
    if (this.passed >= PROBATION) {
      this.passed = 0;
      this.ceiling = Math.min(this.bounds.most, 2 * this.ceiling);
    }
    const bounds = { least: Math.min(least, this.ceiling), most: this.ceiling };
    this.value = limitAfter(this.value, carried, bounds, this.transferMs);
  }

  /** Halves the size where a smaller one may get through: a network that is not there, and a server that refuses, fail sooner. */
  afterFailure(error: SyncError, ms: number): void {
    if (error.kind !== 'transport' || ms <= this.transferMs) return;
    this.passed = 0;
    this.value = Math.max(this.bounds.least, Math.floor(this.value / 2));
    this.ceiling = this.value;
  }
}

/** The sizes of the pages and batches of one device. */
export class Pace {
  private readonly rows: Limit;
  private readonly characters: Limit;

  /**
   * @param mostRows rows in a page where the connection is fast
   * @param transferMs what one page or batch is to take, ms
   */
  constructor(mostRows: number, transferMs = TRANSFER_MS) {
    this.rows = new Limit({ least: 1, most: mostRows }, transferMs);
    this.characters = new Limit({ least: LEAST_TRANSFER, most: MOST_CHARACTERS }, transferMs);
  }

  /** Rows asked for in the next page. */
  get pageRows(): number {
    return this.rows.value;
  }

  /** Characters in the values of the next batch, about: groups go whole. */
  get batchCharacters(): number {
    return this.characters.value;
  }

  afterPage({ rows, deleted, traffic }: PullAnswer & { traffic: Traffic }): void {
    const size =
      Object.values(rows).reduce((sum, { id }) => sum + id.length, 0) +
      Object.values(deleted).reduce((sum, ids) => sum + ids.length, 0);
    // An answer without rows says nothing about their number.
    if (size === 0) return;
    const least = Math.ceil((LEAST_TRANSFER * size) / Math.max(traffic.received, 1));
    this.rows.afterExchange({ size, ms: traffic.ms }, Math.max(1, least));
  }

  afterBatch(changes: readonly PushChange[], { ms }: Traffic): void {
    const size = changes.reduce((sum, change) => sum + charactersOf(change), 0);
    this.characters.afterExchange({ size, ms });
  }

  /** @param ms after which the request for a page failed */
  afterFailedPage(error: SyncError, ms: number): void {
    this.rows.afterFailure(error, ms);
  }

  /** @param ms after which the push failed */
  afterFailedBatch(error: SyncError, ms: number): void {
    this.characters.afterFailure(error, ms);
  }
}
