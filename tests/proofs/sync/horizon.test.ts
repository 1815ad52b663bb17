/** Devices that come back after tombstones, tags and batch answers were purged. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PullRequest } from '@/core/protocol';
import type { Task } from '@/domain/entities';
import { Archived, Conflict, Quarantined } from '@/lib/watermelon';
import { expectConverged } from '../../support/inStep';
import { SEED } from '../../support/seed';
import { settle, type TestDevice, World } from '../../support/world';

let world: World;
let here: TestDevice;
let there: TestDevice;

beforeEach(async () => {
  world = await World.start();
  here = await world.device('owner');
  there = await world.device('editor', { pageRows: 60 });
  await settle(here, there);
});
afterEach(() => world.close());

async function sql(text: string): Promise<void> {
  const done = await world.stack.backend.transaction((connection) => connection.execute(text));
  if (!done.ok) throw new Error(done.error.message);
}

/** A year passes; somebody writes; what is beyond the horizon is purged. */
async function purgeAfterAYear(): Promise<void> {
  await sql(`update convoy.scope_revisions set created_at = created_at - interval '1 year';
    update convoy.devices set updated_at = updated_at - interval '1 year'`);
  await newTask(here, 'a year later');
  await settle(here);
  // Horizons rise in one call; the next one erases.
  await sql('select convoy.purge(); select convoy.purge()');
}

const newTask = (device: TestDevice, title: string, more: object = {}): Promise<Task> =>
  device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title, ...more });
const ledger = (device: TestDevice) => device.database.of(Conflict).query().fetch();
const quarantine = (device: TestDevice) => device.database.of(Quarantined).query().fetch();
const pulls = (device: TestDevice) =>
  device.transport.requests
    .filter(({ direction }) => direction === 'pull')
    .map(({ request }) => request as PullRequest);

describe('a device that was away for longer than the horizon', () => {
  it('loses deleted records and none of its own work: kept edits are pushed, lost ones are in the ledger (P16, D8, P-NOLOSS)', async () => {
    const make = (title: string) => newTask(here, title);
    const [edited, parent, clean, kept, both] = [
      await make('edited'),
      await make('parent'),
      await make('clean'),
      await make('kept'),
      await make('deleted on both sides'),
    ];
    await settle(here, there);
    await there.contextService.updateTask(edited.id, { title: 'edited while away' });
    await there.contextService.updateTask(kept.id, { title: 'renamed while away' });
    await there.contextService.deleteTask(both.id);
    const under = await newTask(there, 'under a purged parent', { parent_task_id: parent.id });
    const fresh = await newTask(there, 'made while away');
    for (const task of [edited, parent, clean, both]) await here.contextService.deleteTask(task.id);
    await here.contextService.updateTask(kept.id, { priority: 'urgent' });
    await settle(here);
    await purgeAfterAYear();

    // The resync breaks off, and goes on after a restart.
    there.transport.next('pull', { what: 'delay', ms: 0 }).loseNextResponse('pull');
    expect(await there.sync()).toMatchObject({ status: 'offline' });
    there = await there.restart();
    await expectConverged(world, there, here);

    for (const task of [edited, parent, clean, both]) {
      expect(await there.contextService.getLocalTask(task.id)).toBeNull();
    }
    const gone = await ledger(there);
    expect(gone.map(({ recordId, kind }) => [recordId, kind])).toEqual([[edited.id, 'gone']]);
    expect(gone[0]?.columns.title).toMatchObject({ local: 'edited while away' });
    expect(await here.contextService.getLocalTask(kept.id)).toMatchObject({
      title: 'renamed while away',
      priority: 'urgent',
    });
    expect((await here.contextService.getLocalTask(fresh.id))?.title).toBe('made while away');
    const refused = await quarantine(there);
    expect(refused.find(({ recordId }) => recordId === under.id)).toMatchObject({ code: 'missing_parent' });
  });

  it('keeps the base of its edits: columns that no other device changed are no conflict (P16)', async () => {
    const project = await here.contextService.updateProject(SEED.fieldApp, { name: 'Named before' });
    await settle(here, there);
    await there.contextService.updateProject(project.id, { name: 'Named while away' });
    await purgeAfterAYear();
    await expectConverged(world, there, here);
    expect(await ledger(there)).toEqual([]);
    const names = (await here.contextService.getProjects(SEED.workspace)).map(({ name }) => name);
    expect(names).toContain('Named while away');
  });

  it('resends a batch whose answer was purged: nothing is applied twice or restored (U3, U20, P-ONCE)', async () => {
    const staying = await newTask(there, 'taken and kept');
    const doomed = await newTask(there, 'taken and deleted');
    await there.contextService.addTaskActivity(staying.id, 'comment', { text: 'once' });
    there.transport.loseNextResponse('push');
    expect(await there.sync()).toMatchObject({ status: 'offline' });
    await here.sync();
    await here.contextService.deleteTask(doomed.id);
    await settle(here);
    await purgeAfterAYear();

    await there.contextService.updateTask(doomed.id, { title: 'edited while away' });
    await expectConverged(world, there, here);
    expect(await here.contextService.getLocalTask(doomed.id)).toBeNull();
    const comments = (await here.contextService.getTaskContext(staying.id))?.activities ?? [];
    expect(comments.filter(({ activity_type }) => activity_type === 'comment')).toHaveLength(1);
    const set = (await quarantine(there)).filter(({ recordTable }) => recordTable === 'tasks');
    expect(set.map(({ recordId, code }) => [recordId, code])).toEqual([[doomed.id, 'uncertain']]);
    expect(set[0]?.change.values.title).toBe('edited while away');
    // It is the person's to say.
    expect(await there.retryQuarantined(set[0]?.id ?? '')).toBe(true);
    await expectConverged(world, there, here);
    expect((await here.contextService.getLocalTask(doomed.id))?.title).toBe('edited while away');
  });
});

