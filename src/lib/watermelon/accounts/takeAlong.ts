/**
 * Takes work begun without an account along into a user's database (rule D22). Two databases cannot be written in
 * one transaction, so it goes in steps, each of which can be resumed: the claim names the user, the copy stores the
 * claim's token with it, and only then is the work removed. Repeating a step loses nothing and copies nothing twice.
 * Another tab may have the work open meanwhile: records edited or deleted after the copy are claimed and copied again.
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
import { AMONG, IS_DELETED } from '../sync/records/statements';
import { UnitOfWork } from '../sync/records/unitOfWork';
import { fetchUnsynced } from '../sync/records/unsynced';
import { archive } from '../sync/setAside/archive';
import { LOCAL_USER } from './databases';

/** Names the user who takes the work along. Stored in the database without an account until the work is gone from there. */
export interface Claim {
  userId: string;
  /** Stored in the user's database by the transaction that copies the work. */
  token: string;
  /** The records that are taken, by table. */
  records: Partial<Record<SyncedTable, string[]>>;
  /** The versions that an earlier copy had, of records edited since. */
  copied?: Versions;
}

/** By record id, a text that changes whenever the record is edited or deleted. */
type Versions = Record<string, string>;

const versionOf = ({ _status, updated_at, sync_base }: Raw): string =>
  JSON.stringify([_status, updated_at, sync_base]);

/** Work begun without an account. */
export interface LocalWork {
  /** Records of all kinds. */
  records: number;
  workspaces: { id: string; name: string }[];
}

const CLAIM = 'claim';
const takenFrom = (token: string) => `taken:${token}`;
const REASON: Archived['reason'] = 'taken_along';

/** @returns the work that could be taken along, or null where there is none. */
export async function localWork(from: ConvoyDatabase): Promise<LocalWork | null> {
  const { unsynced } = await fetchUnsynced(from);
  if (unsynced.length === 0) return null;
  const workspaces = unsynced.filter(({ table }) => table === 'workspaces');
  return {
    records: unsynced.length,
    workspaces: workspaces.map(({ raw }) => ({ id: raw.id, name: String(raw.name) })),
  };
}

/** Step 1: claims the work for a user. @returns the claim, an earlier one where there is one */
export async function claimWork(from: ConvoyDatabase, userId: string): Promise<Claim> {
  return from.write(async () => {
    const standing = await readClaim(from);
    if (standing) return standing;
    const { unsynced } = await fetchUnsynced(from);
    const records: Claim['records'] = {};
    for (const { table, raw } of unsynced) records[table] = [...(records[table] ?? []), raw.id];
    const claim: Claim = { userId, token: uuidv7(), records };
    await from.batch(prepareState(from, CLAIM, claim));
    return claim;
  }, 'take along: claim');
}

/** @returns the claim of a taking along that was not finished, or null. */
export async function readClaim(from: ConvoyDatabase): Promise<Claim | null> {
  const state = await findState(from, CLAIM);
  return state ? (state.value as Claim) : null;
}

/** Steps 2 to 4: copies the work, removes it where it was, and removes the token. */
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

/** @returns the versions that were copied, now or by a taking along that broke off */
async function copyWork(from: ConvoyDatabase, to: ConvoyDatabase, claim: Claim): Promise<Versions> {
  return to.write(async () => {
    const mark = await findState(to, takenFrom(claim.token));
    if (mark) return (mark.value as { copied?: Versions }).copied ?? {};
    const work = new UnitOfWork(to);
    const ids = await IdMappings.load(to);
    const { userId } = claim;
    const context: ApplyContext = { database: to, work, ids, deviceId: '', userId, now: to.clock.now() };
    const copied: Versions = {};
    for (const table of SYNCED_TABLES) {
      for (const { raw } of await claimedOf(from, table, claim)) {
        const before = claim.copied?.[raw.id];
        if (raw._status === 'deleted' && !before) continue;
        copied[raw.id] = versionOf(raw);
        await adopt(context, table, raw, before);
      }
    }
    work.also(() => prepareState(to, takenFrom(claim.token), { copied }));
    await work.commit();
    return copied;
  }, 'take along: copy');
}

/** @returns the claimed records of a table that are still there, those marked as deleted included */
async function claimedOf(from: ConvoyDatabase, table: SyncedTable, claim: Claim): Promise<ConvoyModel[]> {
  const ids = claim.records[table] ?? [];
  if (ids.length === 0) return [];
  return from.fetchStored(table, AMONG, [JSON.stringify(ids)]);
}

/**
 * Puts a record into the user's database, to be pushed as theirs. Where they have a record of this id, its values
 * become an edit of that one, or go to the archive where that one has unsynced edits of its own (D21).
 * @param before the version of an earlier copy: a copy that the user has not touched since is replaced
 */
export async function adopt(
  context: ApplyContext,
  table: SyncedTable,
  raw: Raw,
  before?: string,
): Promise<void> {
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

/** @returns the user's record, marked as deleted under the same root. */
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
 * Removes what was copied, and records deleted before any server saw them. Records made after the claim stay.
 * @returns a new claim of the records that were edited after the copy; null where there are none
 */
async function removeWork(from: ConvoyDatabase, claim: Claim, copied: Versions): Promise<Claim | null> {
  return from.write(async () => {
    const doomed: Model[] = [];
    const left: Required<Claim> = { userId: claim.userId, token: uuidv7(), records: {}, copied: {} };
    for (const table of SYNCED_TABLES) {
      const kept: string[] = [];
      for (const record of await claimedOf(from, table, claim)) {
        const version = copied[record.id];
        const isNeverPushed = record.raw._status === 'deleted' && !version;
        if (isNeverPushed || version === versionOf(record.raw)) {
          doomed.push(record);
          continue;
        }
        kept.push(record.id);
        if (version) left.copied[record.id] = version;
      }
      if (kept.length > 0) left.records[table] = kept;
      const claimed = new Set(claim.records[table]);
      for (const record of await from.fetchStored(table, IS_DELETED)) {
        if (!claimed.has(record.id)) doomed.push(record);
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
