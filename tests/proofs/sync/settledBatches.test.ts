/** Batches that do not go through as they are: asked about before they are dropped, split, or left for later. */

import { describe, expect, it } from 'vitest';
import type { SyncError } from '@/core/errors';
import type { PushRequest } from '@/core/protocol';
import { fail } from '@/core/result';
import type { Task } from '@/domain/entities';
import { Conflict, OutboxBatch, Quarantined } from '@/lib/watermelon';
import { expectConverged, expectInStep } from '../../support/inStep';
import { SEED } from '../../support/seed';
import { devicesForEachTest, here, restartHere, there, world } from '../../support/twoDevices';
import { settle } from '../../support/world';

devicesForEachTest();

const create = (title: string, on = here): Promise<Task> =>
  on.contextService.createTask({ milestone_id: SEED.offlineMilestone, title });

async function shared(title: string): Promise<Task> {
  const task = await create(title);
  await settle(here, there);
  return task;
}

const http = (status: number, sqlState: string | null = null): SyncError => ({
  kind: 'transport',
  code: 'http',
  message: 'It did not go through.',
  status,
  sqlState,
});
const TIMEOUT: SyncError = { kind: 'transport', code: 'timeout', message: 'No answer in time.' };
const titleOf = async (task: Task, on = there) => (await on.contextService.getLocalTask(task.id))?.title;
const outboxOf = (on = here) => on.database.of(OutboxBatch).query().fetchCount();
const conflictsOf = (on = here) => on.database.of(Conflict).query().fetchCount();
const refusedOf = (on = here) => on.database.of(Quarantined).query().fetch();
const settles = () => here.transport.count('settle');

/** Pushes with a change of one of the records fail; `carried` ones have been applied by then. */
function failPushesOf(
  error: SyncError,
  isHit: (request: PushRequest) => boolean,
  isCarriedOut = false,
): () => void {
  const { push } = here.transport;
  here.transport.push = async (request, signal) => {
    if (!isHit(request)) return push(request, signal);
    if (isCarriedOut) await push(request, signal);
    return fail(error);
  };
  return () => {
    here.transport.push = push;
  };
}

const touches = (task: Task) => (request: PushRequest) => request.changes.some(({ id }) => id === task.id);

describe('a batch that is not answered in time', () => {
  it('was applied: the device asks, is told its outcomes, and goes on in the same sync (U2, P-ONCE)', async () => {
    await create('carried out');
    here.transport.next('push', { what: 'time_out' });
    expect(await here.sync()).toMatchObject({ status: 'ok', pushed: 2, conflicts: 0 });
    expect(here.transport.count('push')).toBe(1);
    expect(settles()).toBe(1);
    await expectConverged(world, here, there);
  });

  it('never arrived: its number is void, a late copy is refused, and its changes go out in smaller batches (U2, U43, P-ONCE)', async () => {
    const tasks = await Promise.all(['a', 'b', 'c', 'd'].map((title) => create(title)));
    const { push } = here.transport;
    const lost: PushRequest[] = [];
    const restore = failPushesOf(TIMEOUT, (request) => {
      const isLarge = request.changes.length > 4;
      if (isLarge) lost.push(structuredClone(request));
      return isLarge;
    });
    expect(await here.sync()).toMatchObject({ status: 'ok', pushed: 8, conflicts: 0 });
    restore();
    expect(lost).toHaveLength(1);
    const late = await push(lost[0] as PushRequest, new AbortController().signal);
    expect(late).toMatchObject({ ok: false, error: { code: 'device_conflict' } });
    await expectConverged(world, here, there);
    expect(await Promise.all(tasks.map((task) => titleOf(task)))).toEqual(['a', 'b', 'c', 'd']);
  });

  it('stays stored where the server cannot say what became of it, and is asked about again after a restart (U1, P-DURABLE)', async () => {
    const task = await create('asked about later');
    here.transport.next('push', { what: 'time_out' }).loseNextRequest('settle');
    expect(await here.sync()).toMatchObject({ status: 'error', error: { code: 'timeout' } });
    expect(await outboxOf()).toBe(1);
    await restartHere();
    expect(await here.sync()).toMatchObject({ status: 'ok', error: null });
    expect(await outboxOf()).toBe(0);
    await expectConverged(world, here, there);
    expect(await titleOf(task)).toBe('asked about later');
  });
});

