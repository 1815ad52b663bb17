import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Columns, PullAnswer, PullRequest, PushRequest } from '@/core/protocol';
import { expectInStep } from '../../support/inStep';
import { manyTasks } from '../../support/manyTasks';
import { SEED } from '../../support/seed';
import { type Exchange, SlowProxy } from '../../support/slowProxy';
import { type TestDevice, World } from '../../support/world';

const ROWS = 2_000;
const PAGE_ROWS = 400;

let world: World;
let proxy: SlowProxy;

beforeAll(async () => {
  world = await World.start();
  await manyTasks(world.stack.backend, ROWS);
  proxy = await SlowProxy.start(world.stack.url);
});
afterEach(() => {
  proxy.become({});
  proxy.onExchange = () => {};
  proxy.exchanges.length = 0;
  proxy.begun.length = 0;
});
afterAll(async () => {
  await world.close();
  await proxy.close();
});

type Options = Parameters<World['device']>[1];

const deviceBehind = async (options: Options) =>
  world.device(await world.signIn('editor', proxy.url), options);

/** Makes tasks that are about so many characters long. */
async function makeTasks(device: TestDevice, count: number, characters: number): Promise<void> {
  const description = 'x'.repeat(characters);
  for (let n = 0; n < count; n += 1) {
    await device.contextService.createTask({
      milestone_id: SEED.offlineMilestone,
      title: `Task ${n}`,
      description,
    });
  }
}

const begun = (name: string) => proxy.begun.filter((path) => path.endsWith(name)).length;

