/** Work on whole workspaces in slices: what it keeps in memory, and what becomes of it where it breaks off. */

import { firstValueFrom } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import { Archived, Conflict, observeRecords } from '@/lib/watermelon';
import { findTasks } from '@/lib/watermelon/lists';
import { syncBrokenOff } from '../../support/brokenOff';
import { manyTasks } from '../../support/manyTasks';
import { backend, restored, restoreFrom, serverForEachTest, world } from '../../support/restorableServer';
import { SEED } from '../../support/seed';
import { deviceSnapshot, serverSnapshot } from '../../support/snapshot';
import { settle, type TestDevice } from '../../support/world';

const MANY = 2_500;

let here: TestDevice;
let there: TestDevice;

serverForEachTest();
beforeEach(async () => {
  here = await world.device('owner');
  there = await world.device('editor');
  await settle(here, there);
});

async function sql(text: string, values: string[] = []): Promise<void> {
  const done = await (restored?.backend ?? backend).transaction((connection) =>
    connection.query(text, values),
  );
  if (!done.ok) throw new Error(done.error.message);
}

const newTask = (device: TestDevice, title: string, more: object = {}) =>
  device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title, ...more });

const titleOf = async (device: TestDevice, id: string) =>
  (await device.contextService.getLocalTask(id))?.title;

/** @returns how many records of a workspace are stored. */
async function countOf({ database }: TestDevice, workspace: string): Promise<number> {
  const found = await database.readAll(
    SYNCED_TABLES.map((table) => ({
      sql: `select count(*) from "${table}" where "workspace_id" = ?`,
      args: [workspace],
    })),
  );
  return found.reduce((sum, [row]) => sum + Number(row?.[0]), 0);
}

/** @returns how many records of a table are models in memory. */
async function inMemory({ database }: TestDevice, table: SyncedTable): Promise<number> {
  const [ids = []] = await database.readAll([{ sql: `select "id" from "${table}"`, args: [] }]);
  return ids.filter(([id]) => database.inMemory(table, String(id)) !== null).length;
}

async function expectAsOnServer(...devices: TestDevice[]): Promise<void> {
  for (const device of devices) {
    const held = await serverSnapshot((restored?.backend ?? backend) as never, device.userId);
    expect(await deviceSnapshot(device.database)).toEqual(held);
    expect(device.syncStatus.pending).toBe(0);
  }
}

/** Syncs of so few writes each, until one comes to its end. */
async function syncInPieces(
  device: TestDevice,
  writes: number,
): Promise<{ device: TestDevice; broken: number }> {
  let current = device;
  for (let broken = 0; broken < 80; broken += 1) {
    const tried = await syncBrokenOff(current, writes);
    current = tried.device;
    if (tried.isOver) return { device: current, broken };
  }
  throw new Error('It never came to its end.');
}

describe('a page', () => {
  it('is written in bulk though a lost edit waits: the rows that it waits for are looked at alone (P31, D13)', async () => {
    const [lost, parent] = [await newTask(here, 'lost'), await newTask(here, 'parent')];
    await settle(here, there);
    await there.contextService.updateTask(lost.id, { title: 'mine' });
    const waiting = await newTask(there, 'waits for its parent', { parent_task_id: parent.id });
    for (const { id } of [lost, parent]) await here.contextService.deleteTask(id);
    await settle(here);
    await settle(there);
    expect(await there.database.of(Conflict).query().fetchCount()).toBeGreaterThan(1);

    there = await there.restart();
    await manyTasks(backend, MANY);
    await settle(there);
    expect(await inMemory(there, 'tasks')).toBeLessThan(20);

    for (const { id, entity_id } of await here.contextService.getDeletions(SEED.workspace)) {
      if ([lost.id, parent.id].includes(entity_id)) await here.contextService.restoreDeletion(id);
    }
    await settle(here, there, here);
    expect(await titleOf(here, lost.id)).toBe('mine');
    expect(await titleOf(here, waiting.id)).toBe('waits for its parent');
    await expectAsOnServer(here, there);
  });

  it('of a scope that is resynced is written in bulk; values that are newer here are asked about (P13, P31)', async () => {
    await manyTasks(backend, MANY);
    const known = await newTask(here, 'before the backup');
    await settle(here, there);
    const backup = await backend.dump();
    await here.contextService.updateTask(known.id, { title: 'after the backup' });
    const made = await newTask(here, 'lost by the server');
    await settle(here, there);
    await restoreFrom(backup);
    there = await there.restart();
    await settle(there);
    expect(await inMemory(there, 'tasks')).toBeLessThan(20);
    const asked = await there.database.of(Conflict).query().fetch();
    expect(asked.map(({ recordId, state, columns }) => [recordId, state, columns.title])).toEqual([
      [known.id, 'open', expect.objectContaining({ local: 'after the backup', remote: 'before the backup' })],
    ]);
    expect(await titleOf(there, made.id)).toBe('lost by the server');
    await settle(here, there);
    await expectAsOnServer(here, there);
  });
});

