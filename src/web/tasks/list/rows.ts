/** The rows of a list of tasks: filtered, sorted and grouped, in work that grows as sorting does. Pure. */

import type { Task } from '@/domain/entities';
import { containsText, isKeyTyped } from '@/domain/search';
import { TASK_PRIORITIES, TASK_STATUSES } from '@/domain/vocabulary';
import type { FirstPart } from '../../hooks/useTaskLines';
import { stageLabel, TASK_STATUS_LABELS } from '../../ui/labels';
import { taskTree } from '../taskTree';
import { FILTERS, type Filter, isUnfiltered, type ListView, NOBODY } from './view';

/** The facts that a list has beside its tasks. */
export interface ListFacts {
  userId: string;
  /** In their order. */
  milestones: ReadonlyMap<string, { label: string; target_date: string | null }>;
  /** Names of stages, in their order. */
  stages: readonly string[];
  nameOf(task: Pick<Task, 'workspace_id'>, userId: string): string;
}

export type ListedColumns = Pick<
  Task,
  | 'id'
  | 'key'
  | 'title'
  | 'workspace_id'
  | 'milestone_id'
  | 'parent_task_id'
  | 'current_stage'
  | 'status'
  | 'priority'
  | 'assignee_id'
  | 'sort_order'
  | 'updated_at'
>;

export interface TaskRowOf<T> {
  kind: 'task';
  task: T;
  /** 0 for a task without a parent in the list. */
  depth: number;
  group: string;
}

export type ListRow<T> = { kind: 'group'; group: string; label: string; size: number } | TaskRowOf<T>;

const collator = new Intl.Collator();
const compare = (a: string | number, b: string | number) => (a < b ? -1 : a > b ? 1 : 0);

/** @returns the value of a task that a filter, or a group, goes by */
export function columnValue(task: ListedColumns, column: Filter | 'milestone'): string {
  switch (column) {
    case 'status':
      return task.status;
    case 'stage':
      return task.current_stage;
    case 'priority':
      return task.priority;
    case 'assignee':
      return task.assignee_id ?? NOBODY;
    case 'milestone':
      return task.milestone_id;
  }
}

/** Whether the filters let a task through. */
export function isShown(task: ListedColumns, view: ListView): boolean {
  const text = view.text.trim();
  return (
    FILTERS.every((name) => view[name].length === 0 || view[name].includes(columnValue(task, name))) &&
    (text === '' || containsText(task.title, text) || isKeyTyped(task.key, text))
  );
}

/** @returns whether the rows of a list depend on the facts beside its tasks */
export function goesByFacts({ group, sort }: ListView): boolean {
  return group !== 'none' || sort === 'target';
}

export function listRows<T extends ListedColumns>(
  tasks: readonly T[],
  view: ListView,
  facts: ListFacts,
): ListRow<T>[] {
  const shown = isUnfiltered(view) ? tasks : tasks.filter((task) => isShown(task, view));
  const sorted = [...shown].sort(comparing(view, facts));
  if (view.group === 'none') {
    return taskTree(sorted).map(({ task, depth }) => ({ kind: 'task', task, depth, group: '' }));
  }
  const column = view.group;
  const groups = new Map<string, T[]>();
  for (const task of sorted) {
    const value = columnValue(task, column);
    const members = groups.get(value);
    if (members) members.push(task);
    else groups.set(value, [task]);
  }
  return groupsInOrder([...groups], column, facts).flatMap(([group, label, members]) => [
    { kind: 'group' as const, group, label, size: members.length },
    ...members.map((task) => ({ kind: 'task' as const, task, depth: 0, group })),
  ]);
}

/**
 * @param first what of the list its rows are of; null: it is whole
 * @returns those of them that stand where they do in the whole list: up to the first group of which there is more, with its true size
 */
export function firstRows<T>(rows: ListRow<T>[], first: Pick<FirstPart, 'sizes'> | null): ListRow<T>[] {
  if (first === null || first.sizes.size === 0) return rows;
  const shown: ListRow<T>[] = [];
  let isCut = false;
  for (const row of rows) {
    if (row.kind === 'group') {
      if (isCut) break;
      const size = first.sizes.get(row.group === NOBODY ? null : row.group) ?? row.size;
      isCut = size > row.size;
      shown.push({ ...row, size });
    } else shown.push(row);
  }
  return shown;
}

function comparing({ sort }: ListView, { milestones }: ListFacts) {
  const byHand = (a: ListedColumns, b: ListedColumns) =>
    compare(a.sort_order, b.sort_order) || compare(a.id, b.id);
  const due = (task: ListedColumns) => milestones.get(task.milestone_id)?.target_date ?? '9999';
  const ranks = new Map<string, number>(TASK_PRIORITIES.map((priority, rank) => [priority, rank]));
  const rank = ({ priority }: ListedColumns) => ranks.get(priority) ?? -1;
  const first: Record<ListView['sort'], (a: ListedColumns, b: ListedColumns) => number> = {
    hand: () => 0,
    priority: (a, b) => rank(b) - rank(a),
    target: (a, b) => compare(due(a), due(b)),
    updated: (a, b) => compare(b.updated_at, a.updated_at),
    title: (a, b) => collator.compare(a.title, b.title),
  };
  return (a: ListedColumns, b: ListedColumns) => first[sort](a, b) || byHand(a, b);
}

function groupsInOrder<T extends ListedColumns>(
  groups: [string, T[]][],
  column: Exclude<ListView['group'], 'none'>,
  facts: ListFacts,
): [group: string, label: string, members: T[]][] {
  const order: readonly string[] = {
    status: TASK_STATUSES as readonly string[],
    stage: facts.stages,
    milestone: [...facts.milestones.keys()],
    assignee: [facts.userId],
  }[column];
  const places = new Map(order.map((value, place) => [value, place]));
  const placeOf = (group: string) => {
    if (column === 'assignee' && group === NOBODY) return Number.POSITIVE_INFINITY;
    return places.get(group) ?? order.length;
  };
  const labelled = groups.map(([group, members]): [string, string, T[]] => [
    group,
    labelOf(group, members[0] as T, column, facts),
    members,
  ]);
  return labelled.sort(
    ([a, one], [b, other]) => compare(placeOf(a), placeOf(b)) || collator.compare(one, other),
  );
}

function labelOf(
  group: string,
  member: ListedColumns,
  column: Exclude<ListView['group'], 'none'>,
  facts: ListFacts,
): string {
  switch (column) {
    case 'status':
      return TASK_STATUS_LABELS[member.status];
    case 'stage':
      return stageLabel(group);
    case 'milestone':
      return facts.milestones.get(group)?.label ?? 'A milestone that is not on this device yet';
    case 'assignee':
      return group === NOBODY ? 'Nobody' : facts.nameOf(member, group);
  }
}

/** @returns the tasks among which a task is moved by hand: those of its group that have the same parent in the list */
export function siblingsOf<T extends ListedColumns>(rows: readonly ListRow<T>[], id: string): TaskRowOf<T>[] {
  const parents = new Map<string, string | null>();
  const above: string[] = [];
  const tasks = rows.filter((row) => row.kind === 'task');
  for (const { task, depth } of tasks) {
    above.length = depth;
    parents.set(task.id, above.at(-1) ?? null);
    above.push(task.id);
  }
  const own = tasks.find(({ task }) => task.id === id);
  if (!own) return [];
  const parent = parents.get(id);
  return tasks.filter(({ task, group }) => group === own.group && parents.get(task.id) === parent);
}
