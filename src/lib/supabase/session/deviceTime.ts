/**
 * Stores the session so that supabase-js reckons its expiry by how long the server said that the token lasts, from when
 * this device received it: on a monotonic clock while the process runs, on the device's own clock after a restart.
 */

import type { SupabaseClientOptions } from '@supabase/supabase-js';
import type { SessionWatch } from './sessionWatch';

export type Storage = NonNullable<NonNullable<SupabaseClientOptions<'public'>['auth']>['storage']>;

/** Added to a wait that the server asked for, ms: more than supabase-js's margin before the expiry. */
const HELD_MS = 600_000;

interface StoredSession {
  /** Unlike the access token, no two are the same: a server that issues one twice in a second signs the same words. */
  refresh_token: string;
  /** Seconds. */
  expires_in?: number;
  /** Device time, s since the epoch. */
  expires_at?: number;
}

/** @returns a storage that ends with the process. */
export function inMemory(): Storage {
  const values = new Map<string, string>();
  return {
    getItem: (name) => values.get(name) ?? null,
    setItem: (name, text) => void values.set(name, text),
    removeItem: (name) => void values.delete(name),
  };
}

/** When this process received the session with this refresh token. */
interface Received {
  token: string;
  /** Monotonic ms. */
  at: number;
}

/**
 * @param onSetBack called before the session is read when the device's clock was set back
 * @returns a storage for the client's session over another one
 */
export function onDeviceTime(inner: Storage, watch: SessionWatch, onSetBack: () => void): Storage {
  let received: Received | null = null;

  /** @returns how long a token lasts, ms: what all the clocks agree upon */
  const left = ({ refresh_token, expires_in, expires_at }: StoredSession): number => {
    const byDevice = (expires_at ?? 0) * 1_000 - Date.now();
    if (!expires_in) return byDevice;
    const heldMs = received?.token === refresh_token ? performance.now() - received.at : 0;
    return Math.min(byDevice, expires_in * 1_000 - heldMs);
  };

  return {
    async getItem(name) {
      if (watch.wasSetBack()) onSetBack();
      const text = await inner.getItem(name);
      const session = asSession(text);
      if (!session) return text;
      const leftMs = left(session);
      watch.lasts(leftMs);
      // While the server wants no refresh, the token is used as it is: supabase-js would only try in vain.
      const shownMs = watch.waitMs > 0 ? Math.max(leftMs, watch.waitMs + HELD_MS) : leftMs;
      const expires_at = Math.floor((Date.now() + shownMs) / 1_000);
      return JSON.stringify({ ...session, expires_at });
    },
    async setItem(name, text) {
      const session = asSession(text);
      if (!session) return inner.setItem(name, text);
      const before = asSession(await inner.getItem(name));
      if (before?.refresh_token === session.refresh_token) {
        return inner.setItem(name, JSON.stringify({ ...session, expires_at: before.expires_at }));
      }
      received = { token: session.refresh_token, at: performance.now() };
      watch.lasts(left(session));
      return inner.setItem(name, text);
    },
    removeItem: (name) => inner.removeItem(name),
  };
}

function asSession(text: string | null): StoredSession | null {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    const isSession = typeof value === 'object' && value !== null && 'refresh_token' in value;
    return isSession && typeof value.refresh_token === 'string' ? (value as StoredSession) : null;
  } catch {
    return null;
  }
}
