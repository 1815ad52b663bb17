/** The order in which unsynced records are sent: a record before those that name it. Pure. */

import { columnsOf, SYNCED_TABLES } from '@/domain/schema';
import { isDeleted, type UnsyncedRecord } from '../records/unsynced';

/** Parents before children, deletions last (U15). */
export function rank(item: UnsyncedRecord): number {
  const position = SYNCED_TABLES.indexOf(item.table);
  return isDeleted(item) ? SYNCED_TABLES.length * 2 - position : position;
}

const isCreated = ({ raw }: UnsyncedRecord) => raw._status === 'created';

/**
 * Sorts groups by their first edit, but a group that makes a record what others need before the groups that name it.
 * @param isNeeded whether the change of a record comes before those that name it; by default, where it creates it
 */
export function inDependencyOrder(groups: UnsyncedRecord[][], isNeeded = isCreated): UnsyncedRecord[][] {
  const age = (group: UnsyncedRecord[]) =>
    group.reduce((first, item) => Math.min(first, firstEdit(item)), Number.POSITIVE_INFINITY);
  const byAge = groups
    .map((group) => ({ group, age: age(group) }))
    .sort((a, b) => a.age - b.age)
    .map(({ group }) => group);
  const creator = new Map<string, UnsyncedRecord[]>();
  for (const group of byAge) {
    for (const item of group) if (isNeeded(item)) creator.set(item.raw.id, group);
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

/** The groups that make what a group names. */
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

export function firstEdit({ raw, base }: UnsyncedRecord): number {
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
