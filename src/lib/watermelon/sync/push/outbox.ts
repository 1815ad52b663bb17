/** The outbox: a batch is stored before it is sent, and leaves when it is known what became of it (U1). */

import { v4 as randomUuid, v7 as uuidv7 } from 'uuid';
import { PROTOCOL_VERSION, SCHEMA_VERSION, type SettleRequest } from '@/core/protocol';
import { type DeviceFacts, OutboxBatch } from '../../models';
import {
  dependingOn,
  IN_DOUBT,
  markEdited,
  readBase,
  type SyncBase,
  serverValue,
  trackedColumns,
  writeBase,
} from '../../models/tracking';
import type { Raw, RawValue } from '../../models/watermelondb';
import {
  defaultOf,
  type SyncedBatch,
  type SyncedChange,
  sameValue,
  toStored,
  toSyncedBatch,
} from '../records/codec';
import { UnitOfWork } from '../records/unitOfWork';
import { hasUnsynced } from '../records/unsynced';
import type { SyncContext } from '../state/syncContext';
import type { PushPlan } from './plan';

/** A batch that is stored, and sent now. */
export interface InFlight {
  request: SyncedBatch;
  /** An earlier push may have sent it already. */
  isResent: boolean;
}

export type NextBatch = () => ReturnType<PushPlan['nextBatch']>;

/** @returns the stored batch, else the next one of the plan, stored; null where there is none. */
export async function batchInFlight(sync: SyncContext, next: NextBatch | null): Promise<InFlight | null> {
  const stored = await sync.store.outbox();
  if (!stored) {
    const request = next && (await storeNextBatch(sync, next));
    return request && { request, isResent: false };
  }
  if (stored.request.key === undefined) await giveKey(sync, stored);
  return { request: toSyncedBatch(stored.request), isResent: true };
}

/** Makes the next batch and stores it before it is sent (rule U1). */
async function storeNextBatch(sync: SyncContext, next: NextBatch): Promise<SyncedBatch | null> {
  const { database, store } = sync;
  // Asked outside of `write`: a sync that has nothing to send keeps no other writer waiting.
  if (!(await hasUnsynced(database))) return null;
  return sync.write(async () => {
    const { changes, prepared, late } = await next();
    const request = changes.length > 0 ? makeRequest(sync, changes) : null;
    if (request) {
      prepared.push(
        database.of(OutboxBatch).prepareCreateFromDirtyRaw({
          id: uuidv7(),
          _status: 'synced',
          batch: request.batch,
          request: JSON.stringify(request),
        }),
        store.prepareFacts({ nextBatch: request.batch + 1, late }),
      );
    }
    if (prepared.some((model) => model !== null)) await database.batch(prepared);
    return request;
  }, 'sync: store batch');
}

function makeRequest({ store, userId }: SyncContext, changes: SyncedChange[]): SyncedBatch {
  const touched = new Set(changes.map((change) => change.workspace_id));
  const scopes = [...store.scopes].filter(([id]) => touched.has(id));
  return {
    protocol: PROTOCOL_VERSION,
    schema: SCHEMA_VERSION,
    user_id: userId,
    device_id: store.facts.deviceId,
    batch: store.facts.nextBatch,
    key: randomUuid(),
    cursors: Object.fromEntries(
      scopes
        .filter(([, { cursor }]) => cursor.tag !== '')
        .map(([id, { cursor }]) => [
          id,
          { revision: cursor.target ?? cursor.revision, tag: cursor.tag, own: cursor.own },
        ]),
    ),
    skip: Object.fromEntries(
      scopes.filter(([, { skip }]) => skip.length > 0).map(([id, { skip }]) => [id, skip]),
    ),
    changes,
  };
}

/** Gives a key to a batch that an earlier version stored. The server finds it by its changes as before (U2). */
async function giveKey(sync: SyncContext, stored: OutboxBatch): Promise<void> {
  await sync.write(async () => {
    const request = { ...stored.request, key: randomUuid() };
    await sync.database.batch([stored.prepareUpdate((batch) => Object.assign(batch, { request }))]);
  }, 'sync: give key');
}

