/** When the next sync is due: pure functions from what happened to how long to wait. */

import { backoffMs } from '@/core/backoff';
import type { SyncResult } from '../state/status';

/** All in ms. */
export interface SyncTiming {
  /** After the last local write. */
  debounceMs: number;
  /** A poke is answered after a random part of this, so that all who hear it do not ask at once. */
  pokeMs: number;
  /** Where pokes follow each other, that spread doubles up to this. */
  pokeMostMs: number;
  /** Between syncs when nothing happens. Doubles with each one that finds nothing. */
  idleMs: number;
  idleMostMs: number;
  /** Between syncs while pokes flow: a net under pokes that got lost where nobody can notice. */
  flowingMs: number;
}

export const DEFAULT_TIMING: SyncTiming = {
  debounceMs: 400,
  pokeMs: 400,
  pokeMostMs: 3_000,
  idleMs: 25_000,
  idleMostMs: 480_000,
  flowingMs: 7_200_000,
};

/** The longest wait that a server is granted, ms: no typing error or wrong clock of its own silences a device for days. */
const RETRY_AFTER_MOST_MS = 3_600_000;

export interface ScheduleState {
  /** Syncs in a row that failed and got nothing done. */
  failures: number;
  /** The server is in trouble: whatever comes up waits for the retry. */
  backingOff: boolean;
  /** Syncs in a row that found nothing to do. */
  quiet: number;
  /** Nothing is sent before this moment, because the server said so. */
  notBefore: number;
  /** The spread that the latest poke was answered with, and when that was. */
  spreadMs: number;
  pokedAt: number;
}

export const INITIAL_STATE: ScheduleState = {
  failures: 0,
  backingOff: false,
  quiet: 0,
  notBefore: Number.NEGATIVE_INFINITY,
  spreadMs: 0,
  pokedAt: Number.NEGATIVE_INFINITY,
};

/** What the waits depend on beside the state. */
export interface Circumstances {
  timing: SyncTiming;
  /** ms, monotonic. */
  now: number;
  /** In [0, 1). */
  random: number;
}

export interface Step {
  state: ScheduleState;
  waitMs: number;
}

/** After a sync. @param pending local changes that are left */
export function afterSync(
  state: ScheduleState,
  result: SyncResult,
  { timing, now, random, pending, flowing }: Circumstances & { pending: number; flowing: boolean },
): Step {
  const { error, reaction, pushed, pulled, conflicts, rejected } = result;
  const gotOn = pushed + pulled + conflicts + rejected > 0;
  if (error && (reaction === 'retry' || reaction === 'wait')) {
    // A connection that keeps breaking off brings a little each time: only standing still is backed off from.
    const failures = gotOn ? 1 : state.failures + 1;
    const wanted = error.kind === 'transport' && 'retryAfterMs' in error ? (error.retryAfterMs ?? 0) : 0;
    const asked = Math.min(wanted, RETRY_AFTER_MOST_MS);
    return {
      state: {
        ...state,
        failures,
        backingOff: reaction === 'retry',
        notBefore: asked > 0 ? now + asked : state.notBefore,
      },
      // The time the server asked for is a minimum, and it told everybody the same one.
      waitMs: asked + backoffMs(failures, random),
    };
  }
  const quiet = gotOn ? 0 : state.quiet + 1;
  const answered = !error && result.status !== 'offline';
  const next: ScheduleState = {
    ...state,
    failures: 0,
    backingOff: false,
    quiet,
    // The server that asked to wait has answered since: somebody did not wait.
    notBefore: answered ? INITIAL_STATE.notBefore : state.notBefore,
  };
  const more = !error && pending > 0 && (pushed > 0 || result.status === 'partial');
  if (more) return { state: next, waitMs: timing.debounceMs };
  // No poke tells that what failed would go well now.
  return { state: next, waitMs: idleMs(next, { timing, now, random, flowing: flowing && answered }) };
}

/** @returns ms until the timer's next sync, jittered by a tenth. */
export function idleMs(
  { quiet }: ScheduleState,
  { timing, random, flowing }: Circumstances & { flowing: boolean },
): number {
  const stretched = Math.min(timing.idleMostMs, timing.idleMs * 2 ** Math.min(quiet, 20));
  return (flowing ? timing.flowingMs : stretched) * (0.9 + 0.2 * random);
}

/** On a poke that is to be answered. A single one is answered soon; under many, everybody slows down. */
export function afterPoke(state: ScheduleState, { timing, now, random }: Circumstances): Step {
  const isFollowing = now - state.pokedAt < state.spreadMs + 3 * timing.pokeMs;
  const spreadMs = isFollowing ? Math.min(timing.pokeMostMs, 2 * state.spreadMs) : timing.pokeMs;
  const waitMs = (isFollowing ? spreadMs / 2 : 0) + random * (isFollowing ? spreadMs / 2 : spreadMs);
  return { state: { ...state, quiet: 0, spreadMs, pokedAt: now + waitMs }, waitMs };
}

/** Somebody is at work here, pokes stopped, or the network came back: the timer is to be quick again. */
export function afterActivity(state: ScheduleState, isNetworkBack = false): ScheduleState {
  return { ...state, quiet: 0, ...(isNetworkBack && { failures: 0, backingOff: false }) };
}
