/** Tasks that are moved to other milestones, on several devices. */

import { describe, expect, it } from 'vitest';
import type { Task } from '@/domain/entities';
import { Conflict, Quarantined } from '@/lib/watermelon';
import { expectConverged } from '../../support/inStep';
import { meanwhile } from '../../support/meanwhile';
import { SEED } from '../../support/seed';
import { devicesForEachTest, here, there, world } from '../../support/twoDevices';
import { settle, type TestDevice } from '../../support/world';

devicesForEachTest();

async function milestones(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const project_id = n % 2 === 0 ? SEED.fieldApp : SEED.syncService;
    ids.push((await here.contextService.createMilestone({ project_id, name: `Place ${n}` })).id);
  }
  return ids;
}

async function newTask(milestone_id: string, more: Partial<Task> = {}): Promise<Task> {
  return here.contextService.createTask({ milestone_id, title: 'moved', ...more } as never);
}

const placeOn = async (device: TestDevice, id: string) => {
  const task = await device.contextService.getLocalTask(id);
  return task && [task.milestone_id, task.parent_task_id];
};

const movesTold = async (device: TestDevice, taskId: string) =>
  (await device.database.records('activity_feed').query().fetch()).filter(
    ({ raw }) => raw.task_id === taskId && raw.activity_type === 'task_updated',
  );

