/** Unsynced records → the changes of a push, in groups and in dependency order. Pure. */

import { type ToldChange, tales, toldBy } from '@/domain/activities';
import { columnsOf, SYNCED_TABLES } from '@/domain/schema';
import { serverValue, trackedColumns } from '../../models/tracking';
import type { IdMap } from '../idMapping';
import type { SyncedChange } from '../records/codec';
import { toWire } from '../records/codec';
import { isDeleted, type UnsyncedRecord } from '../records/unsynced';

/** Most changes that the server takes in one batch (rule U16). */
const MOST_IN_GROUP = 10_000;

/**
 * @returns the unsynced records in groups, a record before those that name it. Deletions that follow from another
 * deletion are left out: the server's cascade makes them. A group that no batch can hold is cut (D35).
 */
export function inPushOrder(unsynced: readonly UnsyncedRecord[]): UnsyncedRecord[][] {
  const deletedHere = new Set(unsynced.filter(isDeleted).map((item) => item.raw.id));
  const pushed = unsynced.filter((item) => {
    const root = item.base.deletion?.root;
    if (!isDeleted(item) || root === undefined || root === item.raw.id || !deletedHere.has(root)) return true;
    return wasMovedHere(item);
  });
  return inDependencyOrder(formGroups(pushed)).flatMap((members) => {
    members.sort((a, b) => rank(a) - rank(b));
    if (members.length <= MOST_IN_GROUP) return [members];
    const parts = Math.ceil(members.length / MOST_IN_GROUP);
    return Array.from({ length: parts }, (_, n) => members.slice(n * MOST_IN_GROUP, (n + 1) * MOST_IN_GROUP));
  });
}

/**
 * Takes activities of Convoy's own out of groups that no longer hold the change they tell of: a task that was deleted
 * before it was ever pushed, a retried change that somebody else has made. They tell of nothing (U30).
 */
export function withoutUntold(groups: readonly UnsyncedRecord[][]): {
  groups: UnsyncedRecord[][];
  untold: UnsyncedRecord[];
} {
  const untold: UnsyncedRecord[] = [];
  const kept = groups.map((group) => {
    const told = new Set(group.flatMap((item) => tales(toldChange(item))));
    const deleted = new Set(group.filter(isDeleted).map(({ raw }) => raw.id));
    return group.filter((item) => {
      const isActivity = item.table === 'activity_feed' && !isDeleted(item);
      const tale = isActivity ? toldBy(item.raw) : null;
      // Of what is deleted nobody has to know how it was settled.
      const isMoot =
        isActivity &&
        item.raw.activity_type === 'conflict_settled' &&
        deleted.has(String(item.raw.task_id ?? item.raw.entity_id));
      if (!isMoot && (tale === null || told.has(tale))) return true;
      untold.push(item);
      return false;
    });
  });
  return { groups: kept.filter((group) => group.length > 0), untold };
}

function toldChange({ table, raw, base }: UnsyncedRecord): ToldChange {
  const op = raw._status === 'created' ? 'insert' : raw._status === 'deleted' ? 'delete' : 'update';
  return { table, op, id: raw.id, taskId: raw.task_id, columns: Object.keys(base.columns) };
}

/** @returns for a deleted record the id of the deletion that it can be restored by: that of the record which took it along. */
export function deletionsOf(unsynced: readonly UnsyncedRecord[]): (item: UnsyncedRecord) => string | null {
  const byRoot = new Map(
    unsynced.flatMap(({ raw, base }) => (base.deletion?.id ? [[raw.id, base.deletion.id] as const] : [])),
  );
  return ({ base: { deletion } }) => deletion?.id ?? byRoot.get(deletion?.root ?? '') ?? null;
}

/** Whether a record was moved, unsynced, under the parent that it was deleted with: the server's cascade does not find it there. */
function wasMovedHere({ table, raw, base }: UnsyncedRecord): boolean {
  const columns = columnsOf(table);
  return Object.entries(base.columns).some(
    ([name, edit]) => columns[name]?.parent === true && serverValue(edit) !== raw[name],
  );
}

/** Parents before children, deletions last (U15). */
function rank(item: UnsyncedRecord): number {
  const position = SYNCED_TABLES.indexOf(item.table);
  return isDeleted(item) ? SYNCED_TABLES.length * 2 - position : position;
}

/**
 * @param group number of the record's group in the batch
 * @param deletionId of a deleted record: id of the deletion that it can be restored by
 * @returns the change that makes the server's row what this record is
 */
