import { describe, expect, it } from 'vitest';
import type { Task } from '@/domain/entities';
import { Conflict, type Device } from '@/lib/watermelon';
import { expectConverged } from '../../support/inStep';
import { temporaryFolder } from '../../support/localDatabase';
import { meanwhile } from '../../support/meanwhile';
import { SEED } from '../../support/seed';
import { devicesForEachTest, here, there, world } from '../../support/twoDevices';
import { settle } from '../../support/world';

devicesForEachTest();

async function sharedTask(title: string, more: object = {}): Promise<Task> {
  const values = { milestone_id: SEED.offlineMilestone, title, ...more };
  const task = await here.contextService.createTask(values);
  await settle(here, there);
  return task;
}

const taskOn = (device: Device, id: string) => device.contextService.getLocalTask(id);

const ledger = (device: Device) => device.database.of(Conflict).query().fetch();

const feed = async (device: Device, type: string, entityId: string) =>
  (await device.database.records('activity_feed').query().fetch()).filter(
    ({ raw }) => raw.activity_type === type && raw.entity_id === entityId,
  );

describe('deletions that come to nothing', () => {
  it('a deletion that lost to an edit leaves no activity (U13)', async () => {
    const task = await sharedTask('edited elsewhere');
    await here.contextService.deleteTask(task.id);
    await there.contextService.updateTask(task.id, { title: 'still needed' });
    await there.sync();
    await expectConverged(world, here, there);
    expect((await taskOn(here, task.id))?.title).toBe('still needed');
    expect(await feed(there, 'task_deleted', task.id)).toEqual([]);
  });

  it('unsynced edits made before such a deletion come back (U8, P-NOLOSS)', async () => {
    const task = await sharedTask('edited here and there');
    await here.contextService.updateTask(task.id, { description: 'mine' });
    await here.contextService.deleteTask(task.id);
    await there.contextService.updateTask(task.id, { title: 'theirs' });
    await there.sync();
    await expectConverged(world, here, there);
    expect(await taskOn(there, task.id)).toMatchObject({ title: 'theirs', description: 'mine' });
  });
});

describe('moves and deletions', () => {
  it('a task moved, unsynced, under a deleted one is deleted (P-CONVERGE)', async () => {
    const [from, to] = [await sharedTask('from'), await sharedTask('to')];
    const child = await sharedTask('moved, then deleted', { parent_task_id: from.id });
    const grandchild = await sharedTask('with it', { parent_task_id: child.id });
    await here.contextService.updateTask(child.id, { parent_task_id: to.id });
    await here.contextService.deleteTask(to.id);
    await expectConverged(world, here, there);
    for (const { id } of [to, child, grandchild]) expect(await taskOn(there, id)).toBeNull();
    expect(await taskOn(there, from.id)).not.toBeNull();
  });

  it('a task moved, unsynced, out of a deleted one is kept (P-CONVERGE)', async () => {
    const from = await sharedTask('from');
    const child = await sharedTask('moved out', { parent_task_id: from.id });
    await here.contextService.updateTask(child.id, { parent_task_id: null });
    await here.contextService.deleteTask(from.id);
    await expectConverged(world, here, there);
    expect((await taskOn(there, child.id))?.parent_task_id).toBeNull();
  });

  it('a task moved under a parent that was deleted meanwhile stays where it was, and keeps its other edits (U7)', async () => {
    const [from, to] = [await sharedTask('from'), await sharedTask('to')];
    const child = await sharedTask('moved', { parent_task_id: from.id });
    await there.contextService.deleteTask(to.id);
    await there.sync();
    await here.contextService.updateTask(child.id, { parent_task_id: to.id, title: 'renamed' });
    await expectConverged(world, here, there);
    expect(await taskOn(there, child.id)).toMatchObject({ parent_task_id: from.id, title: 'renamed' });
    const lost = (await ledger(here)).filter((entry) => entry.recordId === child.id);
    expect(lost.map((entry) => entry.columns.parent_task_id?.local)).toEqual([to.id]);
  });
});

describe('units', () => {
  it('a stage move and a foreign status change are not mixed: the first to arrive stands whole (U6)', async () => {
    const task = await sharedTask('one unit');
    await there.contextService.updateTask(task.id, { status: 'blocked' });
    await there.sync();
    await here.contextService.updateTaskStage(task.id, 'IMPLEMENT');
    await expectConverged(world, here, there);
    const context = await there.contextService.getTaskContext(task.id);
    expect(context?.task).toMatchObject({ current_stage: 'PLAN', status: 'blocked' });
    expect(context?.activities.map((entry) => entry.activity_type)).not.toContain('stage_changed');
  });

  it('a stage move and a pulled status change are not mixed either (U6, P11)', async () => {
    const task = await sharedTask('one unit, pulled');
    await there.contextService.updateTask(task.id, { status: 'blocked' });
    await there.sync();
    // What is written during the pull is pushed by the same sync.
    here.transport.loseNextRequest('push');
    await meanwhile(here, 'pull', () => here.contextService.updateTaskStage(task.id, 'IMPLEMENT'));
    expect(await taskOn(here, task.id)).toMatchObject({ current_stage: 'IMPLEMENT', status: 'in_progress' });
    await expectConverged(world, here, there);
    expect(await taskOn(there, task.id)).toMatchObject({ current_stage: 'PLAN', status: 'blocked' });
  });
});

describe('deletions while a pull is paged', () => {
  it('a revision that was pulled only in part does not count as seen (U8, P5)', async () => {
    const one = await sharedTask('first of a revision');
    const other = await sharedTask('second of it');
    const folder = temporaryFolder();
    const whole = await world.device('owner', { folder: folder.path });
    await settle(whole);
    await whole.close();
    const paging = await world.device('owner', { folder: folder.path, pageRows: 1 });
    const [first, second] = [one, other].sort((a, b) => (a.id < b.id ? -1 : 1)) as [Task, Task];
    // Both edits arrive in one revision, the deleted one behind the first page.
    await there.database.write(async () => {
      const tasks = there.database.records('tasks');
      const records = [await tasks.find(first.id), await tasks.find(second.id)];
      await there.database.batch(
        records.map((record) =>
          record.prepareUpdate((draft) => {
            draft.setColumn('description', 'unseen');
          }),
        ),
      );
    });
    await there.sync();
    // The second page is asked for, and lost.
    paging.transport.next('pull', { what: 'delay', ms: 0 }).loseNextRequest('pull');
    await paging.sync();
    expect((await taskOn(paging, first.id))?.description).toBe('unseen');
    expect((await taskOn(paging, second.id))?.description).toBeNull();
    await paging.contextService.deleteTask(second.id);
    await settle(paging);
    expect((await taskOn(paging, second.id))?.description).toBe('unseen');
    folder.remove();
  });
});
