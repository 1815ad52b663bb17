import { describe, expect, it } from 'vitest';
import type { Task } from '@/domain/entities';
import { Conflict, type Device, OutboxBatch } from '@/lib/watermelon';
import { expectConverged, expectInStep } from '../../support/inStep';
import { meanwhile } from '../../support/meanwhile';
import { SEED } from '../../support/seed';
import { devicesForEachTest, here, there, world } from '../../support/twoDevices';
import { settle } from '../../support/world';

devicesForEachTest();

const create = (title: string, more: object = {}, on: Device = here): Promise<Task> =>
  on.contextService.createTask({ milestone_id: SEED.offlineMilestone, title, ...more });

async function sharedTask(title: string, more: object = {}): Promise<Task> {
  const task = await create(title, more);
  await settle(here, there);
  return task;
}

const ledgerOf = async (device: Device, id: string) =>
  (await device.database.of(Conflict).query().fetch()).filter((entry) => entry.recordId === id);

const taskOn = (device: Device, id: string) => device.contextService.getLocalTask(id);

it('changes written while a sync pulls are pushed by the same sync (D5)', async () => {
  const made: Task[] = [];
  const result = await meanwhile(here, 'pull', async () => made.push(await create('during the pull')));
  expect(result).toMatchObject({ status: 'ok', error: null });
  expect(here.syncStatus.pending).toBe(0);
  await there.sync();
  expect(await taskOn(there, made[0]?.id ?? '')).not.toBeNull();
});

describe('edits made while a push is in flight', () => {
  it('a value given to an empty column of a new record is kept (D4)', async () => {
    const task = await create('born without');
    await meanwhile(here, 'push', () => here.contextService.updateTask(task.id, { description: 'added' }));
    await expectConverged(world, here, there);
    expect((await taskOn(there, task.id))?.description).toBe('added');
  });

  it('an edit of an applied column is kept while another column of the push conflicts (D4)', async () => {
    const task = await sharedTask('two columns');
    await here.contextService.updateTask(task.id, { title: 'sent', priority: 'high' });
    await there.contextService.updateTask(task.id, { priority: 'urgent' });
    await there.sync();
    await meanwhile(here, 'push', () => here.contextService.updateTask(task.id, { title: 'after sending' }));
    await expectConverged(world, here, there);
    expect((await taskOn(there, task.id))?.title).toBe('after sending');
    expect((await ledgerOf(here, task.id)).flatMap((entry) => Object.keys(entry.columns))).toEqual([
      'priority',
    ]);
  });

  it('the activity of a lost stage move is withdrawn, though the task was renamed meanwhile, and keeps nobody from signing out (U13, D24)', async () => {
    const task = await sharedTask('moved and renamed');
    await here.contextService.updateTaskStage(task.id, 'PLAN_REVIEW');
    await there.contextService.updateTaskStage(task.id, 'IMPLEMENT');
    await there.sync();
    await meanwhile(here, 'push', () => here.contextService.updateTask(task.id, { title: 'renamed' }));
    await expectConverged(world, here, there);
    const context = await there.contextService.getTaskContext(task.id);
    expect(context?.task).toMatchObject({ current_stage: 'IMPLEMENT', title: 'renamed' });
    const moves = context?.activities.filter((entry) => entry.activity_type === 'stage_changed');
    expect(moves?.map((entry) => entry.details)).toEqual([
      { from: 'PLAN', to: 'IMPLEMENT', jumped: ['PLAN_REVIEW'], reason: null },
    ]);
    expect((await here.countUnsynced()).total).toBe(0);
  });

  it('a deletion is kept when an update of the record comes back as a conflict (U8)', async () => {
    const task = await sharedTask('conflict, then deleted');
    await here.contextService.updateTask(task.id, { title: 'mine' });
    await there.contextService.updateTask(task.id, { title: 'theirs' });
    await there.sync();
    await meanwhile(here, 'push', () => here.contextService.deleteTask(task.id));
    await expectConverged(world, here, there);
    // The other edit was not seen when the task was deleted, so it stays, and the ledger says so.
    expect((await taskOn(here, task.id))?.title).toBe('theirs');
    expect((await ledgerOf(here, task.id)).map((entry) => entry.kind)).toContain('deletion');
  });

  it('a removed dependency stays removed when its creation comes back as a duplicate (P-NOLOSS)', async () => {
    const [task, needed] = [await sharedTask('dependent'), await sharedTask('needed')];
    await there.contextService.addTaskDependency(task.id, needed.id);
    await there.sync();
    await here.contextService.addTaskDependency(task.id, needed.id);
    await meanwhile(here, 'push', () => here.contextService.removeTaskDependency(task.id, needed.id));
    await expectConverged(world, here, there);
    expect((await there.contextService.getTaskContext(task.id))?.dependencies).toEqual([]);
  });

  it('a record created in a workspace that was itself in flight is deleted (U8)', async () => {
    const workspace = await here.contextService.createWorkspace({ name: 'New' });
    const project = await here.contextService.createProject({ workspace_id: workspace.id, name: 'Doomed' });
    await meanwhile(here, 'push', () => here.contextService.deleteProject(project.id));
    await settle(here);
    expect(await here.contextService.getProjects(workspace.id)).toEqual([]);
    expect(await ledgerOf(here, project.id)).toEqual([]);
  });

  it('a record is deleted in a new workspace that was pushed but not pulled yet (U8)', async () => {
    const workspace = await here.contextService.createWorkspace({ name: 'Pushed' });
    const project = await here.contextService.createProject({ workspace_id: workspace.id, name: 'Doomed' });
    here.transport.loseNextResponse('pull');
    expect((await here.sync()).error?.code).toBe('offline');
    await here.contextService.deleteProject(project.id);
    await settle(here);
    expect(await here.contextService.getProjects(workspace.id)).toEqual([]);
    expect(await ledgerOf(here, project.id)).toEqual([]);
  });

  it('a deletion made while its record is in flight deletes no unseen descendant (U8)', async () => {
    const moved = await sharedTask('moved into what is new');
    const project_id = SEED.fieldApp;
    const milestone = await here.contextService.createMilestone({ project_id, name: 'new' });
    here.transport.loseNextRequest('push');
    expect(await here.sync()).toMatchObject({ status: 'offline' });
    await here.contextService.updateTask(moved.id, { milestone_id: milestone.id });
    await here.contextService.deleteMilestone(milestone.id);
    const unseen = await create('made there meanwhile', { parent_task_id: moved.id }, there);
    await settle(there);
    await expectConverged(world, here, there);
    for (const device of [here, there]) {
      expect(await taskOn(device, moved.id)).not.toBeNull();
      expect(await taskOn(device, unseen.id)).not.toBeNull();
    }
  });
});

