/** The result of a sync while it comes about: counts added up, and the error that ended it. */

import { ConvoyError, reactionTo, type SyncError } from '@/core/errors';
import type { SyncResult } from './status';

type Counts = Pick<SyncResult, 'pushed' | 'pulled' | 'conflicts' | 'rejected' | 'sent' | 'received'>;

/** Adds counts to a result; those left out count as 0. */
export function addCounts(result: SyncResult, counts: Partial<Counts>): void {
  const { pushed = 0, pulled = 0, conflicts = 0, rejected = 0, sent = 0, received = 0 } = counts;
  result.pushed += pushed;
  result.pulled += pulled;
  result.conflicts += conflicts;
  result.rejected += rejected;
  result.sent += sent;
  result.received += received;
}

/** Notes the error that ended a sync, and the status and reaction that follow from it. */
export function endWith(result: SyncResult, error: SyncError): void {
  result.error = error;
  result.reaction = reactionTo(error);
  result.status =
    result.reaction === 'wait' ? 'offline' : result.reaction === 'sign_in' ? 'signed_out' : 'error';
}

/** @returns the error of something thrown: the storage's own where it has one; anything else is a bug. */
export function toSyncError(thrown: unknown): SyncError {
  if (thrown instanceof ConvoyError && thrown.detail.kind === 'storage') return thrown.detail;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { kind: 'unexpected', code: 'unexpected', message };
}
