/** Groups have a bound: they hold what one action wrote, and go in parts where that is too much (D3, D35). */

import { describe, expect, it } from 'vitest';
import type { Task } from '@/domain/entities';
import { Conflict, Quarantined } from '@/lib/watermelon';
import { charactersOf } from '@/lib/watermelon/sync/records/codec';
import { expectConverged, expectInStep } from '../../support/inStep';
import { SEED } from '../../support/seed';
import { devicesForEachTest, here, there, world } from '../../support/twoDevices';
import { settle, type TestDevice } from '../../support/world';

devicesForEachTest();

const SMALL = { changes: 10, characters: 40_000 };
const EDITS = 35;

const create = (title: string, on: TestDevice, more: Partial<Task> = {}): Promise<Task> =>
  on.contextService.createTask({ milestone_id: SEED.offlineMilestone, title, ...more } as never);

async function editOften(task: Task, on: TestDevice, times = EDITS): Promise<void> {
  for (let n = 1; n <= times; n += 1) await on.contextService.updateTask(task.id, { title: `edit ${n}` });
}

const refusedOn = (device: TestDevice) => device.database.of(Quarantined).query().fetch();
const ledgerOf = (device: TestDevice) => device.database.of(Conflict).query().fetch();
const titleOn = async (device: TestDevice, { id }: Task) =>
  (await device.contextService.getLocalTask(id))?.title;

/** Activities on a device that tell of edits of a task's columns. */
async function toldOn(device: TestDevice, { id }: Task, field?: string): Promise<number> {
  const activities = await device.database.records('activity_feed').query().fetch();
  return activities.filter(
    ({ raw }) =>
      raw.task_id === id &&
      raw.activity_type === 'task_updated' &&
      (field === undefined || String(raw.details).includes(`"fields":["${field}"]`)),
  ).length;
}

/** A task that `here` is about to put under one in another place, as `there` has done the other way round. */
async function circle(subtasks = 0) {
  const place = await here.contextService.createMilestone({ project_id: SEED.fieldApp, name: 'Elsewhere' });
  const above = await create('above', here, { milestone_id: place.id });
  const below = await create('below', here);
  const under: Task[] = [];
  for (let n = 0; n < subtasks; n += 1) {
    under.push(await create(`under ${n}`, here, { parent_task_id: below.id }));
  }
  await settle(here, there);
  await there.contextService.updateTask(above.id, { parent_task_id: below.id });
  await settle(there);
  return {
    below,
    under,
    refused: () => here.contextService.updateTask(below.id, { parent_task_id: above.id }),
  };
}

async function run(sql: string, values: string[]): Promise<void> {
  const done = await world.stack.backend.transaction((connection) => connection.query(sql, values));
  if (!done.ok) throw new Error(done.error.message);
}

/** A member's device, whose role the server may change without its knowledge, with a place for tasks. */
async function member(options: { groupBounds?: typeof SMALL; folder?: string }) {
  const account = await world.signIn(`member-${Math.random().toString(36).slice(2)}`);
  const workspace = await here.contextService.createWorkspace({ name: 'Shared' });
  const project = await here.contextService.createProject({ workspace_id: workspace.id, name: 'P' });
  const milestone = await here.contextService.createMilestone({ project_id: project.id, name: 'M' });
  await settle(here);
  await run(
    `insert into public.workspace_members (id, workspace_id, user_id, role) values (gen_random_uuid(), $1::uuid, $2::uuid, 'editor')`,
    [workspace.id, account.userId],
  );
  const device = await world.device(account, options);
  await settle(device);
  const setRole = (role: string) =>
    run(
      'update public.workspace_members set role = $3 where workspace_id = $1::uuid and user_id = $2::uuid',
      [workspace.id, account.userId, role],
    );
  return { account, device, milestone, setRole };
}

/** Makes tasks on a device in one action. */
function createTogether(
  device: TestDevice,
  place: Partial<Task>,
  count: number,
  description = '',
): Promise<unknown> {
  const tasks = device.database.get('tasks');
  const prepared = Array.from({ length: count }, (_, n) =>
    tasks.prepareCreate((record) => {
      Object.assign(record, { workspaceId: place.workspace_id, milestoneId: place.milestone_id });
      Object.assign(record, { title: `Together ${n}`, description, currentStage: 'PLAN' });
      Object.assign(record, { status: 'todo', priority: 'medium' });
    }),
  );
  return device.database.write(() => device.database.batch(prepared));
}