describe('a push that fails', () => {
  it('keeps no news back: the pull runs all the same (U43)', async () => {
    const task = await shared('before');
    await there.contextService.updateTask(task.id, { title: 'news' });
    await settle(there);
    await create('cannot leave');
    const restore = failPushesOf(http(500), () => true);
    expect(await here.sync()).toMatchObject({ status: 'error', error: { code: 'http' } });
    restore();
    expect(await titleOf(task, here)).toBe('news');
    await expectConverged(world, here, there);
  });

  it('though it was applied: rows pulled before its answer is heard are not taken back, and edits made meanwhile stay (U2, U14, P-NOLOSS)', async () => {
    const [kept, other] = [await shared('kept'), await shared('other')];
    const [made, empty] = [await create('made'), await create('empty')];
    await here.contextService.updateTask(kept.id, { title: 'sent', description: 'sent' });
    await here.contextService.updateTask(other.id, { description: 'sent' });
    const restore = failPushesOf(http(502), () => true, true);
    expect(await here.sync()).toMatchObject({ status: 'error' });
    expect(await outboxOf()).toBe(1);
    // Others go on from what was applied, and this device pulls that before it hears of its own push.
    await settle(there);
    await there.contextService.updateTask(kept.id, { title: 'theirs' });
    await there.contextService.updateTask(made.id, { title: 'made, and renamed by others' });
    await there.contextService.updateTask(empty.id, { description: 'theirs' });
    await settle(there);
    expect(await here.sync()).toMatchObject({ status: 'error' });
    await here.contextService.updateTask(kept.id, { description: 'edited meanwhile' });
    await here.contextService.updateTask(made.id, { description: 'edited meanwhile' });
    restore();
    expect(await here.sync()).toMatchObject({ status: 'ok', conflicts: 0 });
    await expectConverged(world, here, there);
    expect(await titleOf(empty, here)).toBe('empty');
    expect((await here.contextService.getLocalTask(empty.id))?.description).toBe('theirs');
    for (const device of [here, there]) {
      expect(await device.contextService.getLocalTask(kept.id)).toMatchObject({
        title: 'theirs',
        description: 'edited meanwhile',
      });
      expect(await device.contextService.getLocalTask(made.id)).toMatchObject({
        title: 'made, and renamed by others',
        description: 'edited meanwhile',
      });
    }
    expect(await conflictsOf()).toBe(0);
  });
});

describe('a change that is not answered in time though it is sent alone', () => {
  it('waits behind the others, which are pushed, and is pushed when it can be (U43)', async () => {
    const [slow, quick] = [await create('slow'), await create('quick')];
    await here.contextService.addTaskDependency(quick.id, slow.id);
    const other = await create('other');
    const restore = failPushesOf(TIMEOUT, touches(slow));
    expect(await here.sync()).toMatchObject({ status: 'error', error: { code: 'timeout' } });
    // What needs the slow one waits with it.
    await settle(there);
    expect(await titleOf(other)).toBe('other');
    await restartHere();
    const again = failPushesOf(TIMEOUT, touches(slow));
    const late = await create('made later');
    for (let sync = 0; sync < 4; sync += 1) await here.sync();
    await settle(there);
    expect(await titleOf(late)).toBe('made later');
    expect(await refusedOf()).toEqual([]);
    again();
    restore();
    expect(await here.sync()).toMatchObject({ status: 'ok', error: null });
    await expectConverged(world, here, there);
    expect(await titleOf(slow)).toBe('slow');
  });

  it('is refused once the server itself has given it up three times, and other requests went well (U43, D9)', async () => {
    const heavy = await create('heavy');
    const restore = failPushesOf(http(500, '57014'), touches(heavy));
    for (let sync = 1; sync <= 2; sync += 1) {
      expect(await here.sync()).toMatchObject({ status: 'error', rejected: 0 });
      expect(await refusedOf()).toEqual([]);
    }
    const refused = await here.sync();
    expect(refused).toMatchObject({ status: 'ok', rejected: 2 });
    restore();
    const entries = await refusedOf();
    expect(entries.map(({ recordTable }) => recordTable).sort()).toEqual(['activity_feed', 'tasks']);
    expect(entries.map(({ code }) => code)).toEqual(['too_slow', 'too_slow']);
    await here.retryQuarantined(entries[0]?.id ?? '');
    expect(await here.sync()).toMatchObject({ status: 'ok', pushed: 2 });
    await expectInStep(world, here);
  });
});

