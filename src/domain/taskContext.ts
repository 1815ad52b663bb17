/** Bounds a task's context, and completes it from two answers. */

import type { Json } from '@/core/protocol';
import { storedJsonBytes, utf8Bytes } from '@/core/text';
import { CONTEXT_PARTS, type ContextPart, type FullLimits } from './contextLimits';
import type { Task, TaskContext } from './entities';
import { columnsOf, SYNCED_TABLES, type SyncedTable } from './schema';
import { GLOBAL_SCOPE_ID } from './vocabulary';

/** The table of the records of each list. */
export const PART_TABLES = {
  subtasks: 'tasks',
  dependencies: 'tasks',
  activities: 'activity_feed',
  patterns: 'patterns',
  best_practices: 'best_practices',
} as const satisfies Record<ContextPart, SyncedTable>;

/** The single records of a context, and the table of each. */
export const SINGLE_TABLES = {
  task: 'tasks',
  milestone: 'milestones',
  project: 'projects',
  workspace: 'workspaces',
  parent_task: 'tasks',
  workflow: 'workflows',
} as const satisfies Partial<Record<keyof TaskContext, SyncedTable>>;

/** How many items each list has in all, those that are not read included. */
export type PartCounts = Readonly<Record<ContextPart, number>>;

/** The columns of each table that people and agents write texts or JSON in; keys are a few characters that the server sees to. */
const WRITTEN = Object.fromEntries(
  SYNCED_TABLES.map((table) => {
    const columns = Object.entries(columnsOf(table)).filter(
      ([, { kind, serverSet, isKey }]) => ['text', 'prose', 'json'].includes(kind) && !serverSet && !isKey,
    );
    return [table, columns.map(([name, { kind }]) => ({ name, kind }))];
  }),
);

/** @returns the names of the columns whose bytes `textBytes` counts. */
export function writtenColumns(table: SyncedTable): string[] {
  return (WRITTEN[table] ?? []).map(({ name }) => name);
}

/** @returns the bytes of what people and agents wrote in a record; 0 for none (see `contextLimits.ts`) */
export function textBytes(table: SyncedTable, record: object | null): number {
  if (record === null) return 0;
  const values = record as Record<string, Json>;
  let bytes = 0;
  for (const { name, kind } of WRITTEN[table] ?? []) {
    const value = values[name] ?? null;
    if (kind === 'json') bytes += storedJsonBytes(value);
    else if (value !== null) bytes += utf8Bytes(value as string);
  }
  return bytes;
}

/**
 * Leaves out what exceeds the limits.
 * @param context each list complete, or cut in the order in which items are taken; in the order in which it is shown
 * @param all how many items each list has in all
 */
export function boundContext(
  context: Omit<TaskContext, 'left_out'>,
  all: PartCounts,
  limits: FullLimits,
): TaskContext {
  const bounded: TaskContext = { ...context, left_out: {} };
  let room = limits.bytes;
  for (const [name, table] of Object.entries(SINGLE_TABLES)) {
    room -= textBytes(table, context[name as keyof typeof SINGLE_TABLES]);
  }
  for (const part of CONTEXT_PARTS) {
    const { items, bytes } = limits[part];
    const given: readonly object[] = context[part];
    const order = takingOrder(part, given);
    let taken = 0;
    let reached = 0;
    let isWholeFull = false;
    while (taken < Math.min(order.length, items)) {
      const next = reached + textBytes(PART_TABLES[part], given[order[taken] as number] as object);
      isWholeFull = next <= bytes && next > room;
      if (next > bytes || isWholeFull) break;
      reached = next;
      taken += 1;
    }
    // Nothing may follow what the whole has no room for, however short it is.
    room = isWholeFull ? -1 : room - reached;
    if (taken < order.length) {
      const kept = new Set(order.slice(0, taken));
      Object.assign(bounded, { [part]: given.filter((_, index) => kept.has(index)) });
    }
    if (taken < all[part]) {
      bounded.left_out[part] = { all: all[part], because: taken === items ? 'items' : 'bytes' };
    }
  }
  return bounded;
}

/**
 * @param context with lists that hold what the limits allow: all of them, or as many items as are asked for
 * @param all how many items each list has in all
 */
export function countedContext(context: Omit<TaskContext, 'left_out'>, all: PartCounts): TaskContext {
  const left_out: TaskContext['left_out'] = {};
  for (const part of CONTEXT_PARTS) {
    if (context[part].length < all[part]) left_out[part] = { all: all[part], because: 'items' };
  }
  return { ...context, left_out };
}

/** @returns the indexes of items, listed in the order in which they are shown, in the order in which they are taken */
function takingOrder(part: ContextPart, shown: readonly object[]): number[] {
  const ranks = shown.map((item) => rankOf(part, item));
  return [...ranks.keys()].sort((a, b) => (ranks[a] as number) - (ranks[b] as number) || a - b);
}

/** @returns a number that is smaller for what matters more; items of one rank are taken in the order in which they are shown */
function rankOf(part: ContextPart, item: object): number {
  switch (part) {
    case 'subtasks':
    case 'dependencies':
      return CLOSED.includes((item as Task).status) ? 1 : 0;
    case 'activities':
      return 0;
    case 'patterns':
    case 'best_practices': {
      const { workspace_id, project_id } = item as { workspace_id: string; project_id: string | null };
      if (workspace_id === GLOBAL_SCOPE_ID) return 2;
      return project_id === null ? 1 : 0;
    }
  }
}

/** Statuses of tasks on which nobody works any more. */
export const CLOSED: readonly Task['status'][] = ['done', 'cancelled'];

/**
 * Keeps the parts of the local answer, unsynced edits included; takes only its missing parts from the server.
 * @param known the local answer
 * @param remote the server's answer
 * @param limits of both, and of the context that they make
 */
export function completeContext(
  known: TaskContext | null,
  remote: TaskContext | null,
  limits: FullLimits,
): TaskContext | null {
  if (known === null || remote === null) return remote ?? known;
  const { missing } = known;
  // Without the milestone, the local answer knows neither the project nor its patterns and best practices.
  const names = new Set<keyof TaskContext>(
    missing.includes('milestone') ? [...missing, 'project', 'patterns', 'best_practices'] : missing,
  );
  const parts = Object.fromEntries([...names].map((name) => [name, remote[name]]));
  const counts = CONTEXT_PARTS.map((part) => {
    const { [part]: list, left_out } = names.has(part) ? remote : known;
    return [part, left_out[part]?.all ?? list.length];
  });
  // The local parts may be larger than the server's, so that together they exceed the bytes of the whole.
  return boundContext(
    { ...known, ...parts, missing: remote.missing },
    Object.fromEntries(counts) as unknown as PartCounts,
    limits,
  );
}
