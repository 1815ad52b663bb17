/** The client of the module-level functions of `contextService`; no other module holds one. */

import type { ConvoyClient } from './client';

let current: ConvoyClient | null = null;

/** Sets the client of the module-level functions; null after signing out. */
export function useSupabaseClient(client: ConvoyClient | null): void {
  current = client;
}

export function currentClient(): ConvoyClient | null {
  return current;
}
