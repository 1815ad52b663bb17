/**
 * Work begun without an account moves into a user's database. Two databases cannot be written in one
 * transaction, so it goes in steps that each leave something to go on from (rule D22): the claim says
 * whose it becomes, the copy carries the claim's token, and only then is the work removed. Whoever
 * repeats the steps finishes them; nothing is lost and nothing comes twice. Others may have the work open
 * meanwhile: what they edit or delete after the copy stays, claimed anew, and is copied once more.
 */

import { v7 as uuidv7 } from 'uuid';
import { columnsOf, SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import type { ConvoyDatabase } from '../database';
import { type Archived, type ConvoyModel, DeviceState } from '../models';
import { readBase, trackDelete } from '../models/tracking';
import { type Model, Q, type Raw } from '../models/watermelondb';
import { IdMappings } from '../sync/idMapping';
import { withLocalEdits } from '../sync/pull/applyRows';
import type { ApplyContext } from '../sync/records/applyContext';
import { sameValue } from '../sync/records/codec';
import { UnitOfWork } from '../sync/records/unitOfWork';
import { fetchUnsynced } from '../sync/records/unsynced';
import { archive } from '../sync/setAside/archive';
import { LOCAL_USER } from './databases';

/** Whose the work becomes. It stands in the database the work comes from until the work is gone from there. */
export interface Claim {
  userId: string;
  /** Stands in the user's database from the moment the work does. */
  token: string;
  /** The records that are taken, by table. */
  records: Partial<Record<SyncedTable, string[]>>;
  /** As they were when they were copied already, where they have been edited since. */
  copied?: Versions;
}

/** By record id, what tells a record from the same one edited or deleted since. */
type Versions = Record<string, string>;

const versionOf = ({ _status, updated_at, sync_base }: Raw): string =>
  JSON.stringify([_status, updated_at, sync_base]);

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
  const { dirty } = await fetchUnsynced(from);
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
    const { dirty } = await fetchUnsynced(from);
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
  for (let standing: Claim | null = claim; standing; ) {
    const { token } = standing;
    const copied = await copyWork(from, to, standing);
    standing = await removeWork(from, standing, copied);
    await to.write(async () => {
      const mark = await findState(to, takenFrom(token));
      if (mark) await to.batch(mark.prepareDestroyPermanently());
    }, 'take along: forget');
  }
}

/** @returns what was copied, now or before the taking was broken off */
async function copyWork(from: ConvoyDatabase, to: ConvoyDatabase, claim: Claim): Promise<Versions> {
  return to.write(async () => {
    const mark = await findState(to, takenFrom(claim.token));
    if (mark) return (mark.value as { copied?: Versions }).copied ?? {};
    const work = new UnitOfWork(to);
    const ids = await IdMappings.load(to);
    const { userId } = claim;
    const applying: ApplyContext = { database: to, work, ids, deviceId: '', userId, now: to.clock.now() };
    const copied: Versions = {};
    for (const table of SYNCED_TABLES) {
      for (const { raw } of await claimedOf(from, table, claim)) {
        const before = claim.copied?.[raw.id];
        if (raw._status === 'deleted' && !before) continue;
        copied[raw.id] = versionOf(raw);
        await adopt(applying, table, raw, before);
      }
    }
    work.also(() => prepareState(to, takenFrom(claim.token), { copied }));
    await work.commit();
    return copied;
  }, 'take along: copy');
}

/** @returns the claimed records of a table that are there, those marked as deleted included */
async function claimedOf(from: ConvoyDatabase, table: SyncedTable, claim: Claim): Promise<ConvoyModel[]> {
  const ids = new Set(claim.records[table]);
  if (ids.size === 0) return [];
  const collection = from.records(table);
  const deleted = (await from.deletedIds(table)).filter((id) => ids.has(id));
  return [
    ...(await collection.query(Q.where('id', Q.oneOf([...ids]))).fetch()),
    ...(await Promise.all(deleted.map((id) => collection.find(id)))),
  ];
}

