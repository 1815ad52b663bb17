import { describe, expect, it } from 'vitest';
import type { SyncError } from '@/core/errors';
import {
  afterActivity,
  afterPoke,
  afterSync,
  DEFAULT_TIMING,
  INITIAL_STATE,
  type ScheduleState,
} from '@/lib/watermelon/sync/automatic/schedule';
import { NOTHING_DONE, type SyncResult } from '@/lib/watermelon/sync/state/status';

const HOUR = 3_600_000;
const timing = DEFAULT_TIMING;

const failed = (error: SyncError, reaction: SyncResult['reaction'] = 'retry'): SyncResult => ({
  ...NOTHING_DONE,
  status: 'error',
  error,
  reaction,
});
const serverError: SyncError = { kind: 'transport', code: 'http', message: '', status: 503, sqlState: null };

function synced(
  state: ScheduleState,
  result: SyncResult,
  more: { flowing?: boolean; random?: number; pending?: number } = {},
) {
  return afterSync(state, result, { timing, now: 0, random: 0.5, flowing: false, pending: 0, ...more });
}

/** Requests in the hour after something was found, when nothing happens. */
function idleHour(flowing: boolean, random: number): number {
  let { state, waitMs } = synced(INITIAL_STATE, { ...NOTHING_DONE, pulled: 1 }, { flowing, random });
  let requests = 0;
  for (let at = waitMs; at < HOUR; at += waitMs) {
    requests += 1;
    ({ state, waitMs } = synced(state, NOTHING_DONE, { flowing, random }));
  }
  return requests;
}

describe('the timer', () => {
  it('is quick after something was found, then slows down: at most 12 requests in an idle hour (K8)', () => {
    expect(synced(INITIAL_STATE, { ...NOTHING_DONE, pulled: 1 }).waitMs).toBe(25_000);
    for (const random of [0, 0.5, 0.999]) expect(idleHour(false, random)).toBeLessThanOrEqual(12);
  });

  it('makes no request in an idle hour while pokes flow (K8)', () => {
    for (const random of [0, 0.5, 0.999]) expect(idleHour(true, random)).toBe(0);
  });

  it('is jittered, so that devices that started together drift apart (K8)', () => {
    const waits = [0, 0.5, 1].map(
      (random) => synced(INITIAL_STATE, { ...NOTHING_DONE, pulled: 1 }, { random }).waitMs,
    );
    expect(waits.map(Math.round)).toEqual([22_500, 25_000, 27_500]);
  });

  it('is quick again when a person or agent is at work (K8)', () => {
    const slow = { ...INITIAL_STATE, quiet: 5 };
    expect(synced(slow, NOTHING_DONE).waitMs).toBe(timing.idleMostMs);
    expect(synced(afterActivity(slow), { ...NOTHING_DONE, pushed: 1 }).waitMs).toBe(timing.idleMs);
  });

  it('continues at once when a sync made progress and left work', () => {
    const partial: SyncResult = { ...NOTHING_DONE, status: 'partial', pushed: 10 };
    expect(synced(INITIAL_STATE, partial, { pending: 3 }).waitMs).toBe(timing.debounceMs);
    expect(synced(INITIAL_STATE, NOTHING_DONE, { pending: 3 }).waitMs).toBeGreaterThan(timing.debounceMs);
  });
});

