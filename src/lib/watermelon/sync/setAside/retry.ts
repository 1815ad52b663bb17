/** Retries refused changes as new edits, and lets a person edit or discard them (D7, D11). */

import { v7 as uuidv7 } from 'uuid';
import { ConvoyError } from '@/core/errors';
import type { Json } from '@/core/protocol';
import { validateChanges } from '@/domain/validation';
import type { ConvoyDatabase } from '../../database';
import { type ConvoyModel, Quarantined, ScopeCursor } from '../../models';
import { markEdited, stampsOf, trackedColumns } from '../../models/tracking';
import { type Model, Q, type Raw } from '../../models/watermelondb';
import { IdMappings } from '../idMapping';
import { prepareDeletion, withDescendants } from '../records/cascade';
import { defaultOf, sameValue, toStored } from '../records/codec';

/**
 * Retries a refused change, and those refused together with it, as new edits.
 * @param unless nothing is retried where it returns true for one of them
 * @returns false, and the entries stay, when there is no such entry, when the record to be changed is gone, or when the
 *   record to be deleted is not here while not all of its workspace is
 */
export async function retryQuarantined(
  database: ConvoyDatabase,
  id: string,
  unless?: (database: ConvoyDatabase, entry: Quarantined) => Promise<boolean>,
): Promise<boolean> {
  return database.write(async () => {
    const entries = await groupOf(database, id);
    for (const entry of unless ? entries : []) if (await unless?.(database, entry)) return false;
    // Deletions first: records that they take along need no other change.
    entries.sort((a, b) => Number(b.operation === 'delete') - Number(a.operation === 'delete'));
    const redone: (() => Model[])[] = [];
    const fresh = await replacementIds(database, entries);
    for (const entry of entries) {
      const again = await prepareRetry(database, entry, fresh);
      if (again === null) return false;
      redone.push(again);
    }
    await database.batch([
      ...redone.flatMap((prepare) => prepare()),
      ...entries.map((entry) => entry.prepareDestroyPermanently()),
    ]);
    return entries.length > 0;
  }, 'quarantine: retry');
}

/**
 * Changes the values of a refused change, before it is retried.
 * @param values wire values; only of columns of the refused change (update) or record (insert)
 * @returns false when there is no such entry. Rejects with `validation/*` for values that the columns cannot have.
 */
export async function editQuarantined(
  database: ConvoyDatabase,
  id: string,
  values: Record<string, Json>,
): Promise<boolean> {
  return database.write(async () => {
    const collection = database.of(Quarantined);
    const [entry] = await collection.query(Q.where('id', id)).fetch();
    if (!entry || entry.operation === 'delete') return false;
    const checked = validateChanges(entry.recordTable, values);
    if (!checked.ok) throw new ConvoyError(checked.error);
    const edits = Object.entries(checked.value).map(([name, value]) => [
      name,
      toStored(entry.recordTable, name, value),
    ]);
    await database.batch(
      entry.prepareUpdate((draft) => {
        draft.change = { ...entry.change, values: { ...entry.change.values, ...Object.fromEntries(edits) } };
      }),
    );
    return true;
  }, 'quarantine: edit');
}

/** Codes of refusals for lack of permission. */
const FOR_LACK_OF_PERMISSION = ['forbidden', 'checkpoint'];

/**
 * Retries changes of a workspace that were refused for lack of permission, after the user's role was raised. Groups
 * that would overwrite what others have changed since are left for a person to decide (D11).
 * @returns how many groups were retried
 */
export async function retryPermitted(database: ConvoyDatabase, workspaceId: string): Promise<number> {
  const collection = database.of(Quarantined);
  const entries = await collection
    .query(Q.where('workspace_id', workspaceId), Q.where('code', Q.oneOf(FOR_LACK_OF_PERMISSION)))
    .fetch();
  const groups = new Map(entries.map((entry) => [entry.groupId, entry.id]));
  let retried = 0;
  for (const id of groups.values()) if (await retryQuarantined(database, id, hasNewerValues)) retried += 1;
  return retried;
}

/** Whether others have changed the values that a refused change is about, since it was made. */
async function hasNewerValues(database: ConvoyDatabase, entry: Quarantined): Promise<boolean> {
  const { recordTable: table, operation, change } = entry;
  const record = await database.findRecord(table, entry.recordId);
  if (!record) return false;
  if (operation === 'insert') return Object.keys(differingValues(entry, record)).length > 0;
  if (operation === 'update') {
    return Object.entries(change.base).some(
      ([name, before]) => !sameValue(table, name, record.raw[name] ?? null, before ?? null),
    );
  }
  const doomed = await withDescendants(database, table, record);
  return doomed.some(({ raw }) => Number(raw.revision) > Number(change.base.seen ?? 0));
}

/** Discards a refused change, and those refused together with it. @returns false when there is no such entry */
export async function discardQuarantined(database: ConvoyDatabase, id: string): Promise<boolean> {
  return database.write(async () => {
    const entries = await groupOf(database, id);
    const marked: ConvoyModel[] = [];
    for (const entry of entries) {
      const record = await database.findRecord(entry.recordTable, entry.recordId);
      if (record) marked.push(record);
    }
    await database.batch([
      ...marked.map((record) => record.prepareReplace({ ...record.raw, sync_error: null })),
      ...entries.map((entry) => entry.prepareDestroyPermanently()),
    ]);
    return entries.length > 0;
  }, 'quarantine: discard');
}

