import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closeDatabase, initDatabase, LOCAL_SCHEMA_VERSION, openDevice } from '@/lib/watermelon';
import { migrations, schema } from '@/lib/watermelon/models';
import { createPlatform } from '@/platform/node';
import { FileLock } from '@/platform/node/fileLock';
import { openAdapter, temporaryFolder } from '../../support/localDatabase';

let folder: ReturnType<typeof temporaryFolder>;
const environment = { ...process.env };

beforeEach(() => {
  folder = temporaryFolder();
  process.env.CONVOY_DATA_DIR = folder.path;
  delete process.env.SUPABASE_URL;
});
afterEach(async () => {
  await closeDatabase();
  process.env = { ...environment };
  folder.remove();
});

describe('opening the local database', () => {
  it('initDatabase is idempotent, and concurrent calls share one database', async () => {
    const [one, other] = await Promise.all([initDatabase(), initDatabase()]);
    expect(one).toBe(other);
    expect(await initDatabase()).toBe(one);
    expect(one.database.schema.version).toBe(LOCAL_SCHEMA_VERSION);
  });

  it('works without an account: writes stay on the device, and sync answers signed_out', async () => {
    const { contextService, sync } = await initDatabase();
    const workspace = await contextService.createWorkspace({ name: 'Mine alone' });
    const project = await contextService.createProject({ workspace_id: workspace.id, name: 'P' });
    await contextService.createMilestone({ project_id: project.id, name: 'M' });
    expect(await sync()).toMatchObject({ status: 'signed_out', error: null });
    await closeDatabase();
    const again = await initDatabase();
    expect((await again.contextService.getWorkspaces()).map(({ name }) => name)).toEqual(['Mine alone']);
    expect(again.syncStatus.pending).toBe(3);
  });

  it('refuses a database newer than the code, and does not change it', async () => {
    await openAdapter(folder.path);
    const path = join(folder.path, 'local.db');
    const file = new Sqlite(path);
    file.pragma('user_version = 99');
    file.close();
    const before = readFileSync(path);
    const opened = await createPlatform({ folder: folder.path }).openAdapter({
      name: 'local',
      schema,
      migrations,
    });
    expect(opened).toMatchObject({ ok: false, error: { kind: 'storage', code: 'newer_schema' } });
    expect(readFileSync(path)).toEqual(before);
  });

  it('opens after a process was killed in the middle of a transaction (P-DURABLE)', async () => {
    await (await openAdapter(folder.path)).close();
    const path = join(folder.path, 'local.db');
    const file = new Sqlite(path);
    file.pragma('journal_mode = delete');
    file.pragma('cache_size = 1');
    file.exec('begin immediate');
    const insert = file.prepare('insert into local_storage (key, value) values (?, ?)');
    for (let n = 0; n < 2_000; n += 1) insert.run(`key ${n}`, 'x'.repeat(200));
    // What a kill leaves behind: pages of the transaction in the file, and the journal that takes them back.
    const after = temporaryFolder();
    for (const name of ['local.db', 'local.db-journal']) {
      copyFileSync(join(folder.path, name), join(after.path, name));
    }
    file.exec('rollback');
    file.close();
    await openAdapter(after.path);
    const opened = new Sqlite(join(after.path, 'local.db'));
    expect(opened.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(opened.prepare("select count(*) as n from local_storage where key like 'key %'").get()).toEqual({
      n: 0,
    });
    opened.close();
    after.remove();
  });

  it('can be tried again after it failed', async () => {
    process.env.CONVOY_DATA_DIR = join(folder.path, 'local.db');
    await openAdapter(folder.path);
    await expect(initDatabase()).rejects.toMatchObject({ code: 'unavailable' });
    process.env.CONVOY_DATA_DIR = folder.path;
    await expect(initDatabase()).resolves.toBeDefined();
  });

  it('keeps the session in a file that only its owner may read', async () => {
    const storage = createPlatform({ folder: folder.path }).sessionStorage();
    await storage.setItem('key', 'value');
    expect(await storage.getItem('key')).toBe('value');
    await storage.removeItem('key');
    expect(await storage.getItem('key')).toBeNull();
    expect(existsSync(join(folder.path, 'session.json'))).toBe(false);
  });

  it('does not wait for another process that writes (D51)', async () => {
    await closeDatabase();
    await openAdapter(folder.path);
    const writer = new FileLock(join(folder.path, 'local.lock'));
    expect(writer.tryTake()).toBe(true);
    const adapter = await openAdapter(folder.path);
    const device = await openDevice({ adapter, userId: 'u', transport: null, remote: null });
    expect(device).toMatchObject({ ok: true, value: { syncStatus: { pending: 0 } } });
    writer.close();
  });

  it('runs work of one name in one process at a time', async () => {
    const platform = createPlatform({ folder: folder.path });
    const order: string[] = [];
    const work = (name: string, ms: number) =>
      platform.exclusively('sync', async () => {
        order.push(`${name} begins`);
        await new Promise((resolve) => setTimeout(resolve, ms));
        order.push(`${name} ends`);
      });
    await Promise.all([work('one', 80), work('other', 10)]);
    expect(order).toEqual(['one begins', 'one ends', 'other begins', 'other ends']);
    await expect(platform.exclusively('sync', () => Promise.reject(new Error('failed')))).rejects.toThrow(
      'failed',
    );
    await work('third', 0);
    expect(order).toHaveLength(6);
  });

  it('openDevice gives the storage error of an adapter that does not open', async () => {
    const adapter = await openAdapter(folder.path);
    const broken = Object.assign(Object.create(adapter), {
      getLocal: (_key: string, callback: (result: { error: Error }) => void) =>
        callback({ error: new Error('disk gone') }),
    });
    const opened = await openDevice({ adapter: broken, userId: 'u', transport: null, remote: null });
    expect(opened).toMatchObject({ ok: false, error: { kind: 'storage', code: 'unavailable' } });
  });
});
