/** Several tasks at once, with their subtasks and dependencies: the part of the Context Service by which a plan is written down. */

import type { Task } from './entities';

/** A new task, as far as it differs from what `createTask` takes: what it refers to may be new, too. */
export interface NewTask
  extends Pick<Task, 'title'>,
    Partial<Pick<Task, 'description' | 'priority' | 'assignee_id'>> {
  /** By which other tasks of the batch refer to it; 1 to 64 characters, each its own. */
  name?: string;
  /** The task that it is a subtask of: a name of the batch, or the id of a task of the same milestone. */
  parent?: string;
  /** Tasks that it waits for: names of the batch, or ids. */
  depends_on?: readonly string[];
}

export interface TaskBatch {
  /**
   * Names the batch, 1 to 200 characters: the same batch is created once, however often it is asked for, also where an
   * answer was lost.
   */
  request_id: string;
  tasks: readonly NewTask[];
}

/** Most tasks of a batch. */
export const MOST_NEW_TASKS = 50;

/** The place of a task in lists that are ordered by hand. */
export interface TaskPlace extends Pick<Task, 'id' | 'sort_order'> {
  /** Where the caller has seen it: nothing is written where somebody is known to have moved it since. */
  expected?: number;
}

export interface TaskBatchService {
  /**
   * Creates all of the tasks or none, each at the first stage of the standard workflow, and last in lists in the order of the batch (N10).
   * @returns their ids, in the order of the batch
   * Rejects as `createTask` and `addTaskDependency` do; the field is as in `tasks[2].title`.
   */
  createTasks(milestoneId: string, batch: TaskBatch): Promise<string[]>;
  /**
   * Gives tasks of one workspace their places, all or none.
   * @param places the first is that of the task that was moved; the others make room for it
   * Rejects with `conflict/stale` where one of them is not where it is expected.
   */
  orderTasks(places: readonly TaskPlace[]): Promise<void>;
}
