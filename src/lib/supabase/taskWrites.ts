/** Writes of tasks: each with the activity it implies, in one group. */

import { v7 as uuidv7 } from 'uuid';
import {
  type ActivityDraft,
  dependencyAdded,
  dependencyRemoved,
  taskChanged,
  taskCreated,
  taskDeleted,
  written,
} from '@/domain/activities';
import { changedColumns } from '@/domain/changes';
import type { ContextService } from '@/domain/contextService';
import type { Activity, Task, TaskDependency, Workflow } from '@/domain/entities';
import { withCompletion, withPlace } from '@/domain/taskRules';
import {
  inOrder,
  invalid,
  notFound,
  validateChanges,
  validateId,
  validateInsert,
  validateStage,
} from '@/domain/validation';
import { STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { checkReferences, existing, pick, type RemoteStore, reread, valid } from './plainWrites';
import type { PlainRecord } from './records';
import type { Change } from './remoteWriter';

type TaskWrites = Pick<
  ContextService,
  | 'addTaskActivity'
  | 'updateTaskStage'
  | 'createTask'
  | 'updateTask'
  | 'deleteTask'
  | 'addTaskDependency'
  | 'removeTaskDependency'
>;

export function taskWrites(store: RemoteStore): TaskWrites {
  return {
    addTaskActivity: (taskId, type, details = {}) => addActivity(store, taskId, type, details),
    updateTaskStage: async (taskId, stage) => {
      const id = valid(validateId('task_id', taskId));
      return update(store, id, { current_stage: stage ?? null }, 'task_id');
    },
    createTask: (data) => create(store, data),
    updateTask: (id, changes) => update(store, valid(validateId('id', id)), changes, 'id'),
    deleteTask: (id) => remove(store, id),
    addTaskDependency: (taskId, dependsOnId) => addDependency(store, taskId, dependsOnId),
    removeTaskDependency: (taskId, dependsOnId) => removeDependency(store, taskId, dependsOnId),
  };
}

function activity(draft: ActivityDraft, workspaceId: string, id = uuidv7()): Change {
  return { table: 'activity_feed', op: 'insert', id, workspace_id: workspaceId, values: { ...draft } };
}

async function task(store: RemoteStore, id: string, field: string): Promise<Task> {
  return (await existing(store, 'tasks', id, field)) as unknown as Task;
}

/** The workflow a task follows; null when it is deleted, and the server alone knows its stages. */
async function workflowOf(store: RemoteStore, workflowId: unknown): Promise<Workflow | null> {
  const id = typeof workflowId === 'string' ? workflowId : STANDARD_WORKFLOW_ID;
  return (await store.get('workflows', id)) as Workflow | null;
}

async function addActivity(
  store: RemoteStore,
  taskId: string,
  type: string,
  details: unknown,
): Promise<Activity> {
  const id = valid(validateId('task_id', taskId));
  const values = valid(validateInsert('activity_feed', { task_id: id, activity_type: type, details }));
  const { workspace_id } = await task(store, id, 'task_id');
  const draft = written(id, type, values.details ?? {});
  const change = activity(draft, workspace_id);
  await store.write([change]);
  return (await reread(store, 'activity_feed', change.id)) as unknown as Activity;
}

async function create(store: RemoteStore, data: object): Promise<Task> {
  const values = valid(validateInsert('tasks', data));
  const milestone = await existing(store, 'milestones', String(values.milestone_id), 'milestone_id');
  await checkReferences(store, 'tasks', milestone.workspace_id, values);
  const workflow = await workflowOf(store, values.workflow_id);
  const stageGiven = (data as { current_stage?: unknown }).current_stage !== undefined;
  const first = workflow && inOrder(workflow.stages)[0]?.name;
  const stage = stageGiven ? valid(validateStage(workflow, values.current_stage)) : (first ?? 'PLAN');
  const id = uuidv7();
  const complete = withCompletion(null, { ...values, current_stage: stage }, store.now());
  const title = String(complete.title);
  await store.write([
    { table: 'tasks', op: 'insert', id, workspace_id: milestone.workspace_id, values: complete },
    activity(taskCreated({ id, title, current_stage: stage }), milestone.workspace_id),
  ]);
  return (await reread(store, 'tasks', id)) as unknown as Task;
}

/** @param field under which the caller named the task. */
async function update(store: RemoteStore, id: string, changes: object, field: string): Promise<Task> {
  const given = valid(validateChanges('tasks', changes));
  if (given.parent_task_id === id) {
    valid(invalid('cycle', 'parent_task_id', 'A task cannot be its own subtask. Choose another parent.'));
  }
  const before = await task(store, id, field);
  const record = { ...before };
  const dated = withCompletion(before, given, store.now());
  const under = given.parent_task_id ?? before.parent_task_id;
  const isPlaced = given.milestone_id !== undefined || given.parent_task_id !== undefined;
  const named = isPlaced && typeof under === 'string' ? await store.get('tasks', under) : null;
  const parent = named?.workspace_id === before.workspace_id ? named : null;
  // The subtasks follow on the server.
  const values = withPlace(before, dated, parent as Task | null);
  const changed = pick(values, changedColumns('tasks', record, values));
  if (Object.keys(changed).length === 0) return before;
  await checkReferences(store, 'tasks', before.workspace_id, changed);
  if ('current_stage' in changed || 'workflow_id' in changed) {
    const after = { ...record, ...changed };
    valid(validateStage(await workflowOf(store, after.workflow_id), after.current_stage));
  }
  await store.write([
    { table: 'tasks', op: 'update', id, workspace_id: before.workspace_id, values: changed },
    ...taskChanged(before, changed).map((draft) => activity(draft, before.workspace_id)),
  ]);
  return task(store, id, field);
}

async function remove(store: RemoteStore, id: string): Promise<void> {
  const taskId = valid(validateId('id', id));
  const before = await task(store, taskId, 'id');
  await store.write([
    activity(taskDeleted(before), before.workspace_id),
    { table: 'tasks', op: 'delete', id: taskId, workspace_id: before.workspace_id },
  ]);
}

async function addDependency(
  store: RemoteStore,
  taskId: string,
  dependsOnId: string,
): Promise<TaskDependency> {
  const from = valid(validateId('task_id', taskId));
  const to = valid(validateId('depends_on_task_id', dependsOnId));
  const field = 'depends_on_task_id';
  if (from === to) valid(invalid('cycle', field, 'A task cannot depend on itself. Choose another task.'));
  const [waiting, needed] = await Promise.all([task(store, from, 'task_id'), task(store, to, field)]);
  if (waiting.workspace_id !== needed.workspace_id) valid(notFound(field, 'task'));
  if (await store.dependency(from, to)) {
    valid(invalid('duplicate', field, 'The task depends on that one already.'));
  }
  const id = uuidv7();
  const values = { task_id: from, depends_on_task_id: to };
  await store.write([
    { table: 'task_dependencies', op: 'insert', id, workspace_id: waiting.workspace_id, values },
    activity(dependencyAdded(from, needed), waiting.workspace_id),
  ]);
  return (await reread(store, 'task_dependencies', id)) as unknown as TaskDependency;
}

async function removeDependency(store: RemoteStore, taskId: string, dependsOnId: string): Promise<void> {
  const from = valid(validateId('task_id', taskId));
  const to = valid(validateId('depends_on_task_id', dependsOnId));
  await task(store, from, 'task_id');
  const [dependency, needed] = await Promise.all([
    dependencyBetween(store, from, to),
    store.get('tasks', to),
  ]);
  const title = typeof needed?.title === 'string' ? needed.title : null;
  await store.write([
    activity(dependencyRemoved(from, { id: to, title }), dependency.workspace_id),
    {
      table: 'task_dependencies',
      op: 'delete',
      id: dependency.id,
      workspace_id: dependency.workspace_id,
    },
  ]);
}

async function dependencyBetween(store: RemoteStore, from: string, to: string): Promise<PlainRecord> {
  return (await store.dependency(from, to)) ?? valid(notFound('depends_on_task_id', 'dependency'));
}
