/** The lists that people are shown of what waits to be sent, and of what was lost: one entry for one thing that happened. */

import { firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Conflict, listConflicts } from '@/lib/watermelon';
import { SEED } from '../../support/seed';
import { settle, type TestDevice, World } from '../../support/world';

let world: World;
let device: TestDevice;
beforeEach(async () => {
  world = await World.start();
  device = await world.device('editor');
  await settle(device);
});
afterEach(() => world.close());

const pending = (most: number) => firstValueFrom(device.observePending(most));

it('each change that waits is told once, the newest first, and none once it is sent (D24)', async () => {
  const { contextService: service } = device;
  const made = await service.createTask({ milestone_id: SEED.offlineMilestone, title: 'Made here' });
  await service.createTask({
    milestone_id: SEED.offlineMilestone,
    parent_task_id: made.id,
    title: 'Its subtask',
  });
  await service.updateTask(SEED.busyTask, { title: 'Renamed here', priority: 'low' });
  await service.addTaskActivity(SEED.busyTask, 'comment', { text: 'A word.' });
  const gone = await service.createTask({ milestone_id: SEED.offlineMilestone, title: 'Never to be' });
  await service.deleteTask(gone.id);
  const { changes, isCut } = await pending(10);
  expect(isCut).toBe(false);
  expect(
    changes.map(({ table, operation, record, base }) => [
      operation,
      table,
      record.title ?? record.activity_type,
      base.title,
    ]),
  ).toEqual([
    ['insert', 'activity_feed', 'comment', undefined],
    ['update', 'tasks', 'Renamed here', expect.any(String)],
    ['insert', 'tasks', 'Its subtask', undefined],
    ['insert', 'tasks', 'Made here', undefined],
  ]);
  expect(Object.keys(changes[1]?.values ?? {}).sort()).toEqual(['priority', 'title']);
  expect(await pending(2)).toMatchObject({ changes: { length: 2 }, isCut: true });
  await settle(device);
  expect(await pending(10)).toEqual({ changes: [], isCut: false });

  // A subtask goes with its task.
  await service.deleteTask(made.id);
  const { changes: deleted } = await pending(10);
  expect(deleted.map(({ operation, record }) => [operation, record.title])).toEqual([
    ['delete', 'Made here'],
  ]);
});

it('entries that tell of edits crowd out no comment', async () => {
  const { contextService: service } = device;
  await service.addTaskActivity(SEED.busyTask, 'comment', { text: 'Before all the edits.' });
  for (let n = 0; n < 12; n += 1) await service.updateTask(SEED.busyTask, { title: `Title ${n}` });
  const { changes, isCut } = await pending(2);
  expect(changes.map(({ table }) => table)).toEqual(['tasks', 'activity_feed']);
  expect(isCut).toBe(false);
});

it('a task that somebody deleted while it was edited here is one entry, and so is each thing of one’s own that it took along (D8)', async () => {
  const { contextService: service } = device;
  const task = await service.createTask({ milestone_id: SEED.offlineMilestone, title: 'To be deleted' });
  await settle(device);
  const owner = await world.device('owner');
  await settle(owner);
  await service.updateTask(task.id, { title: 'Renamed too late', current_stage: 'PLAN_REVIEW' });
  await service.addTaskActivity(task.id, 'comment', { text: 'Said too late.' });
  await owner.contextService.deleteTask(task.id);
  await settle(owner);
  await settle(device);
  const ledger = await device.database.of(Conflict).query().fetch();
  expect(ledger.length).toBeGreaterThan(2);
  const told = listConflicts(ledger).map(({ recordTable, columns }) => [
    recordTable,
    columns.title?.local ?? columns.activity_type?.local,
  ]);
  expect(told.sort()).toEqual([
    ['activity_feed', 'comment'],
    ['tasks', 'Renamed too late'],
  ]);
  expect((await device.countUnsynced()).conflicts).toBe(2);
  expect((await service.getInbox()).deleted).toHaveLength(2);
});
