/** Devices of a release, in processes that run its code, at a server of today. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectDone } from '../../support/inStep';
import { temporaryFolder } from '../../support/localDatabase';
import { type Opening, ProcessDevice } from '../../support/processDevice';
import { FILES, identityOf, NO_PURGE, Release } from '../../support/releases';
import { SEED } from '../../support/seed';
import { serverSnapshot } from '../../support/snapshot';
import { settle, type TestDevice, World } from '../../support/world';

describe.each(Release.all())('a device that runs release $manifest.release', (release) => {
  const { device: left } = release.manifest.pglite;
  const [data, folder] = [temporaryFolder(), temporaryFolder()];
  let code: ReturnType<Release['code']>;
  let world: World;
  let old: ProcessDevice;
  /** Of today. */
  let here: TestDevice;

  beforeAll(async () => {
    code = release.code();
    await release.restoreDataFolder(data.path);
    release.restoreDevice(FILES.pglite.device, left, folder.path);
    world = await World.start({ kind: 'folder', path: data.path }, NO_PURGE);
    here = await world.device('owner');
    await settle(here);
    old = await open(left.account, { folder: folder.path, database: left.database });
  });
  afterAll(async () => {
    await old?.close();
    await world?.close();
    code?.remove();
    data.remove();
    folder.remove();
  });

  const open = (account: string, more: Pick<Opening, 'folder' | 'database'>) => {
    const { url, anonKey } = world.stack;
    const email = `${account}@convoy.example`;
    return ProcessDevice.open(code, { url, anonKey, email, password: SEED.password, ...more });
  };
  const synced = async (device: ProcessDevice) =>
    expect(await device.sync()).toMatchObject({ status: 'ok', error: null });

  /** Expects that it holds the records that the server has for its user, at the server's revisions. */
  async function expectSame(device: ProcessDevice, userId: string): Promise<void> {
    const server = await serverSnapshot(world.stack.backend, userId);
    const held: Record<string, unknown> = {};
    for (const table of Object.keys(left.content)) {
      for (const { id, revision } of await device.rows(table)) held[`${table}/${id}`] = revision;
    }
    const wanted = Object.entries(server).filter(([key]) => (key.split('/')[0] ?? '') in left.content);
    expect(held).toEqual(Object.fromEntries(wanted.map(([key, row]) => [key, row.revision])));
  }

  it('pushes what it had not pushed, its batch in flight once, and pulls the rest (P-ONCE, P-NOLOSS)', async () => {
    expect(await old.sync()).toMatchObject({ status: 'ok', error: null, conflicts: 0, rejected: 0 });
    const requests = await old.requests();
    const pushed = requests.find(({ direction }) => direction === 'push')?.request;
    expect(identityOf(pushed)).toEqual(identityOf(left.inFlight.request));
    const server = await serverSnapshot(world.stack.backend, left.userId);
    expectDone(left.work, server);
    const { renamed } = left.inFlight;
    expect(server[`tasks/${renamed.id}`]).toMatchObject({ title: renamed.title });
    await expectSame(old, left.userId);
  });

  it('works with devices of today, both ways, conflicts included (U19, P-CONVERGE)', async () => {
    const created = await here.contextService.createTask({
      milestone_id: SEED.offlineMilestone,
      title: 'made today',
      description: 'red',
    });
    await settle(here);
    await synced(old);
    expect(await old.row('tasks', created.id)).toMatchObject({ title: 'made today' });

    await old.call('updateTaskStage', created.id, 'PLAN_REVIEW');
    await old.call('updateTask', created.id, { title: 'renamed by the release' });
    const made = await old.call<{ id: string }>('createTask', {
      milestone_id: SEED.offlineMilestone,
      title: 'made by the release',
      parent_task_id: created.id,
    });
    await here.contextService.updateTask(created.id, { title: 'renamed today', priority: 'urgent' });
    await synced(old);
    await settle(here);
    await synced(old);
    const task = await here.contextService.getLocalTask(created.id);
    expect(task).toMatchObject({ title: 'renamed today', priority: 'urgent', current_stage: 'PLAN_REVIEW' });
    expect((await here.contextService.getLocalTask(made.id))?.parent_task_id).toBe(created.id);

    await here.contextService.deleteTask(created.id);
    await settle(here);
    await synced(old);
    expect(await old.row('tasks', made.id)).toBeUndefined();
    await expectSame(old, left.userId);
  });

  it('is asked about no entry of the feed that tells of nothing: the server passes it over (U19, U30)', async () => {
    const make = (title: string) => ({ milestone_id: SEED.offlineMilestone, title });
    const shared = await here.contextService.createTask(make('deleted and moved twice'));
    const moved = await here.contextService.createTask(make('moved twice'));
    await settle(here);
    await synced(old);
    const before = (await old.export()).quarantine;
    // A task that no server ever had, one that both delete, and one that both move alike.
    const brief = await old.call<{ id: string }>('createTask', make('made and deleted'));
    await old.call('updateTaskStage', brief.id, 'PLAN_REVIEW');
    for (const { id } of [brief, shared]) await old.call('deleteTask', id);
    await old.call('updateTaskStage', moved.id, 'PLAN_REVIEW');
    // The release keeps the status as it is.
    await here.contextService.updateTask(moved.id, { current_stage: 'PLAN_REVIEW', status: 'todo' });
    await here.contextService.deleteTask(shared.id);
    await settle(here);
    expect(await old.sync()).toMatchObject({ status: 'ok', error: null, conflicts: 0, rejected: 0 });
    expect((await old.export()).quarantine).toEqual(before);
    await settle(here);
    await expectSame(old, left.userId);
    const server = Object.values(await serverSnapshot(world.stack.backend, left.userId));
    const told = (task: { id: string }) =>
      server
        .filter(
          ({ activity_type, task_id, entity_id }) => activity_type && [task_id, entity_id].includes(task.id),
        )
        .map(({ activity_type }) => activity_type)
        .sort();
    expect([brief, shared, moved].map(told)).toEqual([
      [],
      ['task_deleted'],
      ['stage_changed', 'task_created'],
    ]);
  });

  it('pulls everything to a new device (P4)', async () => {
    const empty = temporaryFolder();
    const fresh = await open('viewer', { folder: empty.path });
    try {
      await synced(fresh);
      await expectSame(fresh, SEED.users.viewer);
    } finally {
      await fresh.close();
      empty.remove();
    }
  });

  it('is told once it is too old to be served, keeps its work, and sends it when it is served again (U16, P-NOLOSS)', async () => {
    const sql = async (text: string, values: number[] = []) => {
      const { backend } = world.stack;
      const done = await backend.transaction((connection) => connection.query<Served>(text, values));
      if (!done.ok) throw new Error(done.error.message);
      return done.value;
    };
    type Served = { schema: number; oldest_schema: number };
    const [served] = await sql('select schema, oldest_schema from convoy.served_versions');
    await sql('update convoy.served_versions set schema = schema + 1, oldest_schema = schema + 1');
    const kept = await old.call<{ id: string }>('createTask', {
      milestone_id: SEED.offlineMilestone,
      title: 'kept',
    });
    expect(await old.sync()).toMatchObject({
      status: 'error',
      reaction: 'stop',
      error: { kind: 'protocol', code: 'client_too_old' },
    });
    expect((await old.status()).pending).toBeGreaterThan(0);
    await sql('update convoy.served_versions set schema = $1, oldest_schema = $2', [
      served?.schema ?? 0,
      served?.oldest_schema ?? 0,
    ]);
    await synced(old);
    await settle(here);
    expect((await here.contextService.getLocalTask(kept.id))?.title).toBe('kept');
  });
});