async function groupOf(database: ConvoyDatabase, id: string): Promise<Quarantined[]> {
  const collection = database.of(Quarantined);
  const [entry] = await collection.query(Q.where('id', id)).fetch();
  if (!entry) return [];
  return collection.query(Q.where('group_id', entry.groupId)).fetch();
}

/** Whether all of a workspace is here: the user is a member, and no pages of it are to come. */
async function isWorkspaceComplete(database: ConvoyDatabase, workspaceId: string): Promise<boolean> {
  const members = database.records('workspace_members');
  if ((await members.query(Q.where('workspace_id', workspaceId)).fetchCount()) === 0) return false;
  const scope = (await IdMappings.load(database)).toRemote(workspaceId);
  const cursors = database.of(ScopeCursor);
  const [cursor] = await cursors.query(Q.where('id', scope)).fetch();
  return cursor?.paging?.target === undefined;
}

const isUnprepared = (model: Model): boolean => model._preparedState === null;

/** @returns how to prepare the retry of a change; null where it cannot be made now. */
async function prepareRetry(
  database: ConvoyDatabase,
  entry: Quarantined,
  fresh: ReadonlyMap<string, string>,
): Promise<(() => Model[]) | null> {
  const record = await database.findRecord(entry.recordTable, entry.recordId);
  if (entry.operation === 'insert' && !record) return () => [prepareNewRecord(database, entry, fresh)];
  if (entry.operation === 'delete') {
    // Members of a deleted workspace stay members.
    if (!record && !(await isWorkspaceComplete(database, entry.workspaceId))) return null;
    const doomed = record ? await withDescendants(database, entry.recordTable, record) : [];
    return () => (record ? prepareDeletion(doomed.filter(isUnprepared), record.id) : []);
  }
  if (!record) return null;
  const values = differingValues(entry, record);
  if (isRepeat(entry) && record.raw._status === 'synced') {
    return () => (isUnprepared(record) ? [record.prepareReplace(repeated(database, entry, record))] : []);
  }
  const update = () =>
    record.prepareUpdate((draft) => {
      for (const [name, value] of Object.entries(values)) draft.setColumn(name, value ?? null);
      draft.setBookkeeping('sync_error', null);
    });
  return () => (isUnprepared(record) ? [update()] : []);
}

/** Whether the server had the values already, and only the activities that tell of them were still to be taken (D35). */
function isRepeat({ recordTable: table, change: { values, base } }: Quarantined): boolean {
  const names = Object.keys(base);
  return (
    names.length > 0 &&
    names.every((name) => sameValue(table, name, values[name] ?? null, base[name] ?? null))
  );
}

/** @returns the record with these columns to be sent as they are, for the activities that are retried with it. */
function repeated(database: ConvoyDatabase, { change }: Quarantined, record: ConvoyModel): Raw {
  const { raw } = record;
  const edit = { editedAt: database.clock.now(), offset: database.clock.offset(), repeats: true };
  const columns = Object.keys(change.base).map(
    (name) => [name, { ...edit, value: raw[name] ?? null }] as const,
  );
  const again: Raw = { ...raw, sync_error: null };
  const revision = Math.max(0, Number(raw.revision));
  const base = { revision, groups: [], columns: Object.fromEntries(columns), stamps: stampsOf(raw) };
  markEdited(record.table as unknown as string, again, base);
  return again;
}

/** @returns the values of the change that the record does not have; a refused new record may be here by now. */
function differingValues({ recordTable: table, change }: Quarantined, record: ConvoyModel): Partial<Raw> {
  const wanted = Object.entries(change.values).filter(
    ([name, value]) =>
      trackedColumns(table).includes(name) &&
      !sameValue(table, name, record.raw[name] ?? null, value ?? null),
  );
  return Object.fromEntries(wanted);
}

/** @returns new ids for refused new records whose own are taken where this user may not see (U9). */
async function replacementIds(
  database: ConvoyDatabase,
  entries: readonly Quarantined[],
): Promise<Map<string, string>> {
  const fresh = new Map<string, string>();
  for (const { operation, code, recordTable, recordId } of entries) {
    if (operation !== 'insert' || code !== 'id_taken') continue;
    if (!(await database.findRecord(recordTable, recordId))) fresh.set(recordId, uuidv7());
  }
  return fresh;
}

function prepareNewRecord(
  database: ConvoyDatabase,
  entry: Quarantined,
  fresh: ReadonlyMap<string, string>,
): ConvoyModel {
  const { values } = entry.change;
  const names = ['workspace_id', 'created_at', 'updated_at', ...trackedColumns(entry.recordTable)];
  if ('actor_id' in values) names.push('actor_id');
  return database.records(entry.recordTable).prepareCreate((draft) => {
    for (const name of names) {
      // A column of a newer schema version has its default.
      const value = name in values ? (values[name] ?? null) : defaultOf(entry.recordTable, name);
      draft.setColumn(name, fresh.get(String(value)) ?? value);
    }
    draft.raw.id = fresh.get(entry.recordId) ?? entry.recordId;
  });
}
