/** Outcomes of a push → local records. One local transaction for a whole answer. */

import { validate as isUuid } from 'uuid';
import type { SyncError } from '@/core/errors';
import {
  type Columns,
  type Json,
  type PushAnswer,
  type PushChange,
  type PushOutcome,
  type PushRequest,
  SCHEMA_VERSION,
} from '@/core/protocol';
import { columnsOf, type SyncedTable } from '@/core/schema';
import {
  type Deleted,
  markEdited,
  readBase,
  type SyncBase,
  trackedColumns,
  writeBase,
} from '../models/tracking';
import type { Raw } from '../models/watermelondb';
import type { Applying, Settling } from './applying';
import { applyPage, applyTombstone, keepInLedger, keepingEdits } from './applyRows';
import { rowsOf, sameValue, toRaw } from './codec';
import { destroyDeleted } from './deletion';
import { Draft } from './draft';
import { recordsNaming } from './idMapping';
import { quarantine, takeBackColumns } from './quarantine';
import { resolveConflict, restoreDeletion } from './resolve';
import { reviveLost } from './revive';
import { upTo } from './schemaUpgrade';
import type { SyncSession } from './session';
import { restoreUndone } from './undo';

export interface AppliedPush {
  pushed: number;
  conflicts: number;
  rejected: number;
  /** Something has to be pushed again after what came back has been looked at. */
  unsettled: boolean;
  /** Some of that was not tried: what depends on it has to wait for it. */
  held: boolean;
}

/** Local ids of records whose changes lost a conflict. */
interface Lost {
  /** All that was sent. */
  changes: Set<string>;
  /** A task's stage. */
  stages: Set<string>;
  /** A task's place. */
  moves: Set<string>;
}

/** Applies the answer to the batch in flight, and forgets the batch. */
export async function applyPushAnswer(
  session: SyncSession,
  request: PushRequest,
  answer: PushAnswer,
): Promise<AppliedPush> {
  const { database, store, ids, clock } = session;
  return database.write(async () => {
    const draft = new Draft(database);
    const to: Settling = {
      database,
      draft,
      ids,
      deviceId: store.facts.deviceId,
      now: clock.now(),
      session,
      answer,
      rows: indexRows(answer),
      cascaded: new Set(
        Object.values(answer.effects.deleted).flatMap((deleted) => deleted.map((id) => ids.toLocal(id))),
      ),
    };
    await loadAll(to, request.changes);
    const applied: AppliedPush = { pushed: 0, conflicts: 0, rejected: 0, unsettled: false, held: false };
    const own = new Set(request.changes.map((change) => ids.toLocal(change.id)));
    const indexOf = new Map(request.changes.map((change, index) => [change.id, index]));
    const lost: Lost = { changes: new Set(), stages: new Set(), moves: new Set() };
    const undone = await undoneAmong(to, request);
    for (const [index, change] of request.changes.entries()) {
      const outcome = answer.outcomes[index];
      if (outcome) await settle(to, change, outcome, applied, lost);
    }
    for (const [index, change] of request.changes.entries()) {
      const outcome = answer.outcomes[index];
      if (outcome?.outcome === 'blocked') {
        await settleBlocked(to, request, indexOf, change, outcome, lost, applied);
      }
    }
    const { appeared } = await applyPage(to, answer.effects, own);
    await restoreUndone(to, undone);
    if (appeared > 0) await reviveLost(to);
    for (const [scope, made] of Object.entries(answer.revisions)) {
      const state = store.scopes.get(scope);
      // What a batch of an older version made may lack the columns that are new since.
      const isOld = request.schema < SCHEMA_VERSION;
      if (state) {
        const refill = isOld && state.refill ? upTo(state.refill, made.revision) : state.refill;
        const cursor = { ...state.cursor, own: made };
        const skip = [...state.skip, made.revision];
        draft.also(() => store.prepareScope(scope, { ...state, cursor, refill, skip }));
      } else if (made.revision === 1 && !isOld) {
        // A workspace begins with this push: everything in it is known here.
        draft.also(() => store.prepareScope(scope, { cursor: made, role: 'owner', skip: [] }));
      }
    }
    const stored = await store.outbox();
    draft.also(() => stored?.prepareDestroyPermanently() ?? null);
    await draft.commit();
    return applied;
  }, 'sync: apply push');
}

/** A few statements for a whole batch, where each change by itself would take one. */
async function loadAll({ draft, ids }: Applying, changes: readonly PushChange[]): Promise<void> {
  const byTable = new Map<SyncedTable, string[]>();
  for (const { table, id } of changes) {
    const known = byTable.get(table);
    if (known) known.push(ids.toLocal(id));
    else byTable.set(table, [ids.toLocal(id)]);
  }
  for (const [table, local] of byTable) await draft.load(table, local);
}

