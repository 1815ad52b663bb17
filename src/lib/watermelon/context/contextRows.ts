/** Reads a task's context by SQL: in one transaction and one round trip, without records in memory. */

import type {
  Activity,
  BestPractice,
  Milestone,
  Pattern,
  Project,
  Task,
  Workflow,
  Workspace,
} from '@/domain/entities';
import type { SyncedTable } from '@/domain/schema';
import { GLOBAL_SCOPE_ID, STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { type LocalStore, rowToEntity, selectEntities } from './localStore';

/** The number of activities in a context. */
export const ACTIVITIES = 20;

/** The parts of a context; activities come newest first, other lists in any order. */
export interface ContextParts {
  task: Task;
  milestone: Milestone | null;
  project: Project | null;
  workspace: Workspace | null;
  parent_task: Task | null;
  workflow: Workflow | null;
  subtasks: Task[];
  dependencies: Task[];
  /** The number of tasks it depends on, those that are not on this device included. */
  linked: number;
  activities: Activity[];
  patterns: Pattern[];
  best_practices: BestPractice[];
}

/** The only parameter of each, once or more, is the id of the task. */
const OF_TASK = (column: string) => `(select "${column}" from "tasks" where "id" = ?)`;
const PROJECT = `(select m."project_id" from "tasks" t join "milestones" m on m."id" = t."milestone_id"
  where t."id" = ? and m."_status" <> 'deleted')`;
const KNOWLEDGE = `"workspace_id" in ('${GLOBAL_SCOPE_ID}', ${OF_TASK('workspace_id')})
  and ("project_id" is null or "project_id" = ${PROJECT})`;

const QUERIES = [
  select('tasks', '"id" = ?'),
  select('milestones', `"id" = ${OF_TASK('milestone_id')}`),
  select('projects', `"id" = ${PROJECT}`),
  select('workspaces', `"id" = ${OF_TASK('workspace_id')}`),
  select('tasks', `"id" = ${OF_TASK('parent_task_id')}`),
  select('workflows', `"id" = coalesce(${OF_TASK('workflow_id')}, '${STANDARD_WORKFLOW_ID}')`),
  select('tasks', '"parent_task_id" = ?'),
  select(
    'tasks',
    `"id" in (select "depends_on_task_id" from "task_dependencies" where "task_id" = ? and "_status" <> 'deleted')`,
  ),
  select('activity_feed', '"task_id" = ?', `order by "created_at" desc, "id" desc limit ${ACTIVITIES}`),
  select('patterns', KNOWLEDGE),
  select('best_practices', KNOWLEDGE),
  {
    sql: `select count(distinct "depends_on_task_id") from "task_dependencies" where "task_id" = ? and "_status" <> 'deleted'`,
    parameters: 1,
  },
];

function select(table: SyncedTable, where: string, order = '') {
  return { sql: selectEntities(table, where, order), parameters: where.split('?').length - 1 };
}

/** @returns the parts of a task's context on this device; null without the task */
export async function partsFromRows({ database }: LocalStore, taskId: string): Promise<ContextParts | null> {
  const found = await database.readAll(
    QUERIES.map(({ sql, parameters }) => ({ sql, args: Array<string>(parameters).fill(taskId) })),
  );
  const all = <T>(index: number, table: SyncedTable) =>
    (found[index] ?? []).map((row) => rowToEntity<T>(table, row));
  const one = <T>(index: number, table: SyncedTable) => all<T>(index, table)[0] ?? null;
  const task = one<Task>(0, 'tasks');
  return task === null || database.isLeaving(task.workspace_id)
    ? null
    : {
        task,
        milestone: one(1, 'milestones'),
        project: one(2, 'projects'),
        workspace: one(3, 'workspaces'),
        parent_task: one(4, 'tasks'),
        workflow: one(5, 'workflows'),
        subtasks: all(6, 'tasks'),
        dependencies: all(7, 'tasks'),
        activities: all(8, 'activity_feed'),
        patterns: all(9, 'patterns'),
        best_practices: all(10, 'best_practices'),
        linked: Number(found[11]?.[0]?.[0] ?? 0),
      };
}
