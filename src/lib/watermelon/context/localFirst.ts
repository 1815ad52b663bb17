/** When the local database answers, and when the remote service does. */

import { type AppError, ConvoyError } from '@/core/errors';
import type { ContextService } from '@/domain/contextService';
import type { SyncedTable } from '@/domain/schema';
import { validateId } from '@/domain/validation';
import type { ConvoyModel } from '../models';
import type { EditClock } from '../models/tracking';
import type { Model } from '../models/watermelondb';
import type { LocalStore } from './localStore';
import { noSuch, orThrow } from './localWrites';

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

/** A write on one local record: what it changes, and what it answers once that is written. */
export interface LocalWrite<T> {
  /** Prepares the models; called right before they are written. */
  models: () => Model[];
  result: () => T;
}

/**
 * Writes on a record that is here, as one local transaction; a record that is not here is written
 * to on the remote service when that is to be had.
 */
export async function writeOn<T>(
  local: LocalFirst,
  target: { table: SyncedTable; id: string; field: string },
  prepare: (record: ConvoyModel) => Promise<LocalWrite<T>>,
  writeRemote: (remote: ContextService) => Promise<T>,
): Promise<T> {
  const id = orThrow(validateId(target.field, target.id));
  const { database } = local.store;
  const done = await storing(() =>
    database.write(async () => {
      const record = await local.store.record(target.table, id);
      if (!record) return null;
      const write = await prepare(record);
      const models = write.models();
      if (models.length > 0) await database.batch(models);
      return { result: write.result() };
    }),
  );
  if (done) return done.result;
  // What was deleted here is not written to on the server behind the deletion's back.
  const isGone = await local.store.isDeleted(target.table, id);
  if (isGone || local.remote === null || !local.isOnline()) throw noSuch(target.table, target.field);
  const result = await writeRemote(local.remote);
  local.requestSync();
  return result;
}

/** Creates a record that hangs under no other, as one local transaction. */
export async function writeNew<T>(local: LocalFirst, write: LocalWrite<T>): Promise<T> {
  const { database } = local.store;
  return storing(() =>
    database.write(async () => {
      await database.batch(write.models());
      return write.result();
    }),
  );
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