/**
 * The record as the user's own, still to be pushed; where the user has one of this id, both are kept.
 * @param before as it was when it was copied already: where the user has left it so, it is replaced
 */
async function adopt(context: ApplyContext, table: SyncedTable, raw: Raw, before?: string): Promise<void> {
  const { userId } = context;
  const own: Raw = { ...raw, last_modified_by: userId };
  for (const [name, column] of Object.entries(columnsOf(table))) {
    if (column.to === 'user' && own[name] === LOCAL_USER) own[name] = userId;
  }
  const existing = await context.work.get(table, raw.id);
  const isLeft = existing !== null && before === versionOf(existing);
  if (raw._status === 'deleted') {
    if (isLeft || existing?._status === 'synced')
      context.work.put(table, deletedAs(existing, own, context.database));
    else if (existing && existing._status !== 'deleted') archive(context, table, own, REASON);
  } else if (existing === null || isLeft) context.work.put(table, own);
  else if (existing._status === 'synced') context.work.put(table, withLocalEdits(table, existing, own));
  else if (!isSame(table, existing, own)) archive(context, table, own, REASON);
}

/** The user's record, deleted with the one that the deletion was of. */
function deletedAs(existing: Raw, deleted: Raw, database: ConvoyDatabase): Raw {
  const raw: Raw = { ...existing, _status: 'deleted' };
  trackDelete(raw, readBase(deleted)?.deletion?.root ?? deleted.id, database);
  return raw;
}

function isSame(table: SyncedTable, one: Raw, other: Raw): boolean {
  if (one._status === 'deleted') return false;
  return Object.keys(columnsOf(table)).every((name) =>
    sameValue(table, name, one[name] ?? null, other[name] ?? null),
  );
}

/**
 * What was deleted here before any server saw it leaves as well; what was made after the claim stays.
 * @returns the claim of what is not as it was copied, which stays too
 */
async function removeWork(from: ConvoyDatabase, claim: Claim, copied: Versions): Promise<Claim | null> {
  return from.write(async () => {
    const doomed: Model[] = [];
    const left: Required<Claim> = { userId: claim.userId, token: uuidv7(), records: {}, copied: {} };
    for (const table of SYNCED_TABLES) {
      const kept: string[] = [];
      for (const record of await claimedOf(from, table, claim)) {
        const version = copied[record.id];
        const isForgotten = record.raw._status === 'deleted' && !version;
        if (isForgotten || version === versionOf(record.raw)) {
          doomed.push(record);
          continue;
        }
        kept.push(record.id);
        if (version) left.copied[record.id] = version;
      }
      if (kept.length > 0) left.records[table] = kept;
      const claimed = new Set(claim.records[table]);
      for (const id of await from.deletedIds(table)) {
        if (!claimed.has(id)) doomed.push(await from.get(table).find(id));
      }
    }
    const isDone = Object.keys(left.records).length === 0;
    const state = await findState(from, CLAIM);
    const removed = [...doomed, ...(isDone && state ? [state] : [])];
    await from.batch([
      ...removed.map((model) => model.prepareDestroyPermanently()),
      ...(isDone ? [] : [prepareState(from, CLAIM, left, state)]),
    ]);
    return isDone ? null : left;
  }, 'take along: remove');
}

async function findState(database: ConvoyDatabase, id: string): Promise<DeviceState | null> {
  const states = database.of(DeviceState);
  const [state] = await states.query(Q.where('id', id)).fetch();
  return state ?? null;
}

function prepareState(
  database: ConvoyDatabase,
  id: string,
  value: unknown,
  known: DeviceState | null = null,
): Model {
  if (known) {
    return known.prepareUpdate((state) => {
      state.value = value;
    });
  }
  return database.of(DeviceState).prepareCreateFromDirtyRaw({
    id,
    _status: 'synced',
    value: JSON.stringify(value),
  });
}
