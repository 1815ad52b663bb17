/** Writes on tasks, each with the activity it implies. */

import { ConvoyError } from '@/core/errors';
import type { Json } from '@/core/protocol';
import {
  dependencyAdded,
  dependencyRemoved,
  taskChanged,
  taskCreated,
  taskDeleted,
  written,
} from '@/domain/activities';
import type { ContextService, TaskChanges } from '@/domain/contextService';
import type { Activity, Task, TaskDependency, Workflow } from '@/domain/entities';
import { withCompletion, withPlace } from '@/domain/taskRules';
import {
  inOrder,
  type RecordValues,
  validateActivityType,
  validateChanges,
  validateId,
  validateInsert,
  validateStage,
} from '@/domain/validation';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import type { ConvoyModel } from '../models';
import { Q } from '../models/watermelondb';
import { withDescendants } from '../sync/records/cascade';
import { type LocalFirst, writeOn } from './localFirst';
import { toEntity } from './localStore';
import {
  noSuch,
  orThrow,
  prepareActivity,
  prepareInsert,
  prepareUpdate,
  refuseWorkflowByAgent,
  requireFreeWay,
  requireRole,
  workflowOf,
} from './localWrites';
import { checkPlace, dependencyProblem, followersOf } from './taskPlace';

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

const isFinished = (task: RecordValues): boolean =>
  task.status === 'done' || (task.completion_date ?? null) !== null;

const asTask = (record: ConvoyModel) => toEntity<Task>('tasks', record.raw);

