/** Acknowledges changes that the server has taken: their records are in step, but for edits made while in flight. */

import { isUuid } from '@/core/text';
import type { SyncedTable } from '@/domain/schema';
import {
  dependingOn,
  expectedOfNew,
  markEdited,
  readBase,
  type SyncBase,
  serverValue,
  trackedColumns,
  writeBase,
} from '../../models/tracking';
import type { Raw } from '../../models/watermelondb';
import { recordsNaming } from '../idMapping';
import { withLocalEdits } from '../pull/applyRows';
import { deletedWith, restoreRecord, standingUnder } from '../records/cascade';
import type { SyncedChange } from '../records/codec';
import { defaultOf, sameValue, toRaw, toStored } from '../records/codec';
import { keepInLedger } from '../setAside/ledger';
import type { PushContext } from './pushContext';

/**
 * Acknowledges an insert or update. Each column is compared with the value that was sent: a column edited while the
 * batch was in flight stays unsynced, with the sent value as its base (rule D4).
 * @param current the record as it is now
 * @param at the revision that the server gave the row, and the one up to which this device has seen the row then
 */
export function acknowledge(
  context: PushContext,
  change: SyncedChange,
  current: Raw,
  at: Acknowledged,
): void {
  const { table } = change;
  const row = context.rows.get(change.id);
  if (row) {
    const pending = stillEdited(context, change, current, at, true);
    context.work.put(table, withLocalEdits(table, toRaw(table, row, context.ids), pending));
    return;
  }
  const raw = stillEdited(context, change, current, at);
  const serverTime = Date.parse(context.answer.server_time);
  raw.remote_id = change.id;
  if (wasPulledSince(current, at)) {
    // The answer came late: the record has the row of that revision, or a newer one, already (U2).
    const { server, stamps } = readBase(current) ?? {};
    Object.assign(raw, { ...(server ?? stamps), sync_error: null });
    context.work.put(table, raw);
    return;
  }
  takeKey(raw, at.key);
  raw.revision = at.seen;
  const stamps = hasWritten(context, change, at) ? null : readBase(current)?.stamps;
  Object.assign(raw, stamps ?? { updated_at: serverTime, last_modified_by: context.answer.user_id });
  raw.sync_error = null;
  if (change.op === 'insert') {
    const created = change.edited_at?.created_at;
    raw.created_at = created ? Math.min(Date.parse(created), serverTime) : serverTime;
    if ('actor_id' in raw) raw.actor_id = context.answer.user_id;
  }
  context.work.put(table, raw);
}

/** A change to values that the server already had wrote nothing there, and leaves the stamps. */
function hasWritten({ answer }: PushContext, { workspace_id }: SyncedChange, at: Acknowledged): boolean {
  return answer.revisions[workspace_id]?.revision === at.seen;
}

interface Acknowledged {
  revision: number;
  seen: number;
  /** The key that the server gave the record; absent where it gave none. */
  key: string | undefined;
}

/** Stores the key that the server gave. One that was edited while the batch was in flight stays, and has this one as its base. */
function takeKey(raw: Raw, key: string | undefined): void {
  if (key === undefined) return;
  const base = readBase(raw);
  const edit = base?.columns.key;
  if (base && edit) writeBase(raw, { ...base, columns: { ...base.columns, key: { ...edit, value: key } } });
  else raw.key = key;
}

/** @returns whether a row at this revision or above was pulled before the answer that tells of it was heard. */
function wasPulledSince(current: Raw, { revision }: Acknowledged): boolean {
  return current._status !== 'created' && Number(current.revision) >= revision;
}

/**
 * @param merged others had changed the record too, which edits made in flight have not seen
 * @returns the record with only those edits left that were made after the change was sent
 */
function stillEdited(
  context: PushContext,
  change: SyncedChange,
  current: Raw,
  at: Acknowledged,
  merged = false,
): Raw {
  const raw: Raw = { ...current, remote_id: change.id };
  const base = readBase(current);
  const isPulled = wasPulledSince(current, at);
  const { columns, unsent } = editsSinceSent(context, change, current, isPulled);
  // Activities that tell of the change are left: it is sent once more with them (D35).
  if (base?.cut !== undefined) repeatSent(context, change, current, base, columns);
  for (const [name, edit] of Object.entries(isPulled && base ? base.columns : {})) {
    if (!(name in columns)) raw[name] = serverValue(edit);
  }
  const { server_time, user_id } = context.answer;
  const written = { updated_at: Date.parse(server_time), last_modified_by: user_id };
  const stamps = hasWritten(context, change, at) ? written : (base?.stamps ?? written);
  // A column that was not sent was edited on an older version: the server has to compare it from there.
  const editedOn = merged && unsent && base ? base.revision : at.seen;
  const left = {
    revision: editedOn,
    groups: change.op === 'insert' ? [] : (base?.groups ?? []),
    columns,
    apart: base?.apart,
    stamps,
    server: isPulled ? base?.server : undefined,
  };
  if (current._status === 'deleted' && base?.deletion) {
    // Deleted while in flight: the deletion is still to be pushed. It does not conflict with the revision of this
    // push, and what it had not seen before, it has not seen now.
    writeBase(raw, { ...left, deletion: base.deletion });
  } else markEdited(change.table, raw, left);
  return raw;
}

