/** Conflicts that a push came back with: merge by policy, note in the ledger, push again or let go. */

import { validate as isUuid } from 'uuid';
import type { Json } from '@/core/protocol';
import { columnsOf, type SyncedTable } from '@/domain/schema';
import type { ConflictColumn } from '../../models';
import {
  markEdited,
  readBase,
  type SyncBase,
  serverValue,
  stampsOf,
  trackedColumns,
  writeBase,
} from '../../models/tracking';
import type { Raw, RawValue } from '../../models/watermelondb';
import { mergeRecord } from '../merge/mergeRecord';
import { withLocalEdits } from '../pull/applyRows';
import { deletedWith, restoreDeleted } from '../records/cascade';
import type { SyncedChange } from '../records/codec';
import { sameValue, toMoment, toRaw } from '../records/codec';
import { addConflict, keepInLedger } from '../setAside/ledger';
import { prepareSettledActivity, settledDetails } from '../setAside/settledActivity';
import { isApprovalOverAgent } from './approval';
import { parentColumns } from './blocked';
import type { PushContext } from './pushContext';

/**
 * Settles one record whose columns others had changed.
 * @param theirs the columns in conflict, with the time of the other edit
 * @returns the columns that this device still wants otherwise, to be pushed again
 */
export async function resolveConflict(
  context: PushContext,
  change: SyncedChange,
  local: Raw,
  row: Record<string, Json>,
  theirs: Record<string, string | null>,
): Promise<ReadonlySet<string>> {
  const { table } = change;
  const remote = toRaw(table, row, context.ids);
  const base = readBase(local) ?? { revision: 0, groups: [], columns: {} };
  const columns = editedColumns(context, change, local, remote, theirs);
  const names = Object.keys(columns);
  const pick = (value: (name: string) => RawValue) =>
    Object.fromEntries(names.map((name) => [name, value(name)]));
  const merged = mergeRecord({
    table,
    base: pick((name) => columns[name]?.value ?? null),
    local: pick((name) => local[name] ?? null),
    remote: pick((name) => remote[name] ?? null),
    policies: context.sync.policies[table],
    localTimes: Object.fromEntries(names.map((name) => [name, editTime(context, columns[name], base)])),
    remoteTimes: Object.fromEntries(
      names.map((name) => [name, theirs[name] ? toMoment(theirs[name]) : null]),
    ),
    approval:
      table === 'tasks' &&
      (await isApprovalOverAgent(context, columns.current_stage?.value ?? null, local, remote)),
  });

  const result: Raw = { ...remote };
  const left: SyncBase['columns'] = {};
  const ledger: Record<string, ConflictColumn> = {};
  for (const [name, { value, how, by }] of Object.entries(merged)) {
    const remoteValue = remote[name] ?? null;
    result[name] = value;
    if (value !== remoteValue) {
      const edit = columns[name];
      left[name] = { value: remoteValue, editedAt: edit?.editedAt ?? context.now, offset: edit?.offset ?? 0 };
    }
    if (how === 'conflict') {
      const side = { base: columns[name]?.value ?? null, local: local[name] ?? null, remote: remoteValue };
      ledger[name] = { ...side, chosen: value, by: by ?? 'remote' };
    }
  }
  if (Object.keys(ledger).length > 0) {
    const state = Object.values(ledger).some((column) => column.by === 'open') ? 'open' : 'settled';
    addConflict(context, { kind: 'columns', state, table, raw: local, columns: ledger });
    if (state === 'settled') addSettledConflict(context, table, local, ledger);
  }
  const stamps = stampsOf(remote);
  markEdited(table, result, {
    revision: Number(remote.revision),
    groups: base.groups,
    columns: left,
    stamps,
  });
  context.work.put(table, result);
  return new Set(Object.keys(left));
}

/**
 * The columns this device wants otherwise than the server has them. Those that were sent and taken
 * have the sent value as their base: an edit made meanwhile is no conflict with it (rule D4).
 */
function editedColumns(
  context: PushContext,
  change: SyncedChange,
  local: Raw,
  remote: Raw,
  theirs: Record<string, string | null>,
): SyncBase['columns'] {
  const { table, values = {} } = change;
  const base = readBase(local);
  const isTaken = (name: string) => name in values && !(name in theirs);
  if (change.op !== 'insert') {
    const edits = Object.entries(base?.columns ?? {});
    return Object.fromEntries(
      edits.map(([name, edit]) => [
        name,
        isTaken(name) ? { ...edit, value: sentValue(context, change, name) } : edit,
      ]),
    );
  }
  // An insert has no base; what was taken stands in for it.
  const created = base?.created ?? { editedAt: 0, offset: 0 };
  const differing = trackedColumns(table).filter(
    (name) => !sameValue(table, name, local[name] ?? null, remote[name] ?? null),
  ) as string[];
  return Object.fromEntries(
    differing.map((name) => [
      name,
      { value: isTaken(name) ? sentValue(context, change, name) : null, ...created },
    ]),
  );
}