describe('a deletion of many records', () => {
  it('that is undone before it was pushed brings them back as they were, edits included, past memory (D14)', async () => {
    await manyTasks(backend, MANY);
    const edited = await newTask(here, 'before');
    await settle(here, there);
    await there.contextService.updateTask(edited.id, { title: 'edited' });
    const fresh = await newTask(there, 'new');
    const before = await deviceSnapshot(there.database);
    await there.contextService.deleteMilestone(SEED.offlineMilestone);
    expect(await titleOf(there, edited.id)).toBeUndefined();
    there = await there.restart();
    const [deletion] = await there.contextService.getDeletions(SEED.workspace);
    expect(deletion).toMatchObject({ entity_id: SEED.offlineMilestone, restored_at: null });
    expect(deletion?.parts).toBeGreaterThan(MANY);
    await there.contextService.restoreDeletion(deletion?.id ?? '');
    expect(await inMemory(there, 'tasks')).toBeLessThan(20);
    expect(await deviceSnapshot(there.database)).toEqual(before);
    expect((await there.sync()).pushed).toBeLessThan(10);
    await settle(there, here);
    expect([await titleOf(here, edited.id), await titleOf(here, fresh.id)]).toEqual(['edited', 'new']);
    await expectAsOnServer(here, there);
  });
});