/** Keeps what was sent as edits that change nothing: of a new task its stage, which all of its activities may tell of. */
function repeatSent(
  { now, sync }: PushContext,
  { op, table, values = {} }: SyncedChange,
  current: Raw,
  base: SyncBase,
  columns: SyncBase['columns'],
): void {
  const ofNew = { editedAt: now, offset: sync.clock.offset(), ...base.created };
  const names = op === 'insert' ? (table === 'tasks' ? ['current_stage'] : []) : Object.keys(values);
  for (const name of names) {
    const repeated = { value: current[name] ?? null, repeats: true, expected: undefined };
    columns[name] ??= { ...ofNew, ...base.columns[name], ...repeated };
  }
}

/** @returns the columns edited after the change was sent, and whether one of them was not sent at all. */
function editsSinceSent(
  context: PushContext,
  change: SyncedChange,
  current: Raw,
  isPulled: boolean,
): { columns: SyncBase['columns']; unsent: boolean } {
  const base = readBase(current);
  const values = change.values ?? {};
  const columns: SyncBase['columns'] = {};
  // Once its row was pulled, a new record has edits as any other.
  const isNew = change.op === 'insert' && current._status !== 'updated' && !isPulled;
  let unsent = false;
  const sentValueOf = (name: string) =>
    name in values
      ? toStored(change.table, name, values[name] ?? null, context.ids)
      : defaultOf(change.table, name);
  const compared = isNew ? trackedColumns(change.table) : Object.keys(base?.columns ?? {});
  for (const name of compared) {
    // An insert sends every column: those it does not name are empty, or have their default.
    const wasSent = change.op === 'insert' || name in values;
    const edit = base?.columns[name];
    const sentValue = sentValueOf(name);
    if (!wasSent) {
      if (edit) columns[name] = edit;
      unsent = true;
    } else if (!sameValue(change.table, name, current[name] ?? null, sentValue)) {
      columns[name] = {
        value: sentValue,
        editedAt: edit?.editedAt ?? context.now,
        offset: edit?.offset ?? context.sync.clock.offset(),
        group: edit?.group,
        ...(edit?.server !== undefined && { server: edit.server }),
        ...(isNew ? expectedOfNew(base, name, sentValueOf) : edit?.expected && { expected: edit.expected }),
      };
    }
  }
  const written = change.op === 'insert' ? trackedColumns(change.table) : Object.keys(values);
  const taken = written.map((name) => [name, sentValueOf(name)] as const);
  return { columns: dependingOn(columns, Object.fromEntries(taken)), unsent };
}

/** The server has the same record under another id: that one replaces the local one, wherever it is named (U10, U17). */
export async function replaceDuplicate(
  context: PushContext,
  table: SyncedTable,
  id: string,
  remoteId: string,
): Promise<void> {
  const target = context.ids.toLocal(remoteId);
  context.work.destroy(table, id);
  if (target === id) return;
  for (const reference of await recordsNaming(context.database, table, id)) {
    const raw = (await context.work.get(reference.table, reference.raw.id)) ?? { ...reference.raw };
    context.work.put(reference.table, { ...raw, [reference.column]: target });
  }
  // An id of WatermelonDB's own kind is not mapped again: the other record would be stored under it when pulled.
  if (isUuid(id)) context.work.also(() => context.ids.prepare(table, id, remoteId));
}

/** The duplicate was deleted here while its insert was in flight: the deletion is pushed for the record that replaces it. */
export function deleteTwin(context: PushContext, table: SyncedTable, deleted: Raw, remoteId: string): void {
  const row = context.rows.get(remoteId);
  if (!row) return;
  const twin: Raw = { ...toRaw(table, row, context.ids), _status: 'deleted' };
  const revision = Number(twin.revision);
  const groups = readBase(deleted)?.groups ?? [];
  writeBase(twin, { revision, groups, columns: {}, deletion: { root: twin.id, seen: revision } });
  context.work.put(table, twin);
}

/**
 * Acknowledges the deletion of `root`: records that it took along here and on the server are removed. Records that the
 * server kept, because others had moved them elsewhere, come back.
 */
export async function destroyDeleted(context: PushContext, root: string): Promise<void> {
  const { work, cascaded } = context;
  const deleted = await deletedWith(work, root);
  const waiting = takenInSteps(context, root, deleted);
  for (const { table, raw } of deleted) {
    const isGone = readBase(raw)?.deletion?.gone === true;
    const isTaken = cascaded.has(raw.id) || waiting.has(raw.id);
    if (raw.id === root || raw.remote_id === null || isGone || isTaken) {
      work.destroy(table, raw.id);
      // The server does not have these edits: they are reapplied should the deletion be restored (D13).
      const base = readBase(raw);
      const isUnsynced = raw.remote_id === null || Object.keys(base?.columns ?? {}).length > 0;
      if (base && isUnsynced) keepInLedger(context, { table, raw, base, kind: 'deleted' });
    } else restoreRecord(work, table, raw);
  }
}

/**
 * @returns the ids of the records that a deletion which goes on in steps will take along (U44): those that stand under its
 * record. Not those that others have moved, nor what stands under them, which is pulled; nor those that were pulled since
 * the push, and are back already.
 */
function takenInSteps(
  { answer, ids }: PushContext,
  root: string,
  deleted: readonly { table: SyncedTable; raw: Raw }[],
): ReadonlySet<string> {
  if (!answer.unfinished?.length) return new Set();
  const moved = new Set(answer.moved?.map((id) => ids.toLocal(id)));
  const below = standingUnder(
    root,
    deleted.filter(({ raw }) => !moved.has(raw.id)),
  );
  const isBack = ({ raw }: { raw: Raw }) => {
    const made = answer.revisions[ids.toRemote(raw.workspace_id as string)];
    return made === undefined || Number(raw.revision) > made.revision;
  };
  return new Set(deleted.flatMap((item) => (below.has(item.raw.id) && !isBack(item) ? [item.raw.id] : [])));
}
