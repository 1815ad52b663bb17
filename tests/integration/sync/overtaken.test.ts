import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectInStep } from '../../support/inStep';
import { temporaryFolder } from '../../support/localDatabase';
import { SEED } from '../../support/seed';
import { settle, type TestDevice, World } from '../../support/world';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

/** Two openings of one database. Nothing keeps them from syncing at once, as with writes that arrive after a death. */
async function openTwice(work: (one: TestDevice, other: TestDevice) => Promise<void>): Promise<void> {
  const { path: folder, remove } = temporaryFolder();
  const account = await world.signIn('editor');
  const one = await world.device(account, { folder });
  const other = await world.device(account, { folder });
  await work(one, other);
  await one.close();
  await other.close();
  remove();
}

/** Lets the other one sync as soon as a request of the one is on its way. */
async function syncOvertaken(one: TestDevice, other: TestDevice, direction: 'push' | 'pull') {
  const release = one.transport.holdNext(direction);
  const made = one.transport.count(direction);
  const syncing = one.sync();
  await expect.poll(() => one.transport.count(direction)).toBe(made + 1);
  expect(await other.sync()).toMatchObject({ status: 'ok' });
  release();
  return syncing;
}

describe('a sync that a foreign sync of the same database overtakes', () => {
  it('begins anew when the foreign one has written the cursors before its first page arrives (D33)', async () => {
    await openTwice(async (one, other) => {
      expect(await syncOvertaken(one, other, 'pull')).toMatchObject({ status: 'ok', error: null });
      await expectInStep(world, one);
      expect(await one.sync()).toMatchObject({ status: 'ok', pulled: 0 });
    });
  });

  it('settles a batch once when the foreign one has sent it too (D33, P-ONCE)', async () => {
    await openTwice(async (one, other) => {
      await settle(one, other);
      const { id } = await one.contextService.createTask({
        milestone_id: SEED.offlineMilestone,
        title: 'Sent by two',
      });
      expect(await syncOvertaken(one, other, 'push')).toMatchObject({ status: 'ok', error: null });
      expect(one.syncStatus).toMatchObject({ pending: 0, quarantined: 0 });
      await one.contextService.updateTask(id, { title: 'And edited after that' });
      await settle(one, other);
      expect((await other.contextService.getLocalTask(id))?.title).toBe('And edited after that');
      await expectInStep(world, other);
    });
  });

  it('writes its log and clock offset before it releases the lock, and nothing afterwards (D33)', async () => {
    const logged: number[] = [];
    const { path: folder, remove } = temporaryFolder();
    const device: TestDevice = await world.device('editor', {
      folder,
      exclusively: async (work) => {
        const done = await work();
        logged.push((await device.syncLog()).length);
        return done;
      },
    });
    for (let n = 1; n <= 2; n += 1) {
      await device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: `Number ${n}` });
      expect(await device.sync()).toMatchObject({ status: 'ok', error: null });
    }
    expect(logged).toEqual([1, 2]);
    await device.close();
    remove();
  });

  it('does not reuse the number of a batch that the foreign one has sent (D33)', async () => {
    await openTwice(async (one, other) => {
      await settle(one, other);
      await other.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: 'By the other' });
      // Its pull is held, so its own batch is stored after the other's.
      const syncing = syncOvertaken(one, other, 'pull');
      await one.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: 'By the one' });
      expect(await syncing).toMatchObject({ error: null });
      await settle(one, other);
      expect(one.syncStatus).toMatchObject({ pending: 0, quarantined: 0, error: null });
      await expectInStep(world, one);
    });
  });
});
