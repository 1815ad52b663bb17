import { config } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Device, openDevice } from '@/lib/watermelon/device/device';
import { Task } from '@/lib/watermelon/models';
import { Q } from '@/lib/watermelon/models/watermelondb';
import { SqliteStore } from '@/platform/sqlite/store';
import { openAdapter, temporaryFolder } from '../../support/localDatabase';

let folder: ReturnType<typeof temporaryFolder>;
let device: Device;
let milestone: string;
/** What observers threw, as an application is told of it. */
let reported: unknown[];
beforeEach(async () => {
  folder = temporaryFolder();
  const adapter = await openAdapter(folder.path);
  const opened = await openDevice({ adapter, userId: 'u', transport: null, remote: null });
  if (!opened.ok) throw new Error(opened.error.message);
  device = opened.value;
  const service = device.contextService;
  const workspace = await service.createWorkspace({ name: 'W' });
  const project = await service.createProject({ workspace_id: workspace.id, name: 'P' });
  milestone = (await service.createMilestone({ project_id: project.id, name: 'M' })).id;
  reported = [];
  config.onUnhandledError = (error) => reported.push(error);
});
afterEach(async () => {
  config.onUnhandledError = null;
  await device.close();
  folder.remove();
});

const tasks = () => device.database.of(Task);
const titles = async () => (await tasks().query().fetch()).map(({ title }) => title).sort();
const prepare = (title: string) =>
  tasks().prepareCreate((task) => {
    task.workspaceId = 'w';
    task.title = title;
  });

describe('a batch', () => {
  it('takes records and arrays of records in any mixture, and passes over what is nothing (P-NOLOSS)', async () => {
    const { database } = device;
    await database.write(async () => {
      const batch = database.batch as (...records: unknown[]) => Promise<void>;
      await batch.call(database, [prepare('a'), null], prepare('b'), false, [prepare('c')], undefined);
    });
    expect(await titles()).toEqual(['a', 'b', 'c']);
  });

  it('refuses what is no record, and writes nothing then', async () => {
    const { database } = device;
    const batch = database.batch as (...records: unknown[]) => Promise<void>;
    const written = database.write(() => batch.call(database, prepare('a'), { id: 'b' }));
    await expect(written).rejects.toThrow(TypeError);
    expect(await titles()).toEqual([]);
  });
});

describe('a batch that was stored', () => {
  it('is no failure where what its statements did cannot be read: memory lets go of it (D41)', async () => {
    const { database } = device;
    const [kept, other] = [prepare('a'), prepare('other')];
    await database.write(() => database.batch([kept, other]));
    const seen: string[][] = [];
    const observing = tasks()
      .query()
      .observeWithColumns(['title'] as never[])
      .subscribe((found) => seen.push(found.map(({ title }) => title).sort()));
    await expect.poll(() => seen.at(-1)).toEqual(['a', 'other']);
    const unread = vi.spyOn(SqliteStore.prototype, 'selectAll').mockImplementationOnce(() => {
      throw new Error('not now');
    });
    const rename = {
      sql: `update "tasks" set "title" = 'b' where "id" = ?`,
      args: [kept.id],
      ids: [kept.id],
    };
    await database.write(() => {
      const edited = other.prepareUpdate((draft) => {
        draft.title = 'edited';
      });
      return database.batchWithRows([edited], [], [['tasks', rename]]);
    });
    expect(unread).toHaveBeenCalled();
    unread.mockRestore();
    expect(other.title).toBe('edited');
    expect((await tasks().find(kept.id)).title).toBe('b');
    await expect.poll(() => seen.at(-1)).toEqual(['b', 'edited']);
    observing.unsubscribe();
  });
});

describe('an observer that throws', () => {
  const fault = new Error('the observer failed');
  const fail = () => {
    throw fault;
  };

  it('does not reach the writer of a task, which is stored once; it is reported, and other observers are told (P-ONCE)', async () => {
    const seen: string[][] = [];
    const query = tasks().query(Q.where('milestone_id', milestone));
    const subscriptions = [
      device.database.experimentalSubscribe(['tasks'], fail),
      tasks().experimentalSubscribe(fail),
      query.experimentalSubscribe((found) => {
        if (found.length > 0) fail();
      }),
    ];
    const observing = tasks()
      .query(Q.where('milestone_id', milestone))
      .observe()
      .subscribe((found) => seen.push(found.map(({ title }) => title)));
    await expect.poll(() => seen).toEqual([[]]);
    const task = await device.contextService.createTask({ milestone_id: milestone, title: 'once' });
    expect(task.title).toBe('once');
    await expect.poll(() => seen.at(-1)).toEqual(['once']);
    await expect.poll(() => reported.length).toBeGreaterThanOrEqual(2);
    expect(new Set(reported)).toEqual(new Set([fault]));
    expect(await titles()).toEqual(['once']);
    observing.unsubscribe();
    for (const unsubscribe of subscriptions) unsubscribe();
  });

  it('does not reach a batch that changes or removes the record it observes (P-ONCE)', async () => {
    const { database } = device;
    const task = await database.write(async () => {
      const made = prepare('before');
      await database.batch(made);
      return made;
    });
    const told: boolean[] = [];
    task.experimentalSubscribe(fail);
    task.experimentalSubscribe((isDeleted) => told.push(isDeleted));
    await database.write(() =>
      database.batch(
        task.prepareUpdate((changed) => {
          changed.title = 'after';
        }),
      ),
    );
    expect(await titles()).toEqual(['after']);
    await database.write(() => database.batch(task.prepareDestroyPermanently()));
    expect(await titles()).toEqual([]);
    expect(told).toEqual([false, true]);
    await expect.poll(() => reported).toEqual([fault, fault]);
  });
});
