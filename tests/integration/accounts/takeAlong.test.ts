import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '@/lib/watermelon';
import {
  findLocalWork,
  openUserDevice,
  takeLocalWork,
  type WatermelonPlatform,
} from '@/lib/watermelon/device/compose';
import { createPlatform } from '@/platform/node';
import { crashingPlatform } from '../../support/crashing';
import { expectConverged } from '../../support/inStep';
import { temporaryFolder } from '../../support/localDatabase';
import { deviceSnapshot } from '../../support/snapshot';
import { type SignedIn, World } from '../../support/world';

let world: World;
const undo: (() => unknown)[] = [];

beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function newFolder(): string {
  const folder = temporaryFolder();
  undo.push(folder.remove);
  return folder.path;
}

async function open(platform: WatermelonPlatform, who: SignedIn | null): Promise<Device> {
  const device = await openUserDevice(platform, who?.client ?? null, who?.userId ?? null);
  undo.push(() => device.close().catch(() => undefined));
  return device;
}

let accounts = 0;
const newAccount = () => {
  accounts += 1;
  return world.signIn(`newcomer-${accounts}`);
};

/** Some of everything, made without an account. @returns its ids */
async function begin(platform: WatermelonPlatform) {
  const device = await open(platform, null);
  const { contextService: service } = device;
  const workspace = await service.createWorkspace({ name: 'Begun alone' });
  const project = await service.createProject({ workspace_id: workspace.id, name: 'P' });
  const milestone = await service.createMilestone({ project_id: project.id, name: 'M' });
  const task = await service.createTask({ milestone_id: milestone.id, title: 'First' });
  const other = await service.createTask({ milestone_id: milestone.id, title: 'Second' });
  const mistake = await service.createTask({ milestone_id: milestone.id, title: 'By mistake' });
  await service.updateTaskStage(task.id, 'PLAN_REVIEW');
  await service.updateTaskStage(task.id, 'IMPLEMENT');
  await service.addTaskDependency(other.id, task.id);
  await service.addTaskActivity(task.id, 'comment', { text: 'Nobody hears me' });
  await service.createPattern({ workspace_id: workspace.id, name: 'Begin alone' });
  await service.deleteTask(mistake.id);
  const stored = await deviceSnapshot(device.database);
  const made = Object.keys(stored).filter((key) => !key.includes('-7000-8000-'));
  // The deletion of a task that the server never had is told to nobody (U30).
  const pushed = made.filter((key) => stored[key]?.activity_type !== 'task_deleted');
  await device.close();
  return { workspace, task, made, pushed };
}

/** A taking ends after the copy, and who opens a database next does not know of it. */
async function dieBeforeRemoval(folder: string, who: SignedIn): Promise<void> {
  const dying = crashingPlatform(folder, { at: 3, after: false });
  const offline = await openUserDevice(dying, null, who.userId);
  await expect(takeLocalWork(dying, offline)).rejects.toThrow('The machine died.');
  await offline.close();
  await createPlatform({ folder }).sessionStorage().removeItem('convoy:taking-along');
}

