/**
 * Work begun without an account moves into a user's database. Two databases cannot be written in one
 * transaction, so it goes in steps that each leave something to go on from (rule D22): the claim says
 * whose it becomes, the copy carries the claim's token, and only then is the work removed. Whoever
 * repeats the steps finishes them; nothing is lost and nothing comes twice.
 */

import { v7 as uuidv7 } from 'uuid';
import { columnsOf, SYNCED_TABLES, type SyncedTable } from '@/core/schema';
import type { ConvoyDatabase } from '../database';
import { type Archived, type ConvoyModel, DeviceState } from '../models';
import { type Model, Q, type Raw } from '../models/watermelondb';
import type { Applying } from '../sync/applying';
import { keepingEdits } from '../sync/applyRows';
import { sameValue } from '../sync/codec';
import { Draft } from '../sync/draft';
import { IdMappings } from '../sync/idMapping';
import { fetchDirty } from '../sync/localChanges';
import { archive } from '../sync/purge';
import { LOCAL_USER } from './databases';

/** Whose the work becomes. It stands in the database the work comes from until the work is gone from there. */
export interface Claim {
  userId: string;
  /** Stands in the user's database from the moment the work does. */
  token: string;
  /** The records that are taken, by table. */
  records: Partial<Record<SyncedTable, string[]>>;
}

/** What was begun without an account and is on this device alone. */
export interface LocalWork {
  /** Records of all kinds. */
  records: number;
  workspaces: { id: string; name: string }[];
}

const CLAIM = 'claim';
const takenFrom = (token: string) => `taken:${token}`;
const REASON: Archived['reason'] = 'taken_along';

/** @returns what could be taken along, or null where there is nothing. */
export async function localWork(from: ConvoyDatabase): Promise<LocalWork | null> {
  const { dirty } = await fetchDirty(from);
  if (dirty.length === 0) return null;
  const workspaces = dirty.filter(({ table }) => table === 'workspaces');
  return {
    records: dirty.length,
    workspaces: workspaces.map(({ raw }) => ({ id: raw.id, name: String(raw.name) })),
  };
}

/** Step 1: says whose the work becomes. A claim that stands already is kept. */
export async function claimWork(from: ConvoyDatabase, userId: string): Promise<Claim> {
  return from.write(async () => {
    const standing = await readClaim(from);
    if (standing) return standing;
    const { dirty } = await fetchDirty(from);
    const records: Claim['records'] = {};
    for (const { table, raw } of dirty) records[table] = [...(records[table] ?? []), raw.id];
    const claim: Claim = { userId, token: uuidv7(), records };
    await from.batch(prepareState(from, CLAIM, claim));
    return claim;
  }, 'take along: claim');
}

/** @returns the claim that a taking which was not finished has left. */
export async function readClaim(from: ConvoyDatabase): Promise<Claim | null> {
  const state = await findState(from, CLAIM);
  return state ? (state.value as Claim) : null;
}

/** Steps 2 to 4: the work becomes the user's, then leaves where it was. */
export async function finishTaking(from: ConvoyDatabase, to: ConvoyDatabase, claim: Claim): Promise<void> {
  await copyWork(from, to, claim);
  await removeWork(from, claim);
  await to.write(async () => {
    const mark = await findState(to, takenFrom(claim.token));
    if (mark) await to.batch(mark.prepareDestroyPermanently());
  }, 'take along: forget');
}

async function copyWork(from: ConvoyDatabase, to: ConvoyDatabase, claim: Claim): Promise<void> {
  const { dirty } = await fetchDirty(from);
  await to.write(async () => {
    if (await findState(to, takenFrom(claim.token))) return;
    const draft = new Draft(to);
    const ids = await IdMappings.load(to);
    const { userId } = claim;
    const applying: Applying = { database: to, draft, ids, deviceId: '', userId, now: to.clock.now() };
    const claimed = new Set(Object.values(claim.records).flat());
    for (const { table, raw } of dirty) {
      if (claimed.has(raw.id)) await adopt(applying, table, raw);
    }
    draft.also(() => prepareState(to, takenFrom(claim.token), { at: to.clock.now() }));
    await draft.commit();
  }, 'take along: copy');
}

/** The record as the user's own, still to be pushed; where the user has one of this id, both are kept. */
async function adopt(to: Applying, table: SyncedTable, raw: Raw): Promise<void> {
  const { userId } = to;
  const own: Raw = { ...raw, last_modified_by: userId };
  for (const [name, column] of Object.entries(columnsOf(table))) {
    if (column.to === 'user' && own[name] === LOCAL_USER) own[name] = userId;
  }
  const existing = await to.draft.get(table, raw.id);
  if (existing === null) to.draft.put(table, own);
  else if (existing._status === 'synced') to.draft.put(table, keepingEdits(table, existing, own));
  else if (!isSame(table, existing, own)) archive(to, table, own, REASON);
}

function isSame(table: SyncedTable, one: Raw, other: Raw): boolean {
  if (one._status === 'deleted') return false;
  return Object.keys(columnsOf(table)).every((name) =>
    sameValue(table, name, one[name] ?? null, other[name] ?? null),
  );
}

/** What was deleted here before any server saw it leaves as well; what was made after the claim stays. */
async function removeWork(from: ConvoyDatabase, claim: Claim): Promise<void> {
  await from.write(async () => {
    const doomed: Model[] = [];
    for (const table of SYNCED_TABLES) {
      const collection = from.get<ConvoyModel>(table);
      const ids = claim.records[table] ?? [];
      doomed.push(...(await collection.query(Q.where('id', Q.oneOf(ids))).fetch()));
      const deleted = (await from.adapter.getDeletedRecords(table as never)) as string[];
      for (const id of deleted) doomed.push(await collection.find(id));
    }
    const state = await findState(from, CLAIM);
    if (state) doomed.push(state);
    await from.batch(doomed.map((model) => model.prepareDestroyPermanently()));
  }, 'take along: remove');
}

async function findState(database: ConvoyDatabase, id: string): Promise<DeviceState | null> {
  const states = database.get<DeviceState>(DeviceState.table as never);
  const [state] = await states.query(Q.where('id', id)).fetch();
  return state ?? null;
}

function prepareState(database: ConvoyDatabase, id: string, value: unknown): Model {
  return database.get<DeviceState>(DeviceState.table as never).prepareCreateFromDirtyRaw({
    id,
    _status: 'synced',
    value: JSON.stringify(value),
  });
}
