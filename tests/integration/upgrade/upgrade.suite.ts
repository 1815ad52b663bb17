/** What a release left behind goes on with the code of today: the same expectations on every database. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConvoyClient } from '@/lib/supabase/client';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { findLocalWork, openUserDevice, takeLocalWork } from '@/lib/watermelon/device/compose';
import { createPlatform } from '@/platform/node';
import { readStackSql } from '@/server';
import { expectConverged, expectDone, expectInStep } from '../../support/inStep';
import { objectsOf, openAdapter, temporaryFolder } from '../../support/localDatabase';
import {
  type Content,
  contentOfDevice,
  contentOfServer,
  FILES,
  identityOf,
  type LeftServer,
  type Release,
  type Work,
} from '../../support/releases';
import { SEED } from '../../support/seed';
import { serverSnapshot } from '../../support/snapshot';
import type { TestDevice, World } from '../../support/world';

export interface Restored {
  world: World;
  left: LeftServer;
  /** The file of the release with the device that synced with this server. */
  deviceFile: string;
}

/** @param restore starts the stack of today on what the release left; the tests go on from each other */
export function upgradeSuite(release: Release, restore: () => Promise<Restored>): void {
  const folder = temporaryFolder();
  let world: World;
  let left: LeftServer;
  let content: Content;
  let device: TestDevice;

  beforeAll(async () => {
    const restored = await restore();
    ({ world, left } = restored);
    content = await contentOfServer(world.stack.backend, left.content);
    release.restoreDevice(restored.deviceFile, left.device, folder.path);
  });
  afterAll(async () => {
    await world?.close();
    folder.remove();
  });

  async function query<Row>(text: string, values: string[] = []): Promise<Row[]> {
    const done = await world.stack.backend.transaction((connection) => connection.query<Row>(text, values));
    if (!done.ok) throw new Error(done.error.message);
    return done.value;
  }

  /** Signs in to an account that is there. null: nobody. */
  async function clientOf(account: string | null) {
    const { url, anonKey } = world.stack;
    const client = createConvoyClient(url, anonKey, { persistSession: false, autoRefreshToken: false });
    if (account === null) return client;
    const credentials = { email: `${account}@convoy.example`, password: SEED.password };
    const { error } = await client.auth.signInWithPassword(credentials);
    if (error) throw error;
    return client;
  }

  const serviceOf = async (account: string | null) =>
    createRemoteContextService({ client: await clientOf(account) });

  const expectWork = async (work: Work[], userId: string) =>
    expectDone(work, await serverSnapshot(world.stack.backend, userId));

  it('the server starts with all migrations of today, and every row as it was (S8)', async () => {
    expect(content).toEqual(left.content);
    const applied = await query<{ version: string }>(
      'select version from supabase_migrations.schema_migrations order by version',
    );
    const known = readStackSql().migrations.map(({ version }) => version);
    expect(applied.map(({ version }) => version)).toEqual(known);
    expect(known).toContain(release.manifest.migration);
  });

  it('its tasks are numbered by creation in their projects, deleted ones too (Y7)', async () => {
    const wrong = await query<{ id: string }>(
      `select n.id::text as id
       from (
         select t.id, t.key as key, p.key || '-' || row_number() over (partition by p.id order by t.created_at, t.id) as wanted
         from public.tasks t join public.milestones m on m.id = t.milestone_id join public.projects p on p.id = m.project_id
       ) n where n.key is distinct from n.wanted`,
    );
    expect(wrong).toEqual([]);
    const projects = await query<{ key: string }>('select workspace_id || key as key from public.projects');
    expect(new Set(projects.map(({ key }) => key)).size).toBe(projects.length);
    expect(await query('select 1 from public.projects where key is null')).toEqual([]);
    expect(await query('select 1 from convoy.key_counters')).not.toEqual([]);
  });

  it('a device opens with its records and all of its unsynced work (P-DURABLE, P-NOLOSS)', async () => {
    const { account, database } = left.device;
    device = await world.device(account, { folder: folder.path, database });
    expect(await contentOfDevice(device.database, left.device.content)).toEqual(left.device.content);
    const { unsynced, quarantine, archive, ledger, user_id } = await device.exportUnsynced();
    const was = left.device.unsynced;
    expect(user_id).toBe(was.user_id);
    expect(byId(unsynced)).toMatchObject(byId(was.unsynced));
    expect(byId(quarantine)).toMatchObject(byId(was.quarantine));
    expect(byId(archive)).toMatchObject(byId(was.archive));
    expect(byId(ledger)).toMatchObject(byId(was.ledger));
    // Earlier releases count neither acceptances nor what a restored server may miss.
    // Of its conflicts one is an entry of the feed that tells of a lost edit alone, which counts no more (D24).
    const { conflicts, total } = left.device.counts;
    expect(await device.countUnsynced()).toEqual({
      ...left.device.counts,
      conflicts: conflicts - 1,
      total: total - 1,
      unconfirmed: 0,
      acceptances: 0,
    });
  });

  it('its tables and indexes are those of a new database', async () => {
    const fresh = temporaryFolder();
    await (await openAdapter(fresh.path)).close();
    const upgraded = objectsOf(folder.path, left.device.database);
    expect(inAnyOrder(upgraded)).toEqual(inAnyOrder(objectsOf(fresh.path)));
    fresh.remove();
  });

  it('the batch in flight is sent again unchanged and applied once; the work arrives (U1, U2, P-ONCE, P-NOLOSS, P-CONVERGE)', async () => {
    const { inFlight, work } = left.device;
    const taken = () =>
      query<{ row: string }>(
        `select to_jsonb(t)::text as row from public.tasks t where id = $1::uuid
         union all
         select to_jsonb(a)::text from public.activity_feed a where task_id = $1::uuid order by 1`,
        [inFlight.renamed.id],
      );
    const before = await taken();
    expect(before.length).toBeGreaterThan(1);
    expect(await device.sync()).toMatchObject({ status: 'ok', error: null, conflicts: 0, rejected: 0 });
    const pushes = device.transport.requests.filter(({ direction }) => direction === 'push');
    expect(identityOf(pushes[0]?.request)).toEqual(identityOf(inFlight.request));
    expect(await taken()).toEqual(before);
    expect((await device.contextService.getLocalTask(inFlight.renamed.id))?.title).toBe(
      inFlight.renamed.title,
    );

    await expectWork(work, device.userId);
    // Keys came by a refill (P14, Y7).
    for (const task of await device.contextService.getTasks(SEED.offlineMilestone)) {
      const [row] = await query<{ key: string }>('select key from public.tasks where id = $1::uuid', [
        task.id,
      ]);
      expect(task.key, task.title).toBe(row?.key);
      expect(task.key).not.toBeNull();
    }
    // The device went on from its cursors: it has not been sent everything again.
    const rows = Object.values(left.device.content).reduce((sum, table) => sum + table.rows, 0);
    const pulled = (await device.syncLog())[0]?.pulled ?? 0;
    expect(pulled).toBeLessThan(rows / 4);
    await expectInStep(world, device);
    await expectConverged(world, device, await world.device('owner'));
  });

  it('what was set aside stays set aside, and can be settled now (D7, D10)', async () => {
    const { quarantine, archive, ledger, unsynced } = await device.exportUnsynced();
    const was = left.device.unsynced;
    expect(unsynced).toEqual([]);
    expect(byId(quarantine)).toMatchObject(byId(was.quarantine));
    expect(byId(archive)).toMatchObject(byId(was.archive));
    expect(byId(ledger)).toMatchObject(byId(was.ledger));

    const open = was.ledger.find(({ state }) => state === 'open');
    const refused = was.quarantine.find(({ code }) => code === 'unknown_stage');
    expect(await device.settleConflict(String(open?.id), { values: { description: 'turquoise' } })).toBe(
      true,
    );
    expect(await device.editQuarantined(String(refused?.id), { current_stage: 'PLAN_REVIEW' })).toBe(true);
    expect(await device.retryQuarantined(String(refused?.id))).toBe(true);
    expect(await device.sync()).toMatchObject({ status: 'ok', rejected: 0 });
    const server = await serverSnapshot(world.stack.backend, device.userId);
    expect(server[`tasks/${open?.record_id}`]).toMatchObject({ description: 'turquoise' });
    expect(server[`tasks/${refused?.record_id}`]).toMatchObject({ current_stage: 'PLAN_REVIEW' });
    expect(await device.countUnsynced()).toMatchObject({ pending: 0, refused: 0 });
    await expectInStep(world, device);
  });

  it('work begun without an account is taken along by whoever signs up (P-NOLOSS)', async () => {
    const { local } = release.manifest;
    const alone = temporaryFolder();
    release.restoreDevice(FILES.local, local, alone.path);
    const platform = createPlatform({ folder: alone.path });
    const { client, userId } = await world.signIn('no-longer-alone');
    const taker = await openUserDevice(platform, client, userId);
    try {
      expect(await findLocalWork(platform, taker)).not.toBeNull();
      expect(await takeLocalWork(platform, taker)).toMatchObject({ ok: true });
      expect(await taker.sync()).toMatchObject({ status: 'ok', rejected: 0 });
      await expectWork(local.work, userId);
      await expectInStep(world, taker);
    } finally {
      await taker.close();
      alone.remove();
    }
  });

  describe('whoever signs in is answered by their role', () => {
    const task = (title: string) => ({ milestone_id: SEED.offlineMilestone, title });
    const codeOf = (work: Promise<unknown>) =>
      work.then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
    const workspaces = async (account: string) =>
      (await (await serviceOf(account)).getWorkspaces()).map(({ id }) => id);

    it.each(['owner', 'editor', 'agent'])('%s reads and writes', async (account) => {
      const service = await serviceOf(account);
      const made = await service.createTask(task(`by the ${account}`));
      expect((await service.getTaskContext(made.id))?.task.title).toBe(`by the ${account}`);
      const checkpoint = codeOf(service.updateTaskStage(made.id, 'IMPLEMENT'));
      expect(await checkpoint).toBe(account === 'agent' ? 'checkpoint' : 'done');
    });

    it('the viewer, and whoever was invited as one, reads and is refused to write', async () => {
      for (const account of ['viewer', left.newcomer]) {
        expect(await workspaces(account)).toContain(SEED.workspace);
        expect(await codeOf((await serviceOf(account)).createTask(task('not allowed')))).toBe('forbidden');
      }
    });

    it('a stranger is shown nothing, and nobody is asked to sign in', async () => {
      expect(await workspaces(left.stranger)).toEqual([]);
      const stranger = await serviceOf(left.stranger);
      expect(await stranger.getTaskContext(SEED.busyTask)).toBeNull();
      expect(await codeOf((await serviceOf(null)).getWorkspaces())).toBe('signed_out');
    });

    it('an owner restores what was deleted before, and invites', async () => {
      const owner = await serviceOf('owner');
      await owner.restoreDeletion(left.deletion.id);
      expect((await owner.getTaskContext(left.deletion.task))?.subtasks).toHaveLength(1);
      const invited = await (await clientOf('owner')).rpc('invite_member', {
        workspace_id: SEED.workspace,
        email: `${left.stranger}@convoy.example`,
        role: 'editor',
      });
      const { invitation_id } = invited.data as { invitation_id: string };
      expect(
        (await (await clientOf(left.stranger)).rpc('accept_invitation', { invitation_id })).error,
      ).toBeNull();
      expect(await workspaces(left.stranger)).toContain(SEED.workspace);
    });
  });
}

const byId = (rows: Record<string, unknown>[]) => Object.fromEntries(rows.map((row) => [row.id, row]));

/** Columns that are added stand last. */
const inAnyOrder = (objects: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(objects).map(([name, sql]) => [
      name,
      String(sql).startsWith('CREATE TABLE')
        ? String(sql)
            .split(/[(,)] */)
            .sort()
        : sql,
    ]),
  );
