/** Files that are removed, put aside or replaced while somebody has them open, or dies over it. */

import { closeSync, existsSync, openSync, readdirSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SalvageRules } from '@/core/storage';
import type { ConvoyDatabase } from '@/lib/watermelon';
import { openUserDevice } from '@/lib/watermelon/device/compose';
import { LOCAL_DATABASE, type Task } from '@/lib/watermelon/models';
import { createPlatform } from '@/platform/node';
import { BetterSqliteHandle } from '@/platform/node/betterSqlite';
import { openFile } from '@/platform/node/openFile';
import { SqliteFailure, storageError } from '@/platform/sqlite/handle';
import { SqliteStore } from '@/platform/sqlite/store';
import { openLocalDatabase, temporaryFolder } from '../../support/localDatabase';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const fileOf = (name = 'local') => join(folder.path, `${name}.db`);

/** Makes the file unsound where no record is: an index of the tasks. */
function damage(path: string): void {
  const handle = new BetterSqliteHandle(path);
  handle.exec('pragma wal_checkpoint(truncate)');
  const [[root, size] = []] = handle.select(
    `select "rootpage", (select * from pragma_page_size()) from "sqlite_master"
     where "type" = 'index' and "tbl_name" = 'tasks' and "sql" is not null limit 1`,
  ).rows;
  handle.close();
  const file = openSync(path, 'r+');
  const bytes = Buffer.alloc(Number(size) - 8, 0xff);
  writeSync(file, bytes, 0, bytes.length, (Number(root) - 1) * Number(size) + 8);
  closeSync(file);
  writeFileSync(`${path}-damaged`, '');
}

const create = (database: ConvoyDatabase, title: string) =>
  database.write(() =>
    database.get<Task>('tasks' as never).create((task) => {
      task.workspaceId = 'w';
      task.title = title;
    }),
  );

const titles = async (database: ConvoyDatabase) =>
  (
    await database
      .get<Task>('tasks' as never)
      .query()
      .fetch()
  )
    .map(({ title }) => title)
    .sort();

const FIFTY = Array.from({ length: 50 }, (_, n) => `task ${n}`);

async function withFifty(): Promise<void> {
  const database = await openLocalDatabase(folder.path);
  for (const title of FIFTY) await create(database, title);
  await database.close();
}

describe('a database that another process has open', () => {
  it('is not removed, neither for having no work nor when it is discarded (P-NOLOSS)', async () => {
    const platform = () => createPlatform({ folder: folder.path });
    const one = await openUserDevice(platform(), null, null);
    const other = await openUserDevice(platform(), null, null);
    const { id } = await one.contextService.createWorkspace({ name: 'Begun before anybody signed in' });
    await other.database.catchUp();
    expect((await other.contextService.getWorkspaces()).map((workspace) => workspace.id)).toContain(id);
    await other.close();
    const name = readdirSync(folder.path)
      .find((file) => file.endsWith('.db'))
      ?.replace('.db', '');
    await expect(platform().removeDatabase(name as string)).rejects.toMatchObject({ code: 'locked' });
    await one.close();
    await platform().removeDatabase(name as string);
    expect(await platform().hasDatabase(name as string)).toBe(false);
  });

  it('takes no more writes once it is put aside as damaged, and the new one has what was written (P-NOLOSS)', async () => {
    await withFifty();
    const one = await openLocalDatabase(folder.path);
    const told: (string | undefined)[] = [];
    one.onStorageTrouble((error) => told.push(error?.code));
    await create(one, 'just before');
    damage(fileOf());
    const other = await openLocalDatabase(folder.path);
    expect(other.salvaged?.saved.tasks).toHaveLength(51);
    await expect(create(one, 'too late')).rejects.toMatchObject({ code: 'unavailable' });
    expect(told).toContain('unavailable');
    expect(await titles(other)).toEqual([...FIFTY, 'just before'].sort());
    await one.close();
    await other.close();
  });
});

describe('a damaged database', () => {
  /** Fails, or dies, when the salvage comes to this table. */
  const salvageUntil = (table: string) =>
    new Proxy(LOCAL_DATABASE.salvage as SalvageRules, {
      get(rules, name: string) {
        if (name === table) throw new SqliteFailure(storageError('quota'));
        return rules[name];
      },
    });

  it('is salvaged once there is space, where salvaging failed for lack of it (P-NOLOSS)', async () => {
    await withFifty();
    damage(fileOf());
    for (const table of ['workspaces', 'patterns']) {
      const options = { name: 'local', ...LOCAL_DATABASE, salvage: salvageUntil(table) };
      expect(() => openFile(fileOf(), options)).toThrow(SqliteFailure);
      expect(await createPlatform({ folder: folder.path }).hasDatabase('local')).toBe(true);
    }
    const database = await openLocalDatabase(folder.path);
    expect(database.salvaged?.saved.tasks).toHaveLength(50);
    expect(await titles(database)).toEqual([...FIFTY].sort());
    await database.close();
    expect(readdirSync(folder.path).filter((file) => /-damaged$|-new/.test(file))).toEqual([]);
  });

  it('is salvaged by the next process that opens it, wherever the first one died (P-NOLOSS)', async () => {
    await withFifty();
    damage(fileOf());
    const { path } = folder;
    const aside = 'local.damaged-then.db';
    // The name is noted, and no file moved; then the journals alone; then all, and nothing made; then half is made.
    const deaths = [
      () => writeFileSync(`${fileOf()}-damaged`, aside),
      () => writeFileSync(join(path, `${aside}-wal`), ''),
      () => {
        const options = { name: 'local', ...LOCAL_DATABASE, salvage: salvageUntil('workspaces') };
        expect(() => openFile(fileOf(), options)).toThrow(SqliteFailure);
        expect(existsSync(fileOf())).toBe(false);
      },
      () => writeFileSync(`${fileOf()}-new`, 'half of it'),
    ];
    for (const die of deaths) die();
    const database = await openLocalDatabase(path);
    expect(database.salvaged).toMatchObject({ keptAs: join(path, aside) });
    expect(await titles(database)).toEqual([...FIFTY].sort());
    await database.close();
    const again = await openLocalDatabase(path);
    expect(await titles(again)).toHaveLength(50);
    await again.close();
  });
});

describe('foreign writes', () => {
  const write = (id: string) => ({
    statements: [
      {
        sql: `insert into "tasks" ("id", "_status", "_changed", "title") values (?, 'created', '', 't')`,
        argLists: [[id]],
      },
    ],
    written: { tasks: [id] },
    request: null,
  });

  it('are noticed although a batch with the same number was rolled back here, and again after a failed reload', () => {
    const handle = new BetterSqliteHandle(fileOf());
    const one = SqliteStore.open(handle, LOCAL_DATABASE);
    const other = SqliteStore.open(new BetterSqliteHandle(fileOf()), LOCAL_DATABASE);
    const run = handle.run.bind(handle);
    handle.run = (sql, argLists) => {
      if (sql === 'commit') throw new SqliteFailure(storageError('quota'));
      run(sql, argLists);
    };
    expect(() => one.batch(write('lost'))).toThrow(SqliteFailure);
    handle.run = run;
    other.batch(write('kept'));
    const told: unknown[] = [];
    const fail = () =>
      one.foreignWrites(() => {
        throw new Error('not now');
      });
    expect(fail).toThrow('not now');
    one.foreignWrites((written) => told.push(written));
    one.foreignWrites((written) => told.push(written));
    expect(told).toEqual([{ tasks: ['kept'] }]);
    one.close();
    other.close();
  });
});
