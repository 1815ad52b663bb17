/** Changes the server refused: set aside whole, the server's value shown, until retried or discarded. */

import { v7 as uuidv7 } from 'uuid';
import type { PushChange } from '@/core/protocol';
import type { SyncedTable } from '@/core/schema';
import type { ConvoyDatabase } from '../database';
import { type ConvoyModel, Quarantined, type WantedChange } from '../models';
import { markClean, markEdited, readBase, serverValue, trackedColumns, writeBase } from '../models/tracking';
import { type Model, Q, type Raw } from '../models/watermelondb';
import type { Applying } from './applying';
import { sameValue, toRaw } from './codec';
import { undelete, withDescendants } from './deletion';

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
    await undelete(to.draft, raw.id);
    const restored = (await to.draft.get(table, raw.id)) ?? { ...raw };
    if (restored._status === 'deleted') markClean(restored);
    to.draft.put(table, { ...restored, sync_error: 'delete refused' });
    return { values: {}, base: {} };
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
  if (Object.keys(left).length === 0) Object.assign(reverted, base?.stamps);
  const rest = { revision: base?.revision ?? Number(raw.revision), columns: left, stamps: base?.stamps };
  if (raw._status === 'deleted')
    writeBase(reverted, { ...rest, groups: base?.groups ?? [], deletion: base?.deletion });
  else markEdited(reverted, { ...rest, groups: [] });
  to.draft.put(table, reverted);
  return wanted;
}

/**
 * Makes a refused change again, with those refused together with it, as new local edits.
 * @returns false when there is no such entry
 */
export async function retryQuarantined(database: ConvoyDatabase, id: string): Promise<boolean> {
  return database.write(async () => {
    const entries = await groupOf(database, id);
    const redone: (() => Model[])[] = [];
    for (const entry of entries) redone.push(await redo(database, entry));
    await database.batch([
      ...redone.flatMap((prepare) => prepare()),
      ...entries.map((entry) => entry.prepareDestroyPermanently()),
    ]);
    return entries.length > 0;
  }, 'quarantine: retry');
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

/** @returns how to make the change again; nothing where the record is not what it was. */
async function redo(database: ConvoyDatabase, entry: Quarantined): Promise<() => Model[]> {
  const record = await existing(database, entry.recordTable, entry.recordId);
  const { values } = entry.change;
  if (entry.operation === 'insert') {
    return () => (record ? [] : [recreate(database, entry)]);
  }
  if (!record) return () => [];
  if (entry.operation === 'delete') {
    const doomed = await withDescendants(database, entry.recordTable, record);
    return () => doomed.map((model) => model.prepareMarkAsDeleted(record.id));
  }
  return () => [
    record.prepareUpdate((draft) => {
      for (const [name, value] of Object.entries(values)) draft._setRaw(name as never, value as never);
      draft._dangerouslySetRawWithoutMarkingColumnChange('sync_error' as never, null as never);
    }),
  ];
}

function recreate(database: ConvoyDatabase, entry: Quarantined): ConvoyModel {
  const { values } = entry.change;
  const names = ['workspace_id', 'created_at', 'updated_at', ...trackedColumns(entry.recordTable)];
  if ('actor_id' in values) names.push('actor_id');
  return database.get<ConvoyModel>(entry.recordTable).prepareCreate((draft) => {
    for (const name of names) draft._setRaw(name as never, (values[name] ?? null) as never);
    draft.raw.id = entry.recordId;
  });
}
