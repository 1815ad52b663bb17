import { describe, expect, it } from 'vitest';
import { ok } from '@/core/result';
import type { Task } from '@/domain/entities';
import type { SyncedTable } from '@/domain/schema';
import { type Device, Quarantined } from '@/lib/watermelon';
import { expectInStep } from '../../support/inStep';
import { SEED } from '../../support/seed';
import { devicesForEachTest, here, there, world } from '../../support/twoDevices';
import { settle } from '../../support/world';

devicesForEachTest();

const create = (title: string, more: object = {}): Promise<Task> =>
  here.contextService.createTask({ milestone_id: SEED.offlineMilestone, title, ...more });

async function sharedTask(title: string): Promise<Task> {
  const task = await create(title);
  await settle(here, there);
  return task;
}

const quarantine = (device: Device) => device.database.of(Quarantined).query().fetch();

/** The next batch that the local database is given to store fails. */
function failNextWrite(device: Device): void {
  const adapter = device.database.adapter as unknown as { batch: (operations: unknown) => Promise<void> };
  const real = adapter.batch;
  adapter.batch = async () => {
    adapter.batch = real;
    throw new Error('The disk is full.');
  };
}

/** A push that the server refuses for its values, which no local check forbids. */
async function refusedStage(task: Task, stage: string): Promise<void> {
  await here.database.write(async () => {
    const record = await here.database.records('tasks').find(task.id);
    await record.update((draft) => draft.setColumn('current_stage', stage));
  });
  expect(await here.sync()).toMatchObject({ rejected: 1 });
}

describe('a local database that fails while a sync writes', () => {
  it('a failed removal leaves its records unchanged, in memory too (P-NOLOSS)', async () => {
    const task = await sharedTask('to be removed');
    await there.contextService.deleteTask(task.id);
    await there.sync();
    const record = await here.database.records('tasks').find(task.id);
    failNextWrite(here);
    expect((await here.sync()).error?.code).toBe('unexpected');
    expect(record.raw._status).toBe('synced');
    await settle(here);
    await expectInStep(world, here);
  });

  it('a revision that could not be stored does not count as seen (U8)', async () => {
    const task = await sharedTask('edited unseen');
    await there.contextService.updateTask(task.id, { title: 'unseen' });
    await there.sync();
    failNextWrite(here);
    await here.sync();
    await here.contextService.deleteTask(task.id);
    await settle(here);
    expect((await here.contextService.getLocalTask(task.id))?.title).toBe('unseen');
  });

  it('records are found by the ids that the server gave them afterwards', async () => {
    const values = { title: 'old id', current_stage: 'PLAN', status: 'todo', priority: 'medium' };
    await createNamed('tasks', 'local0id00000001', { milestone_id: SEED.offlineMilestone, ...values });
    failNextWrite(here);
    expect((await here.sync()).error?.code).toBe('unexpected');
    await settle(here);
    const stored = await here.database.records('tasks').find('local0id00000001');
    expect((await here.contextService.getLocalTask(stored.remoteId ?? ''))?.title).toBe('old id');
  });
});

/** A record with an id of WatermelonDB's own kind, as older databases have them. */
async function createNamed(table: SyncedTable, id: string, values: Record<string, string>): Promise<void> {
  await here.database.write(() =>
    here.database.records(table).create((draft) => {
      draft.setColumn('workspace_id', SEED.workspace);
      for (const [name, value] of Object.entries(values)) draft.setColumn(name, value);
      draft.raw.id = id;
      if (table === 'workspaces') draft.setColumn('workspace_id', id);
    }),
  );
}

describe('records with ids of WatermelonDB', () => {
  it('are deleted in a workspace that has such an id itself (U8)', async () => {
    await createNamed('workspaces', 'local0workspace1', { name: 'Old' });
    const project = await here.contextService.createProject({
      workspace_id: 'local0workspace1',
      name: 'Doomed',
    });
    await settle(here);
    await here.contextService.deleteProject(project.id);
    await settle(here);
    expect(await here.contextService.getProjects('local0workspace1')).toEqual([]);
  });

  it('are replaced, once, by the duplicate that the server has (U10)', async () => {
    const [task, needed] = [await sharedTask('dependent'), await sharedTask('needed')];
    await there.contextService.addTaskDependency(task.id, needed.id);
    await there.sync();
    await createNamed('task_dependencies', 'local0link000001', {
      task_id: task.id,
      depends_on_task_id: needed.id,
    });
    await settle(here);
    await there.contextService.removeTaskDependency(task.id, needed.id);
    await settle(there, here);
    expect((await here.contextService.getTaskContext(task.id))?.dependencies).toEqual([]);
  });
});

describe('refused changes', () => {
  it('are told apart after the device took a new id and began its batch numbers anew (D7)', async () => {
    const [one, other] = [await sharedTask('one'), await sharedTask('other')];
    await refusedStage(one, 'NOWHERE');
    const [first] = await quarantine(here);
    const before = Number(first?.groupId.split('/').at(-2));
    for (let batch = 1; batch <= before; batch += 1) {
      if (batch === 1) {
        here.transport.failNext('push', { kind: 'protocol', code: 'device_conflict', message: '' });
      }
      if (batch < before) {
        await here.contextService.addTaskActivity(one.id, 'comment', {});
        await here.sync();
      }
    }
    await refusedStage(other, 'NOWHERE EITHER');
    const groups = (await quarantine(here)).map((entry) => entry.groupId);
    expect(groups.map((group) => group.split('/').slice(-2).join('/'))).toEqual([
      `${before}/0`,
      `${before}/0`,
    ]);
    expect(await here.discardQuarantined(first?.id ?? '')).toBe(true);
    expect(here.syncStatus.quarantined).toBeGreaterThan(0);
    expect((await quarantine(here)).map((entry) => entry.recordId)).toEqual([other.id]);
  });

  it('stay in the quarantine when they are retried on a record that is gone (D7, P-NOLOSS)', async () => {
    const task = await sharedTask('refused, then deleted');
    await refusedStage(task, 'NOWHERE');
    await there.contextService.deleteTask(task.id);
    await settle(there, here);
    const [entry] = await quarantine(here);
    expect(await here.retryQuarantined(entry?.id ?? '')).toBe(false);
    expect(await quarantine(here)).toHaveLength(1);
    expect(await here.discardQuarantined(entry?.id ?? '')).toBe(true);
  });

  it('changes that only wait for the next push, as the answer says, are not refused (U11)', async () => {
    const parent = await create('waits');
    const child = await create('waits too', { parent_task_id: parent.id });
    const real = here.transport.push;
    here.transport.push = async (request) => {
      here.transport.push = real;
      const waiting = (id: string) => ({ outcome: 'blocked', by: id }) as const;
      const outcomes = request.changes.map(({ id }) => waiting(id === child.id ? parent.id : id));
      return ok({
        user_id: here.userId,
        batch: request.batch,
        server_time: new Date().toISOString(),
        outcomes,
        effects: { rows: {}, deleted: {} },
        revisions: {},
        traffic: { sent: 0, received: 0, ms: 0 },
      });
    };
    await settle(here);
    expect(here.syncStatus).toMatchObject({ pending: 0, quarantined: 0 });
    expect((await here.contextService.getLocalTask(child.id))?.parent_task_id).toBe(parent.id);
    await expectInStep(world, here);
  });
});
