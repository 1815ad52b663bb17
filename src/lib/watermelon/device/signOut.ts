/** Leaving an account on this device. What is not on the server is never left behind unasked (rule D24). */

import type { SyncResult, UnsyncedCounts } from '../sync';
import type { Device } from './device';

export interface SignOutOptions {
  /**
   * What becomes of what is not on the server: `sync` sends it first; `keep` leaves it on the device for
   * this user's next sign-in; `discard` removes this user's local database, for good. To have it
   * elsewhere, call `exportUnsynced` before. Unless it is said, and there is something, nothing is done.
   */
  unsynced?: 'sync' | 'keep' | 'discard';
}

export type SignOutResult =
  | { status: 'signed_out' }
  /** Nothing was done: somebody has to choose. */
  | { status: 'unsynced'; unsynced: UnsyncedCounts; sync: SyncResult | null };

export interface SignOutSteps {
  device: Device;
  /** Ends the sync that runs and lets go of the database. */
  close(): Promise<void>;
  /** The session is no longer on this device. */
  forgetSession(): Promise<void>;
  removeDatabase(): Promise<void>;
}

export async function leaveAccount(
  { device, close, forgetSession, removeDatabase }: SignOutSteps,
  { unsynced: choice }: SignOutOptions,
): Promise<SignOutResult> {
  const sync = choice === 'sync' ? await device.sync() : null;
  if (choice === undefined || choice === 'sync') {
    const unsynced = await device.countUnsynced();
    if (unsynced.total > 0) return { status: 'unsynced', unsynced, sync };
  }
  // The session goes last: a sync that still runs with it would be the next user's business.
  await close();
  await forgetSession();
  if (choice === 'discard') await removeDatabase();
  return { status: 'signed_out' };
}
