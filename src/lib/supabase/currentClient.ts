/** The client that the module-level functions of `contextService` speak through; the only such holder. */

import type { ConvoyClient } from './client';

let current: ConvoyClient | null = null;

/** Sets the client of the module-level functions; null after signing out for good. */
export function useSupabaseClient(client: ConvoyClient | null): void {
  current = client;
}

export function currentClient(): ConvoyClient | null {
  return current;
}
