/** Public door of the offline-first data layer. */

import { concatMap, from, type Observable } from 'rxjs';
import type { LocalWork } from './accounts/takeAlong';
import { closeDatabase, currentDevice } from './device/current';
import type { SignOutOptions, SignOutResult } from './device/signOut';
import type { SyncLogItem, SyncResult, SyncStatus } from './sync';

export type { LocalWork } from './accounts/takeAlong';
export {
  type EntityOf,
  findTasks,
  type Observed,
  observeCount,
  observeRecords,
  type RecordSync,
  type Where,
} from './context/liveRecords';
export type { ConvoyDatabase } from './database';
export { closeDatabase, type InitOptions, initDatabase } from './device/current';
export { type Device, type DeviceOptions, openDevice } from './device/device';
export type { SignOutOptions, SignOutResult } from './device/signOut';
export * from './models';
export type { SyncLogItem, SyncResult, SyncStatus, UnsyncedCounts, UnsyncedExport } from './sync';

/**
 * Syncs the local database with Supabase: push, pull, resolve, until quiet.
 * @returns what was done; it never rejects for the network
 */
export async function sync(): Promise<SyncResult> {
  return (await currentDevice()).sync();
}

/** The sync status now and whenever it changes. */
export function observeSyncStatus(): Observable<SyncStatus> {
  return from(currentDevice()).pipe(concatMap((device) => device.observeSyncStatus()));
}

/** What `sync` did of late, newest first. */
export async function syncLog(): Promise<SyncLogItem[]> {
  return (await currentDevice()).syncLog();
}

/**
 * Signs out on this device. Where something is not on the server and the options do not say what becomes
 * of it, nothing is done and the answer says how much there is.
 */
export async function signOut(options: SignOutOptions = {}): Promise<SignOutResult> {
  const { signOutByDefault } = await import('./device/compose');
  return signOutByDefault(await currentDevice(), closeDatabase, options);
}

/** @returns what was begun on this device without an account, for the signed-in user to take along; or null. */
export async function findLocalWork(): Promise<LocalWork | null> {
  const { findLocalWorkByDefault } = await import('./device/compose');
  const device = await currentDevice();
  return device.hasAccount ? findLocalWorkByDefault(device) : null;
}

/**
 * Moves what was begun without an account into the signed-in user's database, from where it is pushed.
 * @returns what was taken, or null: there was nothing, or nobody is signed in. Rejects with a
 * `ConvoyError` (storage) while another tab has it open. Broken off, it goes on when asked again.
 */
export async function takeLocalWork(): Promise<LocalWork | null> {
  const { takeLocalWorkByDefault } = await import('./device/compose');
  const device = await currentDevice();
  return device.hasAccount ? takeLocalWorkByDefault(device) : null;
}
