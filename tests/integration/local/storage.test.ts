import { closeSync, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ConvoyDatabase, observeCount, observeRecords } from '@/lib/watermelon';
import { openDatabase } from '@/lib/watermelon/database';
import { migrations, schema, type Task } from '@/lib/watermelon/models';
import { SyncClock } from '@/lib/watermelon/sync';
import { BetterSqliteHandle } from '@/platform/node/betterSqlite';
import { FileLock } from '@/platform/node/fileLock';
import { NodePort } from '@/platform/node/nodePort';
import { asDatabaseAdapter, SqliteAdapter } from '@/platform/sqlite/adapter';
import { SqliteStore } from '@/platform/sqlite/store';
import { expectConverged } from '../../support/inStep';
import { openLocalDatabase, temporaryFolder } from '../../support/localDatabase';
import { SEED } from '../../support/seed';
import { inTurns, settle, type TestDevice, World } from '../../support/world';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const tasksOf = (database: ConvoyDatabase) => database.get<Task>('tasks' as never);
const create = (database: ConvoyDatabase, title: string) =>
  database.write(() =>
    tasksOf(database).create((task) => {
      task.workspaceId = 'w';
      task.title = title;
    }),
  );

const edit = (
  database: ConvoyDatabase,
  task: Task,
  values: Partial<Pick<Task, 'title' | 'description' | 'priority'>>,
) => database.write(() => task.update((changed) => Object.assign(changed, values) && undefined));

describe('two processes on one database', () => {
  let one: ConvoyDatabase;
  let other: ConvoyDatabase;
  beforeEach(async () => {
    one = await openLocalDatabase(folder.path);
    other = await openLocalDatabase(folder.path);
  });
  afterEach(async () => {
    await one.close();
    await other.close();
  });

  it('show each other their writes: lists, counts and records in memory', async () => {
    const lists: string[][] = [];
    const counts: number[] = [];
    const watching = [
      observeRecords(other, 'tasks').subscribe((tasks) => lists.push(tasks.map(({ title }) => title).sort())),
      observeCount(other, 'tasks').subscribe((count) => counts.push(count)),
    ];
    const task = await create(one, 'first');
    await expect.poll(() => lists.at(-1)).toEqual(['first']);
    await expect.poll(() => counts.at(-1)).toBe(1);
    const [copy] = await tasksOf(other).query().fetch();
    const changes: string[] = [];
    const record = copy?.observe().subscribe(({ title }) => changes.push(title));
    await edit(one, task, { title: 'second' });
    await expect.poll(() => lists.at(-1)).toEqual(['second']);
    expect(changes).toEqual(['first', 'second']);
    await one.write(() => task.markAsDeleted());
    await expect.poll(() => lists.at(-1)).toEqual([]);
    record?.unsubscribe();
    for (const subscription of watching) subscription.unsubscribe();
  });

  it('keep the columns that the other one changed', async () => {
    const task = await create(one, 'title');
    const copy = await tasksOf(other).find(task.id);
    await edit(one, task, { description: 'from one' });
    await edit(other, copy, { priority: 'high' });
    await edit(one, task, { title: 'again from one' });
    for (const { raw } of [task, copy]) {
      await one.catchUp();
      await other.catchUp();
      expect(raw).toMatchObject({ title: 'again from one', description: 'from one', priority: 'high' });
    }
    expect(task.raw).toEqual(copy.raw);
  });

  it('count to four hundred together', async () => {
    const task = await create(one, '0');
    const copy = await tasksOf(other).find(task.id);
    const count = async (database: ConvoyDatabase, record: Task) => {
      for (let turn = 0; turn < 200; turn += 1) {
        await database.write(() => {
          const title = String(Number(record.title) + 1);
          return record.update((changed) => {
            changed.title = title;
          });
        });
      }
    };
    await Promise.all([count(one, task), count(other, copy)]);
    await one.catchUp();
    expect(task.title).toBe('400');
  });
});

