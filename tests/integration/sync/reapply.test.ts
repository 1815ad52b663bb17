/** Edits that were lost with a deletion, made again when what was deleted is restored. */

import { describe, expect, it } from 'vitest';
import type { Task } from '@/domain/entities';
import { Conflict, listConflicts, observeRecords } from '@/lib/watermelon';
import { expectConverged } from '../../support/inStep';
import { meanwhile } from '../../support/meanwhile';
import { SEED } from '../../support/seed';
import { devicesForEachTest, here, restartHere, there, world } from '../../support/twoDevices';
import { settle, type TestDevice } from '../../support/world';

devicesForEachTest();

async function sharedMilestone(): Promise<string> {
  const { id } = await here.contextService.createMilestone({ project_id: SEED.fieldApp, name: 'Shared' });
  await settle(here, there);
  return id;
}

async function sharedTask(milestone_id: string, more: Partial<Task> = {}): Promise<Task> {
  const task = await here.contextService.createTask({ milestone_id, title: 'original', ...more } as never);
  await settle(here, there);
  return task;
}

async function restoreOn(device: TestDevice, entityId: string): Promise<void> {
  await settle(device);
  const all = await device.contextService.getDeletions(SEED.workspace);
  const found = all.find(({ entity_id }) => entity_id === entityId);
  await device.contextService.restoreDeletion(found?.id ?? '');
  await settle(device);
}

const taskOn = (device: TestDevice, id: string) => device.contextService.getLocalTask(id);

const feed = async (device: TestDevice, taskId: string) =>
  (await device.database.records('activity_feed').query().fetch())
    .filter(({ raw }) => raw.task_id === taskId)
    .map(({ raw }) => raw.activity_type);

const ledger = async (device: TestDevice, recordId: string) =>
  (await device.database.of(Conflict).query().fetch()).filter((entry) => entry.recordId === recordId);

