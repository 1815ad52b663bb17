/** Ends the connection of a realtime client that has no channels left. */

import type { RealtimeClient } from '@supabase/supabase-js';

/** What is used of the insides of realtime-js 2.109.0, which is pinned exactly. */
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
 * `disconnect()` of realtime-js leaves a timer of 10 s behind, and not calling it one of 50 s: either
 * would keep a Node process alive that has nothing more to do.
 */
export async function closeUnusedSocket(realtime: RealtimeClient): Promise<void> {
  // The application may have channels of its own.
  if (realtime.getChannels().length > 0) return;
  const insides = realtime as unknown as Insides;
  insides._cancelPendingDisconnect();
  const socket = insides.socketAdapter.getSocket();
  const { conn } = socket;
  await new Promise<void>((resolve) => socket.disconnect(resolve));
  // A server that has gone silent does not answer the closing either.
  if (conn && conn.readyState !== CLOSED) conn.terminate?.();
}
