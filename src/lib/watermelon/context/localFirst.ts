/** When the local database answers, and when the remote service does. */

import { type AppError, ConvoyError } from '@/core/errors';
import type { ContextService } from '@/domain/contextService';
import type { EditClock } from '../models/tracking';
import type { LocalStore } from './localStore';

export interface LocalFirst {
  store: LocalStore;
  /** The user this device acts for. */
  userId: string;
  clock: EditClock;
  /** null: there is no account, so nothing but the local database. */
  remote: ContextService | null;
  isOnline: () => boolean;
  /** Asks for a sync soon, because something was missing here. */
  requestSync: () => void;
}

/**
 * Reads locally; asks the remote service only for what is missing here, or when the local store fails.
 * @param isEnough whether the local answer needs no completion
 * @returns the best answer there is; rejects with `unavailable` when both fail
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
      throw unavailable([storeFailed(thrown), describe(remoteThrown)]);
    }
  }
  try {
    const remoteAnswer = await readRemote(reachable);
    local.requestSync();
    return remoteAnswer;
  } catch {
    // Incomplete but true: what is known here is worth more than the error of the network.
    return answer;
  }
}

/** A store that fails is a typed error for the caller, as everything that rejects here. */
export async function storing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw thrown instanceof ConvoyError ? thrown : new ConvoyError(storeFailed(thrown));
  }
}

function storeFailed(thrown: unknown): AppError {
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return { kind: 'storage', code: 'unavailable', message: `The local database failed: ${reason}` };
}

function describe(thrown: unknown): AppError {
  if (thrown instanceof ConvoyError) return thrown.detail;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { kind: 'unexpected', code: 'unexpected', message };
}

function unavailable(causes: AppError[]): ConvoyError {
  return new ConvoyError({
    kind: 'unavailable',
    code: 'unavailable',
    message: 'Neither the local database nor the server could answer. Try again; if it persists, reload.',
    causes,
  });
}
