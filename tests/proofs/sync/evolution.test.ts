/** The schema evolves while devices of two versions sync: this version here, the next in processes of its own. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Task } from '@/domain/entities';
import { temporaryFolder } from '../../support/localDatabase';
import { NEXT_MIGRATION, NEXT_VERSION } from '../../support/nextVersion';
import { ProcessDevice } from '../../support/processDevice';
import { SEED } from '../../support/seed';
import { makeVariant, type Variant } from '../../support/variant';
import { settle, type TestDevice, World } from '../../support/world';

let next: Variant;
let world: World;
let here: TestDevice;
let closing: (() => unknown)[];

beforeAll(() => {
  next = makeVariant('next-version', NEXT_VERSION);
});
afterAll(() => next.remove());
beforeEach(async () => {
  closing = [];
  world = await World.start();
  here = await world.device('owner');
  await settle(here);
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  await world.close();
});

function folder(): string {
  const { path, remove } = temporaryFolder();
  closing.push(remove);
  return path;
}

/** A device of the next version on a folder; of an account of the demo. */
async function upgraded(role: string, path: string, pageRows?: number): Promise<ProcessDevice> {
  const { url, anonKey } = world.stack;
  const email = `${role}@convoy.example`;
  const options = { url, anonKey, email, password: SEED.password, folder: path, pageRows };
  const device = await ProcessDevice.open(next, options);
  closing.push(() => device.close());
  return device;
}

async function sql(text: string): Promise<Record<string, unknown>[]> {
  const done = await world.stack.backend.transaction(async (connection) => {
    if (!/^\s*select/.test(text)) return connection.execute(text).then(() => []);
    return connection.query<Record<string, unknown>>(text);
  });
  if (!done.ok) throw new Error(done.error.message);
  return done.value;
}

const migrate = () => sql(NEXT_MIGRATION);
/** As a back-fill of a migration does: no trigger fires, no revision is made. */
const backfill = (id: string, risk: string) =>
  sql(`alter table public.tasks disable trigger user;
    update public.tasks set risk = '${risk}' where id = '${id}';
    alter table public.tasks enable trigger user;`);
const riskOf = async (id: string) => (await sql(`select risk from public.tasks where id = '${id}'`))[0]?.risk;
const addLabel = (task: string, name: string) =>
  sql(`insert into public.labels (id, workspace_id, task_id, name)
    select gen_random_uuid(), workspace_id, id, '${name}' from public.tasks where id = '${task}'`);

const newTask = (device: TestDevice, title: string): Promise<Task> =>
  device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title });
async function ok(device: ProcessDevice): Promise<{ pulled: number; pushed: number }> {
  const result = await device.sync();
  expect(result).toMatchObject({ status: 'ok', error: null });
  return result;
}
/** A device whose local database lies in a folder of its own, closed: to be opened by the next version. */
async function leftBehind(work: (device: TestDevice) => Promise<unknown>): Promise<string> {
  const path = folder();
  const device = await world.device('editor', { folder: path });
  await settle(device);
  await work(device);
  await device.close();
  return path;
}