describe('edits lost with a deletion (D13)', () => {
  it('tasks created offline under a milestone that another device deleted come back with it, once (P-NOLOSS)', async () => {
    const milestone = await sharedMilestone();
    await there.contextService.deleteMilestone(milestone);
    await settle(there);
    const parent = await here.contextService.createTask({ milestone_id: milestone, title: 'made offline' });
    const child = await here.contextService.createTask({
      milestone_id: milestone,
      title: 'under it',
      parent_task_id: parent.id,
    });
    await here.contextService.updateTask(child.id, { priority: 'high' });
    await expectConverged(world, here, there);
    expect(await taskOn(here, parent.id)).toBeNull();
    expect((await ledger(here, parent.id)).map(({ kind }) => kind)).toEqual(['gone']);

    await restartHere();
    await restoreOn(there, milestone);
    await expectConverged(world, here, there);
    expect(await taskOn(there, child.id)).toMatchObject({ parent_task_id: parent.id, priority: 'high' });
    expect(await feed(there, child.id)).toEqual(expect.arrayContaining(['task_created', 'task_updated']));
    expect((await ledger(here, parent.id)).map(({ lost, columns }) => [lost, columns.title?.by])).toEqual([
      [null, 'restored'],
    ]);

    // Exactly once: what is deleted afterwards stays deleted, whatever comes back.
    await there.contextService.deleteTask(parent.id);
    await settle(there, here);
    await there.contextService.deleteMilestone(milestone);
    await settle(there, here);
    await restoreOn(there, milestone);
    await expectConverged(world, here, there);
    expect(await taskOn(here, parent.id)).toBeNull();
  });

  it('an edit in a subtree deleted elsewhere is reapplied when this device restores it (P-NOLOSS)', async () => {
    const milestone = await sharedMilestone();
    const task = await sharedTask(milestone);
    await there.contextService.deleteMilestone(milestone);
    await settle(there);
    await here.contextService.updateTask(task.id, { title: 'mine', description: 'mine too' });
    await expectConverged(world, here, there);
    await restoreOn(here, milestone);
    await expectConverged(world, here, there);
    expect(await taskOn(there, task.id)).toMatchObject({ title: 'mine', description: 'mine too' });
    expect((await feed(there, task.id)).filter((type) => type === 'task_updated')).toHaveLength(1);
  });

  it('a board that shows them follows them when they are back, in one page with what others have (D13, P34)', async () => {
    const milestone = await sharedMilestone();
    const task = await sharedTask(milestone);
    await sharedTask(milestone, { title: 'beside it' });
    let shown: (string | null)[] = [];
    const board = observeRecords(here.database, 'tasks', { milestone_id: milestone }).subscribe((tasks) => {
      shown = tasks.map(({ title }) => title).sort();
    });
    await here.contextService.updateTask(task.id, { title: 'mine' });
    await there.contextService.deleteMilestone(milestone);
    await settle(there, here);
    await expect.poll(() => shown).toEqual([]);
    await restoreOn(there, milestone);
    await settle(here);
    await expect.poll(() => shown).toEqual(['beside it', 'mine']);
    await here.contextService.updateTask(task.id, { title: 'renamed' });
    await expect.poll(() => shown).toEqual(['beside it', 'renamed']);
    await settle(here);
    expect(shown).toEqual(['beside it', 'renamed']);
    board.unsubscribe();
  });

  it('a newer value of the restored record is not overwritten silently (D6)', async () => {
    const milestone = await sharedMilestone();
    const task = await sharedTask(milestone, { description: 'red' });
    await here.contextService.updateTask(task.id, { title: 'earlier', description: 'green' });
    await there.contextService.updateTask(task.id, { title: 'later', description: 'blue' });
    await settle(there);
    await there.contextService.deleteMilestone(milestone);
    await settle(there, here);
    await restoreOn(there, milestone);
    await expectConverged(world, here, there);
    expect(await taskOn(here, task.id)).toMatchObject({ title: 'later', description: 'blue' });
    const asked = (await ledger(here, task.id)).find(({ kind }) => kind === 'columns');
    expect(asked?.columns.title).toMatchObject({ local: 'earlier', remote: 'later', chosen: 'later' });
    expect(asked?.columns.description).toMatchObject({ local: 'green', remote: 'blue', by: 'open' });
  });

  it('a new record that another device had already created and deleted becomes an edit when it comes back (U17, P-NOLOSS)', async () => {
    const milestone_id = await sharedMilestone();
    const task = await here.contextService.createTask({ milestone_id, title: 'as it was sent' });
    // As on another device that goes on from a backup of this one.
    const { current_stage, status, priority, title, sort_order } = task;
    await there.database.write(() =>
      there.database.records('tasks').create((draft) => {
        const values = { milestone_id, title, current_stage, status, priority, sort_order };
        for (const [name, value] of Object.entries(values)) draft.setColumn(name, value);
        draft.raw.id = task.id;
        draft.raw.workspace_id = SEED.workspace;
      }),
    );
    await settle(there);
    await there.contextService.deleteTask(task.id);
    await settle(there);
    await meanwhile(here, 'push', () =>
      here.contextService.updateTask(task.id, { title: 'edited since', description: 'and described' }),
    );
    await settle(here);
    expect(await taskOn(here, task.id)).toBeNull();

    await restoreOn(there, task.id);
    await expectConverged(world, here, there);
    expect((await taskOn(there, task.id))?.description).toBe('and described');
    const met = (await ledger(here, task.id)).filter(({ kind }) => kind === 'columns');
    expect(met.map(({ columns }) => columns)).toEqual([
      { title: expect.objectContaining({ local: 'edited since', remote: title, by: 'later' }) },
    ]);
  });

  it('a move to a deleted milestone leaves no activity, and both are reapplied when the milestone is back (U13)', async () => {
    const [from, to] = [await sharedMilestone(), await sharedMilestone()];
    const task = await sharedTask(from);
    await there.contextService.deleteMilestone(to);
    await settle(there);
    await here.contextService.updateTask(task.id, { milestone_id: to });
    await expectConverged(world, here, there);
    expect((await taskOn(there, task.id))?.milestone_id).toBe(from);
    expect(await feed(there, task.id)).toEqual(['task_created']);
    expect(await feed(here, task.id)).toEqual(['task_created']);

    await restoreOn(there, to);
    await expectConverged(world, here, there);
    expect((await taskOn(there, task.id))?.milestone_id).toBe(to);
    expect((await feed(there, task.id)).sort()).toEqual(['task_created', 'task_updated']);
  });

  it('a discarded lost edit is not reapplied, and counts as unsynced no more (D24)', async () => {
    const milestone = await sharedMilestone();
    const task = await sharedTask(milestone);
    await there.contextService.deleteTask(task.id);
    await settle(there);
    await here.contextService.updateTask(task.id, { title: 'lost' });
    await settle(here);
    const { conflicts } = await here.countUnsynced();
    expect(conflicts).toBeGreaterThan(0);
    const entries = await here.database.of(Conflict).query().fetch();
    const shown = listConflicts(entries);
    expect(shown).toHaveLength(conflicts);
    // The entry that tells of the edit goes with it.
    expect(entries.length).toBeGreaterThan(shown.length);
    for (const { id } of shown) {
      expect(await here.discardLost(id)).toBe(true);
      expect(await here.discardLost(id)).toBe(false);
    }
    expect(await here.database.of(Conflict).query().fetchCount()).toBe(0);
    expect(await here.countUnsynced()).toMatchObject({ conflicts: 0, total: 0 });
    await restoreOn(there, task.id);
    await settle(here);
    expect((await taskOn(here, task.id))?.title).toBe('original');
    await expectConverged(world, here, there);
  });
});
