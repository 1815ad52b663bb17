/** Outcomes of a push → local records. One local transaction for a whole answer. */

import type { SyncError } from '@/core/errors';
import type { Columns, Json, PushAnswer, PushChange, PushOutcome, PushRequest } from '@/core/protocol';
import type { SyncedTable } from '@/core/schema';
import { markEdited, readBase, type SyncBase } from '../models/tracking';
import type { Raw } from '../models/watermelondb';
import type { Applying, Settling } from './applying';
import { applyPage, applyTombstone, keepInLedger, keepingEdits } from './applyRows';
import { rowsOf, sameValue, toRaw } from './codec';
import { destroyDeleted } from './deletion';
import { Draft } from './draft';
import { recordsNaming } from './idMapping';
import { quarantine } from './quarantine';
import { resolveConflict, restoreDeletion } from './resolve';
import type { SyncSession } from './session';

export interface AppliedPush {
  pushed: number;
  conflicts: number;
  rejected: number;
  /** Something has to be pushed again after what came back has been looked at. */
  unsettled: boolean;
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
    };
    const applied: AppliedPush = { pushed: 0, conflicts: 0, rejected: 0, unsettled: false };
    const own = new Set(request.changes.map((change) => ids.toLocal(change.id)));
    const lostGroups = new Set<string>();
    for (const [index, change] of request.changes.entries()) {
      const outcome = answer.outcomes[index];
      if (outcome) await settle(to, change, outcome, applied, lostGroups);
    }
    for (const [index, change] of request.changes.entries()) {
      const outcome = answer.outcomes[index];
      if (outcome?.outcome === 'blocked')
        await settleBlocked(to, request, change, outcome, lostGroups, applied);
    }
    await applyPage(to, answer.effects, own);
    for (const [scope, made] of Object.entries(answer.revisions)) {
      const state = store.scopes.get(scope);
      if (state) {
        draft.also(() => store.prepareScope(scope, { ...state, skip: [...state.skip, made.revision] }));
      }
    }
    const stored = await store.outbox();
    draft.also(() => stored?.prepareDestroyPermanently() ?? null);
    await draft.commit();
    return applied;
  }, 'sync: apply push');
}

function indexRows(answer: PushAnswer): Map<string, Record<string, Json>> {
  const rows = new Map<string, Record<string, Json>>();
  for (const columns of Object.values(answer.effects.rows)) {
    for (const row of rowsOf(columns as Columns)) rows.set(row.id as string, row);
  }
  return rows;
}

