/** Rules about tasks that services apply before they write; the server enforces all of them again. */

import type { Json } from '@/core/protocol';
import type { Task, WorkflowStage } from './entities';
import type { TaskStatus } from './vocabulary';

/**
 * Keeps `completion_date` in step with `status`: a task that becomes done is completed now; one that stops
 * being done loses its date. A date that is given explicitly is kept.
 * @param before the task's status, or null for a new task.
 * @param values columns in canonical form.
 * @param now ISO time.
 * @returns the values, with `completion_date` added where it follows.
 */
export function withCompletion(
  before: Pick<Task, 'status'> | null,
  values: Readonly<Record<string, Json>>,
  now: string,
): Record<string, Json> {
  const status = values.status;
  const dateGiven =
    values.completion_date !== undefined && !(before === null && values.completion_date === null);
  if (status === undefined || dateGiven) return { ...values };
  if (status === 'done' && before?.status !== 'done') return { ...values, completion_date: now };
  if (status !== 'done' && before?.status === 'done') return { ...values, completion_date: null };
  return { ...values };
}

/**
 * The status of a task that gets a stage and no status (T1): to do in the first stage, in progress in any other. Blocked and
 * cancelled are said explicitly, and stay until somebody says otherwise (T2).
 * @param stages of the task's workflow, in any order; null where it is not known here
 * @param before the task's status, or null for a new task
 * @returns null where the status stays as it is
 */
export function statusAfter(
  stages: readonly WorkflowStage[] | null,
  stage: string,
  before: TaskStatus | null,
): TaskStatus | null {
  if (before === 'blocked' || before === 'cancelled') return null;
  const order = stages?.find(({ name }) => name === stage)?.order;
  if (stages === null || order === undefined) return null;
  return stages.some((other) => other.order < order) ? 'in_progress' : 'todo';
}

/** @returns whether a stage is the last of its workflow, from which a task is finished (T3) */
export function isLastStage(stages: readonly WorkflowStage[], stage: string): boolean {
  const order = stages.find(({ name }) => name === stage)?.order;
  return order !== undefined && !stages.some((other) => other.order > order);
}

type Place = Pick<Task, 'milestone_id' | 'parent_task_id'>;

/**
 * Keeps milestone and parent task in step when a task moves (U29): under a task of another milestone, it moves
 * to that milestone; in another milestone, it leaves its parent task unless that belongs to it too.
 * @param values columns in canonical form.
 * @param parent the parent task after the change, or null for none or an unknown one.
 * @returns the values, with the other column of the place added where it follows.
 */
export function withPlace(
  before: Place,
  values: Readonly<Record<string, Json>>,
  parent: Pick<Task, 'milestone_id'> | null,
): Record<string, Json> {
  const { milestone_id: milestone, parent_task_id: given } = values;
  const isNewParent = given !== undefined && given !== before.parent_task_id;
  if (isNewParent && given !== null && milestone === undefined && parent) {
    return { ...values, milestone_id: parent.milestone_id };
  }
  const isMoved = milestone !== undefined && milestone !== before.milestone_id;
  const staysBehind = before.parent_task_id !== null && parent?.milestone_id !== milestone;
  return isMoved && !isNewParent && staysBehind ? { ...values, parent_task_id: null } : { ...values };
}

/**
 * Finds the checkpoints that only a human owner or editor may move the task past (R4).
 * @param stages of the task's workflow, in any order.
 * @param from the stage the task is in, or null for a new task.
 * @param to the stage after the write.
 * @param finished whether the write makes the task done or gives it a completion date.
 * @returns their names, in the order of the stages
 */
export function checkpointsInTheWay(
  stages: readonly WorkflowStage[],
  from: string | null,
  to: string,
  finished: boolean,
): string[] {
  const orderOf = (name: string | null) => stages.find((stage) => stage.name === name)?.order;
  const unbound = Number.NEGATIVE_INFINITY;
  const old = orderOf(from) ?? unbound;
  const next = orderOf(to) ?? unbound;
  const start = finished ? Math.min(old, next) : old;
  const end = finished ? Number.POSITIVE_INFINITY : next;
  return stages
    .filter((stage) => stage.is_checkpoint && stage.order >= start && stage.order < end)
    .sort((one, other) => one.order - other.order)
    .map(({ name }) => name);
}

/** @returns the first of `checkpointsInTheWay`, or null where there is none. */
export function checkpointInTheWay(
  stages: readonly WorkflowStage[],
  from: string | null,
  to: string,
  finished: boolean,
): string | null {
  return checkpointsInTheWay(stages, from, to, finished)[0] ?? null;
}
