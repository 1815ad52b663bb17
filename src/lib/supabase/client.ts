/** Creates Supabase clients for Convoy. */

import { createClient, type SupabaseClient, type SupabaseClientOptions } from '@supabase/supabase-js';
import { backoffMs } from '@/core/backoff';
import type { Database } from './database.types.generated';
import { authFetch } from './session/authFetch';
import { inMemory, onDeviceTime, type Storage } from './session/deviceTime';
import { outlastingRefusals } from './session/refusedWrites';
import { SessionWatch, setWatch, watchOf } from './session/sessionWatch';
import { sharedRefresh } from './session/sharedRefresh';
import { meteredFetch } from './traffic';

export type ConvoyClient = SupabaseClient<Database>;

type Options = SupabaseClientOptions<'public'>;
type WebSocketConstructor = NonNullable<NonNullable<Options['realtime']>['transport']>;

export interface ConvoyClientOptions {
  /** Where the session is kept; absent: `localStorage` in a browser. */
  storage?: Storage;
  storageKey?: string;
  /** Whether the session outlives this client. Default: true where there is a storage. */
  persistSession?: boolean;
  autoRefreshToken?: boolean;
  /** Runs work while no other process refreshes the stored session; needs `storageKey`. Absent: no other process has it. */
  exclusively?: <T>(work: () => Promise<T>) => Promise<T>;
  fetch?: typeof fetch;
  /** A WebSocket class; realtime needs it where the runtime has none (Node 20): pass that of `ws`. */
  webSocket?: unknown;
}

/**
 * @param url of the Supabase project or of a local stack.
 * @param anonKey its public key.
 * @returns a supabase-js client that can measure the traffic of requests.
 */
export function createConvoyClient(
  url: string,
  anonKey: string,
  options: ConvoyClientOptions = {},
): ConvoyClient {
  const watch = new SessionWatch();
  const lasting = options.persistSession === false ? null : (options.storage ?? browserStorage());
  const storage = onDeviceTime(outlastingRefusals(lasting ?? inMemory()), watch, () => forgetFailure(client));
  const { storageKey, exclusively } = options;
  const fetched = authFetch(
    meteredFetch(options.fetch ?? ((input, init) => globalThis.fetch(input, init))),
    watch,
  );
  const client: ConvoyClient = createClient<Database>(url, anonKey, {
    auth: {
      // In this client's memory where it is not to last.
      persistSession: true,
      storage,
      autoRefreshToken: options.autoRefreshToken ?? true,
      detectSessionInUrl: false,
      ...(storageKey && { storageKey }),
    },
    global: {
      fetch:
        exclusively && storageKey ? sharedRefresh(fetched, { storage, storageKey, exclusively }) : fetched,
    },
    realtime: {
      transport: (options.webSocket ?? runtimeWebSocket()) as WebSocketConstructor,
      // The default steps have no jitter: after a restart of the server, all devices would reconnect at once.
      reconnectAfterMs: (tries: number) => 100 + backoffMs(tries, Math.random(), 1_000, 30_000),
    },
  });
  setWatch(client, watch);
  return client;
}

/** Lets a person's sync ask for a new token at once, whatever wait the server asked for. */
export function endRefreshWait(client: ConvoyClient): void {
  const watch = watchOf(client);
  if (watch.waitMs === 0) return;
  watch.endWait();
  forgetFailure(client);
}

/**
 * supabase-js answers with a refresh that failed until a minute is over by the device's clock: on one that is set back a day,
 * for a day.
 */
function forgetFailure({ auth }: ConvoyClient): void {
  (auth as unknown as { lastRefreshFailure: unknown }).lastRefreshFailure = null;
}

/** @returns `localStorage`; null where there is none, or the browser refuses it to the page. */
function browserStorage(): Storage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

/** supabase-js needs a WebSocket class to create any client, even one that never uses realtime. */
function runtimeWebSocket(): unknown {
  return globalThis.WebSocket ?? MissingWebSocket;
}

class MissingWebSocket {
  constructor() {
    throw new Error('Realtime needs a WebSocket: pass the option `webSocket` to createConvoyClient.');
  }
}
