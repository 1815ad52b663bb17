/** Short keys on devices: they come with the acknowledgement, and go back to a server that has lost them. */

import { beforeEach, describe, expect, it } from 'vitest';
import { derivedDigits } from '@/domain/keys';
import { Quarantined } from '@/lib/watermelon';
import { backend, restoreFrom, serverForEachTest, world } from '../../support/restorableServer';
import { SEED } from '../../support/seed';
import { deviceSnapshot, serverSnapshot } from '../../support/snapshot';
import { settle, type TestDevice } from '../../support/world';

let here: TestDevice;
let there: TestDevice;

serverForEachTest();
beforeEach(async () => {
  here = await world.device('owner');
  there = await world.device('editor');
  await settle(here, there);
});

const newTask = (device: TestDevice, title: string) =>
  device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title });
const keyOn = async (device: TestDevice, id: string) =>
  (await device.contextService.getLocalTask(id))?.key ?? null;
const numberOf = (key: string | null) => Number(key?.split('-')[1]);

describe('the key of a task', () => {
  it('comes with the acknowledgement, and to other devices with the next pull (Y6)', async () => {
    const tasks = [await newTask(here, 'one'), await newTask(here, 'two')];
    expect(tasks.map(({ key }) => key)).toEqual([null, null]);
    await here.sync();
    const keys = await Promise.all(tasks.map(({ id }) => keyOn(here, id)));
    expect(keys[0]).toMatch(/^[A-Z]+-\d+$/);
    expect(numberOf(keys[1] ?? null)).toBe(numberOf(keys[0] ?? null) + 1);
    await there.sync();
    expect(await Promise.all(tasks.map(({ id }) => keyOn(there, id)))).toEqual(keys);
    for (const device of [here, there]) {
      expect(await deviceSnapshot(device.database)).toEqual(await serverSnapshot(backend, here.userId));
    }
  });

  it('comes also where the answer was lost, and where the task was edited or deleted in flight (Y6, U2)', async () => {
    const [lost, edited, deleted] = [
      await newTask(here, 'lost'),
      await newTask(here, 'edited'),
      await newTask(here, 'deleted'),
    ];
    here.transport.loseNextResponse('push');
    await here.sync();
    expect(await keyOn(here, lost.id)).toBeNull();
    await here.contextService.updateTask(edited.id, { title: 'in flight' });
    await here.contextService.deleteTask(deleted.id);
    await settle(here, there);
    expect(await keyOn(here, lost.id)).not.toBeNull();
    expect(await keyOn(here, edited.id)).not.toBeNull();
    expect(await deviceSnapshot(here.database)).toEqual(await serverSnapshot(backend, here.userId));
  });

  it('resolves offline before the server has given one, and for ever after (Y8, Y9)', async () => {
    here.online(false);
    const task = await newTask(here, 'offline');
    const derived = `FIELD-~${derivedDigits(task.id)}`;
    expect((await here.contextService.findTask(derived))?.id).toBe(task.id);
    here.online(true);
    await settle(here, there);
    there.online(false);
    const found = await there.contextService.findTask(derived);
    expect(found).toMatchObject({ id: task.id, title: 'offline' });
    expect((await there.contextService.findTask(found?.key ?? ''))?.id).toBe(task.id);
  });

  it('is asked of the server where the task is not on the device yet (Y9)', async () => {
    const task = await newTask(here, 'new');
    await settle(here);
    const key = await keyOn(here, task.id);
    expect((await there.contextService.findTask(key ?? ''))?.id).toBe(task.id);
    there.online(false);
    expect(await there.contextService.findTask(key ?? '')).toBeNull();
  });
});

describe('the key of a project', () => {
  it('that is taken is replaced on its device, and an edit made meanwhile stays (Y1, Y6)', async () => {
    const make = (device: TestDevice, key: string) =>
      device.contextService.createProject({ workspace_id: SEED.workspace, name: 'P', key });
    const keyOf = async (device: TestDevice, id: string) =>
      (await device.contextService.getProjects(SEED.workspace)).find((one) => one.id === id)?.key;
    const [mine, theirs] = [await make(here, 'SAME'), await make(there, 'SAME')];
    await settle(here, there);
    expect(await keyOf(here, mine.id)).toBe('SAME');
    expect(await keyOf(there, theirs.id)).toBe('SAME2');
    await there.contextService.updateProject(theirs.id, { key: 'OTHER' });
    there.transport.loseNextResponse('push');
    await there.sync();
    await there.contextService.updateProject(theirs.id, { key: 'SAME' });
    await settle(there, here);
    expect([await keyOf(here, theirs.id), await keyOf(there, theirs.id)]).toEqual(['SAME2', 'SAME2']);
    expect(await there.database.of(Quarantined).query().fetchCount()).toBe(0);
  });
});

describe('after a backup was put back', () => {
  it('a task that is made again brings its key, and the counter passes it (Y5, P13)', async () => {
    const backup = await backend.dump();
    const lost = [await newTask(here, 'one'), await newTask(here, 'two'), await newTask(there, 'three')];
    await settle(here, there);
    const keys = await Promise.all(lost.map(({ id }) => keyOn(here, id)));
    const server = await restoreFrom(backup);
    await settle(there, here);
    const fresh = await world.device('owner');
    await settle(fresh);
    expect(await Promise.all(lost.map(({ id }) => keyOn(fresh, id)))).toEqual(keys);
    const next = await newTask(fresh, 'next');
    await settle(fresh, here, there);
    const highest = Math.max(...keys.map(numberOf));
    expect(numberOf(await keyOn(fresh, next.id))).toBe(highest + 1);
    const held = await serverSnapshot(server.backend, here.userId);
    for (const device of [here, there, fresh]) expect(await deviceSnapshot(device.database)).toEqual(held);
  });

  it('a task whose number was given to another meanwhile gets a new one, and all agree (Y5, P13)', async () => {
    const backup = await backend.dump();
    const lost = await newTask(here, 'lost');
    await settle(here);
    const key = await keyOn(here, lost.id);
    const server = await restoreFrom(backup);
    const fresh = await world.device('editor');
    await settle(fresh);
    const other = await newTask(fresh, 'other');
    await settle(fresh);
    expect(await keyOn(fresh, other.id)).toBe(key);
    await settle(here, fresh, there);
    expect(numberOf(await keyOn(here, lost.id))).toBe(numberOf(key) + 1);
    const held = await serverSnapshot(server.backend, here.userId);
    for (const device of [here, there, fresh]) expect(await deviceSnapshot(device.database)).toEqual(held);
    expect(await here.database.of(Quarantined).query().fetchCount()).toBe(0);
  });

  it('a workspace that is made again has its keys, with prefixes of before (Y4, Y5, P19)', async () => {
    const backup = await backend.dump();
    const { contextService: service } = here;
    const workspace = await service.createWorkspace({ name: 'Lost' });
    const project = await service.createProject({ workspace_id: workspace.id, name: 'P', key: 'OLD' });
    const milestone = await service.createMilestone({ project_id: project.id, name: 'M' });
    const first = await service.createTask({ milestone_id: milestone.id, title: 'first' });
    await settle(here);
    await service.updateProject(project.id, { key: 'NEW' });
    await settle(here);
    const second = await service.createTask({ milestone_id: milestone.id, title: 'second' });
    await settle(here);
    await restoreFrom(backup);
    await settle(here);
    const fresh = await world.device('owner');
    await settle(fresh);
    expect([await keyOn(fresh, first.id), await keyOn(fresh, second.id)]).toEqual(['OLD-1', 'NEW-1']);
  });
});
