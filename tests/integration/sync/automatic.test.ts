import { filter, firstValueFrom, take, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SEED } from '../../support/seed';
import { type SyncStatus, type TestDevice, World } from '../../support/world';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

const status = (device: TestDevice, fits: (status: SyncStatus) => boolean) =>
  firstValueFrom(device.observeSyncStatus().pipe(filter(fits)));

const synced = (device: TestDevice) =>
  status(
    device,
    ({ kind, pending, lastSyncedAt }) => kind === 'idle' && pending === 0 && lastSyncedAt !== null,
  );

describe('automatic sync', () => {
  it('syncs at the start and after local writes, without a call', async () => {
    const device = await world.device('owner', { autoSync: true });
    await synced(device);
    const task = await device.contextService.createTask({
      milestone_id: SEED.offlineMilestone,
      title: 'By itself',
    });
    await status(device, ({ pending }) => pending > 0);
    await synced(device);
    const other = await world.device('editor');
    await other.sync();
    expect((await other.contextService.getLocalTask(task.id))?.title).toBe('By itself');
    await device.close();
  });

  it('waits while offline, and syncs on coming online', async () => {
    const device = await world.device('owner', { autoSync: true });
    await synced(device);
    device.online(false);
    await status(device, ({ kind }) => kind === 'offline');
    await device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: 'Offline' });
    await status(device, ({ kind, pending }) => kind === 'offline' && pending === 2);
    const requests = device.transport.requests.length;
    device.online(true);
    await synced(device);
    expect(device.transport.requests.length).toBeGreaterThan(requests);
    await device.close();
  });

  it('retries by itself after a server failure, and tells that from a missing network', async () => {
    const device = await world.device('owner', { autoSync: true });
    await synced(device);
    await world.stack.suspend();
    await device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: 'Server away' });
    await status(
      device,
      ({ kind, pending, error }) => kind === 'offline' && pending > 0 && error?.code === 'offline',
    );
    device.online(false);
    await status(device, ({ kind, error }) => kind === 'offline' && error === null);
    await world.stack.resume();
    device.online(true);
    await synced(device);
    await device.close();
  });

  it('reports the rows done and in all while the first sync pages', async () => {
    const device = await world.device('viewer', { pageRows: 50 });
    const seen = firstValueFrom(
      device.observeSyncStatus().pipe(
        filter(({ progress }) => progress !== null),
        take(3),
        toArray(),
      ),
    );
    const { pulled } = await device.sync();
    const progress = (await seen).map((item) => item.progress);
    expect(progress.map((item) => item?.rows)).toEqual([50, 100, 150]);
    expect(progress[0]?.total).toBe(pulled);
    expect(device.syncStatus.progress).toBeNull();
  });
});

describe('a live context', () => {
  it('observeTaskContext emits at once and on every change, local or synced', async () => {
    const device = await world.device('owner');
    const other = await world.device('editor');
    await device.sync();
    await other.sync();
    const task = await device.contextService.createTask({
      milestone_id: SEED.offlineMilestone,
      title: 'one',
    });
    await device.sync();
    await other.sync();
    const titles: (string | undefined)[] = [];
    const watching = device.contextService.observeTaskContext(task.id).subscribe((context) => {
      if (titles.at(-1) !== context?.task.title) titles.push(context?.task.title);
    });
    const until = (title: string) =>
      firstValueFrom(
        device.contextService
          .observeTaskContext(task.id)
          .pipe(filter((context) => context?.task.title === title)),
      );
    await until('one');
    await device.contextService.updateTask(task.id, { title: 'two' });
    await until('two');
    await device.sync();
    await other.sync();
    await other.contextService.updateTask(task.id, { title: 'three' });
    await other.sync();
    await device.sync();
    await until('three');
    watching.unsubscribe();
    expect(titles).toEqual(['one', 'two', 'three']);
  });
});
