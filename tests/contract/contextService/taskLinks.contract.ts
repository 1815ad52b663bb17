import { expect, it } from 'vitest';
import type { Task } from '@/domain/entities';
import { SEED } from '../../support/seed';
import { expectError, type Section, UNKNOWN_ID, validation } from './world';

export const taskLinksContract: Section = (world) => {
  /** Tasks of one new milestone. */
  async function tasks(count: number): Promise<Task[]> {
    const { milestone, owner, settle } = world();
    const { id: milestone_id } = await milestone();
    const made: Task[] = [];
    for (let n = 1; n <= count; n += 1)
      made.push(await owner.createTask({ milestone_id, title: `Task ${n}` }));
    await settle();
    return made;
  }

  async function pair(): Promise<[Task, Task]> {
    const [one, other] = await tasks(2);
    if (!one || !other) throw new Error('No tasks were made.');
    return [one, other];
  }

  async function dependenciesOf({ id }: Task): Promise<string[]> {
    return ((await world().owner.getTaskContext(id))?.dependencies ?? []).map((each) => each.id);
  }

  it('adds and removes a dependency, and says so in the feed of the waiting task', async () => {
    const { owner, feed } = world();
    const [waiting, needed] = await pair();
    const dependency = await owner.addTaskDependency(waiting.id, needed.id);
    expect(dependency).toMatchObject({
      task_id: waiting.id,
      depends_on_task_id: needed.id,
      workspace_id: SEED.workspace,
    });
    expect(await dependenciesOf(waiting)).toEqual([needed.id]);
    await owner.removeTaskDependency(waiting.id, needed.id);
    expect(await dependenciesOf(waiting)).toEqual([]);
    const again = await owner.addTaskDependency(waiting.id, needed.id);
    expect(again.id).not.toBe(dependency.id);

    const details = { depends_on_task_id: needed.id, title: needed.title };
    expect((await feed(owner, waiting.id)).slice(1)).toMatchObject([
      { activity_type: 'dependency_added', details },
      { activity_type: 'dependency_removed', details },
      { activity_type: 'dependency_added', details },
    ]);
    expect(await feed(owner, needed.id)).toHaveLength(1);
  });

  it('refuses a dependency that is there already', async () => {
    const { owner, feed } = world();
    const [waiting, needed] = await pair();
    await owner.addTaskDependency(waiting.id, needed.id);
    await expectError(
      owner.addTaskDependency(waiting.id, needed.id),
      validation('duplicate', 'depends_on_task_id'),
    );
    expect(await feed(owner, waiting.id)).toHaveLength(2);
  });

  it('refuses a task that waits for itself, directly or through others', async () => {
    const { owner, feed } = world();
    const [a, b, c] = await tasks(3);
    if (!a || !b || !c) throw new Error('No tasks were made.');
    const cycle = validation('cycle', 'depends_on_task_id');
    await expectError(owner.addTaskDependency(a.id, a.id), cycle);
    await owner.addTaskDependency(a.id, b.id);
    await owner.addTaskDependency(b.id, c.id);
    await expectError(owner.addTaskDependency(c.id, a.id), cycle);
    expect(await dependenciesOf(c)).toEqual([]);
    expect(await feed(owner, c.id)).toHaveLength(1);
    await owner.removeTaskDependency(b.id, c.id);
    await owner.addTaskDependency(c.id, a.id);
  });

  it('refuses dependencies of, on and between tasks that are not there', async () => {
    const { owner } = world();
    const [a, b] = await pair();
    await expectError(owner.addTaskDependency(UNKNOWN_ID, a.id), validation('not_found', 'task_id'));
    await expectError(
      owner.addTaskDependency(a.id, UNKNOWN_ID),
      validation('not_found', 'depends_on_task_id'),
    );
    await expectError(owner.addTaskDependency(a.id, 'x'), validation('bad_id', 'depends_on_task_id'));
    await expectError(owner.removeTaskDependency(UNKNOWN_ID, a.id), validation('not_found', 'task_id'));
    await expectError(owner.removeTaskDependency(a.id, b.id), validation('not_found', 'depends_on_task_id'));
  });

  it('refuses to link tasks of two workspaces (S1)', async () => {
    const { owner } = world();
    const [here] = await pair();
    const workspace = await owner.createWorkspace({ name: 'Elsewhere' });
    const project = await owner.createProject({ workspace_id: workspace.id, name: 'Elsewhere' });
    const milestone = await owner.createMilestone({ project_id: project.id, name: 'Elsewhere' });
    const there = await owner.createTask({ milestone_id: milestone.id, title: 'Elsewhere' });
    const unknown = (field: string) => validation('not_found', field);
    await expectError(owner.addTaskDependency(here.id, there.id), unknown('depends_on_task_id'));
    await expectError(owner.updateTask(here.id, { milestone_id: milestone.id }), unknown('milestone_id'));
    await expectError(owner.updateTask(here.id, { parent_task_id: there.id }), unknown('parent_task_id'));
    await expectError(
      owner.createTask({ milestone_id: milestone.id, title: 'x', parent_task_id: here.id }),
      unknown('parent_task_id'),
    );
    await expectError(
      owner.updateMilestone(here.milestone_id, { project_id: project.id }),
      unknown('project_id'),
    );
  });

  it('refuses a task below itself', async () => {
    const { owner, task } = world();
    const parent = await task();
    const child = await task({ milestone_id: parent.milestone_id, parent_task_id: parent.id });
    const grandchild = await task({ milestone_id: parent.milestone_id, parent_task_id: child.id });
    const cycle = validation('cycle', 'parent_task_id');
    await expectError(owner.updateTask(parent.id, { parent_task_id: parent.id }), cycle);
    await expectError(owner.updateTask(parent.id, { parent_task_id: grandchild.id }), cycle);
    expect((await owner.getTaskContext(parent.id))?.task.parent_task_id).toBeNull();
  });

  it('deleting a task hides it, its subtasks and the dependencies on it (U8)', async () => {
    const { owner, viewer, settle, task } = world();
    const parent = await task({ title: 'Parent' });
    const { milestone_id } = parent;
    const child = await task({ milestone_id, parent_task_id: parent.id });
    const waiting = await task({ milestone_id, title: 'Waiting' });
    await owner.addTaskDependency(waiting.id, child.id);
    await owner.deleteTask(parent.id);
    await settle();
    for (const service of [owner, viewer]) {
      expect(await service.getTaskContext(parent.id)).toBeNull();
      expect(await service.getTaskContext(child.id)).toBeNull();
      expect((await service.getTasks(milestone_id)).map(({ id }) => id)).toEqual([waiting.id]);
      expect((await service.getTaskContext(waiting.id))?.dependencies).toEqual([]);
    }
    const gone = (field: string) => validation('not_found', field);
    await expectError(owner.updateTask(child.id, { title: 'x' }), gone('id'));
    await expectError(owner.deleteTask(parent.id), gone('id'));
    await expectError(owner.addTaskActivity(parent.id, 'comment'), gone('task_id'));
    await expectError(owner.addTaskDependency(waiting.id, child.id), gone('depends_on_task_id'));
    await expectError(
      owner.createTask({ milestone_id, title: 'x', parent_task_id: child.id }),
      gone('parent_task_id'),
    );
    await expectError(owner.deleteTask('x'), validation('bad_id', 'id'));
  });

  it('tells the end of a subtask in the feed of its parent', async () => {
    const { owner, task, feed } = world();
    const parent = await task();
    const child = await task({
      milestone_id: parent.milestone_id,
      parent_task_id: parent.id,
      title: 'Child',
    });
    await owner.deleteTask(child.id);
    expect((await owner.getTaskContext(parent.id))?.subtasks).toEqual([]);
    expect((await feed(owner, parent.id)).at(-1)).toMatchObject({
      activity_type: 'task_deleted',
      entity_type: 'task',
      entity_id: child.id,
      details: { title: 'Child' },
    });
  });

  it('moves a task to another milestone and another parent', async () => {
    const { owner, milestone, task } = world();
    const moved = await task();
    const parent = await task({ milestone_id: (await milestone()).id });
    const after = await owner.updateTask(moved.id, {
      milestone_id: parent.milestone_id,
      parent_task_id: parent.id,
    });
    expect(after).toMatchObject({ milestone_id: parent.milestone_id, parent_task_id: parent.id });
    const context = await owner.getTaskContext(moved.id);
    expect(context?.milestone?.id).toBe(parent.milestone_id);
    expect(context?.parent_task?.id).toBe(parent.id);
    expect(await owner.getTasks(moved.milestone_id)).toEqual([]);
  });
};
