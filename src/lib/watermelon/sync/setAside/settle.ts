/**
 * A person settles an open conflict, or reverses a settled one. Every settlement is an activity in the feed with all
 * that is needed to reverse it, so that every member sees it and may reverse it from any device (D10).
 */

import { ConvoyError } from '@/core/errors';
import type { Json } from '@/core/protocol';
import { sameJson } from '@/domain/changes';
import { columnsOf, type SyncedTable } from '@/domain/schema';
import { invalid, notFound, type RecordValues, validateChanges } from '@/domain/validation';
import { type ActivityFeed, Conflict, type ConvoyModel } from '../../models';
import { trackedColumns } from '../../models/tracking';
import { type Model, Q, type Raw } from '../../models/watermelondb';
import { toStored, toWire } from '../records/codec';
import { checkpointsPassed, editRefusal } from './editRights';
import {
  asSettled,
  type LedgerOwner,
  prepareSettledActivity,
  type SettledDetails,
  settledDetails,
} from './settledActivity';

export type Side = 'mine' | 'theirs';

/** Whose values a conflict is settled with; of a column that is not named, the one that it has. */
export type Settlement = Side | { values: Record<string, Json>; sides?: Record<string, Side> };

/**
 * Settles a conflict, or settles it anew: the chosen values are an edit of this user.
 * @returns false when there is no such entry, or its record is gone
 * Rejects with `validation/*` for values that the columns cannot have, and with `rejected/*` where the user may not
 * change the record.
 */
export async function settleConflict(owner: LedgerOwner, id: string, how: Settlement): Promise<boolean> {
  const { database } = owner;
  return database.write(async () => {
    const [entry] = await database.of(Conflict).query(Q.where('id', id)).fetch();
    if (entry?.kind !== 'columns') return false;
    const table = entry.recordTable;
    const record = await database.findRecord(table, entry.recordId);
    if (!record) return false;
    const values = chosenValues(owner, entry, how);
    await requirePermission(owner, record, table, values);
    const columns = Object.fromEntries(
      Object.entries(entry.columns).map(([name, column]) => [
        name,
        { ...column, chosen: values[name] ?? null, by: 'person' },
      ]),
    );
    const told = settledDetails(owner.ids, { table, recordId: record.id, columns });
    const settled = entry.prepareUpdate((draft) => {
      draft.state = 'settled';
      draft.columns = columns;
    });
    // Of an open conflict the record has their values; what was changed since stands.
    const edits = how === 'theirs' && entry.state === 'open' ? [] : edit(record, values);
    await database.batch([settled, ...edits, prepareSettledActivity(owner, record.workspaceId, told)]);
    return true;
  }, 'ledger: settle');
}

/**
 * Reverses a settlement of the feed, made on any device: every column takes the value that was not chosen, as an edit
 * of this user. What others wrote into the feed is data to check: it acts on the record that the activity is about and
 * nothing else, while the record has the values that the activity says were chosen.
 * @param confirmed the checkpoints that the person has confirmed to move the task past, one by one
 * Rejects with `validation/not_found` when the activity or its record is not here, with `validation/bad_value` when the
 * activity does not have the values, with `conflict` when the record was changed since, and with `rejected/*` where the
 * user may not change the record, or moves a task past a checkpoint that is not confirmed: each is asked for by itself
 * (`unconfirmed_checkpoint`, with its name as `column`).
 */
export async function reverseSettlement(
  owner: LedgerOwner,
  activityId: string,
  confirmed: readonly string[] = [],
): Promise<void> {
  const { database } = owner;
  await database.write(async () => {
    const found = await database.findRecord('activity_feed', activityId);
    const activity = found as unknown as ActivityFeed | null;
    if (activity?.activityType !== 'conflict_settled') throw missing('activity');
    const { details, record } = await settledRecord(owner, activity);
    const { table } = details;
    const changed = Object.keys(details.columns).filter(
      (name) => !sameJson(toWire(table, name, record.raw[name] ?? null, owner.ids), chosenOf(details, name)),
    );
    if (changed.length > 0) throw overtaken(changed);
    const reversed = Object.fromEntries(
      Object.entries(details.columns).map(([name, column]) => {
        const other = sameJson(column.chosen, column.local) ? column.remote : column.local;
        return [name, { ...column, chosen: other, by: 'person' }];
      }),
    );
    const wanted = Object.fromEntries(Object.entries(reversed).map(([name, { chosen }]) => [name, chosen]));
    const checked = validateChanges(table, wanted);
    if (!checked.ok) throw new ConvoyError(checked.error);
    const values = storedValues(owner, table, checked.value);
    await requirePermission(owner, record, table, values);
    await requireConfirmation(owner, record, table, values, confirmed);
    await database.batch([
      ...edit(record, values),
      prepareSettledActivity(owner, record.workspaceId, { ...details, columns: reversed }),
    ]);
  }, 'ledger: reverse');
}

