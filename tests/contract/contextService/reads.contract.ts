import { expect, it } from 'vitest';
import type { Milestone, Project, Task, Workspace } from '@/domain/entities';
import { COMMON_COLUMNS, columnsOf, type SyncedTable } from '@/domain/schema';
import { GLOBAL_SCOPE_ID, STANDARD_STAGES, STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { SEED } from '../../support/seed';
import { ISO_TIME, type Section, UNKNOWN_ID } from './world';

/** The fields of an entity: all mirrored columns but the revision. */
function fieldsOf(table: SyncedTable): string[] {
  const { revision: _, ...common } = COMMON_COLUMNS;
  return ['id', 'workspace_id', ...Object.keys(columnsOf(table)), ...Object.keys(common)].sort();
}

export const readsContract: Section = (world) => {
  it('gives the whole context of a task', async () => {
    const context = await world().owner.getTaskContext(SEED.busyTask);
    if (!context) throw new Error('The task is not there.');
    expect(context.missing).toEqual([]);
    expect(context.task).toMatchObject({
      id: SEED.busyTask,
      workspace_id: SEED.workspace,
      milestone_id: SEED.offlineMilestone,
      workflow_id: null,
      current_stage: 'IMPLEMENT',
      assignee_id: SEED.users.agent,
    });
    expect(context.milestone).toMatchObject({ id: SEED.offlineMilestone, project_id: SEED.fieldApp });
    expect(context.project).toMatchObject({ id: SEED.fieldApp, name: 'Field app' });
    expect(context.project?.tech_stack).toContain('WatermelonDB');
    expect(context.workspace).toMatchObject({ id: SEED.workspace, workspace_id: SEED.workspace });
    expect(context.parent_task).toBeNull();
    expect(context.subtasks).toHaveLength(4);
    expect(context.dependencies.map(({ title }) => title)).toEqual([
      'Mirror the server schema in the local database',
      'Write changes of one tap as one group',
    ]);
    expect(context.activities).toHaveLength(20);
  });

  it('gives the standard workflow of a task that names none (R5)', async () => {
    const context = await world().owner.getTaskContext(SEED.busyTask);
    expect(context?.workflow).toMatchObject({ id: STANDARD_WORKFLOW_ID, workspace_id: GLOBAL_SCOPE_ID });
    expect(context?.workflow?.stages.map(({ name }) => name)).toEqual(STANDARD_STAGES);
    expect(context?.workflow?.stages.filter((stage) => stage.is_checkpoint).map(({ name }) => name)).toEqual([
      'PLAN_REVIEW',
      'CODE_REVIEW',
    ]);
  });

  it('gives plain objects with exactly the fields of the entities', async () => {
    const context = await world().owner.getTaskContext(SEED.busyTask);
    if (!context) throw new Error('The task is not there.');
    const { task, milestone, project, workspace, workflow } = context;
    expect(Object.keys(task).sort()).toEqual(fieldsOf('tasks'));
    expect(Object.keys(milestone ?? {}).sort()).toEqual(fieldsOf('milestones'));
    expect(Object.keys(project ?? {}).sort()).toEqual(fieldsOf('projects'));
    expect(Object.keys(workspace ?? {}).sort()).toEqual(fieldsOf('workspaces'));
    expect(Object.keys(workflow ?? {}).sort()).toEqual(fieldsOf('workflows'));
    expect(Object.keys(context.activities[0] ?? {}).sort()).toEqual(fieldsOf('activity_feed'));
    expect(Object.keys(context.patterns[0] ?? {}).sort()).toEqual(fieldsOf('patterns'));
    expect(Object.keys(context.best_practices[0] ?? {}).sort()).toEqual(fieldsOf('best_practices'));
    expect(structuredClone(context)).toEqual(context);
    expect(task.created_at).toMatch(ISO_TIME);
    expect(task.updated_at).toMatch(ISO_TIME);
    expect(milestone?.target_date).toMatch(ISO_TIME);
  });

  it('gives a subtask with its parent', async () => {
    const tasks = await world().viewer.getTasks(SEED.offlineMilestone);
    const subtask = tasks.find((task) => task.parent_task_id === SEED.busyTask);
    const context = await world().viewer.getTaskContext(subtask?.id ?? '');
    expect(context?.parent_task?.id).toBe(SEED.busyTask);
  });

  it('shows the last 20 activities of a task, newest first', async () => {
    const { owner, task } = world();
    const { id } = await task();
    for (let n = 1; n <= 25; n += 1) await owner.addTaskActivity(id, 'comment', { n });
    const context = await owner.getTaskContext(id);
    expect(context?.activities.map(({ details }) => (details as { n: number }).n)).toEqual(
      Array.from({ length: 20 }, (_, index) => 25 - index),
    );
  });

  it('orders subtasks by sort_order and dependencies by title, then by id', async () => {
    const { owner, task } = world();
    const parent = await task();
    const { milestone_id } = parent;
    const make = (title: string, sort_order: number, parent_task_id: string | null = null) =>
      owner.createTask({ milestone_id, parent_task_id, title, sort_order });
    const subtasks: Task[] = [];
    for (const order of [2, -1, 1.5, 1.5]) subtasks.push(await make(`Order ${order}`, order, parent.id));
    const needed: Task[] = [];
    for (const title of ['b', 'B', 'é', 'Z', 'b']) needed.push(await make(title, 0));
    for (const { id } of needed) await owner.addTaskDependency(parent.id, id);

    const context = await owner.getTaskContext(parent.id);
    const ids = (tasks: readonly Task[], ...indexes: number[]) => indexes.map((index) => tasks[index]?.id);
    expect(context?.subtasks.map(({ id }) => id)).toEqual(ids(subtasks, 1, 2, 3, 0));
    expect(context?.dependencies.map(({ id }) => id)).toEqual(ids(needed, 1, 3, 0, 4, 2));
  });

  it('orders workspaces, projects and milestones by name, then by id', async () => {
    const { owner } = world();
    const made: Workspace[] = [];
    for (const name of ['b', 'B', 'é', 'Z', 'b', 'A\u{1f600}']) {
      made.push(await owner.createWorkspace({ name: `Order ${name}` }));
    }
    const expected = [5, 1, 3, 0, 4, 2];
    const ours = new Set(made.map(({ id }) => id));
    const workspaces = (await owner.getWorkspaces()).filter(({ id }) => ours.has(id));
    expect(workspaces.map(({ id }) => made.findIndex((each) => each.id === id))).toEqual(expected);

    const workspace_id = made[0]?.id ?? '';
    const projects: Project[] = [];
    for (const { name } of made) projects.push(await owner.createProject({ workspace_id, name }));
    const shownProjects = await owner.getProjects(workspace_id);
    expect(shownProjects.map(({ id }) => projects.findIndex((each) => each.id === id))).toEqual(expected);

    const project_id = projects[0]?.id ?? '';
    const milestones: Milestone[] = [];
    for (const { name } of made) milestones.push(await owner.createMilestone({ project_id, name }));
    const shownMilestones = await owner.getMilestones(project_id);
    expect(shownMilestones.map(({ id }) => milestones.findIndex((each) => each.id === id))).toEqual(expected);
  });

  it('lists the tasks of a milestone by sort_order, then by id, subtasks included', async () => {
    const { owner, milestone } = world();
    const { id: milestone_id } = await milestone();
    const first = await owner.createTask({ milestone_id, title: 'Z', sort_order: 1 });
    const second = await owner.createTask({ milestone_id, title: 'A', sort_order: 1 });
    const subtask = await owner.createTask({
      milestone_id,
      title: 'M',
      sort_order: 0.5,
      parent_task_id: first.id,
    });
    expect((await owner.getTasks(milestone_id)).map(({ id }) => id)).toEqual([
      subtask.id,
      first.id,
      second.id,
    ]);
  });

  it('lists workflows by name, the standard one among them', async () => {
    const { viewer } = world();
    const workflows = await viewer.getWorkflows();
    expect(workflows.map(({ id }) => id)).toContain(STANDARD_WORKFLOW_ID);
    expect(await viewer.getWorkflowById(STANDARD_WORKFLOW_ID)).toEqual(
      workflows.find(({ id }) => id === STANDARD_WORKFLOW_ID),
    );
  });

  it('does not show the global scope as a workspace', async () => {
    const ids = (await world().owner.getWorkspaces()).map(({ id }) => id);
    expect(ids).toContain(SEED.workspace);
    expect(ids).not.toContain(GLOBAL_SCOPE_ID);
  });

  it.each([
    ['unknown', UNKNOWN_ID],
    ['none', 'task-1'],
    ['one of WatermelonDB that nothing has', 'aB3dE5gH7jK9mN1p'],
    ['empty', ''],
  ])('answers null and empty lists where the id is %s', async (_, id) => {
    const { owner } = world();
    expect(await owner.getTaskContext(id)).toBeNull();
    expect(await owner.getWorkflowById(id)).toBeNull();
    expect(await owner.getProjects(id)).toEqual([]);
    expect(await owner.getMilestones(id)).toEqual([]);
    expect(await owner.getTasks(id)).toEqual([]);
  });

  it('takes ids in upper case', async () => {
    const context = await world().owner.getTaskContext(SEED.busyTask.toUpperCase());
    expect(context?.task.id).toBe(SEED.busyTask);
  });
};
