/** A device's belief about its network: what the runtime says, until the server proves otherwise. */

import type { SyncError } from '@/core/errors';

export class NetworkHint {
  /** The server has answered though the runtime says that there is no network. */
  private isProven = false;

  /** @param says whether the runtime believes that there is a network; some say for hours that there is none, and are wrong */
  constructor(private readonly says: () => boolean) {}

  readonly isOnline = (): boolean => this.says() || this.isProven;

  /** A sync has asked the server. @param error that ended it; null for none */
  heard(error: SyncError | null): void {
    const isReached = error === null || error.kind === 'auth' || error.kind === 'protocol';
    if (isReached) this.isProven = !this.says();
    else if (error.kind === 'transport' && error.code === 'offline') this.isProven = false;
  }
}