export function toChange(
  { table, raw, base }: UnsyncedRecord,
  group: number,
  ids: IdMap,
  deletionId: string | null,
): SyncedChange {
  const head = {
    table,
    id: ids.toRemote(raw.id),
    workspace_id: ids.toRemote(raw.workspace_id as string),
    group,
  };
  if (raw._status === 'deleted') {
    const { root = raw.id, seen = base.revision } = base.deletion ?? {};
    const values = {
      ...(deletionId !== null && { deletion_id: deletionId }),
      ...(root !== raw.id && { along_with: ids.toRemote(root) }),
    };
    return { ...head, op: 'delete', base: seen, values };
  }
  const wire = (column: string) => toWire(table, column, raw[column] ?? null, ids);
  const iso = (edit: { editedAt: number; offset: number }) =>
    new Date(edit.editedAt + edit.offset).toISOString();
  if (raw._status === 'created') {
    const given = trackedColumns(table).filter((column) => (raw[column] ?? null) !== null);
    return {
      ...head,
      op: 'insert',
      base: null,
      values: Object.fromEntries(given.map((column) => [column, wire(column)])),
      edited_at: base.created ? { created_at: iso(base.created) } : {},
    };
  }
  const columns = Object.entries(base.columns);
  return {
    ...head,
    op: 'update',
    base: base.revision,
    values: Object.fromEntries(columns.map(([column]) => [column, wire(column)])),
    edited_at: Object.fromEntries(columns.map(([column, edit]) => [column, iso(edit)])),
  };
}

/** Groups records that share a transaction, directly or through others (D3). */
function formGroups(items: readonly UnsyncedRecord[]): UnsyncedRecord[][] {
  const parent = new Map<string, string>();
  const find = (name: string): string => {
    let root = name;
    for (let above = parent.get(root); above !== undefined && above !== root; above = parent.get(root))
      root = above;
    // The next search takes one step. A loop, since a chain may be as long as there are records.
    for (let at = name; at !== root; ) {
      const above = parent.get(at) ?? root;
      parent.set(at, root);
      at = above;
    }
    return root;
  };
  for (const item of items) {
    for (const group of item.base.groups) parent.set(find(group), find(`record ${item.raw.id}`));
  }
  const groups = new Map<string, UnsyncedRecord[]>();
  for (const item of items) {
    const root = find(`record ${item.raw.id}`);
    const members = groups.get(root);
    if (members) members.push(item);
    else groups.set(root, [item]);
  }
  return [...groups.values()];
}

/** Sorts groups by their first edit, but a group that creates a record before the groups that name it. */
function inDependencyOrder(groups: UnsyncedRecord[][]): UnsyncedRecord[][] {
  const age = (group: UnsyncedRecord[]) =>
    group.reduce((first, item) => Math.min(first, firstEdit(item)), Number.POSITIVE_INFINITY);
  const byAge = groups
    .map((group) => ({ group, age: age(group) }))
    .sort((a, b) => a.age - b.age)
    .map(({ group }) => group);
  const creator = new Map<string, UnsyncedRecord[]>();
  for (const group of byAge) {
    for (const { raw } of group) if (raw._status === 'created') creator.set(raw.id, group);
  }
  const ordered: UnsyncedRecord[][] = [];
  const visited = new Set<UnsyncedRecord[]>();
  for (const first of byAge) {
    // Depth first with a stack of its own: a chain of new records may be longer than the call stack.
    const waiting = visited.has(first) ? [] : [{ group: first, needs: needsOf(first, creator) }];
    visited.add(first);
    for (let top = waiting.at(-1); top; top = waiting.at(-1)) {
      const needed = top.needs.next();
      if (needed.done) {
        ordered.push(top.group);
        waiting.pop();
      } else if (!visited.has(needed.value)) {
        visited.add(needed.value);
        waiting.push({ group: needed.value, needs: needsOf(needed.value, creator) });
      }
    }
  }
  return ordered;
}

/** The groups that create what a group names. */
function* needsOf(
  group: readonly UnsyncedRecord[],
  creator: ReadonlyMap<string, UnsyncedRecord[]>,
): Generator<UnsyncedRecord[], void> {
  for (const item of group) {
    for (const id of namedBy(item)) {
      const needed = creator.get(id);
      if (needed) yield needed;
    }
  }
}

function firstEdit({ raw, base }: UnsyncedRecord): number {
  const edits = Object.values(base.columns).map((edit) => edit.editedAt);
  return base.created?.editedAt ?? Math.min(Number(raw.updated_at), ...edits);
}

/** By table, the columns that name another record. */
const REFERENCES = new Map(
  SYNCED_TABLES.map((table) => {
    const references = Object.entries(columnsOf(table)).filter(([, { kind }]) => kind === 'ref');
    return [table, ['workspace_id', ...references.map(([name]) => name)]];
  }),
);

/** @returns local ids of the records that a record names. */
export function namedBy({ table, raw }: UnsyncedRecord): string[] {
  const named = REFERENCES.get(table)?.map((column) => raw[column]) ?? [];
  return named.filter((id): id is string => typeof id === 'string');
}