describe('a purge', () => {
  it('leaves a device inside the horizon alone, however old its revision is (P15)', async () => {
    const task = await newTask(here, 'deleted before the horizon');
    await settle(here, there);
    await here.contextService.deleteTask(task.id);
    await settle(here, there);
    await purgeAfterAYear();
    const before = there.transport.requests.length;
    // The record of its deletion goes too: nothing of it can be restored any more.
    expect(await there.sync()).toMatchObject({ status: 'ok', pulled: 3 });
    expect(there.transport.requests.length).toBe(before + 1);
    await expectConverged(world, there, here);
  });

  it('overtakes a run of pages: deletions still to come are not missed (P16)', async () => {
    const slow = await world.device('editor', { pageRows: 10 });
    const doomed = await newTask(here, 'doomed');
    await settle(here, slow);
    for (let n = 0; n < 8; n += 1) await newTask(here, `other ${n}`);
    await here.sync();
    await here.contextService.deleteTask(doomed.id);
    await settle(here);
    slow.transport.next('pull', { what: 'delay', ms: 0 }).loseNextResponse('pull');
    expect(await slow.sync()).toMatchObject({ status: 'offline' });
    expect(await slow.contextService.getLocalTask(doomed.id)).not.toBeNull();
    await purgeAfterAYear();
    await expectConverged(world, slow, here);
    expect(await slow.contextService.getLocalTask(doomed.id)).toBeNull();
  });

  it('does not restart a first sync that it overtakes (P15, P16)', async () => {
    const slow = await world.device('editor', { pageRows: 40 });
    for (let n = 0; n < 3; n += 1) slow.transport.next('pull', { what: 'delay', ms: 0 });
    slow.transport.loseNextResponse('pull');
    expect(await slow.sync()).toMatchObject({ status: 'offline' });
    const asked = pulls(slow).length;
    await here.contextService.deleteTask(SEED.busyTask);
    await settle(here);
    await purgeAfterAYear();
    await expectConverged(world, slow, here);
    const after = pulls(slow).slice(asked);
    const whole = Object.values(after[0]?.cursors ?? {}).filter(({ target }) => target !== undefined);
    expect(whole.length).toBeGreaterThan(0);
    // It never began anew.
    for (const { cursors } of after.slice(1)) {
      for (const [scope, { revision }] of Object.entries(cursors)) {
        expect(revision).toBeGreaterThanOrEqual(after[0]?.cursors[scope]?.revision ?? 0);
      }
    }
  });
});

describe('a deleted workspace that was purged', () => {
  const workspacesOf = async (device: TestDevice) =>
    (await device.contextService.getWorkspaces()).map(({ id }) => id);
  const archivedTasks = async (device: TestDevice) =>
    (await device.database.of(Archived).query().fetch())
      .filter(({ recordTable }) => recordTable === 'tasks')
      .map(({ reason, recordId, values }) => [reason, recordId, values.title]);
  const stored = async (id: string): Promise<number> => {
    const found = await world.stack.backend.transaction((connection) =>
      connection.query('select 1 from public.workspaces where id = $1::uuid', [id]),
    );
    if (!found.ok) throw new Error(found.error.message);
    return found.value.length;
  };

  it('leaves the devices that come back months later, an owner’s too, and none creates it again (P12, P19, P20, P-NOLOSS)', async () => {
    const workspace = await here.contextService.createWorkspace({ name: 'Over' });
    const project = await here.contextService.createProject({ workspace_id: workspace.id, name: 'P' });
    const milestone = await here.contextService.createMilestone({ project_id: project.id, name: 'M' });
    const task = await here.contextService.createTask({ milestone_id: milestone.id, title: 'In it' });
    await settle(here);
    // Devices of the same owner that are offline from now on.
    const away = [await world.device('owner'), await world.device('owner')];
    for (const [n, device] of away.entries()) {
      await settle(device);
      expect(await workspacesOf(device)).toContain(workspace.id);
      await device.contextService.updateTask(task.id, { title: `edited by ${n}` });
    }
    await here.contextService.deleteWorkspace(workspace.id);
    await settle(here);
    for (const [n, device] of away.entries()) {
      await purgeAfterAYear();
      await sql('select convoy.purge()');
      // The headstone is all that is left of it by the second time.
      expect(await stored(workspace.id)).toBe(1 - n);
      expect(await device.sync()).toMatchObject({ status: 'ok', error: null });
      expect(await workspacesOf(device)).toEqual([SEED.workspace]);
      expect(await archivedTasks(device)).toEqual([['access_lost', task.id, `edited by ${n}`]]);
      await settle(device, here);
      expect(await stored(workspace.id)).toBe(1 - n);
    }
  });
});
