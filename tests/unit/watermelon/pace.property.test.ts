import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SyncError } from '@/core/errors';
import type { PullAnswer, Traffic } from '@/core/protocol';
import { limitAfter, Pace } from '@/lib/watermelon/sync/state/pace';

const AIM_MS = 10_000;
const TIMEOUT: SyncError = { kind: 'transport', code: 'timeout', message: '' };

const bounds = fc
  .tuple(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 0, max: 300_000 }))
  .map(([least, more]) => ({ least, most: least + more }));
const limit = fc.integer({ min: 1, max: 400_000 });
const size = fc.integer({ min: 0, max: 1_000_000 });
const ms = fc.double({ min: 0, max: 1_000_000, noNaN: true });

describe('the size of the next page or batch', () => {
  it('is a whole number within its bounds (D55)', () => {
    fc.assert(
      fc.property(limit, size, ms, bounds, (before, carried, took, { least, most }) => {
        const next = limitAfter(before, { size: carried, ms: took }, { least, most }, AIM_MS);
        expect(Number.isInteger(next)).toBe(true);
        expect(next).toBeGreaterThanOrEqual(least);
        expect(next).toBeLessThanOrEqual(most);
      }),
    );
  });

  it('never falls as more is carried in less time (D55)', () => {
    fc.assert(
      fc.property(limit, size, size, ms, ms, bounds, (before, one, other, time, otherTime, within) => {
        const [slow, fast] = [
          { size: Math.min(one, other), ms: Math.max(time, otherTime) },
          { size: Math.max(one, other), ms: Math.min(time, otherTime) },
        ];
        const [slower, faster] = [slow, fast].map((carried) => limitAfter(before, carried, within, AIM_MS));
        expect(slower).toBeLessThanOrEqual(Number(faster));
      }),
    );
  });

  it('settles where a full request takes the time that it is to take, or at a bound (D55)', () => {
    const speed = fc.double({ min: 0.01, max: 1_000, noNaN: true });
    fc.assert(
      fc.property(limit, speed, fc.integer({ min: 0, max: 2_000 }), (before, perMs, latencyMs) => {
        const within = { least: 100, most: 400_000 };
        let now = Math.min(within.most, Math.max(within.least, before));
        const msOf = (carried: number) => latencyMs + carried / perMs;
        for (let n = 0; n < 60; n += 1) {
          now = limitAfter(now, { size: now, ms: msOf(now) }, within, AIM_MS);
        }
        if (now > within.least) expect(msOf(now)).toBeLessThan(1.05 * AIM_MS);
        if (now < within.most) expect(msOf(now)).toBeGreaterThan(0.9 * AIM_MS);
      }),
    );
  });
});

/** An answer of so many rows of a hundred bytes. */
function page(rows: number, tookMs: number): PullAnswer & { traffic: Traffic } {
  return {
    user_id: '',
    server_time: '',
    scopes: [],
    cursors: {},
    refilled: {},
    forgotten: [],
    more: true,
    total: null,
    rows: { tasks: { id: Array.from({ length: rows }, String) } },
    deleted: {},
    traffic: { sent: 0, received: 100 * rows, ms: tookMs },
  };
}

describe('the pace of a device', () => {
  it('begins with the largest page, and a fast connection keeps it (D55)', () => {
    const pace = new Pace(2_000);
    for (const rows of [2_000, 3, 0, 2_000]) {
      pace.afterPage(page(rows, 400));
      expect(pace.pageRows).toBe(2_000);
    }
  });

  it('a page that took four times too long is followed by one of a fourth (D55)', () => {
    const pace = new Pace(2_000);
    pace.afterPage(page(2_000, 40_000));
    expect(pace.pageRows).toBe(500);
    pace.afterPage(page(500, 500));
    expect(pace.pageRows).toBe(2_000);
  });

  it('a few rows that were long in coming, or none, do not shrink it below a few kilobytes (D55)', () => {
    const pace = new Pace(2_000);
    pace.afterPage(page(0, 20_000));
    expect(pace.pageRows).toBe(2_000);
    pace.afterPage(page(3, 20_000));
    expect(pace.pageRows).toBe(80);
  });

  it('a few rows that came fast do not let it grow (D55)', () => {
    const pace = new Pace(2_000);
    pace.afterPage(page(2_000, 40_000));
    pace.afterPage(page(3, 1));
    expect(pace.pageRows).toBe(500);
  });

  it.each<[string, SyncError, number, number]>([
    ['a timeout', TIMEOUT, 30_000, 1_000],
    ['a connection that broke off', { kind: 'transport', code: 'offline', message: '' }, 30_000, 1_000],
    ['a network that is not there', { kind: 'transport', code: 'offline', message: '' }, 50, 2_000],
    ['a refusal', { kind: 'protocol', code: 'malformed', message: '' }, 30_000, 2_000],
  ])('after %s: code %o after %i ms, pages of %i rows (D55)', (_what, error, tookMs, rows) => {
    const pace = new Pace(2_000);
    pace.afterFailedPage(error, tookMs);
    expect(pace.pageRows).toBe(rows);
  });

  it('halves as often as pages fail, down to one row, and batches down to their least (D55)', () => {
    const pace = new Pace(2_000);
    for (let n = 0; n < 20; n += 1) {
      pace.afterFailedPage(TIMEOUT, 30_000);
      pace.afterFailedBatch(TIMEOUT, 30_000);
    }
    expect(pace.pageRows).toBe(1);
    expect(pace.batchCharacters).toBe(8_000);
  });

  it('tries the size that failed again after some pages that went well (D55)', () => {
    const pace = new Pace(2_000);
    pace.afterFailedPage(TIMEOUT, 30_000);
    const seen = Array.from({ length: 9 }, () => {
      pace.afterPage(page(pace.pageRows, 100));
      return pace.pageRows;
    });
    expect(seen).toEqual([1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 2_000, 2_000]);
  });
});
