/**
 * What becomes of conflicts after the merge: a person settles an open one or reverses a settled one.
 * Every settlement is told in the feed with all that is needed to reverse it, so that everybody sees
 * it and anyone may reverse it from any device.
 */

import { ConvoyError } from '@/core/errors';
import type { Json } from '@/core/protocol';
import { jsonBytes } from '@/core/text';
import { sameJson } from '@/domain/changes';
import { isSyncedTable, type SyncedTable } from '@/domain/schema';
import { invalid, notFound, type RecordValues, validateChanges } from '@/domain/validation';
import type { ConvoyDatabase } from '../../database';
import { type ActivityFeed, Conflict, type ConflictColumn, type ConvoyModel } from '../../models';
import { trackedColumns } from '../../models/tracking';
import { type Model, Q, type Raw, type RawValue } from '../../models/watermelondb';
import type { IdMap } from '../idMapping';
import { canonicalJson, SAME_IDS, toStored, toWire } from '../records/codec';

/** Whose values a conflict is settled with. */
export type Settlement = 'mine' | 'theirs' | { values: Record<string, Json> };

/** What `conflict_settled` activities carry. Values are as they travel. */
export interface SettledDetails {
  table: SyncedTable;
  record_id: string;
  device_id: string;
  columns: Record<string, { base: Json; local: Json; remote: Json; chosen: Json; by: string }>;
  /** The values were too long for the feed; the device that settled it has them in its ledger. */
  shortened?: true;
}

export interface LedgerOwner {
  database: ConvoyDatabase;
  ids: IdMap;
  userId: string;
}

/** Leaves room for the rest of an activity within its limit of 64 KiB. */
const MOST_DETAIL_BYTES = 60_000;

/** @returns the content of the activity that tells of a settled conflict. */
export function settledDetails(
  ids: IdMap,
  entry: { table: SyncedTable; recordId: string; deviceId: string; columns: Record<string, ConflictColumn> },
): SettledDetails {
  const { table, recordId, deviceId, columns } = entry;
  const known = Object.entries(columns).filter(([name]) => trackedColumns(table).includes(name));
  const details: SettledDetails = {
    table,
    record_id: ids.toRemote(recordId),
    device_id: deviceId,
    columns: Object.fromEntries(
      known.map(([name, { base, local, remote, chosen, by }]) => {
        const wire = (value: RawValue) => toWire(table, name, value, ids);
        return [
          name,
          { base: wire(base), local: wire(local), remote: wire(remote), chosen: wire(chosen), by },
        ];
      }),
    ),
  };
  if (jsonBytes(details as unknown as Json) <= MOST_DETAIL_BYTES) return details;
  const empty = { base: null, local: null, remote: null, chosen: null };
  const shortened = known.map(([name, { by }]) => [name, { ...empty, by }]);
  return { ...details, columns: Object.fromEntries(shortened), shortened: true };
}

/** The activity of a settled conflict as a new record that is still to be pushed. */
export function prepareSettledActivity(
  owner: LedgerOwner,
  workspaceId: string,
  details: SettledDetails,
): ConvoyModel {
  const onTask = details.table === 'tasks';
  const recordId = owner.ids.toLocal(details.record_id);
  return owner.database.get<ConvoyModel>('activity_feed').prepareCreate((draft) => {
    const values: Record<string, RawValue> = {
      workspace_id: workspaceId,
      task_id: onTask ? recordId : null,
      entity_type: onTask ? null : details.table,
      entity_id: onTask ? null : recordId,
      actor_id: owner.userId,
      last_modified_by: owner.userId,
      activity_type: 'conflict_settled',
      details: canonicalJson(details as unknown as Json),
    };
    for (const [name, value] of Object.entries(values)) draft._setRaw(name as never, value as never);
  });
}

/**
 * Settles a conflict, or settles it anew: the record takes the chosen values as an edit of this user.
 * @returns false when there is no such entry, or its record is gone
 * Rejects with `validation/*` for values that the columns cannot have.
 */
export async function settleConflict(owner: LedgerOwner, id: string, how: Settlement): Promise<boolean> {
  const { database } = owner;
  return database.write(async () => {
    const [entry] = await database
      .get<Conflict>(Conflict.table as never)
      .query(Q.where('id', id))
      .fetch();
    if (entry?.kind !== 'columns') return false;
    const table = entry.recordTable;
    const record = await find(database, table, entry.recordId);
    if (!record) return false;
    const values = chosenValues(owner, table, entry.columns, how);
    const columns = Object.fromEntries(
      Object.entries(entry.columns).map(([name, column]) => [
        name,
        { ...column, chosen: values[name] ?? null, by: 'person' },
      ]),
    );
    const told = settledDetails(owner.ids, { table, recordId: record.id, deviceId: entry.deviceId, columns });
    const settled = entry.prepareUpdate((draft) => {
      draft.state = 'settled';
      draft.columns = columns;
    });
    await database.batch([
      settled,
      ...edit(record, values),
      prepareSettledActivity(owner, record.workspaceId, told),
    ]);
    return true;
  }, 'ledger: settle');
}

/**
 * Reverses a settlement that stands in the feed, made on whichever device: every column takes the
 * value that was not chosen, as an edit of this user.
 * Rejects with `validation/not_found` when the activity or its record is not here, and with
 * `validation/bad_value` when it does not carry what is needed.
 */
