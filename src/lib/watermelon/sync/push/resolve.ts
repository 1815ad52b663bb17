/** The conflicts of a push: columns merge by policy and go to the ledger, deletions are taken back. */

import type { Json, PushOutcome } from '@/core/protocol';
import { isUuid } from '@/core/text';
import { columnsOf, type SyncedTable } from '@/domain/schema';
import type { ConflictColumn } from '../../models';
import {
  dependingOn,
  type EditedColumn,
  expectedOfNew,
  markEdited,
  readBase,
  type SyncBase,
  serverValue,
  stampsOf,
  trackedColumns,
  writeBase,
} from '../../models/tracking';
import type { Raw, RawValue } from '../../models/watermelondb';
import { type MergedColumn, type MergeInput, mergeRecord } from '../merge/mergeRecord';
import { withLocalEdits } from '../pull/applyRows';
import { deletedWith, restoreDeleted } from '../records/cascade';
import type { SyncedChange } from '../records/codec';
import { sameValue, toMoment, toRaw } from '../records/codec';
import { addConflict, keepInLedger } from '../setAside/ledger';
import { prepareSettledActivity, settledDetails } from '../setAside/settledActivity';
import { approvalOf } from './approval';
import { parentColumns } from './blocked';
import type { PushContext } from './pushContext';

type ConflictOutcome = Extract<PushOutcome, { outcome: 'conflict' }>;

const NEVER_SEEN: SyncBase = { revision: 0, groups: [], columns: {} };

/**
 * Merges a record whose columns others had changed, and notes every conflict in the ledger.
 * @param row the record as the server has it
 * @param outcome the columns in conflict, with the time and the authors of the other edits
 * @returns the columns that still differ from the server, to be pushed again
 */
export async function resolveConflict(
  context: PushContext,
  change: SyncedChange,
  local: Raw,
  row: Record<string, Json>,
  { columns: theirs, authors, stale }: ConflictOutcome,
): Promise<ReadonlySet<string>> {
  const { table } = change;
  const remote = toRaw(table, row, context.ids);
  const edits = withOwnValues(
    table,
    editedColumns(context, change, { local, remote, theirs }),
    local,
    remote,
  );
  const own = ownValues(table, local, remote);
  const isStale = stale?.some((name) => !(name in own)) ?? false;
  const expectations = Object.entries(edits).map(([name, { expected }]) => {
    const isSent = name in (change.values ?? {});
    return [name, expected && (isSent && isStale ? 'stale' : 'unjudged')] as const;
  });
  const sides: Sides = {
    ...{ table, local, remote, theirs, authors },
    edits: dependingOn(edits, own),
    expectations: Object.fromEntries(expectations),
  };
  const merged = mergeRecord(await mergeInput(context, sides));
  addConflictOf(context, sides, merged);
  const unsynced = putMerged(context, sides, merged);
  return new Set(Object.keys(unsynced));
}

/** The sides of a merge. */
interface Sides {
  table: SyncedTable;
  local: Raw;
  remote: Raw;
  /** The columns that this device has edited. */
  edits: SyncBase['columns'];
  /** The columns in conflict, with the time of the other edit. */
  theirs: ConflictOutcome['columns'];
  /** The author of them, or of other columns of their units. */
  authors: ConflictOutcome['authors'];
  expectations: MergeInput['expectations'];
}

async function mergeInput(context: PushContext, sides: Sides): Promise<MergeInput> {
  const { table, local, remote, edits, theirs, authors, expectations } = sides;
  const base = readBase(local) ?? NEVER_SEEN;
  const pick = <T>(value: (name: string) => T) =>
    Object.fromEntries(Object.keys(edits).map((name) => [name, value(name)]));
  const baseStage = edits.current_stage?.value ?? null;
  return {
    table,
    base: pick((name) => edits[name]?.value ?? null),
    local: pick((name) => local[name] ?? null),
    remote: pick((name) => remote[name] ?? null),
    policies: context.sync.policies[table],
    localTimes: pick((name) => editTime(context, edits[name], base)),
    remoteTimes: pick((name) => (theirs[name] ? toMoment(theirs[name]) : null)),
    approval: table === 'tasks' ? await approvalOf(context, baseStage, local, authors) : null,
    expectations,
  };
}

/** Notes what was in conflict in the ledger, and in the feed where the policies have settled it (D10). */
function addConflictOf(
  context: PushContext,
  { table, local, remote, edits }: Sides,
  merged: Record<string, MergedColumn>,
): void {
  const columns: Record<string, ConflictColumn> = {};
  for (const [name, { value, how, by }] of Object.entries(merged)) {
    if (how !== 'conflict') continue;
    columns[name] = {
      base: edits[name]?.value ?? null,
      local: local[name] ?? null,
      remote: remote[name] ?? null,
      chosen: value,
      by: by ?? 'remote',
    };
  }
  if (Object.keys(columns).length === 0) return;
  const state = Object.values(columns).some(({ by }) => by === 'open') ? 'open' : 'settled';
  addConflict(context, { kind: 'columns', state, table, raw: local, columns });
  if (state === 'settled') addSettledConflict(context, table, local, columns);
}

