import { expect, it } from 'vitest';
import { SEED } from '../../support/seed';
import type { Section } from './world';

export const movesContract: Section = (world) => {
  async function elsewhere(project_id: string = SEED.syncService): Promise<string> {
    const { owner, settle } = world();
    const { id } = await owner.createMilestone({ project_id, name: 'Elsewhere' });
    await settle();
    return id;
  }

  it('moves a task to a milestone of another project, with the subtasks that stand where it stood (U29)', async () => {
    const { owner, editor, settle, task, feed } = world();
    const parent = await task();
    const { milestone_id } = parent;
    const child = await task({ milestone_id, parent_task_id: parent.id });
    const grandchild = await task({ milestone_id, parent_task_id: child.id });
    const apart = await task({ parent_task_id: parent.id });
    const to = await elsewhere();
    const moved = await owner.updateTask(parent.id, { milestone_id: to });
    expect(moved).toMatchObject({ milestone_id: to, parent_task_id: null });
    await settle();
    expect(await editor.getTasks(milestone_id)).toEqual([]);
    expect((await editor.getTasks(to)).map(({ id, parent_task_id }) => [id, parent_task_id])).toEqual(
      expect.arrayContaining([
        [parent.id, null],
        [child.id, parent.id],
        [grandchild.id, child.id],
      ]),
    );
    expect((await editor.getTaskContext(apart.id))?.task.milestone_id).toBe(apart.milestone_id);
    expect((await feed(editor, parent.id)).slice(1)).toMatchObject([
      { activity_type: 'task_updated', details: { changes: { milestone_id: [milestone_id, to] } } },
    ]);
    expect(await feed(editor, child.id)).toHaveLength(1);
  });

  it('leaves a parent task that stays behind, and keeps one that is there already (U29)', async () => {
    const { owner, task } = world();
    const parent = await task();
    const { milestone_id } = parent;
    const child = await task({ milestone_id, parent_task_id: parent.id });
    const to = await elsewhere(SEED.fieldApp);
    expect(await owner.updateTask(child.id, { milestone_id: to })).toMatchObject({
      milestone_id: to,
      parent_task_id: null,
    });
    const ahead = await task({ milestone_id: to });
    const behind = await task({ milestone_id, parent_task_id: ahead.id });
    expect(await owner.updateTask(behind.id, { milestone_id: to })).toMatchObject({
      milestone_id: to,
      parent_task_id: ahead.id,
    });
  });

  it('a task that is put under one of another milestone goes to that milestone (U29)', async () => {
    const { owner, editor, settle, task } = world();
    const parent = await task();
    const other = await task();
    const child = await task({ milestone_id: other.milestone_id, parent_task_id: other.id });
    expect(await owner.updateTask(other.id, { parent_task_id: parent.id })).toMatchObject({
      milestone_id: parent.milestone_id,
      parent_task_id: parent.id,
    });
    await settle();
    expect((await editor.getTaskContext(child.id))?.task).toMatchObject({
      milestone_id: parent.milestone_id,
      parent_task_id: other.id,
    });
  });
};
