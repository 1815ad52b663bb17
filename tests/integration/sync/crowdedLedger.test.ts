/** A device that lost its place in the server's ledger to 200 others of its user, with a batch in flight. */

import { afterEach, beforeEach, expect, it } from 'vitest';
import type { PushRequest } from '@/core/protocol';
import { Conflict, Quarantined } from '@/lib/watermelon';
import { expectConverged } from '../../support/inStep';
import { SEED } from '../../support/seed';
import { settle, type TestDevice, World } from '../../support/world';

let world: World;
let device: TestDevice;
let other: TestDevice;
beforeEach(async () => {
  world = await World.start();
  // Of the same user.
  device = await world.device('owner');
  other = await world.device('owner');
  await settle(device, other);
});
afterEach(() => world.close());

async function sql<Row>(text: string): Promise<Row[]> {
  const done = await world.stack.backend.transaction((connection) => connection.query<Row>(text));
  if (!done.ok) throw new Error(done.error.message);
  return done.value;
}

/** 200 devices of the user are used for the first time, the last of them by a push. */
async function crowdLedger(): Promise<void> {
  await sql(`insert into convoy.devices (device_id, user_id, batch, updated_at)
    select gen_random_uuid(), '${device.userId}', 1, now() + interval '1 hour' from generate_series(1, 200)`);
  const newest = await world.device('owner');
  await newest.sync();
  await newest.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: 'of the newest' });
  await settle(newest);
  expect(await sql(`select 1 from convoy.devices where user_id = '${device.userId}'`)).toHaveLength(200);
}

it('its batch is taken once, nothing is lost, and it keeps its id (U2, U20, P-ONCE, P-NOLOSS)', async () => {
  const task = await device.contextService.createTask({
    milestone_id: SEED.offlineMilestone,
    title: 'taken',
  });
  await device.contextService.addTaskActivity(task.id, 'comment', { text: 'once' });
  await device.contextService.updateTask(SEED.busyTask, { title: 'Renamed here' });
  device.transport.loseNextResponse('push');
  expect(await device.sync()).toMatchObject({ status: 'offline' });
  const devicesNamed = () =>
    device.transport.requests
      .filter(({ direction }) => direction === 'push')
      .map(({ request }) => (request as PushRequest).device_id);
  const [id = ''] = devicesNamed();
  await crowdLedger();
  // Somebody else goes on from what was taken.
  const editor = await world.device('editor');
  await editor.sync();
  await editor.contextService.updateTask(SEED.busyTask, { title: 'Renamed once more' });
  await settle(editor);

  await device.contextService.updateTask(task.id, { description: 'edited since' });
  await expectConverged(world, device, other, editor);
  const context = await other.contextService.getTaskContext(task.id);
  expect(context?.task).toMatchObject({ title: 'taken', description: 'edited since' });
  const comments = context?.activities.filter(({ activity_type }) => activity_type === 'comment');
  expect(comments).toHaveLength(1);
  expect((await other.contextService.getLocalTask(SEED.busyTask))?.title).toBe('Renamed once more');
  expect(await device.database.of(Quarantined).query().fetchCount()).toBe(0);
  // What became of the batch is not known here, so the edit meets the editor's, which is the later one.
  const conflicts = await device.database.of(Conflict).query().fetch();
  expect(conflicts.filter(({ state }) => state === 'open')).toEqual([]);
  expect(new Set(devicesNamed())).toEqual(new Set([id]));
});