/** The record takes the merged values. @returns those of its columns that are unsynced, on the server's value as base */
function putMerged(
  context: PushContext,
  { table, local, remote, edits }: Sides,
  merged: Record<string, MergedColumn>,
): SyncBase['columns'] {
  const result: Raw = { ...remote };
  const unsynced: SyncBase['columns'] = {};
  for (const [name, { value, how }] of Object.entries(merged)) {
    const remoteValue = remote[name] ?? null;
    result[name] = value;
    const { editedAt = context.now, offset = 0, group, repeats, expected } = edits[name] ?? {};
    if (value === remoteValue && !repeats) continue;
    unsynced[name] = { value: remoteValue, editedAt, offset, group, repeats };
    // It is still to be judged by what it depends on.
    if (expected && how === 'local') unsynced[name] = { ...unsynced[name], expected } as EditedColumn;
  }
  const { groups, apart } = readBase(local) ?? NEVER_SEEN;
  const revision = Number(remote.revision);
  markEdited(table, result, { revision, groups, apart, columns: unsynced, stamps: stampsOf(remote) });
  context.work.put(table, result);
  return unsynced;
}

/**
 * @returns the columns that this device has edited. Columns that were sent and written have the sent value as
 * their base: an edit made while the batch was in flight is no conflict with it (rule D4).
 */
function editedColumns(
  context: PushContext,
  change: SyncedChange,
  { local, remote, theirs }: Pick<Sides, 'local' | 'remote' | 'theirs'>,
): SyncBase['columns'] {
  const { table, values = {} } = change;
  const base = readBase(local);
  const isWritten = (name: string) => name in values && !(name in theirs);
  if (change.op !== 'insert') {
    const edits = Object.entries(base?.columns ?? {});
    return Object.fromEntries(
      edits.map(([name, edit]) => [
        name,
        isWritten(name) ? { ...edit, value: sentValue(context, change, name) } : edit,
      ]),
    );
  }
  // An insert has no base: the values that the server wrote of it stand in. Once its row was pulled, a new record has
  // edits as any other, and a value that is as it was pulled is none.
  const created = base?.created ?? { editedAt: 0, offset: 0 };
  const candidates = local._status === 'created' ? trackedColumns(table) : Object.keys(base?.columns ?? {});
  const differing = candidates.filter(
    (name) => !sameValue(table, name, local[name] ?? null, remote[name] ?? null),
  );
  const inserted = (name: string) =>
    base?.sent ? (base.sent[name] ?? null) : sentValue(context, change, name);
  return Object.fromEntries(
    differing.map((name) => {
      const value = isWritten(name) ? sentValue(context, change, name) : (base?.sent?.[name] ?? null);
      const expected = local._status === 'created' ? expectedOfNew(base, name, inserted) : {};
      return [name, { ...created, ...base?.columns[name], ...expected, value }];
    }),
  );
}

/** Where the server has a value that this device sent before, in a batch whose answer it never heard, the edit is based on it. */
function withOwnValues(
  table: SyncedTable,
  edits: SyncBase['columns'],
  local: Raw,
  remote: Raw,
): SyncBase['columns'] {
  const own = ownValues(table, local, remote);
  return Object.fromEntries(
    Object.entries(edits).map(([name, edit]) => [
      name,
      name in own ? { ...edit, value: own[name] ?? null } : edit,
    ]),
  );
}

/** @returns the values of the server that this device sent itself, in a batch whose answer it never heard. */
function ownValues(table: SyncedTable, local: Raw, remote: Raw): Record<string, RawValue> {
  const sent = Object.entries(readBase(local)?.sent ?? {});
  return Object.fromEntries(
    sent.filter(([name, value]) => sameValue(table, name, value, remote[name] ?? null)),
  );
}

function sentValue({ ids }: PushContext, change: SyncedChange, name: string): RawValue {
  const sent = { ...change.values, id: change.id, workspace_id: change.workspace_id };
  return toRaw(change.table, sent, ids)[name] ?? null;
}

/**
 * @returns when a column was edited, server time in ms: not before the version that the edit was based on, nor after
 * now, whatever the device's clock said (D12); null for a column without an edit.
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

/** Tells of a settled conflict in the feed, so that every member sees it and any of them may reverse it. */
function addSettledConflict(
  context: PushContext,
  table: SyncedTable,
  local: Raw,
  columns: Record<string, ConflictColumn>,
): void {
  const { database, ids } = context;
  const details = settledDetails(ids, { table, recordId: local.id, columns });
  if (Object.keys(details.columns).length === 0) return;
  const owner = { database, ids, userId: context.sync.userId };
  context.work.also(() => prepareSettledActivity(owner, local.workspace_id as string, details));
}

/**
 * Takes back a deletion whose record others had edited without this device having seen it (U8); it is noted in the ledger.
 * @param row the record as the server has it
 */
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

/**
 * A record that comes back was already deleted here when its ancestors were, so their deletions never saw its newer
 * changes. Lowers their `seen` to match (U8).
 */
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

/**
 * Undoes the move of a record that was moved under a parent which was never pushed, and deleted there: the server
 * will never have that parent. The move stays in the ledger.
 */
async function revertMoveToGoneParent(context: PushContext, table: SyncedTable, deleted: Raw): Promise<void> {
  const raw = await context.work.get(table, deleted.id);
  // Where the record was deleted along with another one, a parent that is no longer here was never pushed.
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
  keepInLedger(context, { table, raw, base, kind: 'withdrawn', only: place });
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
