/** Decides whether the local database or the remote service answers a read. */

import { type AppError, ConvoyError, detailOf } from '@/core/errors';
import type { ContextService } from '@/domain/contextService';
import type { MemberKind } from '@/domain/vocabulary';
import type { EditClock } from '../models/tracking';
import type { LocalStore } from './localStore';

export interface LocalFirst {
  store: LocalStore;
  /** The user of this device. */
  userId: string;
  kind: MemberKind;
  clock: EditClock;
  /** null: without an account there is only the local database. */
  remote: ContextService | null;
  isOnline: () => boolean;
  /** Requests a sync soon, because a record was missing on this device. */
  requestSync: () => void;
}

/**
 * Reads locally; asks the remote service only when the local answer is incomplete or the local database fails.
 * @param isEnough whether the local answer is complete
 * @returns the most complete answer; rejects with `unavailable` when both fail
 */
export async function readFirst<T>(
  local: LocalFirst,
  read: () => Promise<T>,
  isEnough: (answer: T) => boolean | Promise<boolean>,
  readRemote: (remote: ContextService) => Promise<T>,
): Promise<T> {
  const reachable = local.isOnline() ? local.remote : null;
  let answer: T;
  try {
    answer = await read();
    if (reachable === null || (await isEnough(answer))) return answer;
  } catch (thrown) {
    if (thrown instanceof ConvoyError) throw thrown;
    if (reachable === null) throw unavailable([storeFailed(thrown)]);
    try {
      return await readRemote(reachable);
    } catch (remoteThrown) {
      throw unavailable([storeFailed(thrown), detailOf(remoteThrown)]);
    }
  }
  try {
    const remoteAnswer = await readRemote(reachable);
    local.requestSync();
    return remoteAnswer;
  } catch {
    // The local answer is incomplete but correct: more useful than the error of the network.
    return answer;
  }
}

/** Runs work on the local database; a failure of the database becomes a `ConvoyError` (storage, `unavailable`). */
export async function storing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw thrown instanceof ConvoyError ? thrown : new ConvoyError(storeFailed(thrown));
  }
}

function storeFailed(thrown: unknown): AppError {
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    kind: 'storage',
    code: 'unavailable',
    message: `The local database failed: ${reason}. Try again; if it persists, reload.`,
  };
}

function unavailable(causes: AppError[]): ConvoyError {
  return new ConvoyError({
    kind: 'unavailable',
    code: 'unavailable',
    message: 'Neither the local database nor the server could answer. Try again; if it persists, reload.',
    causes,
  });
}