export function taskWrites(local: LocalFirst): TaskWrites {
  const { store } = local;
  const { database } = store;
  const nowIso = () => new Date(local.clock.now()).toISOString();
  const activity = (workspaceId: string) => (draft: Parameters<typeof prepareActivity>[2]) =>
    prepareActivity(local, workspaceId, draft);

  /** The workflow a task is to follow: one of its workspace, or a global one. */
  const knownWorkflow = async (workspaceId: string, id: string | null): Promise<Workflow | null> => {
    const workflow = await workflowOf(store, id);
    const usable = workflow?.workspace_id === workspaceId || workflow?.workspace_id === GLOBAL_SCOPE_ID;
    if (id !== null && !usable) throw noSuch('workflows', 'workflow_id');
    return workflow;
  };

  /** @param field under which the caller named the task */
  const update = async (
    id: string,
    changes: TaskChanges,
    field: string,
    writeRemote: (remote: ContextService) => Promise<Task>,
  ): Promise<Task> => {
    const values = orThrow(validateChanges('tasks', changes));
    return writeOn(
      local,
      { table: 'tasks', id, field },
      async (record) => {
        const before = asTask(record);
        const workspaceId = before.workspace_id;
        await requireRole(local, workspaceId, 'tasks', 'update');
        const dated = withCompletion(before, values, nowIso());
        Object.assign(dated, await checkPlace(store, dated, workspaceId, before.id));
        const under = dated.parent_task_id ?? before.parent_task_id;
        const complete = withPlace(before, dated, await store.find<Task>('tasks', under as string | null));
        const after = { ...before, ...complete } as Task & RecordValues;
        const workflow = await knownWorkflow(workspaceId, after.workflow_id);
        if (after.workflow_id !== before.workflow_id) await refuseWorkflowByAgent(local, workspaceId);
        if ('current_stage' in complete || 'workflow_id' in complete) {
          orThrow(validateStage(workflow, after.current_stage));
        }
        const finishes = isFinished(after) && !isFinished({ ...before } as RecordValues);
        if (finishes || after.current_stage !== before.current_stage) {
          const move = { workflow, from: before.current_stage, to: after.current_stage, finished: finishes };
          await requireFreeWay(local, workspaceId, move);
        }
        const activities = taskChanged(before, complete);
        const isMoved = after.milestone_id !== before.milestone_id;
        const followers = isMoved ? await followersOf(store, before) : [];
        const place = { milestone_id: after.milestone_id };
        return {
          models: () =>
            activities.length === 0
              ? []
              : [
                  prepareUpdate(local, record, 'tasks', complete),
                  ...followers.map((subtask) => prepareUpdate(local, subtask, 'tasks', place)),
                  ...activities.map(activity(workspaceId)),
                ],
          result: () => asTask(record),
        };
      },
      writeRemote,
    );
  };

  return {
    updateTask: (id, changes) => update(id, changes, 'id', (remote) => remote.updateTask(id, changes)),

    async updateTaskStage(taskId, stage) {
      const name = orThrow(validateStage(null, stage));
      orThrow(validateId('task_id', taskId));
      return update(taskId, { current_stage: name }, 'task_id', (remote) =>
        remote.updateTaskStage(taskId, stage),
      );
    },

    async addTaskActivity(taskId, type, details = {}) {
      const activityType = orThrow(validateActivityType(type));
      const id = orThrow(validateId('task_id', taskId));
      orThrow(validateInsert('activity_feed', written(id, activityType, details)));
      return writeOn(
        local,
        { table: 'tasks', id, field: 'task_id' },
        async (task) => {
          await requireRole(local, task.workspaceId, 'activity_feed', 'insert');
          let entry: ConvoyModel | undefined;
          return {
            models: () => {
              entry = prepareActivity(local, task.workspaceId, written(task.id, activityType, details));
              return [entry];
            },
            result: () => toEntity<Activity>('activity_feed', (entry as ConvoyModel).raw),
          };
        },
        (remote) => remote.addTaskActivity(taskId, type, details),
      );
    },

    async createTask(data) {
      const values = orThrow(validateInsert('tasks', data));
      return writeOn(
        local,
        { table: 'milestones', id: values.milestone_id as string, field: 'milestone_id' },
        async (milestone) => {
          const { workspaceId } = milestone;
          const workflow = await knownWorkflow(workspaceId, values.workflow_id as string | null);
          const complete = withCompletion(null, atFirstStage(values, workflow, data.current_stage), nowIso());
          orThrow(validateStage(workflow, complete.current_stage));
          Object.assign(complete, await checkPlace(store, complete, workspaceId, null));
          await requireRole(local, workspaceId, 'tasks', 'insert');
          if (complete.workflow_id !== null) await refuseWorkflowByAgent(local, workspaceId);
          const to = complete.current_stage as string;
          await requireFreeWay(local, workspaceId, {
            workflow,
            from: null,
            to,
            finished: isFinished(complete),
          });
          let task: ConvoyModel | undefined;
          return {
            models: () => {
              task = prepareInsert(local, 'tasks', workspaceId, complete);
              return [task, prepareActivity(local, workspaceId, taskCreated(asTask(task)))];
            },
            result: () => asTask(task as ConvoyModel),
          };
        },
        (remote) => remote.createTask(data),
      );
    },

    async deleteTask(id) {
      await writeOn(
        local,
        { table: 'tasks', id, field: 'id' },
        async (record) => {
          const task = asTask(record);
          await requireRole(local, task.workspace_id, 'tasks', 'delete');
          const doomed = await withDescendants(database, 'tasks', record);
          return {
            models: () => [
              ...doomed.map((model) => model.prepareMarkAsDeleted(record.id)),
              prepareActivity(local, task.workspace_id, taskDeleted(task)),
            ],
            result: () => undefined,
          };
        },
        (remote) => remote.deleteTask(id),
      );
    },

    async addTaskDependency(taskId, dependsOnId) {
      const ends: Record<string, Json> = { task_id: taskId, depends_on_task_id: dependsOnId };
      const values = orThrow(validateInsert('task_dependencies', ends));
      return writeOn(
        local,
        { table: 'tasks', id: taskId, field: 'task_id' },
        async ({ id, workspaceId }) => {
          const dependsOn = await store.find<Task>('tasks', values.depends_on_task_id as string);
          if (!dependsOn || dependsOn.workspace_id !== workspaceId)
            throw noSuch('tasks', 'depends_on_task_id');
          await requireRole(local, workspaceId, 'task_dependencies', 'insert');
          const problem = await dependencyProblem(store, id, dependsOn.id);
          if (problem) throw new ConvoyError(problem);
          let link: ConvoyModel | undefined;
          return {
            models: () => {
              const pair = { task_id: id, depends_on_task_id: dependsOn.id };
              link = prepareInsert(local, 'task_dependencies', workspaceId, pair);
              return [link, prepareActivity(local, workspaceId, dependencyAdded(id, dependsOn))];
            },
            result: () => toEntity<TaskDependency>('task_dependencies', (link as ConvoyModel).raw),
          };
        },
        (remote) => remote.addTaskDependency(taskId, dependsOnId),
      );
    },

    async removeTaskDependency(taskId, dependsOnId) {
      const target = store.resolve(orThrow(validateId('depends_on_task_id', dependsOnId)));
      await writeOn(
        local,
        { table: 'tasks', id: taskId, field: 'task_id' },
        async ({ id, workspaceId }) => {
          const [link] = await database
            .records('task_dependencies')
            .query(Q.where('task_id', id), Q.where('depends_on_task_id', target))
            .fetch();
          if (!link) throw noSuch('task_dependencies', 'depends_on_task_id');
          await requireRole(local, workspaceId, 'task_dependencies', 'delete');
          const other = await store.find<Task>('tasks', target);
          const told = dependencyRemoved(id, { id: target, title: other?.title ?? null });
          return {
            models: () => [link.prepareMarkAsDeleted(), prepareActivity(local, workspaceId, told)],
            result: () => undefined,
          };
        },
        (remote) => remote.removeTaskDependency(taskId, dependsOnId),
      );
    },
  };
}

/** A task that is given no stage begins at the first one of its workflow. */
function atFirstStage(
  values: RecordValues,
  workflow: Workflow | null,
  given: string | undefined,
): RecordValues {
  const first = workflow ? inOrder(workflow.stages)[0] : undefined;
  return given === undefined && first ? { ...values, current_stage: first.name } : values;
}