describe('a server upgraded with a new table and column', () => {
  it('serves devices of both versions before, during and after the upgrade (P14, U19, P-NOLOSS, P-CONVERGE)', async () => {
    const [old, both] = [await newTask(here, 'old'), await newTask(here, 'both')];
    await settle(here);
    let created = '';
    const path = await leftBehind(async (there) => {
      await there.contextService.updateTask(old.id, { title: 'renamed offline' });
      created = (await newTask(there, 'created offline')).id;
    });

    // Before: the newer device is told that the server is older, and goes on working.
    const there = await upgraded('editor', path);
    expect(await there.sync()).toMatchObject({ status: 'error', error: { code: 'schema_mismatch' } });
    expect(await there.row('tasks', created)).toMatchObject({ risk: 'low' });
    await there.call('updateTask', both.id, { priority: 'high' });
    expect((await there.status()).pending).toBeGreaterThan(2);

    await migrate();
    await backfill(old.id, 'high');
    await addLabel(old.id, 'made by the server');
    // During: the older device does not know of it, and takes away nothing.
    const late = await newTask(here, 'made by the old version');
    await here.contextService.updateTask(old.id, { priority: 'urgent' });
    await settle(here);

    await ok(there);
    expect((await there.status()).pending).toBe(0);
    expect(await there.row('tasks', old.id)).toMatchObject({
      title: 'renamed offline',
      priority: 'urgent',
      risk: 'high',
    });
    expect((await there.rows('labels')).map((row) => row.name)).toEqual(['made by the server']);
    expect(await riskOf(created)).toBe('low');
    expect(await there.row('tasks', late.id)).toMatchObject({ risk: 'low' });

    // After: edits, conflicts, deletions and merges of the old version leave the column alone.
    await there.edit('tasks', late.id, { risk: 'high' });
    await there.edit('tasks', both.id, { risk: 'high', title: 'there' });
    await here.contextService.updateTask(both.id, { title: 'here' });
    await here.contextService.updateTask(late.id, { description: 'by the old version' });
    await ok(there);
    await settle(here);
    await ok(there);
    for (const id of [old.id, both.id, late.id]) expect(await riskOf(id)).toBe('high');
    expect((await here.contextService.getLocalTask(late.id))?.description).toBe('by the old version');
    expect(await there.row('tasks', both.id)).toMatchObject({ title: 'here', risk: 'high' });
    await here.contextService.deleteTask(old.id);
    await settle(here);
    await ok(there);
    expect(await there.rows('labels')).toEqual([]);
  });

  it('an upgraded device pulls only the new columns, in pages that resume, while other changes come first (P14)', async () => {
    const [quiet, busy] = [await newTask(here, 'quiet'), await newTask(here, 'busy')];
    await settle(here);
    await migrate();
    await backfill(quiet.id, 'high');
    await addLabel(quiet.id, 'passed over by the old version');
    const path = await leftBehind((there) => there.contextService.updateTask(busy.id, { title: 'offline' }));
    const projectsBefore = await sql('select count(*)::int as n from public.projects');

    let there = await upgraded('editor', path, 10);
    await there.loseNextResponse('pull', 2);
    expect(await there.sync()).toMatchObject({ status: 'offline', error: { code: 'offline' } });
    expect((await there.status()).pending).toBeGreaterThan(0);
    await there.close();
    await here.contextService.updateTask(quiet.id, { title: 'renamed meanwhile' });
    await settle(here);

    there = await upgraded('editor', path, 10);
    const { pulled } = await ok(there);
    const [count] = await sql(`select count(*)::int as n from (
      select id from public.tasks where deleted_at is null union all select id from public.labels) x`);
    // Two pages of ten came before.
    expect(pulled).toBeLessThan(Number(count?.n) - 10);
    const first = (await there.requests()).find(({ direction }) => direction === 'pull')?.request;
    const refills = Object.values(first?.refill ?? {});
    expect(refills.some(({ revision }) => revision > 0)).toBe(true);
    for (const { tables } of refills) expect(tables.sort()).toEqual(['labels', 'tasks']);
    expect(await there.row('tasks', quiet.id)).toMatchObject({ title: 'renamed meanwhile', risk: 'high' });
    expect(await there.row('tasks', busy.id)).toMatchObject({
      title: 'offline',
      is_synced: expect.anything(),
    });
    expect((await there.rows('labels')).map((row) => row.name)).toEqual(['passed over by the old version']);
    expect(await there.rows('projects')).toHaveLength(Number(projectsBefore[0]?.n));
    expect(await ok(there)).toMatchObject({ pulled: 0, pushed: 0 });
    expect(await riskOf(busy.id)).toBe('low');
  });

  it('a batch of the old version whose answer was lost is resent whole by the new version (U2, P14)', async () => {
    const shared = await newTask(here, 'shared');
    await settle(here);
    let made = '';
    const path = await leftBehind(async (there) => {
      made = (await newTask(there, 'in flight')).id;
      await there.contextService.updateTask(shared.id, { title: 'in flight too' });
      there.transport.loseNextResponse('push');
      expect(await there.sync()).toMatchObject({ status: 'offline' });
    });
    await migrate();
    await backfill(made, 'high');
    await backfill(shared.id, 'high');
    const there = await upgraded('editor', path);
    await ok(there);
    for (const id of [made, shared.id]) {
      expect(await riskOf(id)).toBe('high');
      expect(await there.row('tasks', id)).toMatchObject({ risk: 'high', sync_base: null });
    }
    expect((await there.status()).pending).toBe(0);
  });

  it('an edit of a column whose value was not pulled yet overwrites nothing unseen: a person decides (P14, D6)', async () => {
    const [seen, unseen] = [await newTask(here, 'seen'), await newTask(here, 'unseen')];
    await settle(here);
    const path = await leftBehind(async () => {});
    await migrate();
    await backfill(unseen.id, 'high');
    const there = await upgraded('editor', path);
    await there.edit('tasks', seen.id, { risk: 'medium' });
    await there.edit('tasks', unseen.id, { risk: 'medium' });
    await ok(there);
    expect(await riskOf(seen.id)).toBe('medium');
    expect(await riskOf(unseen.id)).toBe('high');
    expect(await there.row('tasks', unseen.id)).toMatchObject({ risk: 'high', sync_base: null });
    const { ledger } = await there.export();
    expect(ledger.map(({ record_id, state }) => [record_id, state])).toEqual([[unseen.id, 'open']]);
    expect(JSON.parse(String(ledger[0]?.columns))).toMatchObject({
      risk: { local: 'medium', remote: 'high' },
    });
    expect((await there.status()).pending).toBe(0);
  });

  it('a change refused before the upgrade is retried with the defaults of new columns (D7)', async () => {
    const path = await leftBehind(async (there) => {
      await there.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: 'refused' });
      const all = await there.database.records('tasks').query().fetch();
      const task = all.find((record) => (record._raw as unknown as { title: string }).title === 'refused');
      await there.database.write(async () => {
        await task?.update((draft) => draft.setColumn('current_stage', 'NOWHERE'));
      });
      expect(await there.sync()).toMatchObject({ rejected: expect.any(Number) });
      expect(there.syncStatus.quarantined).toBeGreaterThan(0);
    });
    await migrate();
    const there = await upgraded('editor', path);
    const { quarantine } = await there.export();
    const entry = quarantine.find(({ record_table }) => record_table === 'tasks');
    await there.editQuarantined(String(entry?.id), { current_stage: 'PLAN' });
    expect(await there.retryQuarantined(String(entry?.id))).toBe(true);
    await ok(there);
    expect((await there.status()).quarantined).toBe(0);
    expect(await riskOf(String(entry?.record_id))).toBe('low');
  });
});

describe('a device older than the server serves', () => {
  it('is told so; its edits stay, can be exported, and are pushed once it may sync again (U16, P-NOLOSS)', async () => {
    const task = await newTask(here, 'before');
    await settle(here);
    await sql('update convoy.served_versions set schema = 3, oldest_schema = 3');
    await here.contextService.updateTask(task.id, { title: 'kept' });
    expect(await here.sync()).toMatchObject({
      status: 'error',
      reaction: 'stop',
      error: { kind: 'protocol', code: 'client_too_old' },
    });
    const later = await newTask(here, 'local work goes on');
    expect(await here.contextService.getLocalTask(later.id)).not.toBeNull();
    const { unsynced } = await here.exportUnsynced();
    expect(unsynced.map(({ title }) => title)).toEqual(
      expect.arrayContaining(['kept', 'local work goes on']),
    );
    expect(here.syncStatus).toMatchObject({ kind: 'error', error: { code: 'client_too_old' } });
    await sql('update convoy.served_versions set oldest_schema = 1');
    await settle(here);
    expect(here.syncStatus).toMatchObject({ kind: 'idle', pending: 0, error: null });
  });
});
