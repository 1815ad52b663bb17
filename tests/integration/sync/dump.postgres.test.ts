/** The server moves to another cluster by a logical dump, while devices hold cursors and unsynced edits. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LocalStack, startLocalStack } from '@/server';
import { temporaryFolder } from '../../support/localDatabase';
import { postgresBinaries, startPostgres, type TestPostgres } from '../../support/postgres';
import { SEED } from '../../support/seed';
import { deviceSnapshot, serverSnapshot } from '../../support/snapshot';
import { settle, type TestDevice, World } from '../../support/world';

const run = promisify(execFile);
const binaries = postgresBinaries();
const canDump = binaries !== null && existsSync(join(binaries, 'pg_dump'));
const tool = (name: string, ...args: string[]) => run(join(binaries ?? '', name), args);

describe.skipIf(!canDump)('on PostgreSQL that is dumped and restored into another cluster', () => {
  let old: TestPostgres;
  let fresh: TestPostgres;
  let oldUrl: string;
  let world: World;
  let here: TestDevice;
  let there: TestDevice;
  let restored: LocalStack | null;
  const folder = temporaryFolder();

  beforeAll(async () => {
    [old, fresh] = await Promise.all([startPostgres(), startPostgres()]);
  });
  afterAll(async () => {
    await Promise.all([old?.stop(), fresh?.stop()]);
    folder.remove();
  });
  beforeEach(async () => {
    restored = null;
    oldUrl = await old.createDatabase();
    world = await World.start({ kind: 'postgres', url: oldUrl });
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
  const dumpFile = () => join(folder.path, 'convoy.dump');
  const dump = () => tool('pg_dump', '--format=custom', '--file', dumpFile(), oldUrl);

  /** The old cluster is gone; the new one answers at the same address, with what the dump holds. */
  async function moveTo(): Promise<LocalStack> {
    const port = Number(new URL(world.stack.url).port);
    await world.stack.close();
    const roles = join(folder.path, 'roles.sql');
    await tool('pg_dumpall', '--roles-only', '--file', roles, '--dbname', old.url);
    // The superuser is there already, and the roles after the first test.
    await tool('psql', '--quiet', '--file', roles, fresh.url).catch(() => undefined);
    const url = await fresh.createDatabase();
    await tool('pg_restore', '--exit-on-error', '--dbname', url, dumpFile());
    const started = await startLocalStack({ data: { kind: 'postgres', url }, port });
    if (!started.ok) throw new Error(started.error.message);
    restored = started.value;
    return started.value;
  }

  async function expectInStep(server: LocalStack, ...devices: TestDevice[]): Promise<void> {
    for (const device of devices) {
      expect(await deviceSnapshot(device.database)).toEqual(
        await serverSnapshot(server.backend, device.userId),
      );
      expect(device.syncStatus.pending).toBe(0);
    }
  }

  it('devices go on unchanged when nothing was written after the dump (S8, U2, P-ONCE)', async () => {
    const shared = await newTask(there, 'shared');
    await settle(there, here);
    await there.contextService.updateTask(shared.id, { title: 'edited offline' });
    const made = await newTask(there, 'made offline');
    // Taken by the old cluster, answered by the new one.
    await here.contextService.addTaskActivity(shared.id, 'comment', { text: 'once' });
    here.transport.loseNextResponse('push');
    expect(await here.sync()).toMatchObject({ status: 'offline' });
    await dump();
    const server = await moveTo();

    // The task, its activity, the comment of the other device: no resync.
    expect(await there.sync()).toMatchObject({ status: 'ok', error: null, conflicts: 0, pulled: 1 });
    expect(await here.sync()).toMatchObject({ status: 'ok', error: null, conflicts: 0, rejected: 0 });
    await settle(here, there);
    const context = await here.contextService.getTaskContext(shared.id);
    expect(context?.task.title).toBe('edited offline');
    expect(context?.activities.filter((entry) => entry.activity_type === 'comment')).toHaveLength(1);
    expect((await here.contextService.getLocalTask(made.id))?.title).toBe('made offline');
    await expectInStep(server, here, there);
  });

  it('writes made after the dump are found missing, and pushed again (S8, P13, P-NOLOSS)', async () => {
    const before = await newTask(here, 'before the dump');
    await settle(here, there);
    await dump();
    const after = await newTask(there, 'after the dump');
    await settle(there, here);
    await here.contextService.updateTask(after.id, { priority: 'urgent' });
    await settle(here, there);
    const offline = await newTask(there, 'never synced');
    const server = await moveTo();

    // The new history reaches the revisions of the old one.
    const other = await world.device('owner');
    for (const title of ['one', 'two', 'three', 'four']) {
      await newTask(other, title).catch(() => undefined);
      await settle(other);
    }
    await settle(here, there, other);
    await settle(here, there, other);
    for (const [task, title] of [
      [before, 'before the dump'],
      [after, 'after the dump'],
      [offline, 'never synced'],
    ] as const) {
      for (const device of [here, there, other]) {
        expect((await device.contextService.getLocalTask(task.id))?.title).toBe(title);
      }
    }
    expect((await other.contextService.getLocalTask(after.id))?.priority).toBe('urgent');
    await expectInStep(server, here, there, other);
  });
});
