/** The purge gets further with every call, whatever waits elsewhere. */

import { randomUUID } from 'node:crypto';
import { beforeEach, expect, it } from 'vitest';
import { createTeam, type Team } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';
import { rowsRead } from '../../support/work';

teamForEachTest();

const replaceBound = (name: string, value: number) =>
  database.query(
    `create or replace function convoy.${name}() returns integer language sql immutable return ${value}`,
  );
beforeEach(async () => {
  await replaceBound('step_records', 2_000);
  await replaceBound('most_raised', 20_000);
  await purge();
});

const aYearPasses = () =>
  database.query(`update convoy.scope_revisions set created_at = created_at - interval '1 year'`);

/** A call. @returns how much is left */
async function purgeOnce(): Promise<number> {
  const [done] = await database.query<{ left: number }>('select convoy.purge()::int as left');
  return done?.left ?? -1;
}

async function purge(): Promise<void> {
  for (let calls = 0; calls < 50; calls += 1) if ((await purgeOnce()) === 0) return;
  throw new Error('The purge does not come to an end.');
}

async function count(from: string): Promise<number> {
  const [found] = await database.query<{ n: number }>(`select count(*)::int as n from ${from}`);
  return found?.n ?? -1;
}

const tombstonesOf = ({ workspace }: Team) =>
  count(`public.tasks where workspace_id = '${workspace}' and deleted_at is not null`);
const rename = ({ owner, make, project }: Team, name: string) =>
  owner.push([make.update('projects', project, null, { name })]);
const membersOf = (workspace: string) =>
  count(`public.workspace_members where workspace_id = '${workspace}' and deleted_at is null`);

/** A chain of subtasks under the team's task, each the parent of the next. */
async function deepTasks(length: number): Promise<void> {
  let parent = team.task;
  for (let depth = 0; depth < length; depth += 1) {
    const [made] = await database.query<{ id: string }>(
      `insert into public.tasks (id, workspace_id, milestone_id, parent_task_id, title)
         values (gen_random_uuid(), $1::uuid, $2::uuid, $3::uuid, 'deep') returning id::text as id`,
      [team.workspace, team.milestone, parent],
    );
    parent = made?.id ?? '';
  }
}

it('a chain of subtasks is erased without searching for each of them again (P15)', async () => {
  const length = 200;
  await deepTasks(length);
  await team.owner.push([team.make.delete('tasks', team.task, null)]);
  await rename(team, 'later');
  await aYearPasses();
  await purgeOnce();
  // Without statistics the foreign key reads the whole workspace for each row.
  await database.query('analyze public.tasks');
  const { left, read } = await database.transaction(async (connection) => {
    await connection.query(`select set_config('convoy.purge', 'on', true)`);
    const before = await rowsRead(connection, 'public', 'tasks');
    const [done] = await connection.query<{ left: number }>(
      `select convoy.erase_tombstones(50000, 'infinity')::int as left`,
    );
    return { left: done?.left, read: (await rowsRead(connection, 'public', 'tasks')) - before };
  });
  expect(left).toBe(0);
  expect(await tombstonesOf(team)).toBe(0);
  // To search again for each one reads half of the square.
  expect(read).toBeLessThan((length * length) / 4);
});

it('a call whose time is over has still erased some (P15)', async () => {
  await deepTasks(3);
  await team.owner.push([team.make.delete('tasks', team.task, null)]);
  await rename(team, 'later');
  await aYearPasses();
  await purgeOnce();
  const left: number[] = [];
  for (let calls = 0; calls < 10 && left.at(-1) !== 0; calls += 1) {
    const [done] = await database.transaction(async (connection) => {
      await connection.query(`select set_config('convoy.purge', 'on', true)`);
      return connection.query<{ left: number }>(
        `select convoy.erase_tombstones(50000, clock_timestamp())::int as left`,
      );
    });
    left.push(done?.left ?? -1);
  }
  expect(left.at(-1)).toBe(0);
  expect(left.length).toBeGreaterThan(4);
  expect(await tombstonesOf(team)).toBe(0);
});

