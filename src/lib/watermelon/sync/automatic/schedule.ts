/** When the next sync is due. Pure: from the state and what happened to the next state and how long to wait. */

import { backoffMs } from '@/core/backoff';
import type { SyncResult } from '../state/status';

/** All in ms. */
export interface SyncTiming {
  /** From the last local write to the sync. */
  debounceMs: number;
  /** A poke is answered after a random part of this, so that its devices do not all pull at once (K10). */
  pokeMs: number;
  /** While pokes follow each other, that spread doubles up to this. */
  pokeMostMs: number;
  /** Between syncs when nothing happens; doubles with each sync that finds nothing, up to `idleMostMs` (K8). */
  idleMs: number;
  idleMostMs: number;
  /** Between syncs while pokes flow: finds changes whose poke was lost. */
  flowingMs: number;
  /** When pokes stop, a sync finds out whether the server is there, after a random half to whole of this (K8). */
  cutOffMs: number;
}

export const DEFAULT_TIMING: SyncTiming = {
  debounceMs: 400,
  pokeMs: 400,
  pokeMostMs: 3_000,
  idleMs: 25_000,
  idleMostMs: 480_000,
  flowingMs: 7_200_000,
  cutOffMs: 8_000,
};

/** The longest wait that a server may ask for, ms: its typing error or wrong clock must not silence a device for days (D31). */
const RETRY_AFTER_MOST_MS = 3_600_000;

export interface ScheduleState {
  /** Syncs in a row that failed and got nothing done. */
  failures: number;
  /** The server is in trouble: pokes and local writes wait for the retry. */
  backingOff: boolean;
  /** Syncs in a row that found nothing to do. */
  quiet: number;
  /** Monotonic ms: the server asked for nothing to be sent before. */
  notBefore: number;
  /** The spread that the latest poke was answered with, and when, monotonic ms. */
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

/** Conditions that the waits depend on besides the state. */
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

/**
 * After a sync.
 * @param pending unsynced records that are left
 * @param flowing whether pokes arrive
 */
export function afterSync(
  state: ScheduleState,
  result: SyncResult,
  { timing, now, random, pending, flowing }: Circumstances & { pending: number; flowing: boolean },
): Step {
  const { error, reaction, pushed, pulled, conflicts, rejected } = result;
  const hasProgress = pushed + pulled + conflicts + rejected > 0;
  if (error && (reaction === 'retry' || reaction === 'wait')) {
    // A connection that keeps breaking off brings a little each time: only failures without progress back off (D30).
    const failures = hasProgress ? 1 : state.failures + 1;
    const wanted = error.kind === 'transport' && 'retryAfterMs' in error ? (error.retryAfterMs ?? 0) : 0;
    const asked = Math.min(wanted, RETRY_AFTER_MOST_MS);
    return {
      state: {
        ...state,
        failures,
        backingOff: reaction === 'retry',
        notBefore: asked > 0 ? now + asked : state.notBefore,
      },
      // The server asked every device for the same wait: a random part on top spreads them.
      waitMs: asked + backoffMs(failures, random),
    };
  }
  const quiet = hasProgress ? 0 : state.quiet + 1;
  const answered = !error && result.status !== 'offline';
  const next: ScheduleState = {
    ...state,
    failures: 0,
    backingOff: false,
    quiet,
    // The server has answered a sync that was called for by hand, so the wait it asked for is over (D31).
    notBefore: answered ? INITIAL_STATE.notBefore : state.notBefore,
  };
  const more = !error && pending > 0 && (pushed > 0 || result.status === 'partial');
  if (more) return { state: next, waitMs: timing.debounceMs };
  // No poke tells when a sync that failed would succeed, so the timer keeps its slower pace.
  return { state: next, waitMs: idleMs(next, { timing, now, random, flowing: flowing && answered }) };
}

/** @returns ms until the timer's next sync, jittered by a tenth (K8). */
export function idleMs(
  { quiet }: ScheduleState,
  { timing, random, flowing }: Circumstances & { flowing: boolean },
): number {
  const stretched = Math.min(timing.idleMostMs, timing.idleMs * 2 ** Math.min(quiet, 20));
  return (flowing ? timing.flowingMs : stretched) * (0.9 + 0.2 * random);
}

/** On a poke that is to be answered: a single one soon, one of many later (K10). */
export function afterPoke(state: ScheduleState, { timing, now, random }: Circumstances): Step {
  const isFollowing = now - state.pokedAt < state.spreadMs + 3 * timing.pokeMs;
  const spreadMs = isFollowing ? Math.min(timing.pokeMostMs, 2 * state.spreadMs) : timing.pokeMs;
  const waitMs = (isFollowing ? spreadMs / 2 : 0) + random * (isFollowing ? spreadMs / 2 : spreadMs);
  return { state: { ...state, quiet: 0, spreadMs, pokedAt: now + waitMs }, waitMs };
}

/** When pokes stop: soon, though not from all devices of a server at once. @returns ms */
export function cutOffMs({ timing, random }: Circumstances): number {
  return timing.cutOffMs * (0.5 + random / 2);
}

/** After local work, when pokes stop, or when the network comes back: the timer is quick again. */
export function afterActivity(state: ScheduleState, isNetworkBack = false): ScheduleState {
  return { ...state, quiet: 0, ...(isNetworkBack && { failures: 0, backingOff: false }) };
}
