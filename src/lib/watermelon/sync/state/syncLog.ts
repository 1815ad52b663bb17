/** The sync log: what the last syncs did, so that a person can find out why a change is missing (D27). */

import { map, type Observable } from 'rxjs';
import { v7 as uuidv7 } from 'uuid';
import type { ConvoyDatabase } from '../../database';
import { SyncLogEntry } from '../../models';
import { type Model, Q } from '../../models/watermelondb';
import type { SyncResult } from './status';

/** Entries that are kept. */
const MOST_ENTRIES = 200;

/** One sync that did something, or failed. */
export interface SyncLogItem {
  id: string;
  /** ISO 8601. */
  started_at: string;
  duration_ms: number;
  status: SyncResult['status'];
  /** Changes the server took. */
  pushed: number;
  /** Rows and tombstones applied here. */
  pulled: number;
  conflicts: number;
  rejected: number;
  sent_bytes: number;
  received_bytes: number;
  /** The error that ended it, with a sentence for people. */
  error: { kind: string; code: string; message: string } | null;
}

/**
 * @param startedAt device time, ms
 * @returns the prepared entry of a sync, and the removal of entries beyond the number that is kept
 */
export async function prepareLogEntry(
  database: ConvoyDatabase,
  result: SyncResult,
  startedAt: number,
): Promise<Model[]> {
  const log = database.of(SyncLogEntry);
  const newestFirst = Q.sortBy('started_at', Q.desc);
  const old = await log.query(newestFirst, Q.skip(MOST_ENTRIES - 1), Q.take(MOST_ENTRIES)).fetch();
  const { error } = result;
  const entry = log.prepareCreateFromDirtyRaw({
    id: uuidv7(),
    _status: 'synced',
    started_at: startedAt,
    duration_ms: result.durationMs,
    status: result.status,
    pushed: result.pushed,
    pulled: result.pulled,
    conflicts: result.conflicts,
    rejected: result.rejected,
    sent_bytes: result.sent,
    received_bytes: result.received,
    error: error && JSON.stringify({ kind: error.kind, code: error.code, message: error.message }),
  });
  return [entry, ...old.map((outdated) => outdated.prepareDestroyPermanently())];
}

const query = (database: ConvoyDatabase) => database.of(SyncLogEntry).query(Q.sortBy('started_at', Q.desc));

/** @returns the log, newest first. */
export async function readSyncLog(database: ConvoyDatabase): Promise<SyncLogItem[]> {
  return (await query(database).fetch()).map(toItem);
}

/** The log now and whenever a sync is added to it, newest first. */
export function observeSyncLog(database: ConvoyDatabase): Observable<SyncLogItem[]> {
  return query(database)
    .observe()
    .pipe(map((entries) => entries.map(toItem)));
}

function toItem(entry: SyncLogEntry): SyncLogItem {
  const { error } = entry;
  return {
    id: entry.id,
    started_at: entry.startedAt.toISOString(),
    duration_ms: entry.durationMs,
    status: entry.status,
    pushed: entry.pushed,
    pulled: entry.pulled,
    conflicts: entry.conflicts,
    rejected: entry.rejected,
    sent_bytes: entry.sentBytes,
    received_bytes: entry.receivedBytes,
    // Entries of older versions have no message.
    error: error && { ...error, message: error.message ?? error.code },
  };
}
