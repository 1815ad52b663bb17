/** Pokes of users with more workspaces than a client has channels, and of topics that the server refuses. */

import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import { Workspace } from '@/lib/watermelon';
import { WAIT_MS } from '../../support/patience';
import { type SignedIn, type TestDevice, type TestDeviceOptions, World } from '../../support/world';

/** Only pokes, and the polls of what is missing, can bring anything within the time a test takes. */
const AN_HOUR = 3_600_000;
const timing = {
  idleMs: AN_HOUR,
  idleMostMs: AN_HOUR,
  flowingMs: AN_HOUR,
  cutOffMs: AN_HOUR,
  debounceMs: 50,
  pokeMs: 20,
  pokeMostMs: 100,
};
const POKED: Partial<TestDeviceOptions> = {
  autoSync: true,
  pokes: { pollMs: 300, pollMostMs: 300, firstRetryMs: 200, mostRetryMs: 400 },
  timing,
};
/** Supabase's bound, which the local stack has too. */
const MOST_CHANNELS = 100;

const eventually = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: WAIT_MS, interval: 50 });

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

async function sql(text: string): Promise<void> {
  const done = await world.stack.backend.transaction((connection) => connection.execute(text));
  if (!done.ok) throw new Error(done.error.message);
}

/** Makes workspaces that the user owns, as an operator does. @returns their ids */
async function newWorkspaces(userId: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  const list = ids.map((id) => `'${id}'::uuid`).join(', ');
  await sql(`insert into public.workspaces (id, workspace_id, name) select id, id, 'new' from unnest(array[${list}]) id;
    insert into public.workspace_members (id, workspace_id, user_id, role)
      select gen_random_uuid(), id, '${userId}', 'owner' from unnest(array[${list}]) id`);
  return ids;
}

const rename = (workspace: string, name: string) =>
  sql(`update public.workspaces set name = '${name}' where id = '${workspace}'`);

/** Ends memberships, in workspaces that keep another owner. */
async function leave(userId: string, workspaces: readonly string[]): Promise<void> {
  const list = workspaces.map((id) => `'${id}'`).join(', ');
  const { userId: other } = await world.signIn(`keeper-${randomUUID()}`);
  await sql(`insert into public.workspace_members (id, workspace_id, user_id, role)
      select gen_random_uuid(), id, '${other}', 'owner' from public.workspaces where id in (${list});
    update public.workspace_members set deleted_at = now() where user_id = '${userId}' and workspace_id in (${list})`);
}

async function namesOn(device: TestDevice): Promise<Map<string, string>> {
  const workspaces = await device.database.of(Workspace).query().fetch();
  return new Map(workspaces.map(({ id, name }) => [id, name]));
}

const topicsOf = ({ client }: TestDevice) => client.realtime.getChannels().map(({ subTopic }) => subTopic);
const pullsOf = ({ transport }: TestDevice) => transport.count('pull');

/** A device that holds these workspaces, has joined its topics and has nothing left to ask for. */
async function poked(
  who: SignedIn,
  workspaces: readonly string[],
  missing: readonly string[] = [],
): Promise<TestDevice> {
  const device = await world.device(who, POKED);
  await quiet(device, workspaces, missing);
  return device;
}

async function quiet(
  device: TestDevice,
  workspaces: readonly string[],
  missing: readonly string[] = [],
): Promise<void> {
  let before = -1;
  await vi.waitFor(
    async () => {
      const held = await namesOn(device);
      expect(workspaces.filter((id) => !held.has(id))).toEqual([]);
      const channels = device.client.realtime.getChannels();
      const waiting = channels
        .filter(({ state }) => String(state) !== 'joined')
        .map(({ subTopic }) => subTopic);
      expect(waiting.filter((topic) => !missing.includes(topic))).toEqual([]);
      expect(channels.length).toBeGreaterThan(1);
      expect(device.syncStatus.kind).toBe('idle');
      const pulls = pullsOf(device);
      const isQuiet = pulls === before;
      before = pulls;
      expect(isQuiet).toBe(true);
    },
    { timeout: WAIT_MS, interval: 400 },
  );
}

/** Renames each workspace in a transaction of its own, and waits until the device has all names. */
async function expectHeard(device: TestDevice, workspaces: readonly string[], name: string): Promise<void> {
  for (const workspace of workspaces) await rename(workspace, name);
  await eventually(async () => {
    const names = await namesOn(device);
    expect(workspaces.filter((id) => names.get(id) !== name)).toEqual([]);
  });
}