describe('after a failure', () => {
  it('waits a random part of a time that doubles, up to a minute (K11)', () => {
    let state = INITIAL_STATE;
    const longest: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const step = synced(state, failed(serverError), { random: 1 });
      state = step.state;
      longest.push(step.waitMs);
    }
    expect(longest).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(synced(state, failed(serverError), { random: 0 }).waitMs).toBe(0);
    expect(synced(state, NOTHING_DONE).state).toMatchObject({ failures: 0, backingOff: false });
  });

  it('never retries before the time that the server asked for (K11)', () => {
    const limited: SyncError = { kind: 'transport', code: 'rate_limited', message: '', retryAfterMs: 30_000 };
    for (const error of [limited, { ...serverError, retryAfterMs: 30_000 } as SyncError]) {
      const step = synced(INITIAL_STATE, failed(error), { random: 0.5 });
      expect(step.waitMs).toBe(30_500);
      expect(step.state.notBefore).toBe(30_000);
    }
  });

  it('backs off from syncs without progress alone: a failed sync with progress starts over (D30)', () => {
    const flapping = { ...failed(serverError), pulled: 40 };
    let state: ScheduleState = INITIAL_STATE;
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const step = synced(state, flapping, { random: 1 });
      state = step.state;
      expect(step.waitMs).toBe(1_000);
    }
    expect(synced(state, failed(serverError), { random: 1 }).waitMs).toBe(2_000);
  });

  it('waits an hour at most, whatever the server asks for (D31)', () => {
    const days: SyncError = { kind: 'transport', code: 'rate_limited', message: '', retryAfterMs: 9e12 };
    const step = synced(INITIAL_STATE, failed(days), { random: 0 });
    expect(step.waitMs).toBe(HOUR);
    expect(step.state.notBefore).toBe(HOUR);
  });

  it('forgets the time that the server asked for once it has answered (D31)', () => {
    const waiting = { ...INITIAL_STATE, notBefore: 60_000 };
    expect(synced(waiting, NOTHING_DONE).state.notBefore).toBe(INITIAL_STATE.notBefore);
    expect(synced(waiting, { ...NOTHING_DONE, status: 'offline' }).state.notBefore).toBe(60_000);
  });

  it('does not rely on pokes after an error that is not retried (D31)', () => {
    const stopped = failed({ kind: 'unexpected', code: 'unexpected', message: '' }, 'stop');
    expect(synced(INITIAL_STATE, stopped, { flowing: true }).waitMs).toBeLessThanOrEqual(timing.idleMostMs);
  });

  it('waits for the person, not for the server, when there is nothing to retry', () => {
    const expired: SyncError = { kind: 'auth', code: 'expired', message: '' };
    const step = synced(INITIAL_STATE, failed(expired, 'sign_in'));
    expect(step.waitMs).toBeGreaterThanOrEqual(timing.idleMs);
    expect(step.state.backingOff).toBe(false);
  });

  it('starts over when the network comes back', () => {
    const { state } = synced({ ...INITIAL_STATE, failures: 6 }, failed(serverError));
    expect(afterActivity(state, true)).toMatchObject({ failures: 0, backingOff: false });
    expect(afterActivity(state)).toMatchObject({ failures: 7, backingOff: true });
  });
});

describe('after a poke', () => {
  const poke = (state: ScheduleState, now: number, random = 0.5) => afterPoke(state, { timing, now, random });

  it('a single poke is answered after a random part of the spread (K10)', () => {
    expect([0, 0.5, 1].map((random) => poke(INITIAL_STATE, 0, random).waitMs)).toEqual([0, 200, 400]);
  });

  it('the spread of successive pokes doubles up to its maximum, and at least half of it is waited (K10)', () => {
    let state = INITIAL_STATE;
    const waits: number[] = [];
    for (let now = 0; waits.length < 6; now = state.pokedAt + 10) {
      const step = poke(state, now, 0);
      state = step.state;
      waits.push(step.waitMs);
    }
    expect(waits).toEqual([0, 400, 800, 1_500, 1_500, 1_500]);
  });

  it('a poke after a pause is answered soon again (K10)', () => {
    const busy = { ...INITIAL_STATE, spreadMs: 3_000, pokedAt: 0 };
    expect(poke(busy, 1_000).waitMs).toBeGreaterThan(400);
    expect(poke(busy, 10_000).waitMs).toBe(200);
  });

  it('1,000 devices that hear 10 pokes a second make at most 1,000 requests a second (K10)', () => {
    const seconds = 20;
    let asked = 0;
    for (let device = 0; device < 1_000; device += 1) {
      let state = INITIAL_STATE;
      let seed = device + 1;
      const random = () => {
        seed = (seed * 48_271) % 2_147_483_647;
        return seed / 2_147_483_647;
      };
      for (let now = 0; now < seconds * 1_000; now = Math.ceil(state.pokedAt / 100) * 100 + 100) {
        state = poke(state, now, random()).state;
        asked += 1;
      }
    }
    expect(asked / seconds).toBeLessThan(1_000);
  });
});
