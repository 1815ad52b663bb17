import { describe, expect, it } from 'vitest';
import type { PullRequest } from '@/core/protocol';
import { observeRecords } from '@/lib/watermelon';
import { expectConverged } from '../../support/inStep';
import { manyTasks } from '../../support/manyTasks';
import { SEED } from '../../support/seed';
import { devicesForFile, here, there, world } from '../../support/twoDevices';
import { settle, type TestDevice } from '../../support/world';

devicesForFile();

const newTask = (title: string) =>
  here.contextService.createTask({ milestone_id: SEED.offlineMilestone, title });
const titleOf = async (device: TestDevice, id: string) =>
  (await device.contextService.getLocalTask(id))?.title;

describe('rows written in bulk', () => {
  it('reach observed records in memory, lists and contexts (P31)', async () => {
    const task = await newTask('before');
    await settle(here, there);
    const record = await there.database.get('tasks').find(task.id);
    const lists: string[][] = [];
    const contexts: (string | undefined)[] = [];
    const titles = (rows: { title: string }[]) => rows.map(({ title }) => title);
    const where = { milestone_id: SEED.offlineMilestone };
    const subscriptions = [
      observeRecords(there.database, 'tasks', where).subscribe((rows) => lists.push(titles(rows))),
      there.contextService
        .observeTaskContext(task.id)
        .subscribe((context) => contexts.push(context?.task.title)),
    ];
    await here.contextService.updateTask(task.id, { title: 'after' });
    await newTask('came too');
    await settle(here, there);
    await expect.poll(() => contexts.at(-1)).toBe('after');
    // Each is read anew by itself: the context may come first.
    await expect.poll(() => lists.at(-1)).toEqual(expect.arrayContaining(['after', 'came too']));
    expect(lists.at(-1)).not.toContain('before');
    expect(record).toMatchObject({ title: 'after', isSynced: true, syncStatus: 'synced' });
    for (const subscription of subscriptions) subscription.unsubscribe();
  });

  it('do not overwrite an unsynced edit on the same page (P11, P31)', async () => {
    const [edited, other] = [await newTask('edited'), await newTask('other')];
    const deleted = await newTask('deleted');
    await settle(here, there);
    there.online(false);
    await there.contextService.updateTask(edited.id, { title: 'mine' });
    await there.contextService.deleteTask(deleted.id);
    for (const task of [edited, other, deleted]) {
      await here.contextService.updateTask(task.id, { priority: 'urgent' });
    }
    await settle(here);
    there.online(true);
    there.transport.failNext('push', { kind: 'transport', code: 'offline', message: '' });
    // The push fails, so that the pull meets the edits.
    await there.sync();
    await settle(there, here);
    expect(await titleOf(there, edited.id)).toBe('mine');
    expect(await there.contextService.getLocalTask(edited.id)).toMatchObject({ priority: 'urgent' });
    expect(await there.contextService.getLocalTask(other.id)).toMatchObject({ priority: 'urgent' });
    await expectConverged(world, here, there);
  });

  it('the next page is requested while one is applied, and no page twice (P30)', async () => {
    await manyTasks(world.stack.backend, 600, 'Paged');
    const fresh = await world.device('owner', { pageRows: 100 });
    await settle(fresh);
    const pulls = fresh.transport.requests.flatMap(({ direction, request }) =>
      direction === 'pull' ? [JSON.stringify((request as PullRequest).cursors)] : [],
    );
    expect(pulls.length).toBeGreaterThan(6);
    expect(new Set(pulls).size).toBe(pulls.length);
    await expectConverged(world, fresh, here);
  });
});
