/** Restoring what was deleted, from devices that are offline when they wish it. */

import { describe, expect, it } from 'vitest';
import type { Deletion, Task } from '@/domain/entities';
import { Quarantined } from '@/lib/watermelon';
import { UNDOABLE_MS } from '@/lib/watermelon/sync/records/unsynced';
import { expectConverged } from '../../support/inStep';
import { meanwhile } from '../../support/meanwhile';
import { SEED } from '../../support/seed';
import { devicesForEachTest, here, there, world } from '../../support/twoDevices';
import { settle, type TestDevice } from '../../support/world';

devicesForEachTest();

async function newTask(title: string, more: Partial<Task> = {}): Promise<Task> {
  const values = { milestone_id: SEED.offlineMilestone, title, ...more };
  return here.contextService.createTask(values as never);
}

const taskOn = (device: TestDevice, id: string) => device.contextService.getLocalTask(id);

async function deletionOf(device: TestDevice, entityId: string): Promise<Deletion> {
  const found = (await device.contextService.getDeletions(SEED.workspace)).find(
    (deletion) => deletion.entity_id === entityId,
  );
  if (!found) throw new Error('It is not among the deletions.');
  return found;
}

const refused = (device: TestDevice) => device.database.of(Quarantined).query().fetch();

const told = async (device: TestDevice, entityId: string) =>
  (await device.database.records('activity_feed').query().fetch()).filter(
    ({ raw }) => raw.activity_type === 'task_deleted' && raw.entity_id === entityId,
  );

describe('a deletion that was pushed', () => {
  it('is restored with its subtree, on every device, by a device that was offline when it asked (U24, P-CONVERGE)', async () => {
    const parent = await newTask('parent');
    const child = await newTask('child', { parent_task_id: parent.id });
    await here.contextService.addTaskDependency(child.id, SEED.busyTask);
    await settle(here, there);
    await there.contextService.deleteTask(parent.id);
    await settle(there, here);
    const deletion = await deletionOf(here, parent.id);
    expect(deletion).toMatchObject({ name: 'parent', parts: 2, last_modified_by: there.userId });

    here.online(false);
    await here.contextService.restoreDeletion(deletion.id);
    await here.sync();
    expect(here.syncStatus.pending).toBe(1);
    expect(await taskOn(here, parent.id)).toBeNull();
    here.online(true);
    await expectConverged(world, here, there);
    expect((await taskOn(there, child.id))?.parent_task_id).toBe(parent.id);
    const context = await there.contextService.getTaskContext(child.id);
    expect(context?.dependencies.map(({ id }) => id)).toEqual([SEED.busyTask]);
    await expect(here.contextService.restoreDeletion(deletion.id)).rejects.toMatchObject({
      code: 'nothing_to_restore',
    });
  });

  it('is restored once when two devices ask, and nothing is in the ledger (U24, P-CONVERGE)', async () => {
    const task = await newTask('restored twice');
    await settle(here, there);
    await here.contextService.deleteTask(task.id);
    await settle(here, there);
    const { id } = await deletionOf(here, task.id);
    await here.contextService.restoreDeletion(id);
    await there.contextService.restoreDeletion(id);
    await expectConverged(world, here, there);
    expect(await taskOn(there, task.id)).not.toBeNull();
    expect(await here.database.get('sync_conflicts').query().fetchCount()).toBe(0);
    expect(await there.database.get('sync_conflicts').query().fetchCount()).toBe(0);
  });

  it('goes to the quarantine when it cannot be restored, and is restored by a retry after its parent (U25, D7)', async () => {
    const parent = await newTask('parent');
    const child = await newTask('child', { parent_task_id: parent.id });
    await settle(here, there);
    await here.contextService.deleteTask(child.id);
    await settle(here);
    await here.contextService.deleteTask(parent.id);
    await settle(here, there);
    const ofChild = await deletionOf(there, child.id);
    const ofParent = await deletionOf(there, parent.id);
    await there.contextService.restoreDeletion(ofChild.id);
    await expectConverged(world, there, here);
    const [entry] = await refused(there);
    expect(entry).toMatchObject({ code: 'missing_parent', recordTable: 'deletions' });
    expect(await there.contextService.getDeletions(SEED.workspace)).toContainEqual(
      expect.objectContaining({ id: ofChild.id }),
    );

    await there.contextService.restoreDeletion(ofParent.id);
    await settle(there);
    await there.retryQuarantined(entry?.id ?? '');
    await expectConverged(world, there, here);
    expect(await taskOn(here, child.id)).not.toBeNull();
    expect(await refused(there)).toEqual([]);
  });
});

