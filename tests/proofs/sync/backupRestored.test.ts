import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { Archived, Conflict, Quarantined } from '@/lib/watermelon';
import { Q } from '@/lib/watermelon/models/watermelondb';
import { backend, restoreFrom, serverForEachTest, world } from '../../support/restorableServer';
import { SEED } from '../../support/seed';
import { deviceSnapshot, serverSnapshot } from '../../support/snapshot';
import { settle, type TestDevice } from '../../support/world';

let here: TestDevice;
let there: TestDevice;

serverForEachTest();
beforeEach(async () => {
  here = await world.device('owner', { pageRows: 60 });
  there = await world.device('editor', { pageRows: 60 });
  await settle(here, there);
});

/** A practice that comes with the app. */
const SHARED = '00000000-0000-7000-8000-000000000101';

const newTask = (device: TestDevice, title: string) =>
  device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title });

describe('a server restored from a backup (P8)', () => {
  it('is noticed by itself; each device pushes again what the server lost, and all converge', async () => {
    const before = await newTask(here, 'before the backup');
    await settle(here, there);
    const backup = await backend.dump();

    await here.contextService.updateTask(before.id, { title: 'renamed after the backup' });
    const after = await newTask(there, 'after the backup');
    await settle(here, there);
    await here.contextService.updateTask(after.id, { priority: 'urgent' });
    const offline = await newTask(here, 'never synced');

    const server = await restoreFrom(backup);
    // The new history reaches the same revisions as the old one did.
    const fresh = await world.device('owner');
    await settle(fresh);
    for (const title of ['one', 'two', 'three', 'four']) {
      await newTask(fresh, title);
      await settle(fresh);
    }
    await settle(here, there, fresh);
    const held = await serverSnapshot(server.backend, here.userId);
    for (const device of [here, there, fresh]) expect(await deviceSnapshot(device.database)).toEqual(held);
    const ledger = await here.database.of(Conflict).query().fetch();
    const asked = ledger.find((entry) => entry.recordId === before.id);
    expect(asked).toMatchObject({ state: 'open', kind: 'columns' });
    expect(asked?.columns.title).toMatchObject({
      local: 'renamed after the backup',
      remote: 'before the backup',
    });
    expect((await fresh.contextService.getLocalTask(after.id))?.priority).toBe('urgent');
    expect((await fresh.contextService.getLocalTask(offline.id))?.title).toBe('never synced');
    expect((await there.contextService.getTaskContext(after.id))?.activities.length).toBeGreaterThan(0);
  });

  it('gets back records whose names nobody can see, as earlier versions took them, with all under them (P13)', async () => {
    const backup = await backend.dump();
    const task = await newTask(here, 'not seen');
    const subtask = await here.contextService.createTask({
      milestone_id: SEED.offlineMilestone,
      parent_task_id: task.id,
      title: 'a part of it',
    });
    await settle(here);
    await backend.transaction((connection) =>
      connection.execute(`update public.tasks set title = E'\\u200b' where id = '${task.id}'`),
    );
    await settle(here, there);
    expect((await here.contextService.getLocalTask(task.id))?.title).toBe('\u200b');

    const server = await restoreFrom(backup);
    await settle(here, there);
    for (const device of [here, there]) {
      expect(await device.database.of(Quarantined).query().fetchCount()).toBe(0);
      expect((await device.contextService.getLocalTask(task.id))?.title).toBe('Untitled');
      expect(await device.contextService.getLocalTask(subtask.id)).toMatchObject({ parent_task_id: task.id });
      expect(await deviceSnapshot(device.database)).toEqual(
        await serverSnapshot(server.backend, here.userId),
      );
    }
  });

  it('gets back the tasks of a member who joined after the backup, with their subtasks (P13)', async () => {
    const backup = await backend.dump();
    const joined = randomUUID();
    await backend.transaction((connection) =>
      connection.execute(`insert into auth.users (id, email) values ('${joined}', 'joined@example.org');
        insert into public.workspace_members (id, workspace_id, user_id, role)
          values (gen_random_uuid(), '${SEED.workspace}', '${joined}', 'editor')`),
    );
    await settle(here);
    const task = await here.contextService.createTask({
      milestone_id: SEED.offlineMilestone,
      title: 'theirs',
      assignee_id: joined,
    });
    const subtask = await here.contextService.createTask({
      milestone_id: SEED.offlineMilestone,
      parent_task_id: task.id,
      title: 'a part of it',
    });
    await settle(here);

    const server = await restoreFrom(backup);
    await settle(here);
    expect(await here.database.of(Quarantined).query().fetchCount()).toBe(0);
    const held = await serverSnapshot(server.backend, here.userId);
    expect(await deviceSnapshot(here.database)).toEqual(held);
    expect((await here.contextService.getLocalTask(task.id))?.assignee_id).toBe(joined);
    expect((await here.contextService.getLocalTask(subtask.id))?.title).toBe('a part of it');
  });

  it('is noticed by a push before anything is merged, and an interrupted resync is resumed (U3)', async () => {
    const backup = await backend.dump();
    const after = await newTask(here, 'after the backup');
    await settle(here, there);
    const server = await restoreFrom(backup);
    await newTask(there, 'written to the new history');
    there.transport.next('pull', { what: 'delay', ms: 0 }).loseNextResponse('pull');
    expect(await there.sync()).toMatchObject({ status: 'offline' });
    there = await there.restart();
    await settle(there, here);
    const held = await serverSnapshot(server.backend, here.userId);
    for (const device of [here, there]) expect(await deviceSnapshot(device.database)).toEqual(held);
    expect((await there.contextService.getLocalTask(after.id))?.title).toBe('after the backup');
  });

  it('lost changes of a record that is deleted there by a user who never saw them are kept (D8, P-NOLOSS)', async () => {
    const task = await newTask(here, 'before the backup');
    await settle(here, there);
    const backup = await backend.dump();
    await here.contextService.updateTask(task.id, { description: 'written after the backup' });
    await settle(here);
    const edited = await backend.transaction((connection) =>
      connection.execute(
        `update public.best_practices set description = 'of everybody' where id = '${SHARED}'`,
      ),
    );
    expect(edited.ok).toBe(true);
    await settle(here);
    const server = await restoreFrom(backup);
    const removed = await server.backend.transaction((connection) =>
      connection.execute(`update public.best_practices set deleted_at = now() where id = '${SHARED}'`),
    );
    expect(removed.ok).toBe(true);
    await there.contextService.deleteTask(task.id);
    await settle(there, here);
    const held = await serverSnapshot(server.backend, here.userId);
    for (const device of [here, there]) expect(await deviceSnapshot(device.database)).toEqual(held);
    const archived = (device: TestDevice) => device.database.of(Archived).query().fetch();
    const description = 'written after the backup';
    const kept = (await archived(here)).map(({ recordTable, reason, values }) => [
      recordTable,
      reason,
      values,
    ]);
    expect(kept).toEqual([
      ['tasks', 'history_changed', expect.objectContaining({ id: task.id, description })],
      // It tells of a change that the server no longer has, so the server would not take it again (U30).
      ['activity_feed', 'history_changed', expect.objectContaining({ activity_type: 'task_updated' })],
    ]);
    expect(await archived(there)).toEqual([]);
  });

  it('a record recreated by one device and edited by another is a conflict (U5, P-NOLOSS)', async () => {
    const backup = await backend.dump();
    const lost = await newTask(here, 'after the backup');
    const untouched = await newTask(here, 'edited by one alone');
    await settle(here, there);
    await here.contextService.updateTask(lost.id, { title: 'named here' });
    await there.contextService.updateTask(lost.id, { title: 'named there' });
    await there.contextService.updateTask(untouched.id, { title: 'named by one alone' });
    const server = await restoreFrom(backup);
    await settle(here, there);
    const held = await serverSnapshot(server.backend, here.userId);
    for (const device of [here, there]) expect(await deviceSnapshot(device.database)).toEqual(held);
    const met = await there.database.of(Conflict).query(Q.where('kind', 'columns')).fetch();
    expect(met.map(({ recordId, columns }) => [recordId, columns.title])).toEqual([
      [lost.id, expect.objectContaining({ local: 'named there', remote: 'named here' })],
    ]);
    expect((await here.contextService.getLocalTask(untouched.id))?.title).toBe('named by one alone');
  });

  it('is told from a server that purged its tombstones, also by a device that was away for a year (P16, P-NOLOSS)', async () => {
    const doomed = await newTask(here, 'deleted before the backup');
    await settle(here, there);
    const away = await world.device('owner');
    await settle(away);
    await here.contextService.deleteTask(doomed.id);
    await settle(here);
    const backup = await backend.dump();
    const lost = await newTask(there, 'after the backup');
    await settle(there);
    const server = await restoreFrom(backup);
    for (const title of ['one', 'two']) {
      await newTask(here, title);
      await settle(here);
    }
    const purged = await server.backend.transaction((connection) =>
      connection.execute(`update convoy.scope_revisions set created_at = created_at - interval '1 year';
        select convoy.purge(); select convoy.purge();`),
    );
    expect(purged.ok).toBe(true);
    await settle(there, away, here);
    const held = await serverSnapshot(server.backend, here.userId);
    for (const device of [here, there, away]) expect(await deviceSnapshot(device.database)).toEqual(held);
    // Away from before the backup, this one has nothing that the server lost: what it lacks was deleted.
    expect(await away.contextService.getLocalTask(doomed.id)).toBeNull();
    expect((await away.contextService.getLocalTask(lost.id))?.title).toBe('after the backup');
  });

  it('a lost edit that waited for another record is reapplied also where its own record is recreated (D13, P-NOLOSS)', async () => {
    // All comes in one page: the record is created again in the transaction that ends the waiting.
    here = await world.device('owner');
    const waitedFor = await newTask(there, 'before the backup');
    await settle(there, here);
    const backup = await backend.dump();
    const [plain, changed] = [await newTask(here, 'plain'), await newTask(here, 'changed')];
    await settle(here, there);
    for (const { id } of [waitedFor, plain, changed]) await there.contextService.deleteTask(id);
    await settle(there);
    await here.database.write(async () => {
      const tasks = here.database.records('tasks');
      const records = await tasks.query(Q.where('id', Q.oneOf([waitedFor.id, plain.id, changed.id]))).fetch();
      await here.database.batch(
        records.map((record) => record.prepareUpdate((draft) => draft.setColumn('title', 'mine'))),
      );
    });
    await settle(here);
    for (const { id, entity_id } of await there.contextService.getDeletions(SEED.workspace)) {
      if (entity_id !== waitedFor.id) await there.contextService.restoreDeletion(id);
    }
    await settle(there);
    await there.contextService.updateTask(changed.id, { title: 'theirs' });
    await settle(there, here);
    expect((await here.contextService.getLocalTask(plain.id))?.title).toBe('plain');

    const server = await restoreFrom(backup);
    await settle(here);
    expect(await deviceSnapshot(here.database)).toEqual(await serverSnapshot(server.backend, here.userId));
    for (const { id } of [waitedFor, plain]) {
      expect((await here.contextService.getLocalTask(id))?.title).toBe('mine');
    }
    expect((await here.contextService.getLocalTask(changed.id))?.title).toBe('theirs');
    const asked = await here.database.of(Conflict).query(Q.where('state', 'open')).fetch();
    expect(asked.map(({ recordId, columns }) => [recordId, columns])).toEqual([
      [changed.id, { title: expect.objectContaining({ base: 'changed', local: 'mine', remote: 'theirs' }) }],
    ]);
  });
});
