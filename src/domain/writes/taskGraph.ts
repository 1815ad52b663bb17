/**
 * Walks along the parents, the subtasks and the dependencies of tasks. A task waits for its open subtasks, and for what it or a task
 * above it depends on; whoever puts both together may close a circle that neither relation has (N5).
 */

import type { Task } from '../entities';

/** How tasks of one workspace hang together, as far as the store knows it. */
export interface TaskGraph {
  parentOf(taskId: string): Promise<string | null>;
  /** @returns the tasks that any of these depends on. */
  dependenciesOf(taskIds: readonly string[]): Promise<string[]>;
  /** @returns the subtasks of these tasks. */
  subtasksOf(taskIds: readonly string[]): Promise<string[]>;
  /** @returns the subtasks of these tasks that belong to the milestone. */
  subtasksIn(milestoneId: string, taskIds: readonly string[]): Promise<string[]>;
}

/** @returns whether a task is `ancestor` or stands under it; without a graph only the former is known. */
export async function isWithin(
  graph: TaskGraph | undefined,
  taskId: string,
  ancestor: string,
): Promise<boolean> {
  const seen = new Set<string>();
  let at: string | null = taskId;
  while (at !== null && !seen.has(at)) {
    if (at === ancestor) return true;
    seen.add(at);
    at = graph ? await graph.parentOf(at) : null;
  }
  return false;
}

/** @returns whether a task depends on `other`, directly or through others. */
export async function waitsFor(graph: TaskGraph, taskId: string, other: string): Promise<boolean> {
  const waited = await reachable(taskId, (ids) => graph.dependenciesOf(ids));
  return waited.includes(other);
}

/** That a task can begin, or that it is finished. */
interface Event {
  task: string;
  is: 'begun' | 'finished';
}
const keyOf = ({ task, is }: Event) => `${is} ${task}`;

/**
 * @returns whether an event has to come after `other`. A task begins after the tasks that it depends on are finished, and after the
 * task above it could begin; it is finished after it began, and after its subtasks are finished.
 */
async function comesAfter(graph: TaskGraph, event: Event, other: Event): Promise<boolean> {
  const seen = new Set([keyOf(event)]);
  for (let frontier = [event]; frontier.length > 0; ) {
    const idsOf = (is: Event['is']) => frontier.filter((one) => one.is === is).map(({ task }) => task);
    const [begun, finished] = [idsOf('begun'), idsOf('finished')];
    const parents = await Promise.all(begun.map((task) => graph.parentOf(task)));
    const before = [
      ...(begun.length > 0 ? await graph.dependenciesOf(begun) : []).map((task) => ({
        task,
        is: 'finished' as const,
      })),
      ...parents.flatMap((task) => (task === null ? [] : [{ task, is: 'begun' as const }])),
      ...finished.map((task) => ({ task, is: 'begun' as const })),
      ...(finished.length > 0 ? await graph.subtasksOf(finished) : []).map((task) => ({
        task,
        is: 'finished' as const,
      })),
    ];
    frontier = [];
    for (const one of before) {
      const key = keyOf(one);
      if (key === keyOf(other)) return true;
      if (seen.has(key)) continue;
      seen.add(key);
      frontier.push(one);
    }
  }
  return false;
}

/** @returns whether both would wait for each other for ever if the task depended on `other` (N5). */
export function dependencyDeadlocks(graph: TaskGraph, taskId: string, other: string): Promise<boolean> {
  return comesAfter(graph, { task: other, is: 'finished' }, { task: taskId, is: 'begun' });
}

/** @returns whether tasks would wait for each other for ever if the task stood under `parent` (N5). */
export async function parentDeadlocks(graph: TaskGraph, taskId: string, parent: string): Promise<boolean> {
  const moved: TaskGraph = {
    ...graph,
    parentOf: async (id) => (id === taskId ? parent : graph.parentOf(id)),
    subtasksOf: async (ids) => {
      const others = (await graph.subtasksOf(ids)).filter((id) => id !== taskId);
      return ids.includes(parent) ? [...others, taskId] : others;
    },
  };
  const [begun, finished] = ['begun', 'finished'] as const;
  return (
    (await comesAfter(moved, { task: parent, is: begun }, { task: taskId, is: begun })) ||
    (await comesAfter(moved, { task: taskId, is: finished }, { task: parent, is: finished }))
  );
}

/** @returns the subtasks, at any depth, that stand in the milestone of the task and so move along with it (U29). */
export async function followersOf(
  graph: TaskGraph,
  task: Pick<Task, 'id' | 'milestone_id'>,
): Promise<string[]> {
  return reachable(task.id, (ids) => graph.subtasksIn(task.milestone_id, ids));
}

/** Breadth first. @returns what is reached from `start`, without `start`. */
async function reachable(
  start: string,
  next: (ids: readonly string[]) => Promise<string[]>,
): Promise<string[]> {
  const seen = new Set([start]);
  for (let frontier = [start]; frontier.length > 0; ) {
    frontier = [...new Set(await next(frontier))].filter((id) => !seen.has(id));
    for (const id of frontier) seen.add(id);
  }
  seen.delete(start);
  return [...seen];
}
