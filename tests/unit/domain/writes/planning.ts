/** A workspace in memory to plan writes on. */

import type { EntityOf, Milestone, Task, TaskDependency, Workflow } from '@/domain/entities';
import type { SyncedTable } from '@/domain/schema';
import { STANDARD_STAGES, STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { newPlaces } from '@/domain/writes/newPlaces';
import type { PlanContext, Planned, Requested, WritePlan } from '@/domain/writes/plan';
import type { TaskGraph } from '@/domain/writes/taskGraph';

export const NOW = '2026-03-01T00:00:00.000Z';
export const WORKSPACE = uuid(1);
export const OTHER_WORKSPACE = uuid(2);

/** @returns a UUID made of a number. */
export function uuid(n: number): string {
  return `01900000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

const common = (id: string, workspace_id: string) => ({
  id,
  workspace_id,
  created_at: NOW,
  updated_at: NOW,
  last_modified_by: null,
});

export function milestone(n: number, workspaceId = WORKSPACE): Milestone {
  return {
    ...common(uuid(n), workspaceId),
    project_id: uuid(9),
    name: `Milestone ${n}`,
    description: null,
    requirements: null,
    status: 'planned',
    target_date: null,
  };
}

export function task(n: number, values: Partial<Task> = {}): Task {
  return {
    ...common(uuid(n), WORKSPACE),
    milestone_id: uuid(10),
    parent_task_id: null,
    workflow_id: null,
    title: `Task ${n}`,
    description: null,
    current_stage: 'PLAN',
    status: 'todo',
    priority: 'medium',
    assignee_id: null,
    sort_order: 0,
    claimed_by: null,
    claimed_until: null,
    completion_date: null,
    claim_id: null,
    key: null,
    ...values,
  };
}

export function workflow(id: string, stages: readonly string[], workspaceId = WORKSPACE): Workflow {
  return {
    ...common(id, workspaceId),
    name: 'Flow',
    description: null,
    stages: stages.map((name, order) => ({
      name,
      description: '',
      order,
      is_checkpoint: name.endsWith('_REVIEW'),
    })),
  };
}

export const standard = workflow(
  STANDARD_WORKFLOW_ID,
  STANDARD_STAGES,
  '00000000-0000-7000-8000-000000000000',
);

export interface Memory {
  records: Partial<{ [Table in SyncedTable]: EntityOf[Table][] }>;
  dependencies?: readonly (readonly [task: string, dependsOn: string])[];
  /** As on the server's side of the interface: tasks are not at hand as a graph. */
  hasGraph?: boolean;
}

/** @returns a context whose ids count up from 1000. */
export function contextOf({ records, dependencies = [], hasGraph = true }: Memory): PlanContext {
  let next = 1000;
  const tasks = records.tasks ?? [];
  const graph: TaskGraph = {
    parentOf: async (id) => tasks.find((each) => each.id === id)?.parent_task_id ?? null,
    dependenciesOf: async (ids) => dependencies.filter(([from]) => ids.includes(from)).map(([, to]) => to),
    subtasksOf: async (ids) =>
      tasks
        .filter(({ parent_task_id: parent }) => parent !== null && ids.includes(parent))
        .map(({ id }) => id),
    subtasksIn: async (milestoneId, ids) =>
      tasks
        .filter(({ parent_task_id: parent }) => parent !== null && ids.includes(parent))
        .filter(({ milestone_id }) => milestone_id === milestoneId)
        .map(({ id }) => id),
  };
  return {
    isMember: async () => true,
    entries: async (taskId, types) =>
      (records.activity_feed ?? []).filter(
        ({ task_id, activity_type }) => task_id === taskId && types.includes(activity_type),
      ),
    find: async <Table extends SyncedTable>(table: Table, id: string) => {
      const all = (records[table] ?? []) as EntityOf[Table][];
      return all.find((each) => each.id === id) ?? null;
    },
    dependency: async (from, to) =>
      dependencies.some(([one, other]) => one === from && other === to)
        ? ({ ...common(uuid(500), WORKSPACE), task_id: from, depends_on_task_id: to } as TaskDependency)
        : null,
    ...(hasGraph && { graph }),
    userId: async () => uuid(900),
    newId: () => uuid(next++),
    now: () => NOW,
    newPlace: newPlaces(() => Date.parse(NOW)),
  };
}

/** @returns the plan of a request on the record it names, or why there is none. */
export async function planned<Table extends SyncedTable>(
  requested: Requested<Table>,
  context: PlanContext,
): Promise<Planned> {
  if (!requested.ok) return requested;
  const { target, plan } = requested.value;
  const record = await context.find(target.table, target.id);
  if (!record) throw new Error(`The test has no record ${target.id} in ${target.table}.`);
  return plan(record, context);
}

export async function planOf<Table extends SyncedTable>(
  requested: Requested<Table>,
  context: PlanContext,
): Promise<WritePlan> {
  const plan = await planned(requested, context);
  if (!plan.ok) throw new Error(plan.error.message);
  return plan.value;
}
