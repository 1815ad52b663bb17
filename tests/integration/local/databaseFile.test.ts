import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Task } from '@/lib/watermelon/models';
import { expectConverged } from '../../support/inStep';
import { openLocalDatabase, temporaryFolder } from '../../support/localDatabase';
import { SEED } from '../../support/seed';
import { deviceSnapshot } from '../../support/snapshot';
import { settle, type TestDevice, World } from '../../support/world';

let world: World;
let here: TestDevice;

beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());
beforeEach(async () => {
  here = await world.device('owner');
  await settle(here);
});

const newTask = (device: TestDevice, title: string) =>
  device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title });

async function fileOf(device: TestDevice): Promise<Uint8Array> {
  const exported = await device.exportDatabase();
  if (!exported.ok) throw new Error(exported.error.message);
  return exported.value;
}

it('a file takes everything to another device, unsynced changes included, and both devices go on from there (D60, U2, P-NOLOSS)', async () => {
  const task = await newTask(here, 'synced');
  await settle(here);
  await here.contextService.updateTask(task.id, { title: 'edited, not synced' });
  const before = await deviceSnapshot(here.database);
  const file = await fileOf(here);

  const there = await world.device('owner');
  const titles: string[][] = [];
  const seen = there.database
    .get<Task>('tasks' as never)
    .query()
    .observeWithColumns(['title'] as never[])
    .subscribe((tasks) => titles.push(tasks.map(({ title }) => title)));
  expect(await there.importDatabase(file)).toEqual({ ok: true, value: null });
  expect(await deviceSnapshot(there.database)).toEqual(before);
  await expect.poll(() => titles.at(-1)).toContain('edited, not synced');
  seen.unsubscribe();

  await newTask(there, 'made there');
  await newTask(here, 'made here');
  await settle(there, here);
  await expectConverged(world, here, there);
  const all = (await here.contextService.getTasks(SEED.offlineMilestone)).map(({ title }) => title);
  expect(all.filter((title) => /^(edited, not synced|made here|made there)$/.test(title)).sort()).toEqual([
    'edited, not synced',
    'made here',
    'made there',
  ]);
});

it('a deletion made right after an import deletes nothing that the file had not seen (D60, U8, P-NOLOSS)', async () => {
  const milestone = await here.contextService.createMilestone({
    project_id: SEED.fieldApp,
    name: 'Deleted from an older state',
  });
  await settle(here);
  const file = await fileOf(here);
  const others = await world.device('editor');
  await settle(others);
  const task = await others.contextService.createTask({
    milestone_id: milestone.id,
    title: 'Not in the file',
  });
  await settle(others, here);
  expect(await here.importDatabase(file)).toEqual({ ok: true, value: null });
  expect(await here.contextService.getLocalTask(task.id)).toBeNull();
  await here.contextService.deleteMilestone(milestone.id);
  await settle(here, others);
  expect((await others.contextService.getLocalTask(task.id))?.title).toBe('Not in the file');
  expect((await here.contextService.getLocalTask(task.id))?.title).toBe('Not in the file');
});

it('an old file is migrated, and other processes on the database take it over (D60)', async () => {
  const task = await newTask(here, 'as exported');
  await settle(here);
  const file = await fileOf(here);
  await here.contextService.updateTask(task.id, { title: 'changed since' });
  await settle(here);

  const folder = temporaryFolder();
  try {
    const there = await world.device('owner', { folder: folder.path });
    const other = await openLocalDatabase(folder.path);
    await settle(there);
    await other.catchUp();
    const record = await other.get<Task>('tasks' as never).find(task.id);
    expect(record.title).toBe('changed since');
    expect(await there.importDatabase(file)).toMatchObject({ ok: true });
    await other.catchUp();
    expect(record.title).toBe('as exported');
    await settle(there);
    await other.catchUp();
    expect(record.title).toBe('changed since');
    await expectConverged(world, here, there);
    await other.close();
    await there.close();
  } finally {
    folder.remove();
  }
});

it('an import is refused, with nothing changed, while this device has unsynced work (D60)', async () => {
  const file = await fileOf(here);
  const made = await newTask(here, 'only here');
  expect(await here.importDatabase(file)).toMatchObject({
    ok: false,
    error: { kind: 'storage', code: 'unsynced_work' },
  });
  expect((await here.contextService.getLocalTask(made.id))?.title).toBe('only here');
});

it('files of other users, of newer versions and without a database are refused, with nothing changed (D60)', async () => {
  const before = await deviceSnapshot(here.database);
  const stranger = await world.device('editor');
  await settle(stranger);
  const own = await fileOf(here);
  const newer = new Sqlite(Buffer.from(own));
  newer.pragma('user_version = 99');
  const damaged = Uint8Array.from(own);
  damaged.fill(7, 8_192, 16_384);
  const altered = (sql: string) => {
    const file = new Sqlite(Buffer.from(own));
    file.exec(sql);
    return file.serialize();
  };
  const somethingElse = new Sqlite(':memory:');
  somethingElse.exec('create table tasks (id text)');
  const refused: [Uint8Array, string][] = [
    [await fileOf(stranger), 'foreign_file'],
    [newer.serialize(), 'newer_schema'],
    [damaged, 'foreign_file'],
    [own.subarray(0, 5_000), 'foreign_file'],
    [somethingElse.serialize(), 'foreign_file'],
    [readFileSync(join('package.json')), 'foreign_file'],
    [altered('drop table tasks'), 'foreign_file'],
    [altered('drop table local_storage'), 'foreign_file'],
    [altered('drop table tasks; create table tasks (id text); insert into tasks values (1)'), 'foreign_file'],
    [altered("alter table tasks add column mood text default 'fine'"), 'foreign_file'],
    [altered('pragma user_version = 1'), 'foreign_file'],
    [new Uint8Array(), 'foreign_file'],
  ];
  const told: unknown[] = [];
  here.onStorageTrouble((trouble) => told.push(trouble));
  for (const [file, code] of refused) {
    expect(await here.importDatabase(file)).toMatchObject({ ok: false, error: { kind: 'storage', code } });
  }
  expect(told, 'the database itself is well').toEqual([]);
  expect(await deviceSnapshot(here.database)).toEqual(before);
  await newTask(here, 'goes on');
  await settle(here);
  await expectConverged(world, here);
});
