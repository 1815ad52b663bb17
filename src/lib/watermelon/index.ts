/** Public door of the offline-first data layer. */

import { concatMap, from, type Observable } from 'rxjs';
import { currentDevice } from './initialize';
import type { SyncResult, SyncStatus } from './sync';

export type { ConvoyDatabase } from './database';
export { type Device, type DeviceOptions, openDevice } from './device';
export { closeDatabase, type InitOptions, initDatabase } from './initialize';
export {
  type EntityOf,
  findTasks,
  type Observed,
  observeCount,
  observeRecords,
  type RecordSync,
  type Where,
} from './liveRecords';
export * from './models';
export type { SyncResult, SyncStatus } from './sync';

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