describe('a resync that breaks off after each of its writes', () => {
  it('ends as one that does not: lost records come back with their feed, unsynced edits are pushed (P13, U30)', async () => {
    const known = await newTask(here, 'before the backup');
    await settle(here, there);
    const backup = await backend.dump();
    const made = await newTask(there, 'lost by the server');
    await there.contextService.updateTaskStage(made.id, 'PLAN_REVIEW');
    await there.contextService.addTaskActivity(made.id, 'comment', { text: 'lost too' });
    await there.contextService.addTaskDependency(made.id, known.id);
    await settle(there, here);
    await there.contextService.updateTask(known.id, { title: 'unsynced' });
    await there.contextService.updateTask(made.id, { priority: 'urgent' });
    const feed = (await there.contextService.getTaskContext(made.id))?.activities ?? [];
    await restoreFrom(backup);

    const { device, broken } = await syncInPieces(there, 3);
    expect(broken).toBeGreaterThan(3);
    await settle(device);
    await expectAsOnServer(device);
    const fresh = await world.device('editor');
    await settle(fresh);
    const context = await fresh.contextService.getTaskContext(made.id);
    expect(context?.task).toMatchObject({ priority: 'urgent', current_stage: 'PLAN_REVIEW' });
    expect(context?.dependencies.map(({ id }) => id)).toEqual([known.id]);
    const types = (list: { activity_type: string }[]) => list.map((one) => one.activity_type).sort();
    expect(types(context?.activities ?? [])).toEqual(types(feed));
    expect(await titleOf(fresh, known.id)).toBe('unsynced');
    expect(await device.countUnsynced()).toMatchObject({ archived: 0, refused: 0 });
  });

  it('ends as one that does not, where the cursor has expired: what was deleted goes (P16, D8)', async () => {
    const [kept, doomed, edited] = [
      await newTask(here, 'kept'),
      await newTask(here, 'doomed'),
      await newTask(here, 'edited'),
    ];
    await settle(here, there);
    for (const { id } of [doomed, edited]) await here.contextService.deleteTask(id);
    await settle(here);
    await sql(`update convoy.scope_revisions set created_at = created_at - interval '1 year'`);
    await newTask(here, 'a year later');
    await settle(here);
    await sql('select convoy.purge()');
    await there.contextService.updateTask(kept.id, { title: 'kept, edited' });
    await there.contextService.updateTask(edited.id, { title: 'lost' });

    const { device, broken } = await syncInPieces(there, 3);
    expect(broken).toBeGreaterThan(3);
    await settle(device, here);
    await expectAsOnServer(device, here);
    const ledger = await device.database.of(Conflict).query().fetch();
    expect(ledger.map(({ recordId, kind }) => [recordId, kind])).toEqual([[edited.id, 'gone']]);
    expect(await titleOf(here, kept.id)).toBe('kept, edited');
  });

  it.each([
    ['with news', true],
    ['and there is no news', false],
  ])(
    'asks for everything where the history of before is back %s when its marking goes on (P13)',
    async (_, hasNews) => {
      const edited = await newTask(here, 'before the backup');
      await settle(here, there);
      const backup = await backend.dump();
      const made = await newTask(there, 'not in the backup');
      await settle(there, here);
      const news = hasNews ? await newTask(here, 'news') : null;
      await settle(here);
      const latest = await backend.dump();

      await restoreFrom(backup);
      await there.contextService.updateTask(edited.id, { title: 'unsynced' });
      const broken = await syncBrokenOff(there, 7);
      there = broken.device;
      expect(broken.isOver).toBe(false);
      const [marked = []] = await there.database.readAll([
        { sql: 'select count(*) from "projects" where "revision" = -1', args: [] },
      ]);
      expect(marked[0]?.[0]).toBeGreaterThan(0);

      await restored?.close();
      await restoreFrom(latest);
      await settle(there);
      await expectAsOnServer(there);
      if (news) expect(await titleOf(there, news.id)).toBe('news');
      expect(await titleOf(there, made.id)).toBe('not in the backup');
      expect(await titleOf(there, edited.id)).toBe('unsynced');
      const [left = []] = await there.database.readAll([
        { sql: 'select count(*) from "projects" where "revision" < 0', args: [] },
      ]);
      expect(left[0]?.[0]).toBe(0);
    },
  );
});

/** A workspace of the owner's with many tasks, and how the editor comes to it and loses it. */
async function shared() {
  const workspace = await here.contextService.createWorkspace({ name: 'Shared for a while' });
  const project = await here.contextService.createProject({ workspace_id: workspace.id, name: 'P' });
  const milestone = await here.contextService.createMilestone({ project_id: project.id, name: 'M' });
  const task = await here.contextService.createTask({ milestone_id: milestone.id, title: 'findable' });
  await settle(here);
  await sql(
    `insert into public.tasks (id, workspace_id, milestone_id, title)
     select gen_random_uuid(), $1::uuid, $2::uuid, 'findable ' || n from generate_series(1, ${MANY}) n`,
    [workspace.id, milestone.id],
  );
  const join = () =>
    sql(
      `insert into public.workspace_members (id, workspace_id, user_id, role)
       values (gen_random_uuid(), $1::uuid, $2::uuid, 'editor')`,
      [workspace.id, there.userId],
    );
  const leave = () =>
    sql(
      'update public.workspace_members set deleted_at = now() where workspace_id = $1::uuid and user_id = $2::uuid',
      [workspace.id, there.userId],
    );
  return { workspace, project, milestone, task, join, leave };
}

