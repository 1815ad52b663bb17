/** Closes the connection of a realtime client without channels. */

import type { RealtimeClient } from '@supabase/supabase-js';

/** The internals of realtime-js 2.109.0 that this module uses; the version is pinned exactly. */
interface Insides {
  _cancelPendingDisconnect(): void;
  socketAdapter: {
    getSocket(): {
      conn: { readyState: number; terminate?: () => void } | null;
      disconnect(done: () => void): void;
    };
  };
}

const CLOSED = 3;

/**
 * `disconnect()` of realtime-js leaves a timer of 10 s behind; without that call, a timer of 50 s remains.
 * Either keeps an idle Node process alive.
 */
export async function closeUnusedSocket(realtime: RealtimeClient): Promise<void> {
  // The application may have other channels on this client.
  if (realtime.getChannels().length > 0) return;
  const insides = realtime as unknown as Insides;
  insides._cancelPendingDisconnect();
  const socket = insides.socketAdapter.getSocket();
  const { conn } = socket;
  await new Promise<void>((resolve) => socket.disconnect(resolve));
  // A server that stopped responding does not answer the closing handshake.
  if (conn && conn.readyState !== CLOSED) conn.terminate?.();
}
