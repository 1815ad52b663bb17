/** Records that a restored server has lost are nowhere else, until the device has pushed them again. */

import { beforeEach, describe, expect, it } from 'vitest';
import { syncBrokenOff } from '../../support/brokenOff';
import { backend, restoreFrom, serverForEachTest, world } from '../../support/restorableServer';
import { SEED } from '../../support/seed';
import { settle, type TestDevice } from '../../support/world';

let here: TestDevice;

serverForEachTest();
beforeEach(async () => {
  here = await world.device('owner');
  await settle(here);
});

/** @returns a task of the owner's in a workspace of its own, which the server has acknowledged. */
async function taskOfOwn(): Promise<string> {
  const { contextService: service } = here;
  const workspace = await service.createWorkspace({ name: 'Lost by the server' });
  const project = await service.createProject({ workspace_id: workspace.id, name: 'P' });
  const milestone = await service.createMilestone({ project_id: project.id, name: 'M' });
  const task = await service.createTask({ milestone_id: milestone.id, title: 'nowhere else' });
  await settle(here);
  return task.id;
}

async function expectKept(device: TestDevice, taskId: string, older: Uint8Array): Promise<void> {
  device.online(false);
  const { pending, unconfirmed, archived, total } = await device.countUnsynced();
  expect([pending + unconfirmed + archived > 0, total > 0]).toEqual([true, true]);
  const kept = await device.exportUnsynced();
  expect([...kept.unsynced, ...kept.archive].map((record) => record.record_id ?? record.id)).toContain(
    taskId,
  );
  const replaced = await device.importDatabase(older);
  expect(replaced).toMatchObject({ ok: false, error: { kind: 'storage', code: 'unsynced_work' } });
  device.online(true);
}

async function exported(): Promise<Uint8Array> {
  const file = await here.exportDatabase();
  if (!file.ok) throw new Error(file.error.message);
  return file.value;
}

describe('while records wait to be pushed again, they are counted and exported, and no import replaces them', () => {
  it.each([1, 2, 3, 6])(
    'in a workspace that the server has lost, after %i writes (P19, D24, D60)',
    async (writes) => {
      const backup = await backend.dump();
      const older = await exported();
      const taskId = await taskOfOwn();
      await restoreFrom(backup);
      const broken = await syncBrokenOff(here, writes);
      expect(broken.isOver).toBe(false);
      await expectKept(broken.device, taskId, older);
      await settle(broken.device);
      expect((await broken.device.countUnsynced()).total).toBe(0);
      const fresh = await world.device('owner');
      await settle(fresh);
      expect(await fresh.contextService.getLocalTask(taskId)).toMatchObject({ title: 'nowhere else' });
    },
  );

  it.each([2, 6, 12])(
    'in a workspace of another history, after %i writes (P13, D24, D60)',
    async (writes) => {
      const backup = await backend.dump();
      const older = await exported();
      const milestone_id = SEED.offlineMilestone;
      const { id } = await here.contextService.createTask({ milestone_id, title: 'nowhere else' });
      await settle(here);
      await restoreFrom(backup);
      const broken = await syncBrokenOff(here, writes);
      expect(broken.isOver).toBe(false);
      await expectKept(broken.device, id, older);
      await settle(broken.device);
      expect((await broken.device.countUnsynced()).total).toBe(0);
    },
  );
});