describe('moving a task', () => {
  it('subtasks that the mover never saw move along (U29, P-CONVERGE)', async () => {
    const [from = '', to = ''] = await milestones(2);
    const parent = await newTask(from);
    const child = await newTask(from, { parent_task_id: parent.id });
    await settle(here, there);
    await there.contextService.createTask({ milestone_id: from, title: 'unseen', parent_task_id: child.id });
    await settle(there);
    await here.contextService.updateTask(parent.id, { milestone_id: to });
    expect(await placeOn(here, child.id)).toEqual([to, parent.id]);
    await expectConverged(world, here, there);
    expect(await there.contextService.getTasks(from)).toEqual([]);
    expect(await there.contextService.getTasks(to)).toHaveLength(3);
  });

  it('a renamed subtask that the server moved along is reported to its device (U14, U29, P-CONVERGE)', async () => {
    const [from = '', to = ''] = await milestones(2);
    const parent = await newTask(from);
    const later = await newTask(from);
    const renamed = await newTask(from, { parent_task_id: later.id });
    await settle(here, there);
    await there.contextService.updateTask(later.id, { parent_task_id: parent.id });
    await settle(there);
    await here.contextService.updateTask(parent.id, { milestone_id: to });
    await here.contextService.updateTask(renamed.id, { title: 'renamed' });
    await expectConverged(world, here, there);
    expect(await placeOn(here, renamed.id)).toEqual([to, later.id]);
    expect((await there.contextService.getLocalTask(renamed.id))?.title).toBe('renamed');
  });

  it('a subtask whose own move came to nothing moves along with its task (U7, U29, P-CONVERGE)', async () => {
    const [from = '', to = '', doomed = ''] = await milestones(3);
    const parent = await newTask(from);
    const child = await newTask(from, { parent_task_id: parent.id });
    await settle(here, there);
    await there.contextService.deleteMilestone(doomed);
    await settle(there);
    await here.contextService.updateTask(child.id, { milestone_id: doomed });
    await here.contextService.updateTask(parent.id, { milestone_id: to });
    await expectConverged(world, here, there);
    expect(await placeOn(here, child.id)).toEqual([to, parent.id]);
  });

  it('a move whose target was deleted is kept until the target returns, also when the task was deleted then (D13)', async () => {
    const [from = '', doomed = ''] = await milestones(2);
    const task = await newTask(from);
    await settle(here, there);
    await there.contextService.updateTask(task.id, { title: 'edited there' });
    await there.contextService.deleteMilestone(doomed);
    await settle(there);
    await meanwhile(here, 'pull', async () => {
      await here.contextService.updateTask(task.id, { milestone_id: doomed });
      await here.contextService.deleteTask(task.id);
    });
    await expectConverged(world, here, there);
    expect(await placeOn(here, task.id)).toEqual([from, null]);
    const ledger = (await here.database.of(Conflict).query().fetch()).filter(
      ({ recordId }) => recordId === task.id,
    );
    expect(ledger.find(({ kind }) => kind === 'gone')?.lost).toMatchObject({ milestone_id: doomed });
  });

  it('of two moves of one task the later one stands, whole, subtasks included (U6, U28, D6)', async () => {
    const [from = '', mine = '', theirs = ''] = await milestones(3);
    const parent = await newTask(from);
    const child = await newTask(from, { parent_task_id: parent.id });
    await settle(here, there);
    await here.contextService.updateTask(parent.id, { milestone_id: mine, title: 'renamed with the move' });
    await new Promise((resolve) => setTimeout(resolve, 30));
    await there.contextService.updateTask(parent.id, { milestone_id: theirs });
    await settle(there);
    await expectConverged(world, here, there);
    for (const device of [here, there]) {
      expect(await placeOn(device, parent.id)).toEqual([theirs, null]);
      expect(await placeOn(device, child.id)).toEqual([theirs, parent.id]);
      expect((await device.contextService.getLocalTask(parent.id))?.title).toBe('renamed with the move');
    }
    const entries = await here.database.of(Conflict).query().fetch();
    const lost = entries.find(({ recordId, kind }) => recordId === parent.id && kind === 'columns');
    expect(lost?.columns.milestone_id).toMatchObject({ local: mine, remote: theirs, chosen: theirs });
  });

  it('a subtask added here stays with its task when the task’s move loses (U28)', async () => {
    const [from = '', mine = '', theirs = ''] = await milestones(3);
    const parent = await newTask(from);
    await settle(here, there);
    const child = await newTask(from, { parent_task_id: parent.id });
    await settle(here);
    await here.contextService.updateTask(parent.id, { milestone_id: mine, title: 'renamed too' });
    await new Promise((resolve) => setTimeout(resolve, 30));
    // This device has not seen the subtask.
    await there.contextService.updateTask(parent.id, { milestone_id: theirs });
    await settle(there);
    await expectConverged(world, here, there);
    expect(await placeOn(here, parent.id)).toEqual([theirs, null]);
    expect(await placeOn(here, child.id)).toEqual([theirs, parent.id]);
  });

  it('a later local move wins too, and is reported once (U29)', async () => {
    const [from = '', mine = '', theirs = ''] = await milestones(3);
    const parent = await newTask(from);
    const child = await newTask(from, { parent_task_id: parent.id });
    await settle(here, there);
    await there.contextService.updateTask(parent.id, { milestone_id: theirs });
    await new Promise((resolve) => setTimeout(resolve, 30));
    await here.contextService.updateTask(parent.id, { milestone_id: mine });
    await settle(there);
    await expectConverged(world, here, there);
    expect(await placeOn(there, parent.id)).toEqual([mine, null]);
    expect(await placeOn(there, child.id)).toEqual([mine, parent.id]);
    expect(await movesTold(there, parent.id)).toHaveLength(2);
  });

  it('of two moves that close a circle of parents, the second is refused and set aside (U12, D7)', async () => {
    const [from = ''] = await milestones(1);
    const [a, b] = [await newTask(from), await newTask(from)];
    await settle(here, there);
    await here.contextService.updateTask(a.id, { parent_task_id: b.id });
    await there.contextService.updateTask(b.id, { parent_task_id: a.id });
    await settle(here);
    await expectConverged(world, there, here);
    expect(await placeOn(there, a.id)).toEqual([from, b.id]);
    expect(await placeOn(there, b.id)).toEqual([from, null]);
    const refused = await there.database.of(Quarantined).query().fetch();
    expect(refused.map(({ code }) => code).sort()).toEqual(['cycle', 'group']);
    expect(refused.find(({ code }) => code === 'cycle')?.change.values).toMatchObject({
      parent_task_id: a.id,
    });
    expect(await movesTold(here, b.id)).toEqual([]);
  });
});