const OTHER_DEVICE: SyncError = { kind: 'protocol', code: 'device_conflict', message: 'Another device.' };

it('a record that was pulled as it was sent, and then as others made it, has no edits when its push is heard of (P-NOLOSS)', async () => {
  const made = await create('made');
  const restore = failPushesOf(http(502), () => true, true);
  // The first pull brings it as it was sent, the second as it is by then.
  await here.sync();
  await settle(there);
  await there.contextService.updateTask(made.id, { title: 'theirs' });
  await settle(there);
  await here.sync();
  restore();
  await here.sync();
  expect(here.syncStatus.pending).toBe(0);
  await there.contextService.updateTask(made.id, { title: 'theirs again' });
  await expectConverged(world, here, there);
  expect(await titleOf(made, here)).toBe('theirs again');
});

it('a deletion that is in doubt keeps what was not synced under it, and can be undone until its answer is heard (D13, D14, P-NOLOSS)', async () => {
  const task = await shared('deleted and restored');
  const child = await here.contextService.createTask({
    milestone_id: SEED.offlineMilestone,
    title: 'never synced',
    parent_task_id: task.id,
  });
  await here.contextService.updateTask(task.id, { description: 'never synced either' });
  await here.contextService.deleteTask(task.id);
  const restore = failPushesOf(http(502), () => true, true);
  await here.sync();
  const [deletion] = await here.contextService.getDeletions(SEED.workspace);
  await here.contextService.restoreDeletion(deletion?.id ?? '');
  expect(await here.sync()).toMatchObject({ status: 'error' });
  restore();
  await expectConverged(world, here, there);
  for (const device of [here, there]) {
    expect(await titleOf(task, device)).toBe('deleted and restored');
    expect(await titleOf(child, device)).toBe('never synced');
    expect((await device.contextService.getLocalTask(task.id))?.description).toBe('never synced either');
  }
});

it('a record that others deleted while a deletion was in doubt does not come back when that is taken back (U8, P-CONVERGE)', async () => {
  const [parent, edited] = [await shared('parent'), await shared('edited')];
  const under = { milestone_id: SEED.offlineMilestone, parent_task_id: parent.id };
  const gone = await here.contextService.createTask({ ...under, title: 'deleted by others' });
  const kept = await here.contextService.createTask({ ...under, title: 'renamed by others' });
  await settle(here, there);
  await here.contextService.updateTask(edited.id, { title: 'sent along' });
  await here.contextService.deleteTask(parent.id);
  await there.contextService.deleteTask(gone.id);
  await there.contextService.updateTask(kept.id, { title: 'renamed' });
  await settle(there);
  // It does not arrive, and the pull that runs all the same brings what others did.
  const restore = failPushesOf(http(502), () => true);
  await here.sync();
  restore();
  await expectConverged(world, here, there);
  expect(await titleOf(parent, here)).toBe('parent');
  expect(await titleOf(kept, here)).toBe('renamed');
  expect(await here.contextService.getLocalTask(gone.id)).toBeNull();
});

it('a batch that something in between ends each time, whatever it says, is split after a while (U43)', async () => {
  const tasks = await Promise.all(['a', 'b', 'c', 'd'].map((title) => create(title)));
  const offline: SyncError = { kind: 'transport', code: 'offline', message: 'The connection was reset.' };
  const restore = failPushesOf(offline, ({ changes }) => changes.length > 4);
  for (let sync = 0; sync < 3; sync += 1) await here.sync();
  restore();
  await settle(there);
  expect(await Promise.all(tasks.map((task) => titleOf(task)))).toEqual(['a', 'b', 'c', 'd']);
});

it('a number that was made void before the process ended is not taken for that of another device (U2)', async () => {
  const task = await create('void');
  const { settle: real } = here.transport;
  here.transport.next('push', { what: 'fail', error: TIMEOUT });
  here.transport.settle = async (request, changes, signal) => {
    await real(request, changes, signal);
    return fail(TIMEOUT);
  };
  expect(await here.sync()).toMatchObject({ status: 'error' });
  const devices = () =>
    here.transport.requests
      .filter(({ direction }) => direction === 'push')
      .map(({ request }) => (request as PushRequest).device_id);
  const before = devices();
  await restartHere();
  expect(await here.sync()).toMatchObject({ status: 'ok', error: null });
  expect(new Set(devices())).toEqual(new Set(before));
  await settle(there);
  expect(await titleOf(task)).toBe('void');
});