describe('a refused change', () => {
  it('leaves the earlier edits of its record, which other actions made, to be taken (U12, D3, D7)', async () => {
    const { below, refused } = await circle();
    await editOften(below, here);
    await refused();
    await here.sync();
    const entries = await refusedOn(here);
    expect(entries.map(({ code }) => code).sort()).toEqual(['cycle', 'group']);
    expect(Object.keys(entries.find(({ code }) => code === 'cycle')?.change.values ?? {}).sort()).toEqual([
      'milestone_id',
      'parent_task_id',
    ]);
    await expectConverged(world, here, there);
    expect(await titleOn(there, below)).toBe(`edit ${EDITS}`);
    expect(await toldOn(there, below)).toBe(EDITS);
  });

  it('that moves subtasks leaves the edits of each of them to be taken (U12, D3, D7)', async () => {
    const { under: subtasks, refused } = await circle(4);
    for (const subtask of subtasks) await editOften(subtask, here, 3);
    await refused();
    await here.sync();
    const entries = await refusedOn(here);
    expect(entries.filter(({ recordTable }) => recordTable === 'tasks')).toHaveLength(5);
    expect(entries.filter(({ recordTable }) => recordTable === 'activity_feed')).toHaveLength(1);
    expect(
      entries.filter(({ operation, change }) => operation === 'update' && 'title' in change.values),
    ).toEqual([]);
    await expectConverged(world, here, there);
    for (const subtask of subtasks) {
      expect(await titleOn(there, subtask)).toBe('edit 3');
      expect(await toldOn(there, subtask)).toBe(3);
    }
  });
});

describe('more activities of one change than a group may hold', () => {
  it('are all sent, in parts, with the change before them (D35, U30)', async () => {
    const device = await world.device('owner', { groupBounds: SMALL });
    const known = await create('known to the server', device);
    await settle(device);
    const fresh = await create('new', device);
    for (const task of [known, fresh]) await editOften(task, device);
    await device.contextService.updateTaskStage(fresh.id, 'PLAN_REVIEW');
    const pushes = device.transport.count('push');
    expect(await device.sync()).toMatchObject({ status: 'ok', rejected: 0, conflicts: 0 });
    expect(device.transport.count('push') - pushes).toBeGreaterThan(3);
    expect(device.syncStatus.pending).toBe(0);
    await expectConverged(world, device, there);
    for (const task of [known, fresh]) {
      expect(await toldOn(there, task)).toBe(EDITS);
      expect(await titleOn(there, task)).toBe(`edit ${EDITS}`);
    }
  });

  it('tell of all moves between stages, each with the move that it tells of (D35, U30)', async () => {
    const device = await world.device('owner', { groupBounds: SMALL });
    const known = await create('known to the server', device);
    await settle(device);
    const fresh = await create('new', device);
    const moves = [...Array(EDITS).keys()].map((n) => ['PLAN', 'PLAN_REVIEW', 'IMPLEMENT'][(n + 1) % 3]);
    for (const task of [known, fresh]) {
      for (const stage of moves) await device.contextService.updateTaskStage(task.id, String(stage));
    }
    expect(await device.sync()).toMatchObject({ status: 'ok', rejected: 0, conflicts: 0 });
    expect(device.syncStatus.pending).toBe(0);
    await expectConverged(world, device, there);
    for (const task of [known, fresh]) {
      const activities = await there.database.records('activity_feed').query().fetch();
      const told = activities.filter(
        ({ raw }) => raw.task_id === task.id && raw.activity_type === 'stage_changed',
      );
      expect(told).toHaveLength(EDITS);
      expect((await there.contextService.getLocalTask(task.id))?.current_stage).toBe(moves.at(-1));
    }
  });

  it('are sent though others change the task in between (D35, U5)', async () => {
    const device = await world.device('owner', { groupBounds: SMALL });
    const task = await create('edited by both', device);
    await settle(device, there);
    await editOften(task, device);
    const { push } = device.transport;
    let sent = 0;
    device.transport.push = async (request, signal) => {
      sent += 1;
      if (sent === 2) {
        await there.sync();
        await there.contextService.updateTask(task.id, { title: 'by another' });
        await there.sync();
      }
      return push(request, signal);
    };
    await settle(device);
    device.transport.push = push;
    await expectConverged(world, device, there);
    expect(await titleOn(device, task)).toBe('by another');
    expect(await toldOn(there, task)).toBe(EDITS + 1);
    expect(await refusedOn(device)).toEqual([]);
    expect(device.syncStatus.pending).toBe(0);
  });

  it('are withdrawn with it where it is lost (U13, D35)', async () => {
    const device = await world.device('owner', { groupBounds: SMALL });
    const task = await create('lost', device);
    await settle(device, there);
    await editOften(task, device);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await there.contextService.updateTask(task.id, { title: 'later' });
    await settle(there);
    await settle(device);
    await expectConverged(world, device, there);
    expect(await titleOn(device, task)).toBe('later');
    expect(await toldOn(there, task)).toBe(1);
    expect(device.syncStatus.pending).toBe(0);
    expect((await ledgerOf(device)).filter(({ kind }) => kind === 'withdrawn')).toHaveLength(EDITS);
  });

  it('are set aside with it, and retried with it, in parts (D7, D11, D35)', async () => {
    const { device, milestone, setRole } = await member({ groupBounds: SMALL });
    const task = await create('refused', device, { milestone_id: milestone.id });
    await settle(device);
    await editOften(task, device);
    await setRole('viewer');
    await settle(device);
    expect(device.syncStatus.pending).toBe(0);
    expect(await refusedOn(device)).toHaveLength(1 + EDITS);
    await setRole('editor');
    await settle(device);
    expect(await refusedOn(device)).toEqual([]);
    await expectInStep(world, device);
    expect(await titleOn(device, task)).toBe(`edit ${EDITS}`);
    expect(await toldOn(device, task)).toBe(EDITS);
  });
});