describe('a slow connection', () => {
  it('an upload that takes longer than the timeout arrives, and is sent once (D55)', async () => {
    const device = await deviceBehind({ patience: { timeoutMs: 3_000, slowestUpload: 10_000 } });
    expect((await device.sync()).error).toBeNull();
    await makeTasks(device, 58, 3_500);
    // At this speed the batch of about 250 KB takes six seconds.
    proxy.become({ up: 40_000 });
    expect(await device.sync()).toMatchObject({ error: null, pushed: 2 * 58 });
    expect(begun('sync_push')).toBe(1);
    proxy.become({});
    await expectInStep(world, device);
  });

  it('a page that takes several times the timeout arrives while its bytes flow (D55)', async () => {
    const options = { patience: { timeoutMs: 3_000 }, pageRows: 5_000 };
    await (await deviceBehind(options)).sync();
    const pages = proxy.of('sync_pull');
    proxy.exchanges.length = 0;
    proxy.begun.length = 0;
    proxy.become({ down: Number(pages[0]?.carried) / 9 });
    const device = await deviceBehind(options);
    expect((await device.sync()).error).toBeNull();
    expect(begun('sync_pull')).toBe(pages.length);
    proxy.become({});
    await expectInStep(world, device);
  });

  it('an answer that stalls is given up (D55)', async () => {
    const device = await deviceBehind({ patience: { timeoutMs: 3_000 } });
    proxy.become({ downStallsAfter: 5_000 });
    expect((await device.sync()).error).toMatchObject({ kind: 'transport', code: 'timeout' });
    proxy.become({});
    expect((await device.sync()).error).toBeNull();
  });

  it('an upload that stalls is given up, and arrives later (D55)', async () => {
    const device = await deviceBehind({ patience: { timeoutMs: 2_000, slowestUpload: 100_000 } });
    await device.sync();
    await makeTasks(device, 2, 4_000);
    proxy.become({ upStallsAfter: 2_000 });
    expect((await device.sync()).error).toMatchObject({ kind: 'transport', code: 'timeout' });
    proxy.become({});
    expect(await device.sync()).toMatchObject({ error: null, pushed: 4 });
  });

  it('a connection that carries no large upload carries the same changes in smaller ones, in one sync (U43, D55)', async () => {
    const patience = { timeoutMs: 2_000, slowestUpload: 100_000 };
    const device = await deviceBehind({ patience, transferMs: 1_000 });
    await device.sync();
    await makeTasks(device, 10, 4_000);
    proxy.become({ upStallsAfter: 24_000 });
    expect(await device.sync()).toMatchObject({ error: null, pushed: 20 });
    proxy.become({});
    await expectInStep(world, device);
  });

  it('pages shrink to what the connection carries, and grow again when it is fast (D55)', async () => {
    await (await deviceBehind({ pageRows: PAGE_ROWS })).sync();
    const pages = proxy.of('sync_pull');
    // Six seconds for a page that is to take one and a half.
    const speed = Number(pages[1]?.carried) / 6;
    const fastRequests = pages.length;
    proxy.exchanges.length = 0;
    const device = await deviceBehind({ pageRows: PAGE_ROWS, transferMs: 1_500 });
    proxy.become({ down: speed });
    proxy.onExchange = () => {
      if (proxy.of('sync_pull').length === 3) proxy.become({});
    };
    expect((await device.sync()).error).toBeNull();
    const limits = proxy.of('sync_pull').map(({ request }) => requestIn<PullRequest>(request).limit);
    const rows = proxy.of('sync_pull').map(rowsIn);
    expect(limits[0]).toBe(PAGE_ROWS);
    expect(rows[0]).toBe(PAGE_ROWS);
    for (const size of rows.slice(1, 3)) expect(size).toBeLessThan(0.6 * PAGE_ROWS);
    expect(Math.max(...limits.slice(3))).toBe(PAGE_ROWS);
    expect(Math.max(...rows.slice(3))).toBeGreaterThan(PAGE_ROWS / 2);
    expect(fastRequests).toBe(Math.ceil(sum(pages.map(rowsIn)) / PAGE_ROWS));
    await expectInStep(world, device);
  });

  it('batches shrink to what the connection carries, and grow again when it is fast (D55)', async () => {
    const device = await deviceBehind({ transferMs: 2_000 });
    await device.sync();
    await makeTasks(device, 120, 6_000);
    proxy.become({ up: 50_000 });
    proxy.onExchange = () => {
      if (proxy.of('sync_push').length === 2) proxy.become({});
    };
    expect(await device.sync()).toMatchObject({ error: null, pushed: 240 });
    const batches = proxy
      .of('sync_push')
      .map(({ request }) => requestIn<PushRequest>(request).changes.length);
    const [first = 0, second = 0, ...later] = batches;
    expect(sum(batches)).toBe(240);
    expect(second).toBeLessThan(0.6 * first);
    expect(Math.max(...later)).toBeGreaterThan(0.9 * first);
    await expectInStep(world, device);
  });

  it('where long answers get stuck, pages are halved until they pass, by a new process too (D55)', async () => {
    await (await deviceBehind({ pageRows: PAGE_ROWS })).sync();
    const stallsAfter = Number(proxy.of('sync_pull')[1]?.carried) / 3;
    proxy.exchanges.length = 0;
    const options = { pageRows: PAGE_ROWS, transferMs: 500, patience: { timeoutMs: 1_000 } };
    let device = await deviceBehind(options);
    const limits = () => device.transport.requests.map(({ request }) => (request as PullRequest).limit);
    proxy.become({ downStallsAfter: stallsAfter });
    for (let n = 0; n < 2; n += 1) {
      const { error } = await device.sync();
      expect(error).toMatchObject({ code: 'timeout' });
    }
    expect(limits().slice(0, 2)).toEqual([PAGE_ROWS, PAGE_ROWS / 2]);
    device = await device.restart();
    const seen: number[] = [];
    for (let n = 0; (await device.sync()).error !== null; n += 1) {
      seen.push(device.syncStatus.pending);
      if (n > 20) throw new Error(`no end: ${limits()}`);
    }
    expect(limits()[0]).toBe(PAGE_ROWS);
    expect(seen.length, 'syncs that failed').toBeGreaterThan(0);
    proxy.become({});
    await expectInStep(world, device);
  });
});

const sum = (numbers: number[]) => numbers.reduce((all, number) => all + number, 0);

const requestIn = <T>(body: string) => (JSON.parse(body) as { request: T }).request;

function rowsIn({ answer }: Exchange): number {
  const { rows, deleted } = JSON.parse(answer) as PullAnswer;
  return (
    sum(Object.values(rows).map((columns: Columns) => columns.id.length)) +
    sum(Object.values(deleted).map((ids) => ids.length))
  );
}
