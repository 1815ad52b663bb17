import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomNumbers } from '../../support/flakyProxy';
import { expectInStep } from '../../support/inStep';
import { Killable } from '../../support/killable';
import { temporaryFolder } from '../../support/localDatabase';
import { manyTasks } from '../../support/manyTasks';
import { SEED } from '../../support/seed';
import type { ChildSays, ChildTask } from '../../support/syncChild';
import { type SignedIn, settle, World } from '../../support/world';

const ROWS = 3_000;
const PAGE_ROWS = 100;

let world: World;
let account: SignedIn;
const running: Killable<ChildSays>[] = [];

beforeAll(async () => {
  world = await World.start();
  await manyTasks(world.stack.backend, ROWS);
  account = await world.signIn('editor');
});
afterAll(async () => {
  for (const child of running) await child.kill();
  await world.close();
});

async function start(folder: string, more: Partial<ChildTask> = {}): Promise<Killable<ChildSays>> {
  const { data } = await account.client.auth.getSession();
  if (!data.session) throw new Error('signed out');
  const { access_token, refresh_token } = data.session;
  const task: ChildTask = {
    url: world.stack.url,
    anonKey: world.stack.anonKey,
    session: { access_token, refresh_token },
    userId: account.userId,
    folder,
    pageRows: PAGE_ROWS,
    ...more,
  };
  const child = await Killable.start<ChildSays>('tests/support/syncChild.ts', task);
  running.push(child);
  return child;
}

const pages = (said: ChildSays[]) => said.flatMap((one) => (one.said === 'page' ? [one] : []));
const holds = (said: ChildSays[]) => said.filter((one) => one.said === 'holds').length;

async function titles(pattern: string): Promise<string[]> {
  const rows = await world.stack.backend.transaction((connection) =>
    connection.query<{ title: string }>(
      `select t.title from public.tasks t join public.activity_feed a on a.task_id = t.id
       where t.title like $1 and a.activity_type = 'task_created' and t.deleted_at is null order by 1`,
      [pattern],
    ),
  );
  if (!rows.ok) throw new Error(rows.error.message);
  return rows.value.map(({ title }) => title);
}

describe('a process that is killed', () => {
  it('in the middle of a first sync: the next one resumes where it was, in its count too (D30)', async () => {
    const { path: folder, remove } = temporaryFolder();
    const kills = [4, 1, 7, 3];
    let fetched = 0;
    let done = 0;
    for (const after of kills) {
      const child = await start(folder);
      await child.until((said) => pages(said).length >= after);
      await child.kill();
      fetched += pages(child.said).reduce((sum, page) => sum + page.rows, 0);
      const progress = child.said.flatMap((one) => (one.said === 'progress' ? [one] : []));
      for (const shown of progress) {
        expect(shown.done).toBeGreaterThanOrEqual(done);
        done = shown.done;
      }
    }
    expect(done, 'still in the middle').toBeLessThan(ROWS);
    const last = await start(folder);
    await last.exited;
    expect(last.said.at(-1)).toEqual({ said: 'synced', error: null });
    fetched += pages(last.said).reduce((sum, page) => sum + page.rows, 0);
    const [first] = last.said.flatMap((one) => (one.said === 'progress' ? [one] : []));
    const final = last.said.flatMap((one) => (one.said === 'progress' ? [one] : [])).at(-1);
    expect(first?.done).toBeGreaterThan(done);
    expect(final?.done).toBe(final?.total);
    expect(fetched).toBeGreaterThanOrEqual(Number(final?.total));
    expect(fetched).toBeLessThanOrEqual(Number(final?.total) + kills.length * PAGE_ROWS);

    const device = await world.device(account, { folder });
    await settle(device);
    await expectInStep(world, device);
    await device.close();
    remove();
  });
});

describe('two processes on one database', () => {
  it('sync one at a time; killed at random, their changes arrive once, and the lock is free (D33, P-ONCE, P-NOLOSS)', async () => {
    const { path: folder, remove } = temporaryFolder();
    const first = await start(folder);
    await first.exited;
    const random = randomNumbers(33);
    const all: Killable<ChildSays>[] = [];
    const milestone = SEED.offlineMilestone;
    const pair = [await start(folder, { milestone }), await start(folder, { milestone })];
    all.push(...pair);
    for (let kill = 0; kill < 4; kill += 1) {
      const victim = kill % 2;
      const other = pair[1 - victim] as Killable<ChildSays>;
      const child = pair[victim] as Killable<ChildSays>;
      const turns = 1 + Math.floor(random() * 4);
      const before = holds(child.said);
      await child.until((said) => holds(said) >= before + turns);
      await new Promise((resolve) => setTimeout(resolve, random() * 40));
      await child.kill();
      // Whoever is left is not locked out by the dead.
      const held = holds(other.said);
      await other.until((said) => holds(said) > held);
      pair[victim] = await start(folder, { milestone });
      all.push(pair[victim] as Killable<ChildSays>);
    }
    for (const child of pair) await child.until((said) => said.some((one) => one.said === 'synced'));
    for (const child of pair) await child.kill();

    for (const child of all) {
      expect(child.said.filter((one) => one.said === 'violation')).toEqual([]);
      expect(child.said.flatMap((one) => (one.said === 'synced' && one.error ? [one.error] : []))).toEqual(
        [],
      );
    }
    const device = await world.device(account, { folder });
    await settle(device);
    expect(device.syncStatus).toMatchObject({ pending: 0, quarantined: 0 });
    const made = all.flatMap((child) =>
      child.said.flatMap((one) => (one.said === 'made' ? [one.title] : [])),
    );
    const arrived = await titles('Child %');
    expect(arrived).toEqual([...new Set(arrived)]);
    expect(arrived).toEqual(expect.arrayContaining(made));
    await expectInStep(world, device);
    await device.close();
    remove();
  });
});
