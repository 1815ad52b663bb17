/** Changes the server refused: set aside whole, the server's value shown, until retried or discarded. */

import { v7 as uuidv7 } from 'uuid';
import { ConvoyError } from '@/core/errors';
import type { Json, PushChange } from '@/core/protocol';
import type { SyncedTable } from '@/domain/schema';
import { validateChanges } from '@/domain/validation';
import type { ConvoyDatabase } from '../../database';
import { type ConvoyModel, Quarantined, ScopeCursor, type WantedChange } from '../../models';
import {
  markClean,
  markEdited,
  readBase,
  serverValue,
  trackedColumns,
  writeBase,
} from '../../models/tracking';
import { type Model, Q, type Raw } from '../../models/watermelondb';
import { IdMappings } from '../idMapping';
import type { Applying } from '../records/applyContext';
import { undelete, withDescendants } from '../records/cascade';
import { defaultOf, sameValue, toRaw, toStored } from '../records/codec';

export interface Refusal {
  code: string;
  column: string | null;
  message: string;
  /** Changes refused together share it. */
  group: string;
}

/** Takes a refused change back from its record and keeps everything needed to make it again (rule D7). */
export async function quarantine(
  to: Applying,
  change: PushChange,
  raw: Raw | null,
  refusal: Refusal,
): Promise<void> {
  if (!raw) return;
  const wanted = await takeBack(to, change, raw);
  to.draft.also(() =>
    to.database.get<Quarantined>(Quarantined.table as never).prepareCreateFromDirtyRaw({
      id: uuidv7(),
      _status: 'synced',
      record_table: change.table,
      record_id: raw.id,
      workspace_id: raw.workspace_id,
      operation: change.op,
      change: JSON.stringify(wanted),
      code: refusal.code,
      column_name: refusal.column,
      message: refusal.message,
      group_id: refusal.group,
      occurred_at: to.now,
    }),
  );
}

async function takeBack(to: Applying, change: PushChange, raw: Raw): Promise<WantedChange> {
  const { table } = change;
  if (change.op === 'insert') {
    to.draft.destroy(table, raw.id);
    return { values: raw, base: {} };
  }
  if (change.op === 'delete') {
    const { seen = 0 } = readBase(raw)?.deletion ?? {};
    await undelete(to.draft, raw.id);
    const restored = (await to.draft.get(table, raw.id)) ?? { ...raw };
    if (restored._status === 'deleted') markClean(restored);
    to.draft.put(table, { ...restored, sync_error: 'delete refused' });
    return { values: {}, base: { seen } };
  }
  return takeBackColumns(to, change, raw, Object.keys(change.values ?? {}), 'change refused');
}

/** Takes these columns of a refused update back to what the server has. @returns what they were to become */
export function takeBackColumns(
  to: Applying,
  change: PushChange,
  raw: Raw,
  names: readonly string[],
  syncError: string | null,
): WantedChange {
  const { table } = change;
  const base = readBase(raw);
  const sent = toRaw(table, { ...change.values, id: change.id, workspace_id: change.workspace_id }, to.ids);
  const reverted: Raw = { ...raw };
  const left = { ...(base?.columns ?? {}) };
  const wanted: WantedChange = { values: {}, base: {} };
  for (const name of names) {
    const before = serverValue(base?.columns[name]);
    wanted.values[name] = sent[name] ?? null;
    wanted.base[name] = before;
    // A newer edit of the same column is a wish of its own; it keeps its base and is pushed by itself.
    if (!sameValue(table, name, raw[name] ?? null, sent[name] ?? null)) continue;
    reverted[name] = before;
    delete left[name];
  }
  reverted.sync_error = syncError;
  if (Object.keys(left).length === 0) Object.assign(reverted, base?.server ?? base?.stamps);
  const rest = { ...base, revision: base?.revision ?? Number(raw.revision), columns: left };
  if (raw._status === 'deleted') writeBase(reverted, { ...rest, groups: base?.groups ?? [] });
  else markEdited(table, reverted, { ...rest, groups: [] });
  to.draft.put(table, reverted);
  return wanted;
}

/**
 * Makes a refused change again, with those refused together with it, as new local edits.
 * @param unless where it says so of one of them, nothing is made again
 * @returns false when there is no such entry, when what it was to change is gone, or what it was to delete is
 *   not here while not all of its workspace is: the entry then stays
 */