describe('a purge that breaks off after each of its writes', () => {
  it('shows and pushes nothing of the workspace from its first write on, and ends with nothing left (P12, P-NOLOSS)', async () => {
    const { workspace, project, milestone, task, join, leave } = await shared();
    await join();
    await settle(there);
    await there.contextService.addTaskActivity(task.id, 'comment', { text: 'synced' });
    await settle(there);

    await leave();
    const first = await syncBrokenOff(there, 1, async () => {
      await there.contextService.updateTask(task.id, { title: 'edited too late' });
      await newTask(there, 'created too late', { milestone_id: milestone.id });
    });
    there = first.device;
    expect(first.isOver).toBe(false);
    there.online(false);
    const { contextService: service } = there;
    expect(await countOf(there, workspace.id)).toBeGreaterThan(MANY);
    expect((await service.getWorkspaces()).map(({ id }) => id)).not.toContain(workspace.id);
    expect(await service.getLocalTask(task.id)).toBeNull();
    expect(await findTasks(there.database, 'findable', {}, 10)).toEqual([]);
    const listed = observeRecords(there.database, 'tasks', { milestone_id: milestone.id });
    expect(await firstValueFrom(listed)).toEqual([]);
    expect(await firstValueFrom(observeRecords(there.database, 'projects', { id: project.id }))).toEqual([]);
    expect(await there.countUnsynced()).toMatchObject({ pending: 0 });
    const text = JSON.stringify((await there.exportUnsynced()).archive);
    for (const late of ['edited too late', 'created too late']) expect(text).toContain(late);
    there.online(true);

    const { device, broken } = await syncInPieces(there, 1);
    expect(broken).toBeGreaterThan(2);
    expect(await countOf(device, workspace.id)).toBe(0);
    await settle(device);
    await expectAsOnServer(device);
    expect(JSON.stringify((await device.exportUnsynced()).archive)).toBe(text);
  });

  it('ends after the slice at hand when the device is closed, and goes on when it is opened again (D32, P12)', async () => {
    const { workspace, join, leave } = await shared();
    await join();
    await settle(there);
    await leave();
    const { database } = there;
    const write = database.write.bind(database);
    let slices = 0;
    let restarting: Promise<TestDevice> | null = null;
    database.write = (work, description) => {
      if (description === 'sync: slice') {
        slices += 1;
        restarting ??= there.restart();
      }
      return write(work, description);
    };
    expect(await there.sync()).toMatchObject({ status: 'signed_out', error: null });
    expect(slices).toBe(1);
    const again = await (restarting as Promise<TestDevice> | null);
    expect(again && (await countOf(again, workspace.id))).toBeGreaterThan(0);
    there = again ?? there;
    await settle(there);
    expect(await countOf(there, workspace.id)).toBe(0);
    await expectAsOnServer(there);
  });

  it('is finished before a workspace that is gained again is pulled (P12, D26)', async () => {
    const { workspace, task, join, leave } = await shared();
    await join();
    await settle(there);
    await leave();
    there = (await syncBrokenOff(there, 2)).device;
    expect(await countOf(there, workspace.id)).toBeGreaterThan(0);
    await join();
    await here.contextService.updateTask(task.id, { title: 'renamed meanwhile' });
    await settle(here, there);
    expect(await titleOf(there, task.id)).toBe('renamed meanwhile');
    expect(await there.database.of(Archived).query().fetchCount()).toBe(0);
    await expectAsOnServer(there);
  });

  it('keeps what the user wrote in a workspace that a restored server has lost (P19, P-NOLOSS)', async () => {
    const backup = await backend.dump();
    const { milestone, join } = await shared();
    await join();
    await settle(there);
    const own = await newTask(there, 'of the editor', { milestone_id: milestone.id });
    await settle(there);
    await restoreFrom(backup);
    const { device, broken } = await syncInPieces(there, 1);
    expect(broken).toBeGreaterThan(2);
    const archived = await device.database.of(Archived).query().fetch();
    expect(archived.map(({ recordTable, operation, values }) => [recordTable, operation, values.id])).toEqual(
      expect.arrayContaining([['tasks', 'insert', own.id]]),
    );
    expect(archived.map(({ values }) => values.title)).not.toContain('findable');
    expect(archived.find(({ recordId }) => recordId === own.id)?.values).toMatchObject({
      title: 'of the editor',
      is_synced: true,
      milestone_id: milestone.id,
    });
    await settle(device);
    await expectAsOnServer(device);
  });
});