describe('work begun without an account', () => {
  it('has the whole Context Service with no server, reference data and checkpoints included (D20, P-LOCAL)', async () => {
    const platform = createPlatform({ folder: newFolder() });
    const { task } = await begin(platform);
    const again = await open(platform, null);
    const context = await again.contextService.getTaskContext(task.id);
    expect(context?.missing).toEqual([]);
    expect(context?.task.current_stage).toBe('IMPLEMENT');
    expect(context?.workflow?.stages.map(({ name }) => name)).toContain('PLAN_REVIEW');
    expect(context?.best_practices.length).toBeGreaterThan(0);
    expect(context?.patterns.map(({ name }) => name)).toContain('Begin alone');
    await expect(again.contextService.updateTaskStage(task.id, 'NOWHERE')).rejects.toMatchObject({
      code: 'unknown_stage',
    });
    expect(again.hasAccount).toBe(false);
    expect(await again.sync()).toMatchObject({ status: 'signed_out' });
  });

  it('is taken along at sign-in with the same ids and the user as actor and owner, and none of it stays behind (D21, R1)', async () => {
    const platform = createPlatform({ folder: newFolder() });
    const { workspace, task, made, pushed } = await begin(platform);
    const who = await newAccount();
    const device = await open(platform, who);
    expect(await findLocalWork(platform, device)).toEqual({
      records: made.length,
      workspaces: [{ id: workspace.id, name: 'Begun alone' }],
    });
    expect(await takeLocalWork(platform, device)).toMatchObject({
      ok: true,
      value: { records: made.length },
    });
    await expectConverged(world, device);

    const held = await deviceSnapshot(device.database);
    for (const key of pushed) expect(held[key], key).toMatchObject({ last_modified_by: who.userId });
    const context = await device.contextService.getTaskContext(task.id);
    expect(context?.activities.map(({ actor_id }) => actor_id)).toEqual(
      context?.activities.map(() => who.userId),
    );
    expect(context?.activities[0]?.details).toEqual({ text: 'Nobody hears me' });
    const roles = Object.values(held).filter((row) => 'role' in row);
    expect(roles).toMatchObject([{ user_id: who.userId, role: 'owner', workspace_id: workspace.id }]);
    expect(device.syncStatus.quarantined).toBe(0);

    expect(await platform.hasDatabase('convoy-local')).toBe(false);
    const alone = await open(platform, null);
    expect(await alone.contextService.getWorkspaces()).toEqual([]);
  });

  it('joins the records of the user on this device, unsynced edits included (D21)', async () => {
    const platform = createPlatform({ folder: newFolder() });
    const who = await newAccount();
    const before = await open(platform, who);
    const own = await before.contextService.createWorkspace({ name: 'From before' });
    await before.sync();
    await before.close();
    const offline = await openUserDevice(platform, null, who.userId);
    await offline.contextService.updateWorkspace(own.id, { name: 'From before, edited' });
    await offline.close();
    await begin(platform);

    const device = await open(platform, who);
    await takeLocalWork(platform, device);
    await expectConverged(world, device);
    const names = (await device.contextService.getWorkspaces()).map(({ name }) => name);
    expect(names).toEqual(['Begun alone', 'From before, edited']);
  });

  it('becomes an edit of a record that the user already has (D21)', async () => {
    const folder = newFolder();
    const platform = createPlatform({ folder });
    const { task, made } = await begin(platform);
    const [local, copy] = [join(folder, 'convoy-local.db'), join(folder, 'copy.db')];
    copyFileSync(local, copy);
    const device = await open(platform, await newAccount());
    await takeLocalWork(platform, device);
    await expectConverged(world, device);

    copyFileSync(copy, local);
    const alone = await open(platform, null);
    await alone.contextService.updateTask(task.id, { title: 'Renamed in the copy' });
    await alone.close();
    expect((await takeLocalWork(platform, device)).ok).toBe(true);
    // The edit and its activity: all else is there as it is.
    expect(device.syncStatus.pending).toBeLessThan(made.length);
    await expectConverged(world, device);
    const tasks = await device.contextService.getTasks(task.milestone_id);
    expect(tasks.map(({ title }) => title).sort()).toEqual(['Renamed in the copy', 'Second']);
    expect(device.syncStatus.quarantined).toBe(0);
  });

  it('stays on the device when the user does not take it along (D23, P-PRIVATE)', async () => {
    const platform = createPlatform({ folder: newFolder() });
    const { workspace } = await begin(platform);
    const one = await open(platform, await newAccount());
    expect(await findLocalWork(platform, one)).not.toBeNull();
    await one.close();
    const alone = await open(platform, null);
    expect((await alone.contextService.getWorkspaces()).map(({ id }) => id)).toEqual([workspace.id]);
  });

  it('is not offered to another account once it is claimed (D23, P-PRIVATE)', async () => {
    const platform = createPlatform({ folder: newFolder() });
    await begin(platform);
    const one = await open(platform, await newAccount());
    await takeLocalWork(platform, one);
    await one.close();
    const other = await open(platform, await newAccount());
    expect(await findLocalWork(platform, other)).toBeNull();
    await expectConverged(world, other);
    expect(await other.contextService.getWorkspaces()).toEqual([]);
  });

  const crashes = [1, 2, 3, 4].flatMap((at) => [
    { at, after: false },
    { at, after: true },
  ]);
  it.each(crashes)(
    'survives a death at write $at, on disk: $after (D22, P-NOLOSS, P-ONCE)',
    async (crash) => {
      const folder = newFolder();
      const platform = createPlatform({ folder });
      const { pushed } = await begin(platform);
      const who = await newAccount();
      await (await open(platform, who)).close();
      const dying = crashingPlatform(folder, crash);
      const offline = await openUserDevice(dying, null, who.userId);
      await expect(takeLocalWork(dying, offline)).rejects.toThrow('The machine died.');
      await offline.close();

      // Another account comes first, and neither sees nor keeps anything of it once it is claimed.
      const wasClaimed = crash.at > 1 || crash.after;
      const stranger = await open(platform, await newAccount());
      expect((await findLocalWork(platform, stranger)) === null).toBe(wasClaimed);
      expect(await stranger.contextService.getWorkspaces()).toEqual([]);
      await stranger.close();

      const device = await open(platform, who);
      expect((await takeLocalWork(platform, device)).ok).toBe(true);
      await expectConverged(world, device);
      const held = Object.keys(await deviceSnapshot(device.database));
      expect(pushed.filter((key) => !held.includes(key))).toEqual([]);
      expect(held.filter((key) => key.startsWith('tasks/'))).toHaveLength(2);
      expect(await platform.hasDatabase('convoy-local')).toBe(false);
    },
  );

  it('a record that its user deleted after the copy is not brought back when an interrupted taking is resumed (D22)', async () => {
    const folder = newFolder();
    const platform = createPlatform({ folder });
    const { task } = await begin(platform);
    const who = await newAccount();
    await dieBeforeRemoval(folder, who);
    const device = await open(platform, who);
    await device.sync();
    await device.contextService.deleteTask(task.id);
    await expectConverged(world, device);
    await takeLocalWork(platform, device);
    await expectConverged(world, device);
    expect(await device.contextService.getLocalTask(task.id)).toBeNull();
  });

  /** Edits and deletes what `begin` made, in a window that has it open. @returns the ids of what is to be gone */
  async function goOn(
    alone: Device,
    { workspace, task }: Awaited<ReturnType<typeof begin>>,
  ): Promise<string[]> {
    const { contextService: service } = alone;
    const tasks = await service.getTasks(task.milestone_id);
    const second = tasks.find(({ title }) => title === 'Second')?.id ?? '';
    await service.updateTask(task.id, { title: 'First, edited' });
    await service.updateWorkspace(workspace.id, { name: 'Edited alone' });
    await service.deleteTask(second);
    return [second];
  }

  async function expectTaken(
    device: Device,
    { workspace, task }: Awaited<ReturnType<typeof begin>>,
    gone: readonly string[],
  ): Promise<void> {
    await expectConverged(world, device);
    const { contextService: service } = device;
    expect((await service.getLocalTask(task.id))?.title).toBe('First, edited');
    const workspaces = await service.getWorkspaces();
    expect(workspaces.find(({ id }) => id === workspace.id)?.name).toBe('Edited alone');
    for (const id of gone) expect(await service.getLocalTask(id)).toBeNull();
    expect(await device.countUnsynced()).toMatchObject({ total: 0 });
  }

  it.each(['still unsynced', 'pushed already'])(
    'edits and deletions made after the copy of an interrupted taking are taken along, the copy %s (D22, P-NOLOSS)',
    async (state) => {
      const folder = newFolder();
      const platform = createPlatform({ folder });
      const begun = await begin(platform);
      const alone = await open(platform, null);
      const who = await newAccount();
      await dieBeforeRemoval(folder, who);
      const device = await open(platform, who);
      if (state === 'pushed already') await expectConverged(world, device);
      const gone = await goOn(alone, begun);
      await takeLocalWork(platform, device);
      await takeLocalWork(platform, device);
      await expectTaken(device, begun, gone);
    },
  );

  it('an edit made after the copy goes to the archive when its user has edited the copy (D22, P-NOLOSS)', async () => {
    const folder = newFolder();
    const platform = createPlatform({ folder });
    const { task } = await begin(platform);
    const alone = await open(platform, null);
    const who = await newAccount();
    await dieBeforeRemoval(folder, who);
    const device = await open(platform, who);
    await device.contextService.updateTask(task.id, { title: 'Edited by its user' });
    await alone.contextService.updateTask(task.id, { title: 'Edited alone' });
    await takeLocalWork(platform, device);
    expect((await device.contextService.getLocalTask(task.id))?.title).toBe('Edited by its user');
    const { archive } = await device.exportUnsynced();
    expect(archive.map(({ record_id }) => record_id)).toEqual([task.id]);
    expect(JSON.stringify(archive)).toContain('Edited alone');
  });

  it('edits and deletions that another window makes between the copy and the removal are taken along (D22, P-NOLOSS)', async () => {
    const folder = newFolder();
    const platform = createPlatform({ folder });
    const begun = await begin(platform);
    const alone = await open(platform, null);
    const device = await open(platform, await newAccount());
    let gone: string[] = [];
    const batch = device.database.adapter.batch.bind(device.database.adapter);
    device.database.adapter.batch = async (operations) => {
      await batch(operations);
      if (gone.length === 0) gone = await goOn(alone, begun);
    };
    await takeLocalWork(platform, device);
    await takeLocalWork(platform, device);
    await expectTaken(device, begun, gone);
  });
});