function sentValue({ ids }: PushContext, change: SyncedChange, name: string): RawValue {
  const sent = { ...change.values, id: change.id, workspace_id: change.workspace_id };
  return toRaw(change.table, sent, ids)[name] ?? null;
}

/**
 * When a column was edited, in server time: never before the version it was based on, nor after now,
 * whatever the device's clock says.
 */
function editTime(
  context: PushContext,
  edit: SyncBase['columns'][string] | undefined,
  base: SyncBase,
): number | null {
  if (!edit) return null;
  const earliest = Number(base.stamps?.updated_at ?? 0);
  const now = Date.parse(context.answer.server_time);
  return Math.min(Math.max(edit.editedAt + edit.offset, earliest), now);
}

/** A settled conflict is told in the feed, so that everybody sees it and anyone may reverse it. */
function addSettledConflict(
  context: PushContext,
  table: SyncedTable,
  local: Raw,
  columns: Record<string, ConflictColumn>,
): void {
  const { database, ids, deviceId } = context;
  const details = settledDetails(ids, { table, recordId: local.id, deviceId, columns });
  if (Object.keys(details.columns).length === 0) return;
  const owner = { database, ids, userId: context.sync.userId };
  context.work.also(() => prepareSettledActivity(owner, local.workspace_id as string, details));
}

/** Others edited what was deleted here, unseen: the deletion is taken back, and stands in the ledger. */
export async function revertDeletion(
  context: PushContext,
  table: SyncedTable,
  root: Raw,
  row: Record<string, Json>,
): Promise<void> {
  addConflict(context, {
    kind: 'deletion',
    state: 'settled',
    table,
    raw: root,
    columns: { deleted_at: { base: null, local: context.now, remote: null, chosen: null, by: 'remote' } },
  });
  const deleted = await deletedWith(context.work, root.id);
  await restoreDeleted(context.work, root.id);
  const restored = (await context.work.get(table, root.id)) ?? root;
  context.work.put(table, withLocalEdits(table, toRaw(table, row, context.ids), restored));
  for (const { table: other, raw } of deleted) await revertMoveToGoneParent(context, other, raw);
  const seen = readBase(root)?.deletion?.seen;
  if (seen !== undefined) await lowerSeenOfAncestors(context, table, root.id, seen);
}

/** What came back was not there to be seen when a record above it was deleted after it: the news it comes with is not either. */
async function lowerSeenOfAncestors(
  context: PushContext,
  table: SyncedTable,
  id: string,
  seen: number,
  passed = new Set<string>(),
): Promise<void> {
  const raw = await context.work.get(table, id);
  if (!raw || passed.has(id)) return;
  passed.add(id);
  const parents = Object.entries(columnsOf(table)).filter(([, { parent }]) => parent === true);
  const above = parents.map(([name, column]) => [column.to as SyncedTable, raw[name]] as const);
  for (const [other, parent] of [...above, ['workspaces', raw.workspace_id] as const]) {
    const found = typeof parent === 'string' ? await context.work.get(other, parent) : null;
    const base = found && readBase(found);
    if (!found) continue;
    if (found._status === 'deleted' && base?.deletion && base.deletion.seen > seen) {
      writeBase(found, { ...base, deletion: { ...base.deletion, seen } });
      context.work.put(other, found);
    }
    await lowerSeenOfAncestors(context, other, found.id, seen, passed);
  }
}

/** Moved, before it was deleted, to what the server never saw and nobody will: it is where the server has it. */
async function revertMoveToGoneParent(context: PushContext, table: SyncedTable, deleted: Raw): Promise<void> {
  const raw = await context.work.get(table, deleted.id);
  // What went along with a record that is not here any more went with one that was never sent.
  const root = readBase(deleted)?.deletion?.root ?? deleted.id;
  const base = raw && readBase(raw);
  if (!base || raw._status !== 'updated') return;
  const place = parentColumns(table, Object.keys(base.columns));
  let isGone = false;
  for (const name of place) {
    const [column, parent] = [columnsOf(table)[name], raw[name]];
    if (!column?.parent || typeof parent !== 'string') continue;
    const isNew = root !== deleted.id || !isUuid(context.ids.toRemote(parent));
    isGone ||= isNew && !(await context.work.get(column.to as SyncedTable, parent));
  }
  if (!isGone) return;
  keepInLedger(context, table, raw, base, 'withdrawn', place);
  const back: Raw = { ...raw };
  const left = { ...base.columns };
  for (const name of place) {
    back[name] = serverValue(base.columns[name]);
    delete left[name];
  }
  if (Object.keys(left).length === 0) Object.assign(back, base.server ?? base.stamps);
  markEdited(table, back, { ...base, columns: left });
  context.work.put(table, back);
}
