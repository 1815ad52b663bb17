/** Public entry of the offline-first data layer. */

import { concatMap, from, type Observable } from 'rxjs';
import type { LocalWork } from './accounts/takeAlong';
import { closeDatabase, currentDevice } from './device/current';
import type { SignOutOptions, SignOutResult } from './device/signOut';
import type { SyncLogItem, SyncResult, SyncStatus } from './sync';

export type { LocalWork } from './accounts/takeAlong';
export { observeActivity, type UserActivity } from './context/agentActivity';
export {
  type EntityOf,
  type Observed,
  observeCount,
  observeRecords,
  type RecordSync,
  type Where,
} from './context/liveRecords';
export type { GroupColumn, TaskLine } from './context/taskLines';
export type { ConvoyDatabase } from './database';
export { closeDatabase, type InitOptions, initDatabase } from './device/current';
export { type Device, type DeviceOptions, openDevice } from './device/device';
export type { SignOutOptions, SignOutResult } from './device/signOut';
export * from './models';
export type {
  Acceptance,
  AcceptResult,
  PendingChange,
  PendingChanges,
  SyncLogItem,
  SyncResult,
  SyncStatus,
  Unreadable,
  UnsyncedCounts,
  UnsyncedExport,
} from './sync';
export { culpritOf, groupArchived, groupRefused, isOnlyHere, listConflicts } from './sync';

/**
 * Syncs the local database with Supabase: pushes, pulls and merges until nothing is left.
 * @returns what was done, with the error where it failed. Rejects with a `ConvoyError` (storage) only where the local
 *   database cannot be opened
 */
export async function sync(): Promise<SyncResult> {
  return (await currentDevice()).sync();
}

/** The sync status now and whenever it changes. */
export function observeSyncStatus(): Observable<SyncStatus> {
  return from(currentDevice()).pipe(concatMap((device) => device.observeSyncStatus()));
}

/** What the last syncs did, newest first; at most 200 (D27). */
export async function syncLog(): Promise<SyncLogItem[]> {
  return (await currentDevice()).syncLog();
}

/**
 * Signs out on this device. Where something is not on the server and the options do not say what to do with it,
 * nothing is done and the result says how much there is (D24).
 */
export async function signOut(options: SignOutOptions = {}): Promise<SignOutResult> {
  const { signOutByDefault } = await import('./device/compose');
  return signOutByDefault(await currentDevice(), closeDatabase, options);
}

/** @returns the work begun on this device without an account, for the signed-in user to take along; null where there is none. */
export async function findLocalWork(): Promise<LocalWork | null> {
  const { findLocalWorkByDefault } = await import('./device/compose');
  const device = await currentDevice();
  return device.hasAccount ? findLocalWorkByDefault(device) : null;
}

/**
 * Takes work begun without an account along into the signed-in user's database, from where it is pushed. When it
 * breaks off, the next call resumes it (D21, D22).
 * @returns what was taken; null where there was none, or no user is signed in. Rejects with a `ConvoyError` (storage)
 *   while another tab has it open
 */
export async function takeLocalWork(): Promise<LocalWork | null> {
  const { takeLocalWorkByDefault } = await import('./device/compose');
  const device = await currentDevice();
  return device.hasAccount ? takeLocalWorkByDefault(device) : null;
}