function indexRows(answer: PushAnswer): Map<string, Record<string, Json>> {
  const rows = new Map<string, Record<string, Json>>();
  for (const columns of Object.values(answer.effects.rows)) {
    for (const row of rowsOf(columns as Columns)) rows.set(row.id as string, row);
  }
  return rows;
}

/** The deletions of this batch that the user undid while it was on its way. */
async function undoneAmong(to: Settling, request: PushRequest): Promise<Deleted[]> {
  const undone: Deleted[] = [];
  for (const { op, table, id } of request.changes) {
    if (op !== 'delete') continue;
    const raw = await to.draft.get(table, to.ids.toLocal(id));
    const deletion = raw && readBase(raw)?.deletion;
    if (deletion?.undone) undone.push(deletion);
  }
  return undone;
}

async function settle(
  to: Settling,
  change: PushChange,
  outcome: PushOutcome,
  applied: AppliedPush,
  lost: Lost,
): Promise<void> {
  const id = to.ids.toLocal(change.id);
  const raw = await to.draft.get(change.table, id);
  switch (outcome.outcome) {
    case 'applied':
    case 'merged':
      applied.pushed += 1;
      if (raw && change.op === 'delete') await destroyDeleted(to, raw.id, to.cascaded);
      else if (raw) acknowledge(to, change, raw, outcome.revision);
      return;
    case 'conflict': {
      applied.conflicts += 1;
      applied.unsettled = true;
      const row = to.rows.get(change.id);
      if (!raw || !row) return;
      if (change.op === 'delete') {
        await restoreDeletion(to, change.table, raw, row);
        lost.changes.add(id);
      } else if (raw._status === 'deleted') {
        // Deleted while it was on its way: what becomes of it is decided when the deletion is pushed.
        to.draft.put(change.table, keepingEdits(change.table, toRaw(change.table, row, to.ids), raw));
      } else {
        const wanted = await resolveConflict(to, change, raw, row, outcome.columns);
        const isLost = (names: string[]) => names.length > 0 && !names.some((name) => wanted.has(name));
        if (!Object.keys(change.values ?? {}).some((name) => wanted.has(name))) lost.changes.add(id);
        if (isLost('current_stage' in outcome.columns ? ['current_stage'] : [])) lost.stages.add(id);
        if (isLost(placeOf(change))) lost.moves.add(id);
      }
      return;
    }
    case 'duplicate':
      applied.pushed += 1;
      await replaceDuplicate(to, change.table, id, outcome.of);
      if (raw?._status === 'deleted') deleteTwin(to, change.table, raw, outcome.of);
      return;
    case 'gone':
      applied.conflicts += 1;
      applied.unsettled = true;
      if (raw && outcome.which === 'parent' && change.op === 'update') stayInPlace(to, change, raw);
      else await applyTombstone(to, change.table, id);
      return;
    case 'rejected':
      applied.rejected += 1;
      await quarantine(to, change, raw, {
        code: outcome.code,
        column: outcome.column,
        message: outcome.message,
        group: refusedGroup(to, to.answer.batch, change.group),
      });
      return;
    case 'blocked':
      // Settled when it is known what became of the change it waits for.
      return;
  }
}

/** What becomes of a change that was held back because of another one of the batch. */
async function settleBlocked(
  to: Settling,
  request: PushRequest,
  indexOf: ReadonlyMap<string, number>,
  change: PushChange,
  outcome: Extract<PushOutcome, { outcome: 'blocked' }>,
  lost: Lost,
  applied: AppliedPush,
): Promise<void> {
  const raw = await to.draft.get(change.table, to.ids.toLocal(change.id));
  const blocker = finalBlocker(to, request, indexOf, outcome.by);
  if (blocker?.outcome === 'gone' && change.op !== 'delete') {
    applied.conflicts += 1;
    applied.unsettled = true;
    if (raw) loseWithGone(to, change, raw);
    return;
  }
  if (blocker === null || blocker.outcome === 'conflict') {
    applied.unsettled = true;
    applied.held = true;
    if (blocker?.group === change.group && raw) await withdraw(to, change, raw, lost);
    return;
  }
  applied.rejected += 1;
  await quarantine(to, change, raw, {
    code: 'blocked',
    column: null,
    message: 'It waits for a change that was refused.',
    group: refusedGroup(to, to.answer.batch, blocker.group),
  });
}