describe('edits made while a pull is in flight', () => {
  it('a deletion does not conflict with this device’s own earlier push (U8)', async () => {
    const task = await sharedTask('edited, pushed, deleted');
    await here.contextService.updateTask(task.id, { title: 'own edit' });
    await meanwhile(here, 'pull', () => here.contextService.deleteTask(task.id));
    await expectConverged(world, here, there);
    expect(await taskOn(here, task.id)).toBeNull();
    expect(await ledgerOf(here, task.id)).toEqual([]);
  });

  it('a task that another device moved away stays when its old parent is deleted here (P-CONVERGE)', async () => {
    const [parent, other] = [await sharedTask('old parent'), await sharedTask('new parent')];
    const child = await sharedTask('moved away', { parent_task_id: parent.id });
    await there.contextService.updateTask(child.id, { parent_task_id: other.id });
    await there.sync();
    await meanwhile(here, 'pull', () => here.contextService.deleteTask(parent.id));
    await expectConverged(world, here, there);
    expect(await taskOn(here, parent.id)).toBeNull();
    expect((await taskOn(here, child.id))?.parent_task_id).toBe(other.id);
  });

  it('a refused edit is reverted to the value that the server has by then (P11, D7)', async () => {
    const account = await world.signIn('demoted');
    const member = (sql: string) =>
      world.stack.backend.transaction((connection) =>
        connection.query(sql, [SEED.workspace, account.userId]),
      );
    await member(
      `insert into public.workspace_members (id, workspace_id, user_id, role) values (gen_random_uuid(), $1::uuid, $2::uuid, 'editor')`,
    );
    const task = await sharedTask('seen before');
    const demoted = await world.device(account);
    await settle(demoted);
    await there.contextService.updateTask(task.id, { title: 'by another', priority: 'urgent' });
    await there.sync();
    await meanwhile(demoted, 'pull', async () => {
      await demoted.contextService.updateTask(task.id, { title: 'not to be' });
      await member(
        `update public.workspace_members set role = 'viewer' where workspace_id = $1::uuid and user_id = $2::uuid`,
      );
    });
    await settle(demoted);
    expect(demoted.syncStatus.quarantined).toBeGreaterThan(0);
    await expectInStep(world, demoted);
  });
});

it('a batch made by code that the server no longer serves is sent by the updated code, and applied once (U1, U2, P-ONCE)', async () => {
  const task = await create('made by older code');
  here.transport.loseNextResponse('push');
  expect(await here.sync()).toMatchObject({ status: 'offline' });
  await here.database.write(async () => {
    const [batch] = await here.database.of(OutboxBatch).query().fetch();
    await batch?.update((draft) => {
      draft.request = { ...draft.request, schema: 0 };
    });
  });
  await here.contextService.updateTask(task.id, { title: 'edited after the update' });
  expect(await here.sync()).toMatchObject({ status: 'ok', error: null, conflicts: 0 });
  await expectConverged(world, here, there);
  expect((await taskOn(there, task.id))?.title).toBe('edited after the update');
});
