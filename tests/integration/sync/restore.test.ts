import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Conflict } from '@/lib/watermelon';
import { type LocalStack, openPgliteInMemory, type PgliteBackend, startLocalStack } from '@/server';
import { SEED } from '../../support/seed';
import { deviceSnapshot, serverSnapshot } from '../../support/snapshot';
import { settle, type TestDevice, World } from '../../support/world';

let world: World;
let here: TestDevice;
let there: TestDevice;
let restored: LocalStack | null;
let backend: PgliteBackend;

beforeEach(async () => {
  restored = null;
  backend = await openPgliteInMemory();
  world = await World.start({ kind: 'backend', backend });
  here = await world.device('owner', { pageRows: 60 });
  there = await world.device('editor', { pageRows: 60 });
  await settle(here, there);
});
afterEach(async () => {
  await restored?.close();
  await world.close();
});

const newTask = (device: TestDevice, title: string) =>
  device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title });

/** Puts the server back to what it was when the backup was taken, at the same address. */
async function restoreFrom(backup: Blob): Promise<LocalStack> {
  const port = Number(new URL(world.stack.url).port);
  await world.stack.close();
  const started = await startLocalStack({ data: { kind: 'memory', template: backup }, port });
  if (!started.ok) throw new Error(started.error.message);
  restored = started.value;
  return started.value;
}

describe('P8 a server restored from a backup', () => {
  it('is noticed by itself; what it lost is pushed again, by whoever has it, and all end up the same', async () => {
    const before = await newTask(here, 'before the backup');
    await settle(here, there);
    const backup = await backend.dump();

    await here.contextService.updateTask(before.id, { title: 'renamed after the backup' });
    const after = await newTask(there, 'after the backup');
    await settle(here, there);
    await here.contextService.updateTask(after.id, { priority: 'urgent' });
    const offline = await newTask(here, 'never synced');

    const server = await restoreFrom(backup);
    // The new history reaches the same revisions as the old one did.
    const fresh = await world.device('owner');
    await settle(fresh);
    for (const title of ['one', 'two', 'three', 'four']) {
      await newTask(fresh, title);
      await settle(fresh);
    }
    await settle(here, there, fresh);
    const held = await serverSnapshot(server.backend, here.userId);
    for (const device of [here, there, fresh]) expect(await deviceSnapshot(device.database)).toEqual(held);
    const ledger = await here.database
      .get<Conflict>(Conflict.table as never)
      .query()
      .fetch();
    const asked = ledger.find((entry) => entry.recordId === before.id);
    expect(asked).toMatchObject({ state: 'open', kind: 'columns' });
    expect(asked?.columns.title).toMatchObject({
      local: 'renamed after the backup',
      remote: 'before the backup',
    });
    expect((await fresh.contextService.getLocalTask(after.id))?.priority).toBe('urgent');
    expect((await fresh.contextService.getLocalTask(offline.id))?.title).toBe('never synced');
    expect((await there.contextService.getTaskContext(after.id))?.activities.length).toBeGreaterThan(0);
  });

  it('U3 is noticed by a push before anything is merged, and a resync that breaks off goes on', async () => {
    const backup = await backend.dump();
    const after = await newTask(here, 'after the backup');
    await settle(here, there);
    const server = await restoreFrom(backup);
    await newTask(there, 'written to the new history');
    there.transport.next('pull', { what: 'delay', ms: 0 }).loseNextResponse('pull');
    expect(await there.sync()).toMatchObject({ status: 'error' });
    there = await there.restart();
    await settle(there, here);
    const held = await serverSnapshot(server.backend, here.userId);
    for (const device of [here, there]) expect(await deviceSnapshot(device.database)).toEqual(held);
    expect((await there.contextService.getLocalTask(after.id))?.title).toBe('after the backup');
  });
});