/**
 * Follows blocked changes to the one that all of them wait for.
 * @returns what became of that one; null when it only waits for its turn, in the next push
 */
function finalBlocker(
  to: Settling,
  request: PushRequest,
  indexOf: ReadonlyMap<string, number>,
  by: string,
): { outcome: PushOutcome['outcome']; group: number } | null {
  const passed = new Set<string>();
  for (let id = by; !passed.has(id); ) {
    passed.add(id);
    const index = indexOf.get(id) ?? -1;
    const [change, outcome] = [request.changes[index], to.answer.outcomes[index]];
    if (!change || !outcome) return null;
    if (outcome.outcome !== 'blocked') return { outcome: outcome.outcome, group: change.group };
    id = outcome.by;
  }
  return null;
}

/** Batches are numbered by each device id anew. */
function refusedGroup({ deviceId }: Applying, batch: number, group: number): string {
  return `${deviceId}/${batch}/${group}`;
}

/** The place a record was moved to is gone, the record is not: it stays where the server has it. */
function stayInPlace(to: Settling, change: PushChange, raw: Raw): void {
  const place = placeOf(change);
  const base = readBase(raw);
  if (base) keepInLedger(to, change.table, raw, base, 'gone', place);
  takeBackColumns(to, change, raw, place, null);
}

/** The columns of an update that say under which records this one stands. */
function placeOf(change: PushChange): string[] {
  const columns = columnsOf(change.table);
  const names = Object.keys(change.values ?? {});
  const units = new Set(
    names.filter((name) => columns[name]?.parent).map((name) => columns[name]?.unit ?? name),
  );
  return names.filter((name) => units.has(columns[name]?.unit ?? name));
}

/** It belongs to a change that came to nothing because of a deletion: it waits in the ledger with that one. */
function loseWithGone(to: Settling, change: PushChange, raw: Raw): void {
  const base = readBase(raw);
  if (change.op === 'insert') {
    if (base) keepInLedger(to, change.table, raw, base, 'gone');
    to.draft.destroy(change.table, raw.id);
    return;
  }
  const sent = Object.keys(change.values ?? {});
  if (base) keepInLedger(to, change.table, raw, base, 'gone', sent);
  takeBackColumns(to, change, raw, sent, null);
}

/**
 * A change of its group came to nothing. An activity must not claim that it happened (rules U13, U21), and a
 * subtask does not go where its task does not (rule U28); what stands by itself is pushed by itself.
 */
async function withdraw(to: Settling, change: PushChange, raw: Raw, lost: Lost): Promise<void> {
  const base = readBase(raw);
  if (change.table === 'activity_feed') {
    const isMove = change.values?.activity_type === 'stage_changed';
    const about = [raw.task_id, raw.entity_id].map(String);
    if (!about.some((id) => lost.changes.has(id) || (isMove && lost.stages.has(id)))) return;
    if (base) keepInLedger(to, change.table, raw, base, 'withdrawn');
    to.draft.destroy(change.table, raw.id);
  } else if (change.table === 'tasks' && change.op === 'update' && (await followsLostMove(to, raw, lost))) {
    const place = placeOf(change);
    if (base) keepInLedger(to, change.table, raw, base, 'withdrawn', place);
    takeBackColumns(to, change, raw, place, null);
  }
}

async function followsLostMove(to: Settling, task: Raw, lost: Lost): Promise<boolean> {
  const seen = new Set<string>();
  for (let id = task.parent_task_id; typeof id === 'string' && !seen.has(id); ) {
    if (lost.moves.has(id)) return true;
    seen.add(id);
    id = (await to.draft.get('tasks', id))?.parent_task_id ?? null;
  }
  return false;
}

/** It was deleted here while its creation was on its way: the deletion is meant for the other one too. */
function deleteTwin(to: Settling, table: SyncedTable, deleted: Raw, remoteId: string): void {
  const row = to.rows.get(remoteId);
  if (!row) return;
  const twin: Raw = { ...toRaw(table, row, to.ids), _status: 'deleted' };
  const revision = Number(twin.revision);
  const groups = readBase(deleted)?.groups ?? [];
  writeBase(twin, { revision, groups, columns: {}, deletion: { root: twin.id, seen: revision } });
  to.draft.put(table, twin);
}

/**
 * The change is in. Each column is compared with the value that was sent: one edited meanwhile
 * stays unsynced with the sent value as its base (rule D4).
 */
