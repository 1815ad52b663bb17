import { expect, it } from 'vitest';
import { STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { SEED } from '../../support/seed';
import { expectError, rejected, type Section, validation } from './world';

export const permissionsContract: Section = (world) => {
  it('a viewer reads everything and writes nothing', async () => {
    const { owner, viewer, settle, task, feed } = world();
    const { id, milestone_id } = await task();
    const other = await task({ milestone_id });
    expect(await viewer.getTaskContext(id)).toEqual(await owner.getTaskContext(id));
    const forbidden = rejected('forbidden');
    await expectError(viewer.createTask({ milestone_id, title: 'x' }), forbidden);
    await expectError(viewer.updateTask(id, { title: 'x' }), forbidden);
    await expectError(viewer.updateTaskStage(id, 'PLAN_REVIEW'), forbidden);
    await expectError(viewer.addTaskActivity(id, 'comment', { text: 'x' }), forbidden);
    await expectError(viewer.addTaskDependency(id, other.id), forbidden);
    await expectError(viewer.deleteTask(id), forbidden);
    await expectError(viewer.createProject({ workspace_id: SEED.workspace, name: 'x' }), forbidden);
    await expectError(viewer.updateMilestone(milestone_id, { name: 'x' }), forbidden);
    await expectError(viewer.updateWorkspace(SEED.workspace, { name: 'x' }), forbidden);
    await settle();
    expect(await feed(owner, id)).toHaveLength(1);
    expect((await owner.getTaskContext(id))?.task.title).toBe('A task');
  });

  it('an editor writes all but the workspace itself', async () => {
    const { editor } = world();
    const milestone = await editor.createMilestone({ project_id: SEED.fieldApp, name: 'By the editor' });
    await editor.deleteMilestone(milestone.id);
    await expectError(editor.updateWorkspace(SEED.workspace, { name: 'x' }), rejected('forbidden'));
    await expectError(editor.deleteWorkspace(SEED.workspace), rejected('forbidden'));
  });

  it('an agent writes tasks, links, activities and knowledge, and deletes none of them but links', async () => {
    const { agent, task } = world();
    const { id, milestone_id } = await task();
    const made = await agent.createTask({ milestone_id, title: 'By the agent' });
    await agent.updateTask(made.id, { status: 'in_progress' });
    await agent.addTaskDependency(made.id, id);
    await agent.removeTaskDependency(made.id, id);
    const pattern = await agent.createPattern({ workspace_id: SEED.workspace, name: 'By the agent' });
    await agent.updatePattern(pattern.id, { description: 'Learned today' });
    const forbidden = rejected('forbidden');
    await expectError(agent.deleteTask(made.id), forbidden);
    await expectError(agent.deletePattern(pattern.id), forbidden);
    await expectError(agent.createMilestone({ project_id: SEED.fieldApp, name: 'x' }), forbidden);
    await expectError(agent.updateProject(SEED.fieldApp, { name: 'x' }), forbidden);
  });

  it('an agent does not choose the workflow of a task', async () => {
    const { agent, task } = world();
    const { id, milestone_id } = await task();
    const workflow_id = STANDARD_WORKFLOW_ID;
    await expectError(agent.updateTask(id, { workflow_id }), rejected('forbidden'));
    await expectError(agent.createTask({ milestone_id, title: 'x', workflow_id }), rejected('forbidden'));
  });

  it('to somebody who is no member nothing exists (R7)', async () => {
    const { outsider, task } = world();
    const { id, milestone_id } = await task();
    expect((await outsider.getWorkspaces()).map((each) => each.id)).not.toContain(SEED.workspace);
    expect(await outsider.getTaskContext(id)).toBeNull();
    expect(await outsider.getProjects(SEED.workspace)).toEqual([]);
    expect(await outsider.getTasks(milestone_id)).toEqual([]);
    await expectError(outsider.updateTask(id, { title: 'x' }), validation('not_found', 'id'));
    await expectError(outsider.deleteTask(id), validation('not_found', 'id'));
    await expectError(
      outsider.createTask({ milestone_id, title: 'x' }),
      validation('not_found', 'milestone_id'),
    );
    await expectError(
      outsider.createProject({ workspace_id: SEED.workspace, name: 'x' }),
      validation('not_found', 'workspace_id'),
    );
  });
};
