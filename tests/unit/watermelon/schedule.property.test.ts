import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from '@/core/backoff';
import type { SyncError } from '@/core/errors';
import {
  afterPoke,
  afterSync,
  DEFAULT_TIMING,
  INITIAL_STATE,
} from '@/lib/watermelon/sync/automatic/schedule';
import { NOTHING_DONE, type SyncResult } from '@/lib/watermelon/sync/state/status';

const timing = DEFAULT_TIMING;
const random = fc.double({ min: 0, max: 0.999, noNaN: true });

const failed = (retryAfterMs: number | null): SyncResult => {
  const error: SyncError = { kind: 'transport', code: 'rate_limited', message: '', retryAfterMs };
  return { ...NOTHING_DONE, status: 'error', error, reaction: 'retry' };
};

describe('waiting', () => {
  it('a failure is backed off from within 1, 2, 4 ... 60 seconds, whatever the number of failures (K11)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), random, (failures, at) => {
        const ms = backoffMs(failures, at);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(Math.min(60_000, 1_000 * 2 ** (failures - 1)));
      }),
    );
  });

  it('after any failures the wait is at least what the server asked for and at most the longest step more (K11)', () => {
    const failure = fc.record({ asked: fc.option(fc.nat(600_000)), at: random });
    fc.assert(
      fc.property(fc.array(failure, { minLength: 1, maxLength: 40 }), (failures) => {
        let state = INITIAL_STATE;
        for (const { asked, at } of failures) {
          const step = afterSync(state, failed(asked), {
            timing,
            now: 0,
            random: at,
            pending: 1,
            flowing: false,
          });
          expect(step.waitMs).toBeGreaterThanOrEqual(asked ?? 0);
          expect(step.waitMs).toBeLessThanOrEqual(60_000 + (asked ?? 0));
          state = step.state;
        }
        const ok = afterSync(state, NOTHING_DONE, { timing, now: 0, random: 0, pending: 0, flowing: false });
        expect(ok.state).toMatchObject({ failures: 0, backingOff: false });
      }),
    );
  });

  it('any run of pokes is answered within the longest spread (K10)', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ after: fc.nat(5_000), at: random }), { maxLength: 40 }), (pokes) => {
        let state = INITIAL_STATE;
        let now = 0;
        for (const { after, at } of pokes) {
          now += after;
          const step = afterPoke(state, { timing, now, random: at });
          expect(step.waitMs).toBeGreaterThanOrEqual(0);
          expect(step.waitMs).toBeLessThanOrEqual(timing.pokeMostMs);
          state = step.state;
        }
      }),
    );
  });
});