export async function reverseSettlement(owner: LedgerOwner, activityId: string): Promise<void> {
  const { database, ids } = owner;
  await database.write(async () => {
    const activity = (await find(database, 'activity_feed', activityId)) as unknown as ActivityFeed | null;
    const details = activity && asSettled(activity.details);
    if (activity?.activityType !== 'conflict_settled') throw missing('activity');
    if (!details) throw bad('This entry does not say what it settled. It cannot be reversed.');
    if (details.shortened) {
      throw bad('The values were too long for the feed. Reverse it on the device that settled it.');
    }
    const record = await find(database, details.table, ids.toLocal(details.record_id));
    if (!record) throw missing('record');
    const reversed = Object.fromEntries(
      Object.entries(details.columns).map(([name, column]) => {
        const other = sameJson(column.chosen, column.local) ? column.remote : column.local;
        return [name, { ...column, chosen: other, by: 'person' }];
      }),
    );
    const wanted = Object.fromEntries(Object.entries(reversed).map(([name, { chosen }]) => [name, chosen]));
    const checked = validateChanges(details.table, wanted);
    if (!checked.ok) throw new ConvoyError(checked.error);
    const values = storedValues(owner, details.table, checked.value);
    await database.batch([
      ...edit(record, values),
      prepareSettledActivity(owner, record.workspaceId, { ...details, columns: reversed }),
    ]);
  }, 'ledger: reverse');
}

/**
 * Whether values of a conflict are known to this device alone: it is open, its record is gone, or the
 * values were too long for the feed.
 */
export function isOnlyHere(entry: Conflict): boolean {
  switch (entry.kind) {
    case 'gone':
      return !Object.values(entry.columns).some(({ by }) => by === 'restored');
    case 'withdrawn':
      return true;
    // What went with the user's own deletion is not what they want to keep.
    case 'deleted':
    case 'deletion':
      return false;
    case 'columns': {
      if (entry.state === 'open') return true;
      const { recordTable: table, recordId, deviceId, columns } = entry;
      return settledDetails(SAME_IDS, { table, recordId, deviceId, columns }).shortened === true;
    }
  }
}

/**
 * Forgets what was lost with a record that is gone, or with a change that did not go through: it is in no export
 * then, and does not come back with its record.
 * @returns false when there is no such entry; edits that met are settled instead, while their record is here
 */
export async function discardLost(database: ConvoyDatabase, id: string): Promise<boolean> {
  return database.write(async () => {
    const entries = database.get<Conflict>(Conflict.table as never);
    const [entry] = await entries.query(Q.where('id', id)).fetch();
    if (!entry) return false;
    if (entry.kind === 'columns' && (await find(database, entry.recordTable, entry.recordId))) return false;
    await database.batch(entry.prepareDestroyPermanently());
    return true;
  }, 'ledger: discard');
}

async function find(database: ConvoyDatabase, table: SyncedTable, id: string): Promise<ConvoyModel | null> {
  const [record] = await database.get<ConvoyModel>(table).query(Q.where('id', id)).fetch();
  return record ?? null;
}

function chosenValues(
  owner: LedgerOwner,
  table: SyncedTable,
  columns: Record<string, ConflictColumn>,
  how: Settlement,
): Partial<Raw> {
  if (typeof how === 'string') {
    const side = how === 'mine' ? 'local' : 'remote';
    return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column[side]]));
  }
  const foreign = Object.keys(how.values).find((name) => !(name in columns));
  if (foreign)
    throw new ConvoyError(invalid('unknown_field', foreign, 'It is no column of this conflict.').error);
  const checked = validateChanges(table, how.values);
  if (!checked.ok) throw new ConvoyError(checked.error);
  const kept = Object.entries(columns).map(([name, { chosen }]) => [name, chosen]);
  return { ...Object.fromEntries(kept), ...storedValues(owner, table, checked.value) };
}

function storedValues(owner: LedgerOwner, table: SyncedTable, values: RecordValues): Partial<Raw> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, toStored(table, name, value, owner.ids)]),
  );
}

/** @returns the prepared edit, or nothing where the record has these values already. */
function edit(record: ConvoyModel, values: Partial<Raw>): Model[] {
  const differing = Object.entries(values).filter(([name, value]) => record.raw[name] !== value);
  if (differing.length === 0) return [];
  return [
    record.prepareUpdate((draft) => {
      for (const [name, value] of differing) draft._setRaw(name as never, value as never);
    }),
  ];
}

function asSettled(details: Json): SettledDetails | null {
  if (details === null || typeof details !== 'object' || Array.isArray(details)) return null;
  const { table, record_id, columns } = details;
  if (typeof table !== 'string' || !isSyncedTable(table) || typeof record_id !== 'string') return null;
  if (columns === null || typeof columns !== 'object' || Array.isArray(columns)) return null;
  const sides = Object.values(columns as Record<string, Json>);
  const complete = sides.every(
    (side) =>
      side !== null && typeof side === 'object' && 'local' in side && 'remote' in side && 'chosen' in side,
  );
  return complete && sides.length > 0 ? (details as unknown as SettledDetails) : null;
}

const missing = (noun: string): ConvoyError => new ConvoyError(notFound('id', noun).error);
const bad = (message: string): ConvoyError =>
  new ConvoyError({ kind: 'validation', code: 'bad_value', field: 'details', message });
