/**
 * A person settles an open conflict, or reverses a settled one. Every settlement is an activity in the feed with all
 * that is needed to reverse it, so that every member sees it and may reverse it from any device (D10).
 */

import { ConvoyError } from '@/core/errors';
import type { Json } from '@/core/protocol';
import { sameJson } from '@/domain/changes';
import type { SyncedTable } from '@/domain/schema';
import { invalid, notFound, type RecordValues, validateChanges } from '@/domain/validation';
import { type ActivityFeed, Conflict, type ConflictColumn, type ConvoyModel } from '../../models';
import { type Model, Q, type Raw } from '../../models/watermelondb';
import { toStored } from '../records/codec';
import { asSettled, type LedgerOwner, prepareSettledActivity, settledDetails } from './settledActivity';

/** Whose values a conflict is settled with. */
export type Settlement = 'mine' | 'theirs' | { values: Record<string, Json> };

/**
 * Settles a conflict, or settles it anew: the chosen values are an edit of this user.
 * @returns false when there is no such entry, or its record is gone
 * Rejects with `validation/*` for values that the columns cannot have.
 */
export async function settleConflict(owner: LedgerOwner, id: string, how: Settlement): Promise<boolean> {
  const { database } = owner;
  return database.write(async () => {
    const [entry] = await database.of(Conflict).query(Q.where('id', id)).fetch();
    if (entry?.kind !== 'columns') return false;
    const table = entry.recordTable;
    const record = await database.findRecord(table, entry.recordId);
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
 * Reverses a settlement of the feed, made on any device: every column takes the value that was not chosen, as an edit
 * of this user. Rejects with `validation/not_found` when the activity or its record is not here, and with
 * `validation/bad_value` when the activity does not have the values.
 */
export async function reverseSettlement(owner: LedgerOwner, activityId: string): Promise<void> {
  const { database, ids } = owner;
  await database.write(async () => {
    const activity = (await database.findRecord(
      'activity_feed',
      activityId,
    )) as unknown as ActivityFeed | null;
    const details = activity && asSettled(activity.details);
    if (activity?.activityType !== 'conflict_settled') throw missing('activity');
    if (!details) throw bad('This entry does not say what it settled. It cannot be reversed.');
    if (details.shortened) {
      throw bad('The values were too long for the feed. Reverse it on the device that settled it.');
    }
    const record = await database.findRecord(details.table, ids.toLocal(details.record_id));
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

/** @returns the prepared edit; none where the record has these values already. */
function edit(record: ConvoyModel, values: Partial<Raw>): Model[] {
  const differing = Object.entries(values).filter(([name, value]) => record.raw[name] !== value);
  if (differing.length === 0) return [];
  return [
    record.prepareUpdate((draft) => {
      for (const [name, value] of differing) draft.setColumn(name, value ?? null);
    }),
  ];
}

const missing = (noun: string): ConvoyError => new ConvoyError(notFound('id', noun).error);
const bad = (message: string): ConvoyError =>
  new ConvoyError({ kind: 'validation', code: 'bad_value', field: 'details', message });