export async function retryQuarantined(
  database: ConvoyDatabase,
  id: string,
  unless?: (database: ConvoyDatabase, entry: Quarantined) => Promise<boolean>,
): Promise<boolean> {
  return database.write(async () => {
    const entries = await groupOf(database, id);
    for (const entry of unless ? entries : []) if (await unless?.(database, entry)) return false;
    // Deletions first: what goes with one needs no other change.
    entries.sort((a, b) => Number(b.operation === 'delete') - Number(a.operation === 'delete'));
    const redone: (() => Model[])[] = [];
    const fresh = await freshIds(database, entries);
    for (const entry of entries) {
      const again = await redo(database, entry, fresh);
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
 * Changes what a refused change wants, before it is retried.
 * @param values columns as they travel; only those of the refused change (update) or record (insert)
 * @returns false when there is no such entry. Rejects with `validation/*` for values that cannot be.
 */
export async function editQuarantined(
  database: ConvoyDatabase,
  id: string,
  values: Record<string, Json>,
): Promise<boolean> {
  return database.write(async () => {
    const collection = database.get<Quarantined>(Quarantined.table as never);
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

/** Codes of refusals whose cause is who the user is; they come back to life with the permission. */
const FOR_LACK_OF_PERMISSION = ['forbidden', 'checkpoint'];

/**
 * Makes refused changes of a workspace again after the user's role in it has changed. What others have
 * changed meanwhile is not written over unseen: such a group waits for a person.
 * @returns how many groups of changes were made again
 */
export async function reviveQuarantined(database: ConvoyDatabase, workspaceId: string): Promise<number> {
  const collection = database.get<Quarantined>(Quarantined.table as never);
  const entries = await collection
    .query(Q.where('workspace_id', workspaceId), Q.where('code', Q.oneOf(FOR_LACK_OF_PERMISSION)))
    .fetch();
  const groups = new Map(entries.map((entry) => [entry.groupId, entry.id]));
  let revived = 0;
  for (const id of groups.values()) if (await retryQuarantined(database, id, isOvertaken)) revived += 1;
  return revived;
}

/** Whether others have changed what the change was to change since it was made. */
async function isOvertaken(database: ConvoyDatabase, entry: Quarantined): Promise<boolean> {
  const { recordTable: table, operation, change } = entry;
  const record = await existing(database, table, entry.recordId);
  if (!record) return false;
  if (operation === 'insert') return Object.keys(differing(entry, record)).length > 0;
  if (operation === 'update') {
    return Object.entries(change.base).some(
      ([name, before]) => !sameValue(table, name, record.raw[name] ?? null, before ?? null),
    );
  }
  const doomed = await withDescendants(database, table, record);
  return doomed.some(({ raw }) => Number(raw.revision) > Number(change.base.seen ?? 0));
}

/** Gives a refused change up, with those refused together with it. */
export async function discardQuarantined(database: ConvoyDatabase, id: string): Promise<boolean> {
  return database.write(async () => {
    const entries = await groupOf(database, id);
    const marked: ConvoyModel[] = [];
    for (const entry of entries) {
      const record = await existing(database, entry.recordTable, entry.recordId);
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
  const collection = database.get<Quarantined>(Quarantined.table as never);
  const [entry] = await collection.query(Q.where('id', id)).fetch();
  if (!entry) return [];
  return collection.query(Q.where('group_id', entry.groupId)).fetch();
}

async function existing(
  database: ConvoyDatabase,
  table: SyncedTable,
  id: string,
): Promise<ConvoyModel | null> {
  const [record] = await database.get<ConvoyModel>(table).query(Q.where('id', id)).fetch();
  return record ?? null;
}

/** Whether what is not here of a workspace is gone: not where it was left, nor while pages of it are to come. */
async function isWhole(database: ConvoyDatabase, workspaceId: string): Promise<boolean> {
  const members = database.get<ConvoyModel>('workspace_members');
  if ((await members.query(Q.where('workspace_id', workspaceId)).fetchCount()) === 0) return false;
  const scope = (await IdMappings.load(database)).toRemote(workspaceId);
  const cursors = database.get<ScopeCursor>(ScopeCursor.table as never);
  const [cursor] = await cursors.query(Q.where('id', scope)).fetch();
  return cursor?.paging?.target === undefined;
}

const isFree = (model: Model): boolean => model._preparedState === null;

/** @returns how to make the change again; null where the record to be changed is gone. */
async function redo(
  database: ConvoyDatabase,
  entry: Quarantined,
  fresh: ReadonlyMap<string, string>,
): Promise<(() => Model[]) | null> {
  const record = await existing(database, entry.recordTable, entry.recordId);
  if (entry.operation === 'insert' && !record) return () => [recreate(database, entry, fresh)];
  if (entry.operation === 'delete') {
    // Members of a deleted workspace stay members.
    if (!record && !(await isWhole(database, entry.workspaceId))) return null;
    const doomed = record ? await withDescendants(database, entry.recordTable, record) : [];
    return () => doomed.filter(isFree).map((model) => model.prepareMarkAsDeleted(record?.id));
  }
  if (!record) return null;
  const values = differing(entry, record);
  const update = () =>
    record.prepareUpdate((draft) => {
      for (const [name, value] of Object.entries(values)) draft._setRaw(name as never, value as never);
      draft._dangerouslySetRawWithoutMarkingColumnChange('sync_error' as never, null as never);
    });
  return () => (isFree(record) ? [update()] : []);
}

/** What the change wants otherwise than the record has it; that of a new record may have come to be here meanwhile. */
function differing({ recordTable: table, change }: Quarantined, record: ConvoyModel): Partial<Raw> {
  const wanted = Object.entries(change.values).filter(
    ([name, value]) =>
      trackedColumns(table).includes(name) &&
      !sameValue(table, name, record.raw[name] ?? null, value ?? null),
  );
  return Object.fromEntries(wanted);
}

/** Ids that are taken where this user may not look: their records are made again under new ones. */
async function freshIds(
  database: ConvoyDatabase,
  entries: readonly Quarantined[],
): Promise<Map<string, string>> {
  const fresh = new Map<string, string>();
  for (const { operation, code, recordTable, recordId } of entries) {
    if (operation !== 'insert' || code !== 'id_taken') continue;
    if (!(await existing(database, recordTable, recordId))) fresh.set(recordId, uuidv7());
  }
  return fresh;
}

function recreate(
  database: ConvoyDatabase,
  entry: Quarantined,
  fresh: ReadonlyMap<string, string>,
): ConvoyModel {
  const { values } = entry.change;
  const names = ['workspace_id', 'created_at', 'updated_at', ...trackedColumns(entry.recordTable)];
  if ('actor_id' in values) names.push('actor_id');
  return database.get<ConvoyModel>(entry.recordTable).prepareCreate((draft) => {
    for (const name of names) {
      // A column that came after the refusal has its default.
      const value = name in values ? (values[name] ?? null) : defaultOf(entry.recordTable, name);
      draft._setRaw(name as never, (fresh.get(String(value)) ?? value) as never);
    }
    draft.raw.id = fresh.get(entry.recordId) ?? entry.recordId;
  });
}