describe('a deletion that was not pushed', () => {
  it('is undone at once, without a request, with its unsynced edits and without a trace (D14)', async () => {
    const parent = await newTask('parent');
    await settle(here, there);
    const child = await newTask('never synced', { parent_task_id: parent.id });
    await here.contextService.updateTask(parent.id, { title: 'edited' });
    const requests = here.transport.count('push') + here.transport.count('pull');
    await here.contextService.deleteTask(parent.id);
    const pending = await deletionOf(here, parent.id);
    expect(pending).toMatchObject({ name: 'edited', parts: 2, entity_type: 'tasks' });
    await here.contextService.restoreDeletion(pending.id);
    expect((await taskOn(here, parent.id))?.title).toBe('edited');
    expect((await taskOn(here, child.id))?.parent_task_id).toBe(parent.id);
    expect(here.transport.count('push') + here.transport.count('pull')).toBe(requests);
    await expectConverged(world, here, there);
    expect((await taskOn(there, parent.id))?.title).toBe('edited');
    expect(await taskOn(there, child.id)).not.toBeNull();
    expect(await told(there, parent.id)).toEqual([]);
    expect(await here.contextService.getDeletions(SEED.workspace)).not.toContainEqual(
      expect.objectContaining({ entity_id: parent.id }),
    );
  });

  it('of what was never pushed is undone whatever was synced meanwhile, and is told to nobody (D14, P-NOLOSS)', async () => {
    const other = await newTask('there before');
    await settle(here, there);
    const parent = await newTask('made by mistake');
    const child = await newTask('its child', { parent_task_id: parent.id });
    await here.contextService.addComment(parent.id, 'said of it');
    await here.contextService.addTaskDependency(other.id, parent.id);
    const feed = (await here.contextService.getTaskContext(other.id))?.activities;
    await here.contextService.deleteTask(parent.id);
    const pending = await deletionOf(here, parent.id);
    const removed = await newTask('removed as a dependency only');
    await here.contextService.addTaskDependency(other.id, removed.id);
    await here.contextService.removeTaskDependency(other.id, removed.id);
    for (const title of ['synced', 'and again']) {
      await here.contextService.updateTask(other.id, { title });
      await settle(here, there);
      expect(here.syncStatus.pending).toBe(0);
    }
    expect(await here.countUnsynced()).toMatchObject({ total: 0 });
    expect(await deletionOf(here, parent.id)).toEqual(pending);
    expect(await taskOn(there, parent.id)).toBeNull();

    await here.contextService.restoreDeletion(pending.id);
    await expectConverged(world, here, there);
    const context = await there.contextService.getTaskContext(parent.id);
    expect(context?.subtasks.map(({ id }) => id)).toEqual([child.id]);
    expect(context?.activities.map(({ activity_type }) => activity_type).sort()).toEqual([
      'comment',
      'task_created',
    ]);
    const { activities = [], dependencies = [] } =
      (await there.contextService.getTaskContext(other.id)) ?? {};
    expect(dependencies.map(({ id }) => id)).toEqual([parent.id]);
    expect(activities.map(({ id }) => id)).toEqual(expect.arrayContaining((feed ?? []).map(({ id }) => id)));
    expect(await there.contextService.getDeletions(SEED.workspace)).not.toContainEqual(
      expect.objectContaining({ entity_id: parent.id }),
    );
  });

  it('of what was never pushed is refused where its place has gone, and left to be undone after that (D14)', async () => {
    const milestone = await here.contextService.createMilestone({ project_id: SEED.fieldApp, name: 'Goes' });
    await settle(here, there);
    const task = await newTask('made by mistake', { milestone_id: milestone.id });
    await here.contextService.deleteTask(task.id);
    await settle(here, there);
    await there.contextService.deleteMilestone(milestone.id);
    await settle(there, here);
    const { id } = await deletionOf(here, task.id);
    await expect(here.contextService.restoreDeletion(id)).rejects.toMatchObject({ code: 'missing_parent' });
    await here.contextService.restoreDeletion((await deletionOf(here, milestone.id)).id);
    await settle(here, there);
    await here.contextService.restoreDeletion(id);
    await expectConverged(world, here, there);
    expect((await taskOn(there, task.id))?.title).toBe('made by mistake');
  });

  it('of a new task that took along what the server has is over with its push (D14, P-CONVERGE)', async () => {
    const moved = await newTask('moved under it');
    const below = await newTask('below', { parent_task_id: moved.id });
    await settle(here, there);
    const made = await newTask('made by mistake');
    await here.contextService.updateTask(moved.id, { parent_task_id: made.id });
    await here.contextService.deleteTask(made.id);
    const { id } = await deletionOf(here, made.id);
    await here.sync();
    await expect(here.contextService.restoreDeletion(id)).rejects.toMatchObject({ code: 'not_found' });
    await expectConverged(world, here, there);
    for (const task of [moved, below]) expect(await taskOn(there, task.id)).toBeNull();
  });

  it('of a task that the server may have taken waits to be sent (P-NOLOSS)', async () => {
    const task = await newTask('sent, and not heard of');
    here.transport.next('push', { what: 'lose_response' });
    await here.sync();
    await here.contextService.deleteTask(task.id);
    expect((await here.countUnsynced()).total).toBeGreaterThan(0);
    await expectConverged(world, here, there);
    expect(await taskOn(there, task.id)).toBeNull();
    expect(here.syncStatus.pending).toBe(0);
  });

  it.each([
    ['is kept', 'within a day', -60_000, 1],
    ['is gone', 'after it', 60_000, 0],
  ])('of what was never pushed %s %s (D14)', async (_, __, more, left) => {
    const then = await world.device('editor');
    await then.sync();
    const values = { milestone_id: SEED.offlineMilestone, title: 'made by mistake' };
    const task = await then.contextService.createTask(values);
    await then.contextService.deleteTask(task.id);
    const now = await then.restart({ now: () => Date.now() + UNDOABLE_MS + more });
    await now.contextService.createTask({ ...values, title: 'the next one' });
    await now.sync();
    expect(await now.database.fetchStored('tasks', '"id" = ?', [task.id])).toHaveLength(left);
    const deletions = await now.contextService.getDeletions(SEED.workspace);
    expect(deletions.filter(({ entity_id }) => entity_id === task.id)).toHaveLength(left);
  });

  it('has the same id before and after it is pushed (D14)', async () => {
    const task = await newTask('deleted');
    await settle(here, there);
    await here.contextService.deleteTask(task.id);
    const { id } = await deletionOf(here, task.id);
    await settle(here, there);
    expect((await deletionOf(there, task.id)).id).toBe(id);
    await here.contextService.restoreDeletion(id);
    await expectConverged(world, here, there);
    expect(await taskOn(there, task.id)).not.toBeNull();
  });

  it.each([
    ['reached the server', false],
    ['reached the server, and the answer was lost', true],
  ])('when undone while it %s, is restored with its unsynced edits (D14, P-NOLOSS)', async (_, isLost) => {
    const parent = await newTask('parent');
    await settle(here, there);
    const child = await newTask('never synced', { parent_task_id: parent.id });
    await here.contextService.updateTask(parent.id, { title: 'edited' });
    await here.contextService.deleteTask(parent.id);
    const { id } = await deletionOf(here, parent.id);
    const undo = () => here.contextService.restoreDeletion(id);
    if (isLost) {
      here.transport.loseNextResponse('push');
      await here.sync();
      here.online(false);
      await undo();
      here.online(true);
    } else await meanwhile(here, 'push', undo);
    await expectConverged(world, here, there);
    expect((await taskOn(there, parent.id))?.title).toBe('edited');
    expect((await taskOn(there, child.id))?.parent_task_id).toBe(parent.id);
  });
});
