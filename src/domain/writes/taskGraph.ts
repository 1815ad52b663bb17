/** Walks along the parents, the subtasks and the dependencies of tasks. */

import type { Task } from '../entities';

/** How tasks of one workspace hang together, as far as the store knows it. */
export interface TaskGraph {
  parentOf(taskId: string): Promise<string | null>;
  /** @returns the tasks that any of these depends on. */
  dependenciesOf(taskIds: readonly string[]): Promise<string[]>;
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
