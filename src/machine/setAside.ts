/** Conflicts, refused changes and the archive of a device, with their records by name; for people at terminals and for JSON. */

import { columnsOf, RECORD_NOUNS, type SyncedTable } from '@/domain/schema';
import {
  ARCHIVE_REASONS,
  CHANGE_VERBS,
  CONFLICT_KINDS,
  type SetAsideValues,
  type StoredValue,
  shownColumns,
} from '@/domain/setAsideText';
import type { Device } from '@/lib/watermelon/device/device';
import type { Archived, Conflict, Quarantined } from '@/lib/watermelon/models';
import { culpritOf, isOnlyHere, readSetAside } from '@/lib/watermelon/sync';
import { MachineFailure } from './errors';
import { shortId } from './records';

/** An entry of a list. */
interface Numbered {
  /** From 1, the oldest first; another one once what is before it is settled. */
  number: number;
  /** Names it for good. */
  short_id: string;
}

/** What a record is called. */
export interface RecordName {
  table: SyncedTable;
  /** What it is: a task, a milestone. */
  noun: string;
  id: string;
  /** Of a task that the server knows. */
  key: string | null;
  /** null: it has none, or it is gone and was not kept. */
  title: string | null;
}

export interface ListedField {
  name: string;
  before: unknown;
  mine: unknown;
  theirs: unknown;
  chosen: unknown;
  /** Whether a person has to choose. */
  open: boolean;
}

export interface ListedConflict extends RecordName, Numbered {
  conflict_id: string;
  /** One sentence, without the record's name. */
  what: string;
  /** Whether `settle` can choose its values; the values of others can be discarded. */
  open: boolean;
  occurred_at: string;
  fields: ListedField[];
}

export interface ListedChange extends RecordName {
  operation: SetAsideValues['operation'];
  verb: string;
  fields: { name: string; before?: unknown; wanted: unknown }[];
}

export interface ListedGroup extends Numbered {
  /** Of the change that was refused for a reason of its own. */
  change_id: string;
  /** `refused`: can be retried; `archived`: is kept until it is discarded. */
  state: 'refused' | 'archived';
  code: string;
  /** The column that the refusal is about. */
  field: string | null;
  message: string;
  occurred_at: string;
  changes: ListedChange[];
  /** Every change of the group, for `discard`. */
  ids: string[];
}

/** @returns the conflicts that are open, oldest first; then, as old ones first, entries whose values are nowhere but here */
export async function conflictsOf(device: Device): Promise<ListedConflict[]> {
  const { conflicts } = await readSetAside(device.database);
  const entries = conflicts.reverse();
  const waiting = [
    ...entries.filter(isOpen),
    ...entries.filter((entry) => !isOpen(entry) && isOnlyHere(entry)),
  ];
  return Promise.all(waiting.map((entry, index) => listedConflict(device, entry, index + 1)));
}

const isOpen = ({ kind, state }: Conflict) => kind === 'columns' && state === 'open';

async function listedConflict(device: Device, entry: Conflict, number: number): Promise<ListedConflict> {
  const { recordTable: table, columns } = entry;
  const known = Object.fromEntries(
    Object.entries(columns).map(([name, { chosen, local }]) => [name, chosen ?? local]),
  );
  return {
    number,
    short_id: shortId(entry.id),
    conflict_id: entry.id,
    ...(await nameOf(device, table, entry.recordId, known)),
    what: CONFLICT_KINDS[entry.kind],
    open: isOpen(entry),
    occurred_at: entry.occurredAt.toISOString(),
    fields: Object.entries(columns).map(([name, { base, local, remote, chosen, by }]) => ({
      name,
      before: plain(table, name, base),
      mine: plain(table, name, local),
      theirs: plain(table, name, remote),
      chosen: plain(table, name, chosen),
      open: by === 'open',
    })),
  };
}

/** @returns refused changes, then the archive, each oldest first, in the groups that are retried and discarded together */
export async function refusedOf(device: Device): Promise<ListedGroup[]> {
  const { refused, archived } = await readSetAside(device.database);
  const groups = [
    ...refused.reverse().map((group) => refusedGroup(device, group)),
    ...archived.reverse().map((group) => archivedGroup(device, group)),
  ];
  return (await Promise.all(groups)).map((group, index) => ({ number: index + 1, ...group }));
}