function acknowledge(to: Settling, change: PushChange, current: Raw, revision: number): void {
  const { table } = change;
  const row = to.rows.get(change.id);
  if (row) {
    const pending = stillEdited(to, change, current, revision, true);
    to.draft.put(table, keepingEdits(table, toRaw(table, row, to.ids), pending));
    return;
  }
  const raw = stillEdited(to, change, current, revision);
  const serverTime = Date.parse(to.answer.server_time);
  raw.remote_id = change.id;
  raw.revision = revision;
  // A change to what the server had already touched nothing there, and leaves its stamps.
  const touched = to.answer.revisions[change.workspace_id]?.revision === revision;
  const stamps = touched ? null : readBase(current)?.stamps;
  Object.assign(raw, stamps ?? { updated_at: serverTime, last_modified_by: to.answer.user_id });
  raw.sync_error = null;
  if (change.op === 'insert') {
    const created = change.edited_at?.created_at;
    raw.created_at = created ? Math.min(Date.parse(created), serverTime) : serverTime;
    if ('actor_id' in raw) raw.actor_id = to.answer.user_id;
  }
  to.draft.put(table, raw);
}

/**
 * @param merged others had changed the record too, unseen by whoever edited it here meanwhile
 * @returns the record with only those edits left that were made after the change was sent
 */
function stillEdited(to: Settling, change: PushChange, current: Raw, revision: number, merged = false): Raw {
  const raw: Raw = { ...current, remote_id: change.id };
  const base = readBase(current);
  const sent = toRaw(
    change.table,
    { ...change.values, id: change.id, workspace_id: change.workspace_id },
    to.ids,
  );
  const columns: SyncBase['columns'] = {};
  const isNew = change.op === 'insert';
  let unsent = false;
  const compared = isNew ? trackedColumns(change.table) : Object.keys(base?.columns ?? {});
  for (const name of compared) {
    const wasSent = isNew || (change.values !== undefined && name in change.values);
    const edit = base?.columns[name];
    const sentValue = sent[name] ?? null;
    if (!wasSent) {
      if (edit) columns[name] = edit;
      unsent = true;
    } else if (!sameValue(change.table, name, current[name] ?? null, sentValue)) {
      columns[name] = {
        value: sentValue,
        editedAt: edit?.editedAt ?? to.now,
        offset: edit?.offset ?? to.session.clock.offset(),
      };
    }
  }
  const stamps = { updated_at: Date.parse(to.answer.server_time), last_modified_by: to.answer.user_id };
  // A column that was not sent was edited on what the device had then: from there the server compares.
  const editedOn = merged && unsent && base ? base.revision : revision;
  const left = { revision: editedOn, groups: base?.groups ?? [], columns, stamps };
  if (current._status === 'deleted' && base?.deletion) {
    // Deleted while it was on its way: the deletion is still to be pushed. Of what is new nobody else
    // can have made anything before.
    const seen = isNew ? Math.max(base.deletion.seen, revision) : base.deletion.seen;
    writeBase(raw, { ...left, deletion: { ...base.deletion, seen } });
  } else markEdited(change.table, raw, left);
  return raw;
}

/** The server has the same thing under another id: that one takes this one's place everywhere. */
async function replaceDuplicate(
  to: Settling,
  table: SyncedTable,
  id: string,
  remoteId: string,
): Promise<void> {
  const target = to.ids.toLocal(remoteId);
  to.draft.destroy(table, id);
  if (target === id) return;
  for (const reference of await recordsNaming(to.database, table, id)) {
    const raw = (await to.draft.get(reference.table, reference.raw.id)) ?? { ...reference.raw };
    to.draft.put(reference.table, { ...raw, [reference.column]: target });
  }
  // An id of WatermelonDB's own kind has its UUID already; it would stand for this one when pulled.
  if (isUuid(id)) to.draft.also(() => to.ids.prepare(table, id, remoteId));
}

/** A batch of one group that the server refused as a whole: the changes go to the quarantine. */
export async function refuseLocally(
  session: SyncSession,
  request: PushRequest,
  error: SyncError,
): Promise<void> {
  const { database, store, ids, clock } = session;
  await database.write(async () => {
    const draft = new Draft(database);
    const to: Applying = { database, draft, ids, deviceId: store.facts.deviceId, now: clock.now() };
    await loadAll(to, request.changes);
    for (const change of request.changes) {
      const raw = await draft.get(change.table, ids.toLocal(change.id));
      await quarantine(to, change, raw, {
        code: error.code,
        column: null,
        message: error.message,
        group: refusedGroup(to, request.batch, change.group),
      });
    }
    const stored = await store.outbox();
    draft.also(() => stored?.prepareDestroyPermanently() ?? null);
    await draft.commit();
  }, 'sync: refuse batch');
}