describe('two processes of one device', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  it('sync in turns with one device id, and send nothing twice', async () => {
    const account = await world.signIn('owner');
    const exclusively = inTurns();
    const open = () => world.device(account, { folder: folder.path, exclusively });
    const one = await open();
    const other = await open();
    const titles: string[] = [];
    for (let turn = 0; turn < 10; turn += 1) {
      for (const device of [one, other]) {
        const title = `turn ${turn} of ${device === one ? 'one' : 'other'}`;
        titles.push(title);
        await device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title });
        if (turn % 3 === 0) await Promise.all([one.sync(), other.sync()]);
      }
    }
    for (const device of [one, other])
      expect(await device.sync()).toMatchObject({ status: 'ok', error: null });
    await expectConverged(world, one, other);
    const tasks = await other.contextService.getTasks(SEED.offlineMilestone);
    expect(
      tasks
        .map(({ title }) => title)
        .filter((title) => title.startsWith('turn '))
        .sort(),
    ).toEqual(titles.sort());
    const devices = [one, other].flatMap(({ transport }) =>
      transport.requests.flatMap(({ direction, request }) => (direction === 'push' ? [request] : [])),
    ) as { device_id: string; batch: number }[];
    expect(new Set(devices.map(({ device_id }) => device_id)).size).toBe(1);
    expect(new Set(devices.map(({ batch }) => batch)).size).toBe(devices.length);
  });

  it('a sync that begins while a foreign sync is being noticed resumes where that one ended (P-CONVERGE)', async () => {
    const account = await world.signIn('owner');
    const [one, other] = [
      await world.device(account, { folder: folder.path }),
      await world.device(account, { folder: folder.path }),
    ];
    await settle(one, other);
    const cursorsAsked = ({ transport }: TestDevice) =>
      transport.requests.flatMap(({ request }) => ('limit' in request ? [request.cursors] : [])).at(-1);
    for (let turn = 0; turn < 5; turn += 1) {
      await one.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: `turn ${turn}` });
      await one.sync();
      await one.sync();
      // A read notices what the other one wrote, and does not wait for what the engine does about it.
      await Promise.all([other.contextService.getTasks(SEED.offlineMilestone), other.sync()]);
      expect(cursorsAsked(other)).toEqual(cursorsAsked(one));
    }
  });

  /** Spoils the file from a place on, as a failing disk would. */
  function damage(from: number, bytes: number): void {
    const path = join(folder.path, 'local.db');
    const file = openSync(path, 'r+');
    writeSync(
      file,
      Buffer.alloc(Math.min(bytes, statSync(path).size - from), 0x5a),
      0,
      undefined as never,
      from,
    );
    closeSync(file);
  }

  async function deviceWithUnsyncedWork(): Promise<{ device: TestDevice; taskId: string }> {
    const device = await world.device('owner', { folder: folder.path });
    await device.sync();
    device.transport.setOffline(true);
    const task = await device.contextService.createTask({
      milestone_id: SEED.offlineMilestone,
      title: 'Written before the damage',
    });
    await device.sync();
    return { device, taskId: task.id };
  }

  it('a damaged file is put aside, unsynced records are salvaged and listed, and the rest is pulled again (P-NOLOSS)', async () => {
    const { device, taskId } = await deviceWithUnsyncedWork();
    await device.close();
    const checkpoint = new BetterSqliteHandle(join(folder.path, 'local.db'));
    const root = Number(
      checkpoint.select(`select rootpage from sqlite_master where name = 'patterns'`).rows[0]?.[0],
    );
    checkpoint.exec('pragma wal_checkpoint(truncate)');
    checkpoint.close();
    damage((root - 1) * 4096, 4096);
    const suspect = await world.device('owner', { folder: folder.path });
    await expect(suspect.database.get('patterns').query().fetch()).rejects.toMatchObject({ code: 'corrupt' });
    await suspect.close();

    let again = await world.device('owner', { folder: folder.path });
    expect(again.salvaged?.saved.tasks).toEqual([taskId]);
    await again.close();
    const later = await world.device('owner', { folder: folder.path });
    expect(later.salvaged, 'D49').toEqual(again.salvaged);
    await later.forgetSalvaged();
    await later.close();
    again = await world.device('owner', { folder: folder.path });
    expect(again.salvaged).toBeNull();
    expect(readdirSync(folder.path).some((name) => name.includes('.damaged-'))).toBe(true);
    expect(await again.sync()).toMatchObject({ status: 'ok', error: null });
    expect((await again.contextService.getLocalTask(taskId))?.title).toBe('Written before the damage');
    const other = await world.device('editor');
    await other.sync();
    expect((await other.contextService.getLocalTask(taskId))?.title).toBe('Written before the damage');
    await expectConverged(world, again, other);
  });

  it('a file without a database is put aside too, and everything is pulled again', async () => {
    const { device } = await deviceWithUnsyncedWork();
    await device.close();
    damage(0, 1 << 30);
    const again = await world.device('owner', { folder: folder.path });
    expect(again.salvaged).toMatchObject({ saved: {}, complete: false });
    expect(await again.sync()).toMatchObject({ status: 'ok', error: null });
    await expectConverged(world, again);
  });
});

describe('a full disk', () => {
  it('refuses the write with an explanation, keeps stored data, in memory as on disk, and goes on later (P-DURABLE)', async () => {
    const path = join(folder.path, 'full.db');
    const handle = new BetterSqliteHandle(path);
    const store = SqliteStore.open(handle, { schema, migrations });
    const port = new NodePort(
      { store, noteDamage: () => undefined, isReplaced: () => false },
      new FileLock(join(folder.path, 'full.lock')),
    );
    const adapter = asDatabaseAdapter(new SqliteAdapter({ name: 'full', schema, migrations, port }));
    const opened = await openDatabase({ adapter, clock: new SyncClock() });
    if (!opened.ok) throw new Error(opened.error.message);
    const database = opened.value;
    const task = await create(database, 'kept');
    const pages = Number(handle.select('pragma page_count').rows[0]?.[0]);
    handle.exec(`pragma max_page_count = ${pages}`);
    const large = 'x'.repeat(90_000);
    await expect(edit(database, task, { description: large })).rejects.toMatchObject({
      code: 'quota',
      detail: { kind: 'storage' },
    });
    expect(task.raw).toMatchObject({ title: 'kept', description: null, _status: 'created' });
    const copy = new BetterSqliteHandle(Buffer.from(await database.exportFile('somebody '.repeat(1_000))));
    expect(copy.select('select title from tasks').rows, 'a backup needs no room here').toEqual([['kept']]);
    copy.close();
    handle.exec('pragma max_page_count = 100000');
    await edit(database, task, { description: large });
    await database.close();
    const again = new BetterSqliteHandle(path);
    expect(again.select('select title, length(description) from tasks').rows).toEqual([['kept', 90_000]]);
    again.close();
  });
});