/** @returns the request that asks what became of a batch. */
export function settlementOf({ changes: _, key, ...head }: SyncedBatch): SettleRequest {
  return {
    ...head,
    protocol: PROTOCOL_VERSION,
    schema: SCHEMA_VERSION,
    key: key as string,
    settle: true,
    changes: [],
  };
}

/** Drops a batch that the server has not taken and never will: its changes are still unsynced, and go into new batches. */
export async function dropVoid(sync: SyncContext, facts: Partial<DeviceFacts>): Promise<void> {
  const { database, store } = sync;
  await sync.write(async () => {
    const stored = await store.outbox();
    await database.batch([
      stored?.prepareDestroyPermanently() ?? null,
      Object.keys(facts).length > 0 && store.prepareFacts(facts),
    ]);
  }, 'sync: drop batch');
}

/**
 * Drops a batch though the server may have taken it: its number is another device's by now, or its history another one.
 * Its records keep the values that were sent, so that this device does not meet them as somebody else's. Where the history
 * is another one, new records among them are in doubt, and the server has to say whether it has them (U20). Dropped at
 * once, since a batch found in the outbox counts as sent before.
 */
export async function dropUnsettled(
  sync: SyncContext,
  { request, isResent }: InFlight,
  why: 'other device' | 'other history',
): Promise<void> {
  const { database, store, ids } = sync;
  // `database.write`, since this must happen also where a foreign write has overtaken this sync: the check
  // below sees that the stored batch is still this one.
  await database.write(async () => {
    const work = new UnitOfWork(database);
    const stored = await store.outbox();
    if (stored?.request.device_id !== request.device_id || stored.request.batch !== request.batch) return;
    for (const change of isResent || why === 'other device' ? request.changes : []) {
      const raw = change.op === 'delete' ? null : await work.get(change.table, ids.toLocal(change.id));
      if (raw) work.put(change.table, asSent(sync, change, raw, why));
    }
    work.also(() => stored.prepareDestroyPermanently());
    if (why === 'other device') work.also(() => store.prepareFacts({ deviceId: uuidv7(), nextBatch: 1 }));
    await work.commit();
  }, 'sync: drop batch');
}

/** @returns the record with what was sent of it, in case that the server has taken it. */
function asSent(
  { ids }: SyncContext,
  { op, table, values = {} }: SyncedChange,
  raw: Raw,
  why: 'other device' | 'other history',
): Raw {
  const base = readBase(raw);
  if (!base || raw._status === 'synced') return raw;
  const names = op === 'insert' ? trackedColumns(table) : Object.keys(values);
  const sent: Record<string, RawValue> = { ...base.sent };
  for (const name of names) {
    sent[name] = name in values ? toStored(table, name, values[name] ?? null, ids) : defaultOf(table, name);
  }
  const result: Raw = { ...raw };
  if (op === 'insert' && raw._status === 'updated') {
    // The record was pulled meanwhile, so the server had taken it: a value that is as it was sent is no edit.
    const columns: SyncBase['columns'] = {};
    let { revision } = base;
    for (const [name, edit] of Object.entries(base.columns)) {
      const [value, server] = [sent[name] ?? null, serverValue(edit)];
      if (sameValue(table, name, raw[name] ?? null, value)) {
        result[name] = server;
        continue;
      }
      // Edited before the row was pulled, it has not seen what others have made of the record since.
      const isUnseen = edit.editedAt === base.created?.editedAt && !sameValue(table, name, server, value);
      columns[name] = isUnseen ? { ...edit, value, server } : edit;
      if (isUnseen) revision = 0;
    }
    markEdited(table, result, { ...base, revision, columns: dependingOn(columns, sent), sent });
    return result;
  }
  writeBase(result, { ...base, sent });
  if (raw._status === 'created' && why === 'other history') result.revision = IN_DOUBT;
  return result;
}
