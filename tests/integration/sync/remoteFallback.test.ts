import { describe, expect, it } from 'vitest';
import type { SyncedTable } from '@/domain/schema';
import { SEED } from '../../support/seed';
import { devicesForEachTest, here, there } from '../../support/twoDevices';
import { settle, type TestDevice } from '../../support/world';

devicesForEachTest();

const newTask = (device: TestDevice, title: string) =>
  device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title });

/** As while the first sync is still paging: the record has not arrived yet. */
async function forget(device: TestDevice, table: SyncedTable, id: string): Promise<void> {
  await device.database.write(async () => {
    const record = await device.database.records(table).find(id);
    await record.destroyPermanently();
  });
}

describe('reading a task that is not on the device', () => {
  it('fetches it from the server, and gives null without a network', async () => {
    const task = await newTask(there, 'not here yet');
    await there.sync();
    expect((await here.contextService.getTaskContext(task.id))?.task.title).toBe('not here yet');
    here.online(false);
    const unknown = await newTask(there, 'never here');
    expect(await here.contextService.getTaskContext(unknown.id)).toBeNull();
  });

  it('adds missing records in the background, and keeps unsynced edits of local ones (D50)', async () => {
    const task = await newTask(here, 'synced title');
    await settle(here);
    await here.contextService.updateTask(task.id, { title: 'unsynced title' });
    await forget(here, 'milestones', SEED.offlineMilestone);
    const read = () => here.contextService.getTaskContext(task.id);
    here.online(false);
    const offline = await read();
    expect(offline?.missing).toEqual(['milestone']);
    expect(offline?.milestone).toBeNull();
    here.online(true);
    // What is here is answered at once, and the rest when the server has told it.
    expect(await read()).toMatchObject({ missing: ['milestone'], milestone: null });
    await expect.poll(read).toMatchObject({ missing: [] });
    const context = await read();
    expect(context?.task.title).toBe('unsynced title');
    expect(context?.milestone?.id).toBe(SEED.offlineMilestone);
    expect(context?.project?.id).toBe(SEED.fieldApp);
    expect(context?.patterns.length).toBeGreaterThan(0);
  });

  it('does not bring back locally deleted records from the server (P-LOCAL)', async () => {
    const task = await newTask(here, 'deleted, unsynced');
    await settle(here);
    await here.contextService.deleteTask(task.id);
    expect(await here.contextService.getTaskContext(task.id)).toBeNull();
    await expect(here.contextService.updateTask(task.id, { title: 'x' })).rejects.toMatchObject({
      code: 'not_found',
    });
    const milestone = await here.contextService.createMilestone({
      project_id: SEED.fieldApp,
      name: 'Doomed',
    });
    await here.contextService.createTask({ milestone_id: milestone.id, title: 'inside' });
    await settle(here);
    await here.contextService.deleteMilestone(milestone.id);
    expect(await here.contextService.getTasks(milestone.id)).toEqual([]);
  });
});