async function settle(
  to: Settling,
  change: PushChange,
  outcome: PushOutcome,
  applied: AppliedPush,
  lostGroups: Set<string>,
): Promise<void> {
  const id = to.ids.toLocal(change.id);
  const raw = await to.draft.get(change.table, id);
  switch (outcome.outcome) {
    case 'applied':
    case 'merged':
      applied.pushed += 1;
      if (raw && change.op === 'delete') await destroyDeleted(to.draft, raw.id);
      else if (raw) acknowledge(to, change, raw, outcome.revision);
      return;
    case 'conflict': {
      applied.conflicts += 1;
      applied.unsettled = true;
      const row = to.rows.get(change.id);
      if (!raw || !row) return;
      if (change.op === 'delete') await restoreDeletion(to, change.table, raw, row);
      else if (resolveConflict(to, change, raw, row, outcome.columns)) lostGroups.add(change.id);
      return;
    }
    case 'duplicate':
      applied.pushed += 1;
      await replaceDuplicate(to, change.table, id, outcome.of);
      return;
    case 'gone':
      applied.conflicts += 1;
      await applyTombstone(to, change.table, id);
      return;
    case 'rejected':
      applied.rejected += 1;
      await quarantine(to, change, raw, {
        code: outcome.code,
        column: outcome.column,
        message: outcome.message,
        group: `${to.answer.batch}/${change.group}`,
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
  change: PushChange,
  outcome: Extract<PushOutcome, { outcome: 'blocked' }>,
  lostGroups: ReadonlySet<string>,
  applied: AppliedPush,
): Promise<void> {
  const raw = await to.draft.get(change.table, to.ids.toLocal(change.id));
  const blockerIndex = request.changes.findIndex((other) => other.id === outcome.by);
  const blocker = to.answer.outcomes[blockerIndex];
  if (blocker?.outcome === 'conflict') {
    applied.unsettled = true;
    // What the change was about did not happen: its activity must not claim that it did (rule U13).
    if (lostGroups.has(outcome.by) && change.table === 'activity_feed' && raw) {
      const base = readBase(raw);
      if (base) keepInLedger(to, change.table, raw, base, 'withdrawn');
      to.draft.destroy(change.table, raw.id);
    }
    return;
  }
  applied.rejected += 1;
  const blockerGroup = request.changes[blockerIndex]?.group ?? change.group;
  await quarantine(to, change, raw, {
    code: 'blocked',
    column: null,
    message: 'It waits for a change that was refused.',
    group: `${to.answer.batch}/${blockerGroup}`,
  });
}

/**
 * The change is in. Each column is compared with the value that was sent: one edited meanwhile
 * stays unsynced with the sent value as its base (rule D4).
 */
function acknowledge(to: Settling, change: PushChange, current: Raw, revision: number): void {
  const { table } = change;
  const row = to.rows.get(change.id);
  if (row) {
    const pending = stillEdited(to, change, current, revision);
    to.draft.put(table, keepingEdits(table, toRaw(table, row, to.ids), pending));
    return;
  }
  const raw = stillEdited(to, change, current, revision);
  const serverTime = Date.parse(to.answer.server_time);
  raw.remote_id = change.id;
  raw.revision = revision;
  raw.updated_at = serverTime;
  raw.last_modified_by = to.answer.user_id;
  raw.sync_error = null;
  if (change.op === 'insert') {
    const created = change.edited_at?.created_at;
    raw.created_at = created ? Math.min(Date.parse(created), serverTime) : serverTime;
    if ('actor_id' in raw) raw.actor_id = to.answer.user_id;
  }
  to.draft.put(table, raw);
}

/** @returns the record with only those edits left that were made after the change was sent. */
function stillEdited(to: Settling, change: PushChange, current: Raw, revision: number): Raw {
  const raw: Raw = { ...current, remote_id: change.id };
  const base = readBase(current);
  const sent = toRaw(
    change.table,
    { ...change.values, id: change.id, workspace_id: change.workspace_id },
    to.ids,
  );
  if (current._status === 'deleted') {
    // Deleted while it was on its way: the deletion is still to be pushed.
    return base ? { ...raw, sync_base: JSON.stringify({ ...base, revision, columns: {} }) } : raw;
  }
  const columns: SyncBase['columns'] = {};
  const compared = change.op === 'insert' ? pushedColumns(change, current) : Object.keys(base?.columns ?? {});
  for (const name of compared) {
    const wasSent = change.op === 'insert' || (change.values !== undefined && name in change.values);
    const edit = base?.columns[name];
    const sentValue = sent[name] ?? null;
    if (!wasSent) {
      if (edit) columns[name] = edit;
    } else if (!sameValue(change.table, name, current[name] ?? null, sentValue)) {
      columns[name] = {
        value: sentValue,
        editedAt: edit?.editedAt ?? to.now,
        offset: edit?.offset ?? to.session.clock.offset(),
      };
    }
  }
  markEdited(raw, { revision, groups: base?.groups ?? [], columns });
  return raw;
}

function pushedColumns(change: PushChange, current: Raw): string[] {
  const given = Object.keys(change.values ?? {});
  const later = Object.keys(readBase(current)?.columns ?? {});
  return [...new Set([...given, ...later])];
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
  to.draft.also(() => to.ids.prepare(table, id, remoteId));
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
    for (const change of request.changes) {
      const raw = await draft.get(change.table, ids.toLocal(change.id));
      await quarantine(to, change, raw, {
        code: error.code,
        column: null,
        message: error.message,
        group: `${request.batch}/${change.group}`,
      });
    }
    const stored = await store.outbox();
    draft.also(() => stored?.prepareDestroyPermanently() ?? null);
    await draft.commit();
  }, 'sync: refuse batch');
}
