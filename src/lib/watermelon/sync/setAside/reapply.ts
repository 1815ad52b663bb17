/** Reapplies edits that were lost with a deleted record, when it comes back (rule D13). */

import { columnsOf, SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import { Conflict, type ConflictColumn } from '../../models';
import {
  groupsOf,
  markCreated,
  markEdited,
  readBase,
  type SyncBase,
  stampsOf,
  trackedColumns,
} from '../../models/tracking';
import { Q, type Raw, type RawValue } from '../../models/watermelondb';
import { mergeRecord } from '../merge/mergeRecord';
import type { ApplyContext } from '../records/applyContext';
import { defaultOf, sameValue, withoutEnded } from '../records/codec';
import { addConflict, IS_LOST } from './ledger';

interface LostEdit {
  entry: Conflict;
  table: SyncedTable;
  raw: Raw;
  base: SyncBase;
}

/**
 * Reapplies the lost edits of the ledger whose records are back, as unsynced edits on their old base, so that newer
 * values of others conflict with them as usual. Edits of one group are reapplied together, or wait together.
 * @returns how many records got their edits back
 */
export async function reapplyLost(context: ApplyContext): Promise<number> {
  const lost = await fetchLost(context);
  await loadNeeded(context, lost);
  const waiting = byGroup(lost);
  let reapplied = 0;
  // A record that is reapplied may be the parent that others wait for.
  for (let left = waiting; ; ) {
    const held: LostEdit[][] = [];
    for (const action of left) {
      if (await isReady(context, action)) {
        for (const lost of action) await reapply(context, lost);
        reapplied += action.length;
      } else held.push(action);
    }
    if (held.length === left.length) return reapplied;
    left = held;
  }
}

/** Those of a workspace that is being resynced wait until it is known which of its records the server has (P13). */
async function fetchLost({ database, otherHistory, resyncing }: ApplyContext): Promise<LostEdit[]> {
  const entries = await database
    .of(Conflict)
    .query(...IS_LOST, Q.sortBy('occurred_at'))
    .fetch();
  return entries.flatMap((entry) => {
    const { lost: raw, recordTable: table } = entry;
    const base = raw && readBase(raw);
    if (!raw || !base || resyncing?.has(entry.workspaceId)) return [];
    const revision = otherHistory?.has(entry.workspaceId) ? 0 : base.revision;
    return [{ entry, table, raw, base: { ...base, revision } }];
  });
}

/** Loads the records that decide about lost edits with a query for each table. */
async function loadNeeded({ work }: ApplyContext, lost: readonly LostEdit[]): Promise<void> {
  const byTable = new Map<SyncedTable, string[]>();
  for (const edit of lost) {
    for (const { table, id } of [{ table: edit.table, id: edit.raw.id }, ...parentsNamed(edit)]) {
      const known = byTable.get(table);
      if (known) known.push(id);
      else byTable.set(table, [id]);
    }
  }
  for (const [table, ids] of byTable) await work.load(table, ids);
}

/** Groups lost edits that share a transaction, directly or through others; parents come first, earlier edits before later ones. */
export function byGroup<T extends Pick<LostEdit, 'table' | 'base'>>(all: readonly T[]): T[][] {
  /** Of each group, the action that it is part of: the places of its edits, and its groups. */
  const actionOf = new Map<string, { places: number[]; groups: string[] }>();
  for (const [place, { base }] of all.entries()) {
    const named = groupsOf(base);
    const groups = named.length > 0 ? named : [`alone/${place}`];
    const known = new Set(groups.flatMap((group) => actionOf.get(group) ?? []));
    // The smaller ones join the largest, so that no edit moves often.
    const [largest = { places: [], groups: [] }, ...smaller] = [...known].sort(
      (a, b) => b.places.length + b.groups.length - a.places.length - a.groups.length,
    );
    const joining = [{ places: [place], groups: groups.filter((group) => !actionOf.has(group)) }, ...smaller];
    for (const action of joining) {
      for (const one of action.places) largest.places.push(one);
      for (const group of action.groups) {
        largest.groups.push(group);
        actionOf.set(group, largest);
      }
    }
  }
  const rank = (place: number) => SYNCED_TABLES.indexOf((all[place] as T).table);
  return [...new Set(actionOf.values())].map(({ places }) =>
    places.sort((a, b) => rank(a) - rank(b) || a - b).map((place) => all[place] as T),
  );
}

async function isReady(context: ApplyContext, action: readonly LostEdit[]): Promise<boolean> {
  const brought = new Set(action.filter(isNew).map(({ raw }) => raw.id));
  for (const lost of action) {
    const current = await context.work.get(lost.table, lost.raw.id);
    if (current?._status === 'deleted') return false;
    const needed = parentsNamed(lost);
    if (!isNew(lost)) needed.push({ table: lost.table, id: lost.raw.id });
    for (const { table, id } of needed) {
      if (!brought.has(id) && !(await isHere(context, table, id))) return false;
    }
  }
  return true;
}

const isNew = ({ raw }: LostEdit): boolean => raw.remote_id === null;

async function isHere(context: ApplyContext, table: SyncedTable, id: string): Promise<boolean> {
  const raw = await context.work.get(table, id);
  return raw !== null && raw._status !== 'deleted';
}

/** @returns the parents that the lost values give the record. */
function parentsNamed({ table, raw, base }: LostEdit): { table: SyncedTable; id: string }[] {
  const isWhole = raw.remote_id === null;
  const named = Object.entries(columnsOf(table)).flatMap(([name, column]) => {
    const id = raw[name];
    const counts = column.parent === true && (isWhole || name in base.columns);
    return counts && typeof id === 'string' ? [{ table: column.to as SyncedTable, id }] : [];
  });
  const workspace = { table: 'workspaces' as const, id: raw.workspace_id as string };
  return isWhole && table !== 'workspaces' ? [workspace, ...named] : named;
}

async function reapply(context: ApplyContext, lost: LostEdit): Promise<void> {
  const { entry, table, raw, base } = lost;
  const current = await context.work.get(table, raw.id);
  if (current?._status === 'created') context.work.put(table, withValues(context, current, lost));
  else if (current) context.work.put(table, withEdits(current, lost));
  else {
    const again = withoutEnded(table, raw);
    // Columns of a newer schema version have their defaults.
    for (const name of trackedColumns(table)) if (!(name in raw)) again[name] = defaultOf(table, name);
    markCreated(again, base);
    context.work.put(table, again);
  }
  const columns = Object.fromEntries(
    Object.entries(entry.columns).map(([name, column]) => [
      name,
      { ...column, chosen: column.local, by: 'restored' },
    ]),
  );
  context.work.also(() =>
    entry.prepareUpdate((draft) => {
      draft.lost = null;
      draft.columns = columns;
    }),
  );
}

/** @returns the lost edits; of a new record, all of its columns, on the base of none. */
function lostEdits({ table, raw, base }: LostEdit): SyncBase['columns'] {
  if (raw.remote_id !== null) return base.columns;
  const edit = { value: null, ...(base.created ?? { editedAt: 0, offset: 0 }) };
  const names = trackedColumns(table).filter((name) => name in raw);
  return Object.fromEntries(names.map((name) => [name, edit]));
}

/** @returns the record as it came back, with its lost edits on their old base; newer edits of a column stand. */
function withEdits(current: Raw, lost: LostEdit): Raw {
  const { table, raw, base } = lost;
  const known = readBase(current);
  const edited: Raw = { ...current };
  const columns = { ...known?.columns };
  for (const [name, edit] of Object.entries(lostEdits(lost))) {
    const server = current[name] ?? null;
    if (name in columns || sameValue(table, name, raw[name] ?? null, server)) continue;
    columns[name] = { ...edit, server };
    edited[name] = raw[name] ?? null;
  }
  const groups = joined(known, base);
  const revision = Math.min(base.revision, known?.revision ?? Number(current.revision));
  markEdited(table, edited, {
    stamps: base.stamps,
    server: stampsOf(current),
    ...known,
    revision,
    groups,
    columns,
  });
  return edited;
}

function joined(known: SyncBase | null, lost: SyncBase): string[] {
  return [...new Set([...(known?.groups ?? []), ...lost.groups])];
}

/**
 * @returns a record that is to be recreated on the server, with its lost edits. The server cannot find conflicts with
 * them, so a conflict is opened here where they were made on other values than the record has by now.
 */
function withValues(context: ApplyContext, current: Raw, lost: LostEdit): Raw {
  const { table, raw } = lost;
  const edits = lostEdits(lost);
  const of = (value: (name: string) => RawValue | undefined) =>
    Object.fromEntries(Object.keys(edits).map((name) => [name, value(name) ?? null]));
  const [base, local, remote] = [
    of((name) => edits[name]?.value),
    of((name) => raw[name]),
    of((name) => current[name]),
  ];
  const merged = mergeRecord({ table, base, local, remote, policies: {}, localTimes: {}, remoteTimes: {} });
  const known = readBase(current);
  const again: Raw = { ...current };
  markCreated(again, { revision: 0, columns: {}, ...known, groups: joined(known, lost.base) });
  const asked: Record<string, ConflictColumn> = {};
  for (const [name, { value, how }] of Object.entries(merged)) {
    again[name] = value;
    if (how !== 'conflict') continue;
    const sides = { base: base[name] ?? null, local: local[name] ?? null, remote: remote[name] ?? null };
    asked[name] = { ...sides, chosen: value, by: 'open' };
  }
  if (Object.keys(asked).length > 0) {
    addConflict(context, { kind: 'columns', state: 'open', table, raw: current, columns: asked });
  }
  return again;
}
