/** Deletions and restores that go on in steps, met by devices (U44). */

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Milestone, Task } from '@/domain/entities';
import { Conflict } from '@/lib/watermelon';
import { findTasks } from '@/lib/watermelon/lists';
import { expectConverged, expectInStep } from '../../support/inStep';
import { SEED } from '../../support/seed';
import { devicesForEachTest, here, there, world } from '../../support/twoDevices';
import { setStepRecords } from '../../support/work';
import { settle, type TestDevice } from '../../support/world';

devicesForEachTest();

/** As many records as a step writes here. */
const STEP = 4;
beforeAll(() => world.stack.backend.transaction((connection) => setStepRecords(connection, STEP)));

let milestone: Milestone;
let tasks: Task[];
beforeEach(async () => {
  milestone = await here.contextService.createMilestone({ project_id: SEED.fieldApp, name: 'large' });
  tasks = [];
  for (let n = 0; n < 10; n += 1) {
    tasks.push(
      await here.contextService.createTask({
        milestone_id: milestone.id,
        title: `large ${milestone.id} ${n}`,
      }),
    );
  }
  await here.contextService.addTaskDependency(tasks[1]?.id ?? '', tasks[0]?.id ?? '');
  await settle(here, there);
});

const taskOn = (device: TestDevice, { id }: Task) => device.contextService.getLocalTask(id);
const found = (device: TestDevice) => findTasks(device.database, milestone.id, {}, 100);

async function deletionOn(device: TestDevice): Promise<string> {
  const all = await device.contextService.getDeletions(SEED.workspace);
  return all.find(({ entity_id }) => entity_id === milestone.id)?.id ?? '';
}

describe('a deletion of many records', () => {
  it('is over on every device when it has synced, whoever takes the steps (P-CONVERGE, U44)', async () => {
    await here.contextService.deleteMilestone(milestone.id);
    await here.sync();
    expect(here.transport.count('step')).toBeGreaterThan(2);
    await there.sync();
    await expectInStep(world, here, there);
    expect(await taskOn(there, tasks[9] as Task)).toBeNull();
  });

  it('shows nothing of it while it goes on, and goes on where it broke off (U44)', async () => {
    await here.contextService.deleteMilestone(milestone.id);
    here.transport.next('step', { what: 'lose_response' });
    expect((await here.sync()).status).toBe('partial');
    expect(here.syncStatus.pending).toBe(0);
    expect(await found(here)).toEqual([]);
    there.transport.next('step', { what: 'lose_request' });
    await there.sync();
    expect(await there.contextService.getLocalTask(tasks[9]?.id ?? '')).not.toBeNull();
    expect(await found(there)).toEqual([]);
    await expectConverged(world, here, there);
    expect(await taskOn(there, tasks[9] as Task)).toBeNull();
  });

  it('whose answer was lost is over when it is heard (P-ONCE, U44)', async () => {
    await here.contextService.deleteMilestone(milestone.id);
    here.transport.loseNextResponse('push');
    await here.sync();
    await there.sync();
    await expectConverged(world, here, there);
    expect(await found(here)).toEqual([]);
  });

  it('sets aside what others edited under it, and gives it back with the restore (D8, D13, U44)', async () => {
    const [task] = tasks as [Task];
    await there.contextService.updateTask(task.id, { description: 'written offline' });
    const made = await there.contextService.createTask({ milestone_id: milestone.id, title: 'made offline' });
    await here.contextService.deleteMilestone(milestone.id);
    here.transport.next('step', { what: 'lose_request' });
    await here.sync();
    await expectConverged(world, here, there);
    expect(await taskOn(there, task)).toBeNull();
    expect((await there.database.of(Conflict).query().fetch()).length).toBeGreaterThanOrEqual(2);
    await here.contextService.restoreDeletion(await deletionOn(here));
    await expectConverged(world, here, there);
    expect((await taskOn(here, task))?.description).toBe('written offline');
    expect(await taskOn(here, made)).not.toBeNull();
  });

  it('leaves a record that others moved elsewhere, which the device had deleted (U8, U44)', async () => {
    const [task] = tasks as [Task];
    await there.contextService.updateTask(task.id, { milestone_id: SEED.offlineMilestone });
    await there.sync();
    await here.contextService.deleteMilestone(milestone.id);
    await expectConverged(world, here, there);
    expect((await taskOn(here, task))?.milestone_id).toBe(SEED.offlineMilestone);
  });
});

describe('a restore of many records', () => {
  it('brings everything back on every device, after a break too (P-CONVERGE, U44)', async () => {
    await here.contextService.deleteMilestone(milestone.id);
    await settle(here, there);
    await there.contextService.restoreDeletion(await deletionOn(there));
    there.transport.next('step', { what: 'lose_response' }, { what: 'lose_request' });
    await there.sync();
    await here.sync();
    await expectConverged(world, here, there);
    expect(await found(here)).toHaveLength(10);
    const context = await there.contextService.getTaskContext(tasks[1]?.id ?? '');
    expect(context?.dependencies.map(({ id }) => id)).toEqual([tasks[0]?.id]);
  });

  it('keeps an edit of what is back already until its milestone is back (U44, P-NOLOSS)', async () => {
    await here.contextService.deleteMilestone(milestone.id);
    await settle(here, there);
    await here.contextService.restoreDeletion(await deletionOn(here));
    here.transport.next('step', { what: 'lose_response' }, { what: 'lose_request' });
    await here.sync();
    await here.sync();
    const back = await Promise.all(tasks.map((one) => taskOn(here, one)));
    const early = back.find((one) => one !== null);
    expect(back.filter((one) => one === null).length).toBeGreaterThan(0);
    if (!early) throw new Error('Nothing is back yet.');
    await here.contextService.updateTask(early.id, { title: 'early' });
    await expectConverged(world, here, there);
    expect((await taskOn(there, early))?.title).toBe('early');
  });
});
