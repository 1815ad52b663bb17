/** Who is poked on their own topic, and which heads a user may ask for. */

import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Failure, SyncUser } from '../../support/syncUser';
import { addMembers, createTeam, createUser, type Team } from '../../support/syncUser';
import { database, databaseForFile } from '../../support/teamDatabase';

/** A notification of `realtime.send`. */
interface Sent {
  topic: string;
  event: string;
  payload: Record<string, unknown>;
}

const GLOBAL_SCOPE = '00000000-0000-7000-8000-000000000000';
const sent: Sent[] = [];
let stopListening: () => Promise<void>;

databaseForFile();
beforeAll(async () => {
  const listening = await database.backend.listen('realtime_messages', {
    onNotification: (text) => sent.push(JSON.parse(text)),
    onLost: () => {},
  });
  if (!listening.ok) throw new Error(listening.error.message);
  stopListening = listening.value;
  await database.query(
    'create or replace function convoy.most_scope_topics() returns integer language sql immutable return 1',
  );
});
afterAll(() => stopListening());

let one: Team;
let other: Team;
beforeEach(async () => {
  one = await createTeam(database);
  other = await createTeam(database);
});

/** Renames a task in a push of the owner. @returns the pokes of that transaction: topic and payload */
async function pokesOfAChange({ owner, make, task, workspace }: Team): Promise<[string, unknown][]> {
  // Two notifications may be of the transaction before.
  await new Promise((resolve) => setTimeout(resolve, 50));
  sent.length = 0;
  const { revisions } = await owner.push([
    make.update('tasks', task, null, { title: `at ${Math.random()}` }),
  ]);
  const { revision } = revisions[workspace] ?? {};
  await vi.waitFor(() => expect(sent.some(({ topic }) => topic === `workspace:${workspace}`)).toBe(true));
  for (const { payload } of sent) expect(payload.revision).toBe(revision);
  return sent.map(({ topic, payload }) => [topic, payload.scope ?? null]);
}

it('members of more workspaces than the bound are poked on their own topic, and no others (K1)', async () => {
  const two = await createUser(database);
  await addMembers(database, one.workspace, [two, 'viewer']);
  const topic = [`workspace:${one.workspace}`, null];
  expect(await pokesOfAChange(one)).toEqual([topic]);
  const [membership = ''] = await addMembers(database, other.workspace, [two, 'viewer']);
  const own = [`user:${two.id}`, one.workspace];
  expect(await pokesOfAChange(one)).toEqual([topic, own]);
  expect(await pokesOfAChange(other)).toContainEqual([`user:${two.id}`, other.workspace]);
  await other.owner.push([other.make.delete('workspace_members', membership, null)]);
  // One that comes twice costs less than a lock that others wait for.
  expect(await pokesOfAChange(one)).toEqual([topic, own]);
  await database.query('select convoy.purge()');
  expect(await pokesOfAChange(one)).toEqual([topic]);
  expect(await pokesOfAChange(other)).toEqual([[`workspace:${other.workspace}`, null]]);
});

it('of more such members than 100 each commit pokes 100, others each time (K1)', async () => {
  const users = 130;
  await database.query(
    `insert into auth.users (id, email)
       select gen_random_uuid(), gen_random_uuid() || '@many.example' from generate_series(1, ${users})`,
  );
  for (const { workspace } of [one, other]) {
    await database.query(
      `insert into public.workspace_members (id, workspace_id, user_id, role)
         select gen_random_uuid(), $1::uuid, u.id, 'viewer' from auth.users u where u.email like '%@many.example'`,
      [workspace],
    );
  }
  const poked = new Set<string>();
  for (let commits = 0; commits < 20; commits += 1) {
    const topics = (await pokesOfAChange(one)).filter(([, scope]) => scope !== null).map(([topic]) => topic);
    expect(topics).toHaveLength(100);
    for (const topic of topics) poked.add(topic);
  }
  expect(poked.size).toBe(users);
});

it('a write goes on where nobody can note or find who hears of it (K3)', async () => {
  const two = await createUser(database);
  await database.query('alter table convoy.users_of_many_scopes rename to elsewhere');
  try {
    for (const { workspace } of [one, other]) await addMembers(database, workspace, [two, 'viewer']);
    expect(await pokesOfAChange(one)).toEqual([[`workspace:${one.workspace}`, null]]);
  } finally {
    await database.query('alter table convoy.elsewhere rename to users_of_many_scopes');
  }
});

it('a user of many workspaces is not told of those they are no member of (K1, P-PRIVATE)', async () => {
  const third = await createTeam(database);
  const two = await createUser(database);
  await addMembers(database, one.workspace, [two, 'viewer']);
  await addMembers(database, other.workspace, [two, 'viewer']);
  expect(await pokesOfAChange(third)).toEqual([[`workspace:${third.workspace}`, null]]);
});

const headsOf = async (user: SyncUser, scopes?: unknown) =>
  (await user.headsRaw(scopes)) as { heads: Record<string, number> };

it('heads are told of the scopes that the user may see, and of no others (K7, R7, P-PRIVATE)', async () => {
  const { owner, stranger, workspace } = one;
  const { heads } = await headsOf(owner, [workspace, other.workspace]);
  expect(heads).toEqual({ [workspace]: expect.any(Number) });
  const { scopes } = await owner.pull();
  expect(heads[workspace]).toBe(scopes.find(({ id }) => id === workspace)?.head);
  expect(Object.keys((await headsOf(owner)).heads).sort()).toEqual([GLOBAL_SCOPE, workspace].sort());
  expect((await headsOf(stranger, [workspace])).heads).toEqual({});
  expect((await headsOf(owner, [])).heads).toEqual({});
});

it('a malformed request for heads is answered as such (K7, P2)', async () => {
  const malformed: Failure = {
    error: { code: 'malformed', message: expect.any(String) as unknown as string },
  };
  for (const scopes of ['all', { a: 1 }, Array(1_001).fill(one.workspace)]) {
    expect(await one.owner.headsRaw(scopes)).toEqual(malformed);
  }
  // What is no id is no scope.
  expect((await headsOf(one.owner, [7, null, 'x', [one.workspace]])).heads).toEqual({});
});
