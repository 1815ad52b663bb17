/** Which error comes first where a write has several faults, and other answers that both services share. */

import { expect, it } from 'vitest';
import { SEED } from '../../support/seed';
import { expectError, rejected, type Section, UNKNOWN_ID, validation } from './world';

/** An id of WatermelonDB's own shape that no record has. */
const SHORT_ID = 'aB3dE5gH7jK9mN1p';

export const sameErrorsContract: Section = (world) => {
  it('reports a bad id before bad values, and bad values before a record that does not exist', async () => {
    const { owner } = world();
    await expectError(owner.updateTask('x', { title: '' }), validation('bad_id', 'id'));
    await expectError(owner.updateTask(UNKNOWN_ID, { title: '' }), validation('required', 'title'));
    await expectError(owner.updateTaskStage('x', ''), validation('bad_id', 'task_id'));
    await expectError(owner.updateTaskStage(UNKNOWN_ID, ''), validation('required', 'current_stage'));
    await expectError(owner.addTaskActivity('x', 'No', {}), validation('bad_id', 'task_id'));
    await expectError(owner.removeTaskDependency('x', 'y'), validation('bad_id', 'task_id'));
    await expectError(owner.updateProject('x', { name: '' }), validation('bad_id', 'id'));
    const badProject = { workspace_id: 'x', name: '' };
    await expectError(owner.createProject(badProject), validation('bad_id', 'workspace_id'));
    await expectError(owner.createPattern(badProject), validation('bad_id', 'workspace_id'));
  });

  it('reports the first column of the schema whose record does not exist, before a bad stage', async () => {
    const { owner, task } = world();
    const { id, milestone_id } = await task();
    const bad = { parent_task_id: UNKNOWN_ID, workflow_id: UNKNOWN_ID, current_stage: 'SHIP' };
    const field = validation('not_found', 'parent_task_id');
    await expectError(owner.createTask({ milestone_id, title: 'x', ...bad }), field);
    await expectError(owner.updateTask(id, bad), field);
    await expectError(
      owner.updateTask(id, { milestone_id: UNKNOWN_ID, ...bad }),
      validation('not_found', 'milestone_id'),
    );
  });

  it('reports what is wrong with a write before what the role forbids', async () => {
    const { viewer, agent, settle, task } = world();
    const { id } = await task();
    await settle();
    await expectError(viewer.updateTaskStage(id, 'SHIP'), validation('unknown_stage', 'current_stage'));
    await expectError(agent.deleteTask(id), rejected('forbidden'));
    const pattern = { workspace_id: SEED.workspace, project_id: UNKNOWN_ID, name: 'x' };
    await expectError(viewer.createPattern(pattern), validation('not_found', 'project_id'));
  });

  it('reports a task that does not exist before a dependency on itself', async () => {
    const { owner } = world();
    await expectError(owner.addTaskDependency(UNKNOWN_ID, UNKNOWN_ID), validation('not_found', 'task_id'));
  });

  it('answers an update that repeats what is stored without a permission', async () => {
    const { viewer, task } = world();
    const before = await task({ title: 'Same' });
    expect(await viewer.updateTask(before.id, { title: 'Same', priority: 'medium' })).toEqual(before);
    const milestone = (await viewer.getMilestones(SEED.fieldApp))[0];
    if (!milestone) throw new Error('The project has no milestone.');
    const repeated = { name: ` ${milestone.name} `, project_id: SEED.fieldApp };
    expect(await viewer.updateMilestone(milestone.id, repeated)).toEqual(milestone);
  });

  it('takes an id of WatermelonDB that no record has for one of no record', async () => {
    const { owner, task } = world();
    const { id } = await task();
    const field = 'depends_on_task_id';
    await expectError(owner.addTaskDependency(id, SHORT_ID), validation('not_found', field));
    await expectError(owner.removeTaskDependency(id, SHORT_ID), validation('not_found', field));
    await expectError(owner.updateTask(SHORT_ID, { title: 'x' }), validation('not_found', 'id'));
    await expectError(
      owner.updateTask(id, { workflow_id: SHORT_ID }),
      validation('not_found', 'workflow_id'),
    );
    await expectError(owner.restoreDeletion(SHORT_ID), validation('not_found', 'deletion_id'));
  });

  it('asks for the first required field where no values are given at all', async () => {
    const { owner, task } = world();
    const none = undefined as never;
    await expectError(owner.createTask(none), validation('required', 'milestone_id'));
    await expectError(owner.createMilestone(none), validation('required', 'project_id'));
    await expectError(owner.createProject(none), validation('required', 'workspace_id'));
    await expectError(owner.createWorkspace(none), validation('required', 'name'));
    const before = await task();
    expect(await owner.updateTask(before.id, none)).toEqual(before);
  });

  it('takes ids in upper case in every column that names a record', async () => {
    const { owner, task } = world();
    const parent = await task();
    const { milestone_id } = parent;
    const child = await task({ milestone_id, parent_task_id: parent.id });
    const repeated = await owner.updateTask(child.id, {
      milestone_id: milestone_id.toUpperCase(),
      parent_task_id: parent.id.toUpperCase(),
    });
    expect(repeated).toEqual(child);
  });

  it('says to a viewer, too, that a deletion has been restored already (U24)', async () => {
    const { owner, viewer, settle, task } = world();
    const { id } = await task();
    await owner.deleteTask(id);
    await settle();
    const deletion = (await owner.getDeletions(SEED.workspace)).find(({ entity_id }) => entity_id === id);
    if (!deletion) throw new Error('The deletion is not listed.');
    await owner.restoreDeletion(deletion.id);
    await settle();
    await expectError(viewer.restoreDeletion(deletion.id), rejected('nothing_to_restore'));
  });
};