it('a deletion that goes on in steps holds up nobody else’s purge (P15, U44)', async () => {
  await team.owner.push([team.make.delete('tasks', team.task, null)]);
  await aYearPasses();
  const other = await createTeam(database);
  const tasks = Array.from({ length: 12 }, () =>
    other.make.insert('tasks', { title: 'x', milestone_id: other.milestone }),
  );
  await other.owner.push(tasks);
  await replaceBound('step_records', 1);
  await other.owner.push([other.make.delete('milestones', other.milestone, null)]);
  for (let calls = 0; calls < 3; calls += 1) expect(await purgeOnce()).toBeGreaterThan(0);
  expect(await tombstonesOf(team)).toBe(0);
  expect(await count('convoy.unfinished_deletions')).toBe(1);
});

it('all of many workspaces get their turn, however busy the first ones are (P15)', async () => {
  await database.query(
    `insert into public.workspaces (id, workspace_id, name)
       select w.id, w.id, 'busy' from (select gen_random_uuid() as id from generate_series(1, 520)) w`,
  );
  const raised = () =>
    count(`public.workspaces w join convoy.scope_clocks c on c.scope_id = w.id and c.purged_to > 0
      where w.name like 'busy%'`);
  const raise = () => database.query(`select convoy.raise_horizons(interval '180 days', 'infinity')`);
  await aYearPasses();
  await raise();
  expect(await raised()).toBeLessThan(520);
  await database.query(`update public.workspaces set name = 'busy again' where name = 'busy'`);
  await aYearPasses();
  await raise();
  expect(await raised()).toBe(520);
});

it('a workspace with more revisions than a call takes holds up neither others nor the ledger (P15, P20, U3)', async () => {
  const [other, gone] = [await createTeam(database), await createTeam(database)];
  const ages: [Team, string][] = [
    [other, '2 years'],
    [team, '1 year'],
  ];
  await rename(other, 'on');
  await gone.owner.push([gone.make.delete('workspaces', gone.workspace, null)]);
  for (let n = 0; n < 10; n += 1) await rename(team, `busy ${n}`);
  await aYearPasses();
  for (const [{ owner }, age] of ages) {
    await database.query(
      `update convoy.devices set updated_at = updated_at - interval '${age}' where device_id = $1::uuid`,
      [owner.device],
    );
  }
  const isKnown = ({ owner }: Team) => count(`convoy.devices where device_id = '${owner.device}'`);
  await replaceBound('most_raised', 3);
  for (let calls = 0; calls < 2; calls += 1) expect(await purgeOnce()).toBeGreaterThan(0);
  expect(await membersOf(gone.workspace)).toBe(0);
  expect(await isKnown(other)).toBe(0);
  // Its tags are not all erased, so that its batch would be taken a second time.
  expect(await isKnown(team)).toBe(1);
  await purge();
  expect(await isKnown(team)).toBe(0);
});

it('a headstone is looked at no more, until somebody makes its workspace again (P20)', async () => {
  await team.owner.push([team.make.delete('workspaces', team.workspace, null)]);
  const buried = () => count(`convoy.scope_clocks where scope_id = '${team.workspace}' and buried`);
  for (const times of [0, 1]) {
    await aYearPasses();
    await purge();
    expect(await buried()).toBe(times);
  }
  const project = randomUUID();
  await database.query(
    `insert into public.workspaces (id, workspace_id, name) values ($1::uuid, $1::uuid, 'again')`,
    [team.workspace],
  );
  expect(await buried()).toBe(0);
  await database.query(
    `insert into public.projects (id, workspace_id, name) values ($2::uuid, $1::uuid, 'short-lived')`,
    [team.workspace, project],
  );
  await database.query(`update public.projects set deleted_at = now() where id = $1::uuid`, [project]);
  await database.query(`update public.workspaces set name = 'later' where id = $1::uuid`, [team.workspace]);
  await aYearPasses();
  await purge();
  expect(await count(`public.projects where id = '${project}'`)).toBe(0);
});