describe('a device with more workspaces than a client has channels', () => {
  it('could not listen to each: the server refuses the 101st channel of a client (K7)', async () => {
    const { client, userId } = await world.signIn('channels');
    await client.realtime.setAuth();
    const answers: string[] = [];
    for (const id of await newWorkspaces(userId, MOST_CHANNELS + 1)) {
      const channel = client.channel(`workspace:${id}`, { config: { private: true } });
      await new Promise<void>((resolve) => {
        channel.subscribe((status, error) => {
          answers.push(error?.message ?? status);
          resolve();
        });
      });
    }
    expect(answers.slice(0, MOST_CHANNELS)).toEqual(Array(MOST_CHANNELS).fill('SUBSCRIBED'));
    expect(answers[MOST_CHANNELS]).toMatch(/^ChannelRateLimitReached: /);
    await client.removeAllChannels();
  });

  it('is poked about each of 200, on two channels, and makes no request while nothing happens (K1, K7, K8)', async () => {
    const user = await world.signIn('two-hundred');
    const workspaces = await newWorkspaces(user.userId, 200);
    const device = await poked(user, workspaces);
    expect(topicsOf(device)).toHaveLength(2);
    for (const batch of [workspaces.slice(0, 5), workspaces.slice(195)]) {
      for (const workspace of batch) await expectHeard(device, [workspace], 'one by one');
    }
    await expectHeard(device, workspaces, 'all of them');
    await quiet(device, workspaces);
    const before = pullsOf(device);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(pullsOf(device)).toBe(before);
    // What the global scope has is not on the user's topic.
    await sql(
      `update public.best_practices set category = 'Poked' where workspace_id = '${GLOBAL_SCOPE_ID}'`,
    );
    await eventually(() => expect(pullsOf(device)).toBeGreaterThan(before));
    await device.close();
  });

  it('misses nothing while their number passes the bounds, up and down (K1, K7)', async () => {
    const user = await world.signIn('up-and-down');
    const first = await newWorkspaces(user.userId, 78);
    const device = await poked(user, first);
    expect(topicsOf(device)).toHaveLength(80);
    const workspaces = [...first];
    for (let n = 0; n < 4; n += 1) {
      workspaces.push(...(await newWorkspaces(user.userId, 4)));
      await expectHeard(device, workspaces.slice(n * 5, n * 5 + 8), `up ${n}`);
      await eventually(async () => expect((await namesOn(device)).size).toBe(workspaces.length));
      expect(topicsOf(device).length).toBeLessThanOrEqual(MOST_CHANNELS);
    }
    await quiet(device, workspaces);
    expect(topicsOf(device)).toHaveLength(2);
    for (let n = 0; n < 4; n += 1) {
      await leave(user.userId, workspaces.splice(0, 4));
      await expectHeard(device, workspaces.slice(n * 5, n * 5 + 8), `down ${n}`);
    }
    await quiet(device, workspaces);
    expect(topicsOf(device)).toHaveLength(80);
    await expectHeard(device, workspaces, 'the rest');
    await device.close();
  });
});

describe('a topic that the server refuses', () => {
  const refuse = (topic: string) =>
    sql(`create policy refused on realtime.messages as restrictive for select to authenticated
      using (realtime.topic() <> '${topic}')`);
  const allow = () => sql('drop policy if exists refused on realtime.messages');
  afterEach(allow);

  it('leaves the others flowing: its scope alone is polled, until it is joined again (K7)', async () => {
    const user = await world.signIn('one-refused');
    const workspaces = await newWorkspaces(user.userId, 3);
    const [refused = '', ...others] = workspaces;
    const topic = `workspace:${refused}`;
    await refuse(topic);
    const device = await poked(user, workspaces, [topic]);
    const calls = vi.spyOn(device.client, 'rpc');
    const polls = () => calls.mock.calls.filter(([name]) => name === 'sync_heads').map(([, args]) => args);
    // Several polls, and no sync.
    const before = pullsOf(device);
    await eventually(() => expect(polls().length).toBeGreaterThan(2));
    expect(pullsOf(device)).toBe(before);
    expect(polls()).toContainEqual({ request: expect.objectContaining({ scopes: [refused] }) });

    await expectHeard(device, others, 'poked');
    await expectHeard(device, [refused], 'polled');
    await quiet(device, workspaces, [topic]);

    await allow();
    await eventually(() => expect(topicsOf(device)).toContain(topic));
    await quiet(device, workspaces);
    const polled = polls().length;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(polls().length).toBeLessThanOrEqual(polled + 1);
    await expectHeard(device, workspaces, 'poked again');
    await device.close();
  });

  it('of the user’s own leaves the workspaces flowing: memberships are polled (K2, K7)', async () => {
    const user = await world.signIn('own-refused');
    const workspaces = await newWorkspaces(user.userId, 2);
    const topic = `user:${user.userId}`;
    await refuse(topic);
    const device = await poked(user, workspaces, [topic]);
    const [gained = ''] = await newWorkspaces(user.userId, 1);
    await eventually(async () => expect((await namesOn(device)).has(gained)).toBe(true));
    await quiet(device, [...workspaces, gained], [topic]);
    await leave(user.userId, [gained]);
    await eventually(async () => expect((await namesOn(device)).has(gained)).toBe(false));
    await expectHeard(device, workspaces, 'poked');
    await device.close();
  });
});