describe('activities that wait for a part of their own', () => {
  it('are retried where they alone were refused (D7, D35)', async () => {
    const { device, milestone, setRole } = await member({ groupBounds: SMALL });
    const task = await create('taken before', device, { milestone_id: milestone.id });
    await settle(device);
    await editOften(task, device);
    const { push } = device.transport;
    let sent = 0;
    device.transport.push = async (request, signal) => {
      sent += 1;
      if (sent === 2) await setRole('viewer');
      return push(request, signal);
    };
    await settle(device);
    device.transport.push = push;
    expect(device.syncStatus.pending).toBe(0);
    expect((await refusedOn(device)).length).toBeGreaterThan(10);
    await setRole('editor');
    await settle(device);
    expect(await refusedOn(device)).toEqual([]);
    await expectInStep(world, device);
    expect(await toldOn(device, task)).toBe(EDITS);
  });
});

describe('a group beyond the bounds', () => {
  it('is retried in parts (D7, D35)', async () => {
    const made = await member({});
    const { milestone } = made;
    await made.setRole('viewer');
    const place = { workspace_id: milestone.workspace_id, milestone_id: milestone.id };
    await createTogether(made.device, place, 25);
    await made.device.sync();
    expect(new Set((await refusedOn(made.device)).map(({ groupId }) => groupId)).size).toBe(1);
    const device = await made.device.restart({ groupBounds: SMALL });
    await made.setRole('editor');
    const pushes = device.transport.count('push');
    await settle(device);
    expect(device.transport.count('push') - pushes).toBeGreaterThan(0);
    expect(await refusedOn(device)).toEqual([]);
    await settle(here);
    expect(await here.contextService.getTasks(milestone.id)).toHaveLength(25);
  });

  it('goes in parts where something in between takes no request of its size, rather than never (D9, D35)', async () => {
    const { push } = here.transport;
    let refusals = 0;
    here.transport.push = (request, signal) => {
      const size = request.changes.reduce((sum, change) => sum + charactersOf(change), 0);
      if (size <= 30_000) return push(request, signal);
      refusals += 1;
      const error = { kind: 'transport', code: 'http', status: 413, sqlState: null, message: 'too large' };
      return Promise.resolve({ ok: false, error } as never);
    };
    const place = { workspace_id: SEED.workspace, milestone_id: SEED.offlineMilestone };
    await createTogether(here, place, 12, 'x'.repeat(9_000));
    expect(await here.sync()).toMatchObject({ status: 'ok', pushed: 12, rejected: 0 });
    here.transport.push = push;
    expect(refusals).toBeGreaterThan(1);
    await expectInStep(world, here);
  });
});