it('a device that never hears what became of a batch does not meet its own values as those of others (P-NOLOSS)', async () => {
  const [task, made] = [await shared('before'), await create('made')];
  await here.contextService.updateTask(task.id, { title: 'first' });
  here.transport.loseNextResponse('push');
  expect(await here.sync()).toMatchObject({ status: 'offline' });
  await here.contextService.updateTask(task.id, { title: 'second' });
  await here.contextService.updateTask(made.id, { title: 'made, and renamed' });
  // Its number is another device's by now, as after its database was copied.
  here.transport.failNext('push', OTHER_DEVICE).failNext('settle', OTHER_DEVICE);
  await settle(here);
  expect(await conflictsOf()).toBe(0);
  await expectConverged(world, here, there);
  expect([await titleOf(task), await titleOf(made)]).toEqual(['second', 'made, and renamed']);
});

it.each([
  ['before', true],
  ['after', false],
])(
  'what others made of a new record is not overwritten unseen, pulled %s its lost push is dropped (U22, P-NOLOSS)',
  async (_, isPulledBefore) => {
    const made = await create('made');
    const restore = failPushesOf(http(502), () => true, true);
    // Nothing is pulled either.
    here.transport.failNext('pull', http(502));
    await here.sync();
    await here.contextService.updateTask(made.id, { title: 'ours', description: 'ours' });
    await settle(there);
    await there.contextService.updateTask(made.id, { title: 'theirs' });
    await settle(there);
    if (isPulledBefore) await here.sync();
    restore();
    here.transport.failNext('push', OTHER_DEVICE).failNext('settle', OTHER_DEVICE);
    await settle(here);
    await expectConverged(world, here, there);
    const [entry, ...more] = await here.database.of(Conflict).query().fetch();
    expect(more).toEqual([]);
    expect(entry?.columns).toMatchObject({ title: { local: 'ours', remote: 'theirs' } });
    expect(await titleOf(made)).toBe(entry?.columns.title?.chosen);
    expect((await there.contextService.getLocalTask(made.id))?.description).toBe('ours');
  },
);

async function restoreThere(task: Task): Promise<void> {
  const all = await there.contextService.getDeletions(SEED.workspace);
  const deletion = all.find(({ entity_id, restored_at }) => entity_id === task.id && restored_at === null);
  await there.contextService.restoreDeletion(deletion?.id ?? '');
}

describe('a batch whose records are deleted and restored by others while it waits', () => {
  it.each(['once', 'and again'])(
    'is taken by the server, and its records come back here, with what was written %s (P-CONVERGE, P7, P-NOLOSS)',
    async (times) => {
      const parent = await shared('deleted and restored');
      const subtask = await here.contextService.createTask({
        milestone_id: SEED.offlineMilestone,
        parent_task_id: parent.id,
        title: 'under it',
      });
      await settle(here, there);
      await here.contextService.updateTask(parent.id, { title: 'written in the batch' });
      await here.contextService.updateTask(subtask.id, { priority: 'urgent' });
      await here.contextService.addTaskActivity(subtask.id, 'comment', { text: 'said in the batch' });
      const stop = failPushesOf(http(500), () => true);
      await here.sync();
      await there.contextService.deleteTask(parent.id);
      await there.sync();
      await here.sync();
      expect(await here.contextService.getLocalTask(parent.id)).toBeNull();
      if (times === 'and again') {
        await restoreThere(parent);
        await settle(there);
        await there.contextService.deleteTask(parent.id);
        await there.sync();
        await here.sync();
      }
      await restoreThere(parent);
      await there.sync();
      stop();
      await expectConverged(world, here, there);
      for (const device of [here, there]) {
        expect(await titleOf(parent, device)).toBe('written in the batch');
        const context = await device.contextService.getTaskContext(subtask.id);
        expect(context?.task.priority).toBe('urgent');
        const comments = context?.activities.filter(({ activity_type }) => activity_type === 'comment');
        expect(comments?.map(({ details }) => details)).toEqual([{ text: 'said in the batch' }]);
      }
      expect((await here.countUnsynced()).total).toBe(0);
    },
  );
});
