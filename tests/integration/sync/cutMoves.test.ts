/** A task that moves with more subtasks than a group holds: the parts share its fate (D35, U28, D15). */

import { beforeEach, describe, expect, it } from 'vitest';
import type { Milestone, Task } from '@/domain/entities';
import { Conflict, Quarantined } from '@/lib/watermelon';
import { expectConverged } from '../../support/inStep';
import { SEED } from '../../support/seed';
import { devicesForEachTest, there, world } from '../../support/twoDevices';
import { settle, type TestDevice } from '../../support/world';

devicesForEachTest();

const SMALL = { changes: 4, characters: 40_000 };

let device: TestDevice;
/** Moves, with its subtasks, of which some were there before it. */
let top: Task;
let subtasks: Task[];
let places: Milestone[];

const create = (title: string, more: Partial<Task> = {}): Promise<Task> =>
  device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title, ...more } as never);
const move = (on: TestDevice, place: number, options = {}) =>
  on.contextService.updateTask(top.id, { milestone_id: places[place]?.id as string }, options);

beforeEach(async () => {
  device = await world.device('owner', { groupBounds: SMALL });
  await settle(device);
  places = [];
  for (const name of ['mine', 'theirs']) {
    places.push(await device.contextService.createMilestone({ project_id: SEED.fieldApp, name }));
  }
  const early = [];
  for (let n = 0; n < 6; n += 1) early.push(await create(`early ${n}`));
  top = await create('top');
  for (const task of early) await device.contextService.updateTask(task.id, { parent_task_id: top.id });
  const late = [];
  for (let n = 0; n < 6; n += 1) {
    late.push(await create(`below ${n}`, { parent_task_id: early[n]?.id as string }));
  }
  subtasks = [...early, ...late];
  await settle(device, there);
});

/** Where the tasks are, and under which, on both devices and on the server. */
async function placesOf(): Promise<{ top: string | undefined; subtasks: Set<string | undefined> }> {
  await settle(device, there);
  await expectConverged(world, device, there);
  const read = async ({ id }: Task) => (await there.contextService.getLocalTask(id)) as Task;
  const nameOf = (id: string) => places.find((place) => place.id === id)?.name;
  const found = await Promise.all(subtasks.map(read));
  expect(found.map(({ parent_task_id }) => parent_task_id)).toEqual([
    ...subtasks.slice(0, 6).map(() => top.id),
    ...subtasks.slice(0, 6).map(({ id }) => id),
  ]);
  return {
    top: nameOf((await read(top)).milestone_id),
    subtasks: new Set(found.map(({ milestone_id }) => nameOf(milestone_id))),
  };
}

const withdrawn = async () =>
  (await device.database.of(Conflict).query().fetch()).filter(({ kind }) => kind === 'withdrawn').length;

describe('a task that moves with more subtasks than a group holds', () => {
  it('keeps them', async () => {
    await move(device, 0);
    expect(await placesOf()).toEqual({ top: 'mine', subtasks: new Set(['mine']) });
    expect(await withdrawn()).toBe(0);
  });

  it('takes none of them along where its move is lost, in whichever part they would go', async () => {
    await move(device, 0);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await move(there, 1);
    await there.sync();
    expect(await placesOf()).toEqual({ top: 'theirs', subtasks: new Set(['theirs']) });
    expect(await withdrawn()).toBeGreaterThan(subtasks.length - SMALL.changes);
    expect(device.syncStatus.pending).toBe(0);
  });

  it('takes none of them along where it is not as it was expected', async () => {
    await move(device, 0, { expected: { title: 'top' } });
    await there.contextService.updateTask(top.id, { title: 'another' });
    await there.sync();
    expect(await placesOf()).toEqual({ top: undefined, subtasks: new Set([undefined]) });
    expect(
      (await device.database.of(Conflict).query().fetch()).filter(({ state }) => state === 'open'),
    ).toHaveLength(1);
    expect(device.syncStatus.pending).toBe(0);
  });

  it('is set aside with all of them where it is refused, and retried with all of them', async () => {
    // On the server, its new parent stands under it by then.
    const above = await create('above', { milestone_id: places[0]?.id as string });
    await settle(device, there);
    await there.contextService.updateTask(above.id, { parent_task_id: top.id });
    await there.sync();
    await device.contextService.updateTask(top.id, { parent_task_id: above.id });
    await device.sync();
    const refused = await device.database.of(Quarantined).query().fetch();
    expect(refused.filter(({ recordTable }) => recordTable === 'tasks')).toHaveLength(1 + subtasks.length);
    expect(refused.map(({ code }) => code).filter((code) => code !== 'group')).toEqual(['cycle']);
    expect(new Set(refused.map(({ groupId }) => groupId)).size).toBe(1);
    expect(await placesOf()).toEqual({ top: undefined, subtasks: new Set([undefined]) });
    await there.contextService.updateTask(above.id, {
      parent_task_id: null,
      milestone_id: places[0]?.id as string,
    });
    await settle(there, device);
    await device.retryQuarantined(refused[0]?.id as string);
    expect(await placesOf()).toEqual({ top: 'mine', subtasks: new Set(['mine']) });
    expect(await device.database.of(Quarantined).query().fetchCount()).toBe(0);
  });
});
