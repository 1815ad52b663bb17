import WebSocket from 'ws';
import { type ConvoyClient, createConvoyClient } from '@/lib/supabase/client';
import type { Setup } from './subject';
import { countedFetch } from './traffic';

/** @returns a client on which the benchmark's user is signed in. */
export async function signedIn({ serverUrl, anonKey, session }: Setup): Promise<ConvoyClient> {
  const client = createConvoyClient(serverUrl, anonKey, {
    persistSession: false,
    autoRefreshToken: false,
    webSocket: WebSocket,
    fetch: countedFetch,
  });
  const { error } = await client.auth.setSession(session);
  if (error) throw error;
  return client;
}
