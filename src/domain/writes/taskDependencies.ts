/** Writes of the dependencies between tasks. */

import { ok } from '@/core/result';
import { dependencyAdded, dependencyRemoved } from '../activities';
import type { Task } from '../entities';
import { invalid, noSuchRecord, validateId } from '../validation';
import type { PlanContext, Planned, Requested, WriteRequest } from './plan';
import { dependencyDeadlocks, waitsFor } from './taskGraph';

const FIELD = 'depends_on_task_id';

export function requestDependencyInsert(taskId: string, dependsOnId: string): Requested<'tasks'> {
  return requestOn(taskId, dependsOnId, planInsert);
}

export function requestDependencyDelete(taskId: string, dependsOnId: string): Requested<'tasks'> {
  return requestOn(taskId, dependsOnId, planDelete);
}

function requestOn(
  taskId: string,
  dependsOnId: string,
  plan: (task: Task, dependsOnId: string, context: PlanContext) => Promise<Planned>,
): Requested<'tasks'> {
  const from = validateId('task_id', taskId);
  if (!from.ok) return from;
  const to = validateId(FIELD, dependsOnId);
  if (!to.ok) return to;
  const request: WriteRequest<'tasks'> = {
    target: { table: 'tasks', id: from.value, field: 'task_id' },
    plan: (task, context) => plan(task, to.value, context),
  };
  return ok(request);
}

async function planInsert(task: Task, dependsOnId: string, context: PlanContext): Promise<Planned> {
  const { id: task_id, workspace_id: workspaceId } = task;
  const [needed, existing] = await Promise.all([
    context.find('tasks', dependsOnId),
    context.dependency(task_id, dependsOnId),
  ]);
  if (needed?.workspace_id !== workspaceId) return noSuchRecord(FIELD, 'tasks');
  if (needed.id === task_id) {
    return invalid('cycle', FIELD, 'A task cannot depend on itself. Choose another task.');
  }
  if (existing)
    return invalid('duplicate', FIELD, 'The task depends on that one already. Leave this dependency out.');
  if (context.graph && (await waitsFor(context.graph, needed.id, task_id))) {
    const message =
      'That task already waits for this one, directly or through others. Remove one of those dependencies first.';
    return invalid('cycle', FIELD, message);
  }
  if (context.graph && (await dependencyDeadlocks(context.graph, task_id, needed.id))) {
    const message =
      'The tasks would wait for each other: a task waits for its subtasks, and these for what it depends on. Choose another task.';
    return invalid('cycle', FIELD, message);
  }
  const id = context.newId();
  const values = { task_id, depends_on_task_id: needed.id };
  return ok({
    workspaceId,
    changes: [{ op: 'insert', table: 'task_dependencies', id, values }],
    activities: [{ id: context.newId(), draft: dependencyAdded(task_id, needed) }],
    answer: { table: 'task_dependencies', id },
  });
}

async function planDelete(task: Task, dependsOnId: string, context: PlanContext): Promise<Planned> {
  const [dependency, needed] = await Promise.all([
    context.dependency(task.id, dependsOnId),
    context.find('tasks', dependsOnId),
  ]);
  if (!dependency) return noSuchRecord(FIELD, 'task_dependencies');
  const dependsOn = { id: dependency.depends_on_task_id, title: needed?.title ?? null };
  return ok({
    workspaceId: task.workspace_id,
    changes: [{ op: 'delete', table: 'task_dependencies', id: dependency.id }],
    activities: [{ id: context.newId(), draft: dependencyRemoved(task.id, dependsOn) }],
    answer: null,
  });
}