async function refusedGroup(
  device: Device,
  group: readonly Quarantined[],
): Promise<Omit<ListedGroup, 'number'>> {
  const culprit = culpritOf(group) as Quarantined;
  return {
    short_id: shortId(culprit.id),
    change_id: culprit.id,
    state: 'refused',
    code: culprit.code,
    field: culprit.column,
    message: culprit.message,
    occurred_at: culprit.occurredAt.toISOString(),
    changes: await Promise.all(group.map((entry) => listedChange(device, entry, entry.change))),
    ids: group.map(({ id }) => id),
  };
}

async function archivedGroup(
  device: Device,
  group: readonly Archived[],
): Promise<Omit<ListedGroup, 'number'>> {
  const [first] = group as [Archived];
  return {
    short_id: shortId(first.id),
    change_id: first.id,
    state: 'archived',
    code: first.reason,
    field: null,
    message: ARCHIVE_REASONS[first.reason],
    occurred_at: first.occurredAt.toISOString(),
    changes: await Promise.all(
      group.map((entry) => listedChange(device, entry, { values: entry.values, base: {} })),
    ),
    ids: group.map(({ id }) => id),
  };
}

async function listedChange(
  device: Device,
  { recordTable: table, recordId, operation }: Pick<Archived, 'recordTable' | 'recordId' | 'operation'>,
  { values, base }: Pick<SetAsideValues, 'values' | 'base'>,
): Promise<ListedChange> {
  return {
    ...(await nameOf(device, table, recordId, values)),
    operation,
    verb: CHANGE_VERBS[operation],
    fields: shownColumns({ table, operation, values, base }).map(({ column, wanted, before }) => ({
      name: column,
      ...(before !== undefined && { before: plain(table, column, before) }),
      wanted: plain(table, column, wanted),
    })),
  };
}

/** @param known stored values of the record, for when it is gone */
async function nameOf(
  device: Device,
  table: SyncedTable,
  id: string,
  known: Readonly<Record<string, unknown>>,
): Promise<RecordName> {
  const record = await device.database.findRecord(table, id);
  const values: Readonly<Record<string, unknown>> = record ? { ...record.raw } : known;
  const named = { table, noun: RECORD_NOUNS[table], id };
  if (table === 'tasks') {
    const task = await device.contextService.getLocalTask(id);
    return { ...named, key: task?.key ?? null, title: task?.title ?? textIn(values.title) };
  }
  if (table === 'task_dependencies') {
    const ends = [values.task_id, values.depends_on_task_id].map((end) =>
      device.contextService.getLocalTask(String(end)),
    );
    const [task, on] = await Promise.all(ends);
    const title = task && on ? `${task.key ?? task.title} waits for ${on.key ?? on.title}` : null;
    return { ...named, key: null, title };
  }
  const { name, display_name: member, activity_type: activity } = values;
  return { ...named, key: null, title: textIn(name) ?? textIn(member) ?? textIn(activity) };
}

const textIn = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** A stored value as the Context Service spells it: times as ISO 8601, JSON as values. */
function plain(table: SyncedTable, column: string, value: StoredValue): unknown {
  if (value === null || value === undefined) return null;
  const kind = columnsOf(table)[column]?.kind;
  if (kind === 'time') return new Date(Number(value)).toISOString();
  if (kind !== 'json' || typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    // An earlier version may have stored it otherwise.
    return value;
  }
}

/**
 * @param reference the number in the list, the short id, the id, or the key of a task that one entry alone is about
 * @param namesOf the id and the keys by which an entry may be named
 * @throws MachineFailure `not_found`, `ambiguous`
 */
export function entryNamed<T extends Numbered>(
  noun: string,
  listed: readonly T[],
  reference: string,
  namesOf: (entry: T) => readonly (string | null)[],
): T {
  const wanted = reference.trim().toLowerCase();
  const fits = listed.filter(
    (entry) =>
      [String(entry.number), entry.short_id].includes(wanted) ||
      namesOf(entry).some((name) => name?.toLowerCase() === wanted),
  );
  const [only, another] = fits;
  if (only && !another) return only;
  const known = (only ? fits : listed).map(({ short_id }) => short_id).join(', ');
  const message = only
    ? `Several ${noun}s are about "${reference}". Name one by its id: ${known}.`
    : known === ''
      ? `There is no ${noun} on this machine.`
      : `There is no ${noun} "${reference}". Name one by its id: ${known}.`;
  throw new MachineFailure({ kind: 'machine', code: only ? 'ambiguous' : 'not_found', message });
}
