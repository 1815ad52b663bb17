import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PullRequest, PushRequest } from '@/core/protocol';
import type { SyncResult } from '@/lib/watermelon';
import { FlakyProxy } from '../../support/flakyProxy';
import { expectInStep } from '../../support/inStep';
import { manyTasks } from '../../support/manyTasks';
import { SEED } from '../../support/seed';
import { type TestDevice, World } from '../../support/world';

const ROWS = 4_000;
const PAGE_ROWS = 200;
const EDITS = 600;

let world: World;
let proxy: FlakyProxy;
let device: TestDevice;

beforeAll(async () => {
  world = await World.start();
  await manyTasks(world.stack.backend, ROWS);
  proxy = await FlakyProxy.start({ to: world.stack.url, seed: 20_260 });
  device = await world.device(await world.signIn('editor', proxy.url), { pageRows: PAGE_ROWS });
});
afterAll(async () => {
  await world.close();
  await proxy.close();
});

/** Syncs until it goes well, as the automatic sync would, without its waits. */
async function syncUntilDone(): Promise<{ results: SyncResult[]; pulled: number; pushed: number }> {
  const results: SyncResult[] = [];
  for (;;) {
    const result = await device.sync();
    results.push(result);
    if (result.error === null) break;
    if (results.length > 500) throw new Error(`no end: ${JSON.stringify(result)}`);
  }
  const sum = (key: 'pulled' | 'pushed') => results.reduce((all, result) => all + result[key], 0);
  return { results, pulled: sum('pulled'), pushed: sum('pushed') };
}

async function count(sql: string, ...values: string[]): Promise<number> {
  const rows = await world.stack.backend.transaction((connection) =>
    connection.query<{ n: string }>(sql, values),
  );
  if (!rows.ok) throw new Error(rows.error.message);
  return Number(rows.value[0]?.n);
}

const failuresOf = (results: SyncResult[]) =>
  new Set(results.flatMap(({ error }) => (error ? [`${error.kind}/${error.code}`] : [])));

describe('a connection that keeps breaking off', () => {
  it('a first sync ends, each row is applied once, and each page resumes where it broke off (D30, P-CONVERGE)', async () => {
    proxy.become({ request: [2_000, 500_000], answer: [500, 60_000] });
    const shown: (number | null | undefined)[][] = [];
    const subscription = device
      .observeSyncStatus()
      .subscribe(({ progress }) => progress && shown.push([progress.rows, progress.total]));
    const { results, pulled } = await syncUntilDone();
    subscription.unsubscribe();
    expect(proxy.cuts.answer, 'answers were cut').toBeGreaterThan(2);
    expect([...failuresOf(results)]).toEqual(['transport/offline']);
    const rows = Number(shown.at(-1)?.[0]);
    expect(rows).toBeGreaterThan(ROWS);
    expect(pulled).toBe(rows);
    // Rows done and in all are told through all of it, however often it broke off.
    expect(new Set(shown.map(([, total]) => total))).toEqual(new Set([rows]));
    expect(shown.map(([done]) => Number(done))).toEqual(
      shown.map(([done]) => Number(done)).sort((a, b) => a - b),
    );

    const positions = device.transport.requests
      .filter(({ direction }) => direction === 'pull')
      .map(({ request }) => (request as PullRequest).cursors[SEED.workspace])
      .map((cursor) => [cursor?.revision ?? 0, cursor?.after ?? ''] as const);
    for (const [n, [revision, after]] of positions.entries()) {
      const [before, afterBefore] = positions[n - 1] ?? [0, ''];
      const isForward = revision > before || (revision === before && after >= afterBefore);
      expect(isForward, `request ${n} goes on at ${revision} ${after}`).toBe(true);
    }
    proxy.become(null);
    await expectInStep(world, device);
  });

  it('all edits and new tasks arrive, and once (P-ONCE, P-NOLOSS)', async () => {
    const tasks = (await device.contextService.getTasks(SEED.offlineMilestone)).filter(({ title }) =>
      title.startsWith('Bulk'),
    );
    const edited = tasks.slice(0, EDITS);
    for (const [n, task] of edited.entries()) {
      await device.contextService.updateTask(task.id, { title: `Edited ${n} ${task.id.repeat(4)}` });
    }
    for (let n = 0; n < 50; n += 1) {
      await device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: `Made ${n}` });
    }
    const headSql = 'select revision::text as n from convoy.scope_clocks where scope_id = $1::uuid';
    const before = await count(headSql, SEED.workspace);
    const requestsBefore = device.transport.requests.length;
    const cutsBefore = proxy.cuts.request;
    proxy.become({ request: [2_000, 400_000], answer: [500, 60_000] });
    const { results, pushed } = await syncUntilDone();
    proxy.become(null);

    expect(proxy.cuts.request, 'requests were cut').toBeGreaterThan(cutsBefore);
    expect([...failuresOf(results)]).toEqual(['transport/offline']);
    expect(pushed).toBe(2 * (EDITS + 50));
    const pushes = device.transport.requests
      .slice(requestsBefore)
      .flatMap(({ direction, request }) => (direction === 'push' ? [request as PushRequest] : []));
    const batches = new Set(pushes.map(({ batch }) => batch));
    expect(pushes.length, 'batches were sent again').toBeGreaterThan(batches.size);
    // Every transaction that writes in the scope bumps its clock: none was there twice.
    expect((await count(headSql, SEED.workspace)) - before).toBe(batches.size);
    const activities = `select count(*)::text as n from public.activity_feed
      where workspace_id = $1::uuid and activity_type = $2 and created_at > now() - interval '1 day'
      and task_id in (select id from public.tasks where title like $3)`;
    expect(await count(activities, SEED.workspace, 'task_updated', 'Edited %')).toBe(EDITS);
    expect(await count(activities, SEED.workspace, 'task_created', 'Made %')).toBe(50);
    expect(device.syncStatus).toMatchObject({ pending: 0, quarantined: 0 });
    await expectInStep(world, device);
  });
});
