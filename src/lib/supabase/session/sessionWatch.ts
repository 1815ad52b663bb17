/** A client's knowledge of its session beside what supabase-js stores: waits that the server asked for, and times. */

import type { TransportError } from '@/core/errors';

/** The longest wait that a server may ask for, ms (D31). */
const WAIT_MOST_MS = 3_600_000;

/** ms in which a session is not refreshed again because its new token was refused too; doubles with each further one. */
const NEW_MS = 60_000;

/** supabase-js repeats a refresh until so much has passed by the device's clock, ms. */
const REPEATS_MS = 30_000;

/** A clock that falls behind the monotonic one by more than this was set back, ms. */
const SET_BACK_MS = 1_000;

export type Busy = Extract<TransportError, { code: 'rate_limited' | 'http' }>;

export class SessionWatch {
  private asked: { error: Busy; until: number } | null = null;
  private readonly listeners = new Set<() => void>();
  /** New tokens in a row that were refused. */
  private refused = 0;
  /** When the refresh that is repeated was requested first: monotonic, and by the device's clock, ms. */
  private repeated: { at: number; date: number } | null = null;
  private refreshedAt = Number.NEGATIVE_INFINITY;
  /** When the stored token expires, monotonic ms; null while that is not known. */
  private expiresAt: number | null = null;
  /** The device's clock against the monotonic one, ms. */
  private ahead = Date.now() - performance.now();

  /** The server wants no refresh for so long. @param error what it answered */
  askToWait(error: Busy, ms: number): void {
    this.asked = { error, until: performance.now() + Math.min(ms, WAIT_MOST_MS) };
    for (const listener of [...this.listeners]) listener();
  }

  /** The wait is over: a person asks. */
  endWait(): void {
    this.asked = null;
  }

  /** ms for which the server still wants no refresh; 0: it may be requested. */
  get waitMs(): number {
    return Math.max(0, Math.ceil((this.asked?.until ?? 0) - performance.now()));
  }

  /** @returns the failure of a refresh now, with the time that is left to wait; null where it may be requested. */
  wait(): Busy | null {
    const retryAfterMs = this.waitMs;
    return this.asked && retryAfterMs > 0 ? { ...this.asked.error, retryAfterMs } : null;
  }

  /** Calls back when the server asks for a wait. @returns how to stop */
  onWait(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** @returns whether the device's clock has been set back since the last question */
  wasSetBack(): boolean {
    const before = this.ahead;
    this.ahead = Date.now() - performance.now();
    return before - this.ahead > SET_BACK_MS;
  }

  /**
   * A refresh is requested.
   * @returns whether supabase-js repeats it for longer than it means to, since the device's clock was set back: in growing
   *   pauses for as long as that, while all calls wait for it
   */
  wasRepeatedTooLong(): boolean {
    const now = { at: performance.now(), date: Date.now() };
    const since = this.repeated ?? now;
    this.repeated = since;
    if (now.at - since.at < REPEATS_MS) return false;
    // A later refresh by both clocks.
    if (now.date - since.date >= REPEATS_MS) this.repeated = now;
    return this.repeated === since;
  }

  /** No refresh is repeated now: it was taken, refused, or ended. */
  repeatsEnded(): void {
    this.repeated = null;
  }

  /** A refused token was replaced by a new one. */
  wasRefreshed(): void {
    this.refreshedAt = performance.now();
  }

  /** A call was answered: the server takes the stored token, or refuses even a new one. */
  wasAnswered(isNewRefused: boolean): void {
    this.refused = isNewRefused ? this.refused + 1 : 0;
  }

  /** @returns whether another refresh may help: no token was refused and replaced just now. */
  get mayHelp(): boolean {
    const pauseMs = Math.min(NEW_MS * 2 ** Math.max(0, this.refused - 1), WAIT_MOST_MS);
    return performance.now() - this.refreshedAt > pauseMs;
  }

  /** @param leftMs how long the stored token still lasts */
  lasts(leftMs: number): void {
    this.expiresAt = performance.now() + leftMs;
  }

  /** @returns whether requests can be made with the stored token, as far as is known. */
  get isTokenValid(): boolean {
    return this.expiresAt !== null && this.expiresAt > performance.now();
  }
}

const watches = new WeakMap<object, SessionWatch>();

/** Makes a watch known by the client that it belongs to. */
export function setWatch(client: object, watch: SessionWatch): void {
  watches.set(client, watch);
}

/** @returns the watch of a client; of one that Convoy has not made, a new one. */
export function watchOf(client: object): SessionWatch {
  const known = watches.get(client);
  if (known) return known;
  const watch = new SessionWatch();
  watches.set(client, watch);
  return watch;
}
