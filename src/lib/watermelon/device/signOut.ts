/** Signing out on a device. Nothing that is not on the server is left behind unless the user chose so (rule D24). */

import type { StorageError } from '@/core/errors';
import type { SyncResult, UnsyncedCounts } from '../sync';
import type { Device } from './device';

export interface SignOutOptions {
  /**
   * What to do with what is not on the server: `sync` sends it first; `keep` leaves it on the device for
   * this user's next sign-in; `discard` removes this user's local database for good (`exportUnsynced` can save it
   * before). Without a choice, nothing is done while there is something.
   */
  unsynced?: 'sync' | 'keep' | 'discard';
}

export type SignOutResult =
  /** `trouble`: the storage refused to remove the session (`session_kept`). */
  | { status: 'signed_out'; trouble?: StorageError }
  /** Nothing was done: the user has to choose. `sync` is the result of sending it first, where that was chosen. */
  | { status: 'unsynced'; unsynced: UnsyncedCounts; sync: SyncResult | null };

/** The parts of signing out; the platform and the app provide them. */
export interface SignOutSteps {
  device: Device;
  /** Ends the running sync and closes the database. */
  close(): Promise<void>;
  /** Removes the session from this device. @returns why it is still stored; null: it is not */
  endSession(): Promise<StorageError | null>;
  removeDatabase(): Promise<void>;
}

/**
 * Signs out as the options say.
 * @returns `unsynced` where nothing was done because something is not on the server. Rejects with a `ConvoyError`
 *   (storage), as the steps do.
 */
export async function signOutDevice(
  { device, close, endSession: forgetSession, removeDatabase }: SignOutSteps,
  { unsynced: choice }: SignOutOptions,
): Promise<SignOutResult> {
  const sync = choice === 'sync' ? await device.sync() : null;
  if (choice === undefined || choice === 'sync') {
    const unsynced = await device.countUnsynced();
    if (unsynced.total > 0) return { status: 'unsynced', unsynced, sync };
  }
  // Closed first: a sync that outlived its session would send with the session of the next user.
  await close();
  const trouble = await forgetSession();
  if (choice === 'discard') await removeDatabase();
  return { status: 'signed_out', ...(trouble && { trouble }) };
}