/** @returns what an activity settled, on the record that it is about. */
async function settledRecord(
  { database, ids }: LedgerOwner,
  activity: ActivityFeed,
): Promise<{ details: SettledDetails; record: ConvoyModel }> {
  const details = asSettled(activity.details);
  if (!details) throw bad('This entry does not say what it settled. It cannot be reversed.');
  if (details.shortened) {
    throw bad('The values were too long for the feed. Reverse it on the device that settled it.');
  }
  const { taskId, entityType, entityId } = activity;
  const table = taskId === null ? entityType : 'tasks';
  const id = taskId ?? entityId ?? '';
  const isAboutIt = table === details.table && id === ids.toLocal(details.record_id);
  if (!isAboutIt || !mayBeReversed(details)) {
    throw bad('This entry tells of another record than the one it is about. It cannot be reversed.');
  }
  const record = await database.findRecord(details.table, id);
  if (!record || record.workspaceId !== activity.workspaceId) throw missing('record');
  return { details, record };
}

/** These decide where the checkpoints are: people change them where they see that. */
const NEVER_REVERSED: ReadonlySet<string> = new Set(['tasks.workflow_id', 'workflows.stages']);

/** Roles are given by people who manage members, and by nothing else; and only what people edit is reversed. */
function mayBeReversed({ table, columns }: SettledDetails): boolean {
  return (
    table !== 'workspace_members' &&
    Object.keys(columns).every(
      (name) => trackedColumns(table).includes(name) && !NEVER_REVERSED.has(`${table}.${name}`),
    )
  );
}

function chosenOf({ columns }: SettledDetails, name: string): Json {
  return columns[name]?.chosen ?? null;
}

function chosenValues(owner: LedgerOwner, entry: Conflict, how: Settlement): Partial<Raw> {
  const { recordTable: table, columns } = entry;
  if (typeof how === 'string') return valuesOf(entry, Object.keys(columns), how);
  const { values, sides = {} } = how;
  const foreign = Object.keys({ ...sides, ...values }).find((name) => !(name in columns));
  if (foreign)
    throw new ConvoyError(invalid('unknown_field', foreign, 'It is no column of this conflict.').error);
  const checked = validateChanges(table, values);
  if (!checked.ok) throw new ConvoyError(checked.error);
  const kept = Object.entries(columns).map(([name, { chosen }]) => [name, chosen]);
  const ofSides = Object.entries(sides).map(([name, side]) => valuesOf(entry, unitOf(entry, name), side));
  return Object.assign(Object.fromEntries(kept), ...ofSides, storedValues(owner, table, checked.value));
}

function valuesOf({ columns }: Conflict, names: readonly string[], side: Side): Partial<Raw> {
  const of = side === 'mine' ? 'local' : 'remote';
  return Object.fromEntries(names.map((name) => [name, columns[name]?.[of] ?? null]));
}

/** Columns that merge as one are chosen as one (U6). */
function unitOf({ recordTable, columns }: Conflict, name: string): string[] {
  const unit = columnsOf(recordTable)[name]?.unit;
  if (unit === undefined) return [name];
  return Object.keys(columns).filter((other) => columnsOf(recordTable)[other]?.unit === unit);
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

/** Throws the refusal that the server would answer the edit with. */
async function requirePermission(
  owner: LedgerOwner,
  record: ConvoyModel,
  table: SyncedTable,
  values: Partial<Raw>,
): Promise<void> {
  const refusal = await editRefusal(owner, record, table, values);
  if (refusal) throw new ConvoyError(refusal);
}

/** Throws `rejected/unconfirmed_checkpoint` for the first checkpoint that the person has not confirmed. */
async function requireConfirmation(
  owner: LedgerOwner,
  record: ConvoyModel,
  table: SyncedTable,
  values: Partial<Raw>,
  confirmed: readonly string[],
): Promise<void> {
  if (table !== 'tasks') return;
  const passed = await checkpointsPassed(owner, record, values);
  if (passed === null) throw missing('workflow');
  const checkpoint = passed.find((name) => !confirmed.includes(name));
  if (checkpoint === undefined) return;
  throw new ConvoyError({
    kind: 'rejected',
    code: 'unconfirmed_checkpoint',
    column: checkpoint,
    message: `This moves the task past the checkpoint ${checkpoint}. Look at the task, then confirm.`,
  });
}

const overtaken = (columns: string[]): ConvoyError =>
  new ConvoyError({
    kind: 'conflict',
    code: 'conflict',
    columns,
    message: 'The record was changed after this entry. Read it again, and change it there.',
  });
const missing = (noun: string): ConvoyError => new ConvoyError(notFound('id', noun).error);
const bad = (message: string): ConvoyError =>
  new ConvoyError({ kind: 'validation', code: 'bad_value', field: 'details', message });
