/** The status of a device's sync, and the result of one. */

import type { Reaction, SyncError } from '@/core/errors';

/** The state that the app shows about the sync of this device. */
export interface SyncStatus {
  kind: 'idle' | 'syncing' | 'offline' | 'error';
  /** Unsynced records. */
  pending: number;
  /** Refused changes in the quarantine. */
  quarantined: number;
  /** Device time of the last sync that went well, ms; null for never. */
  lastSyncedAt: number | null;
  progress: Progress | null;
  error: SyncError | null;
}

/** The result of one `sync()`. It is returned, never thrown. */
export interface SyncResult {
  /** `ok`: everything is in step; `offline`: no network; `partial`: more is left for the next sync. */
  status: 'ok' | 'partial' | 'offline' | 'error' | 'signed_out';
  error: SyncError | null;
  /** The app's reaction to the error. */
  reaction: Reaction | null;
  /** Changes the server took. */
  pushed: number;
  /** Rows and tombstones applied here. */
  pulled: number;
  conflicts: number;
  rejected: number;
  /** Bytes. */
  sent: number;
  received: number;
  durationMs: number;
}

export const NOTHING_DONE: SyncResult = {
  status: 'ok',
  error: null,
  reaction: null,
  pushed: 0,
  pulled: 0,
  conflicts: 0,
  rejected: 0,
  sent: 0,
  received: 0,
  durationMs: 0,
};

/** How far a run of pages is. */
export interface Progress {
  rows: number;
  /** Rows of the whole run; null while unknown. */
  total: number | null;
}
