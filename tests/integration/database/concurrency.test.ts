/** What only several connections at once can show; PGlite has one. */

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cursor, PushAnswer, PushOutcome } from '@/core/protocol';
import { openDatabase, type TestDatabase } from '../../support/database';
import { postgresBinaries, startPostgres, type TestPostgres } from '../../support/postgres';
import { addMembers, Changes, createTeam, createUser, SyncUser, type Team } from '../../support/syncUser';

describe.skipIf(postgresBinaries() === null)('on PostgreSQL, with many connections', () => {
  let postgres: TestPostgres;
  let database: TestDatabase;
  let team: Team;
  beforeAll(async () => {
    postgres = await startPostgres();
    database = await openDatabase({ url: postgres.url });
    team = await createTeam(database);
  });
  afterAll(async () => {
    await database?.close();
    await postgres?.stop();
  });

  /** Returns once that many statements in the database wait for a lock. */
  async function waitingFor(count: number): Promise<void> {
    for (;;) {
      const [row] = await database.query<{ waiting: number }>(
        `select count(*)::int as waiting from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if ((row?.waiting ?? 0) >= count) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  it('readers who pull during writes skip no revision and get none twice (P-GAPFREE)', async () => {
    const own = await createTeam(database);
    let writing = true;
    const written: string[] = [];
    const writer = async (user: SyncUser) => {
      for (let n = 0; n < 15; n += 1) {
        const inserts = Array.from({ length: 1 + (n % 4) }, () =>
          own.make.insert('tasks', { title: 'x', milestone_id: own.milestone }),
        );
        await user.push(inserts);
        written.push(...inserts.map((one) => one.id));
      }
    };
    const reader = async (limit: number) => {
      const seen: string[] = [];
      let cursors: Record<string, Cursor> = {};
      for (let quiet = false; !quiet; ) {
        quiet = !writing;
        const run = await own.viewer.pullAll(cursors, { limit });
        cursors = run.cursors;
        for (const page of run.pages) seen.push(...(page.rows.tasks?.id ?? []));
      }
      return seen;
    };
    const readers = [reader(2), reader(5000)];
    const writers = Array.from({ length: 6 }, () => writer(new SyncUser(database, own.owner.id)));
    await Promise.all(writers);
    writing = false;
    for (const seen of await Promise.all(readers)) {
      expect(seen.length).toBe(new Set(seen).size);
      expect([...seen].sort()).toEqual([own.task, ...written].sort());
    }
  });

  it('the same batch sent twice at once is applied once and answered alike (U2)', async () => {
    const change = team.make.insert('projects', { name: 'once' });
    const device = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => {
        const user = new SyncUser(database, team.owner.id);
        user.device = device;
        return user.push([change]);
      }),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    const [row] = await database.query<{ revisions: number }>(
      'select count(*)::int as revisions from convoy.scope_revisions where scope_id = $1::uuid and revision > $2',
      [team.workspace, team.revision],
    );
    expect(row?.revisions).toBe(1);
  });

  it('two transactions cannot close a cycle between them (S2)', async () => {
    for (let round = 0; round < 10; round += 1) {
      const tasks = Array.from({ length: 2 }, () =>
        team.make.insert('tasks', { title: 'x', milestone_id: team.milestone }),
      );
      await team.owner.push(tasks);
      const [a, b] = tasks.map((task) => task.id) as [string, string];
      const waits = (task_id: string, depends_on_task_id: string) =>
        new SyncUser(database, team.owner.id).pushOne(
          team.make.insert('task_dependencies', { task_id, depends_on_task_id }),
        );
      const outcomes: PushOutcome[] = await Promise.all([waits(a, b), waits(b, a)]);
      expect(outcomes.map((one) => one.outcome).sort()).toEqual(['applied', 'rejected']);
    }
  });

  it('pushes into several scopes in opposite orders do not deadlock (S3)', async () => {
    const other = await createTeam(database);
    await addMembers(database, other.workspace, [team.owner, 'editor']);
    const here = () => team.make.insert('projects', { name: 'here' });
    const there = () => other.make.insert('projects', { name: 'there' });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        new SyncUser(database, team.owner.id).push(n % 2 ? [here(), there()] : [there(), here()]),
      ),
    );
    for (const { outcomes } of answers) {
      expect(outcomes.map((one) => one.outcome)).toEqual(['applied', 'applied']);
    }
  });

  it('of two simultaneous updates of one column, one is answered with the conflict (U5)', async () => {
    const own = await createTeam(database);
    const outcomes = await Promise.all(
      ['one', 'other'].map((title) =>
        new SyncUser(database, own.owner.id).pushOne(
          own.make.update('tasks', own.task, own.revision, { title }),
        ),
      ),
    );
    expect(outcomes.map((one) => one.outcome).sort()).toEqual(['applied', 'conflict']);
  });

  it('of two devices that recreate a workspace at once, the second meets the records of the first (P19)', async () => {
    const workspace = randomUUID();
    const make = new Changes(workspace);
    const changes = [
      make.insert('workspaces', { name: 'again' }, { id: workspace }),
      make.insert('projects', { name: 'p' }),
    ];
    const [one, two] = [new SyncUser(database, team.owner.id), new SyncUser(database, team.owner.id)];
    let second: Promise<PushAnswer> | undefined;
    const first = await database.as(one.id, async (connection) => {
      const answer = await one.pushWithin(connection, changes);
      second = two.push(changes);
      await waitingFor(1);
      return answer;
    });
    const outcomes = changes.map(() => ({ outcome: 'applied', revision: 1 }));
    expect(first.outcomes).toMatchObject(outcomes);
    expect((await second)?.outcomes).toMatchObject(outcomes);
  });

  it('a write in a workspace gained during the push is refused, since its clock is not locked (S2)', async () => {
    const [here, there] = [await createTeam(database), await createTeam(database)];
    let pushed: Promise<PushAnswer> | undefined;
    await database.transaction(async (connection) => {
      await connection.query('select 1 from convoy.scope_clocks where scope_id = $1::uuid for update', [
        here.workspace,
      ]);
      pushed = here.owner.push([
        here.make.insert('projects', { name: 'here' }),
        there.make.insert('projects', { name: 'there' }, { group: 100 }),
      ]);
      await waitingFor(1);
      await addMembers(database, there.workspace, [here.owner, 'editor']);
    });
    expect((await pushed)?.outcomes).toMatchObject([
      { outcome: 'applied' },
      { outcome: 'rejected', code: 'forbidden' },
    ]);
    const again = there.make.insert('projects', { name: 'again' });
    expect(await here.owner.pushOne(again)).toMatchObject({ outcome: 'applied' });
  });

  it('an invitation accepted while its owner is removed gives no access (P-PRIVATE)', async () => {
    const own = await createTeam(database);
    const email = `${randomUUID()}@convoy.example`;
    const guest = await createUser(database, { email });
    const [membership = ''] = await addMembers(database, own.workspace, [own.stranger, 'owner']);
    const ask = async (user: SyncUser, call: string) => {
      const [row] = await database.as(user.id, (connection) =>
        connection.query<{ answer: Record<string, string> }>(`select public.${call} as answer`),
      );
      return row?.answer ?? {};
    };
    const { invitation_id } = await ask(
      own.stranger,
      `invite_member('${own.workspace}', '${email}', 'owner')`,
    );
    let accepted: Promise<unknown> | undefined;
    await database.as(own.owner.id, async (connection) => {
      await own.owner.pushWithin(connection, [own.make.delete('workspace_members', membership, null)]);
      accepted = ask(guest, `accept_invitation('${invitation_id}')`);
      await waitingFor(1);
    });
    expect(await accepted).toEqual({ error: { code: 'not_found' } });
  });

  it('a transient error fails the whole push and rejects no change (U4)', async () => {
    const own = await createTeam(database);
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let lock = () => {};
    const locked = new Promise<void>((resolve) => {
      lock = resolve;
    });
    const blocker = database.transaction(async (connection) => {
      await connection.query('select 1 from convoy.scope_clocks where scope_id = $1::uuid for update', [
        own.workspace,
      ]);
      lock();
      await released;
    });
    await locked;
    const change = own.make.update('tasks', own.task, null, { title: 'later' });
    const refused = await own.owner.push([change]).catch((error: unknown) => error);
    release();
    await blocker;
    expect(refused).toMatchObject({ sqlState: '55P03' });
    expect(await own.owner.push([change], { batch: own.owner.batch })).toMatchObject({
      outcomes: [{ outcome: 'applied' }],
    });
  });

  const count = async (from: string): Promise<number> => {
    const [found] = await database.query<{ n: number }>(`select count(*)::int as n from ${from}`);
    return found?.n ?? -1;
  };

  it('a workspace whose clock somebody holds holds up neither other workspaces nor the ledger (P15, P20)', async () => {
    const [held, deleted] = [await createTeam(database), await createTeam(database)];
    for (const { owner, make, project } of [held, deleted]) {
      await owner.push([make.update('projects', project, null, { name: 'on' })]);
    }
    await deleted.owner.push([deleted.make.delete('workspaces', deleted.workspace, null)]);
    await database.query(`update convoy.scope_revisions set created_at = created_at - interval '1 year'`);
    await database.query(`update convoy.devices set updated_at = updated_at - interval '2 years'`);
    await database.transaction(async (connection) => {
      await connection.query('select 1 from convoy.scope_clocks where scope_id = $1::uuid for update', [
        held.workspace,
      ]);
      for (let calls = 0; calls < 2; calls += 1) {
        const [done] = await database.query<{ left: number }>('select convoy.purge()::int as left');
        expect(done?.left).toBeGreaterThan(0);
      }
    });
    expect(await count('convoy.devices')).toBe(0);
    const live = `public.workspace_members where deleted_at is null and workspace_id =`;
    expect(await count(`${live} '${deleted.workspace}'`)).toBe(0);
    expect(await count(`${live} '${held.workspace}'`)).toBeGreaterThan(0);
    expect(await count(`convoy.scope_clocks where scope_id = '${held.workspace}' and purged_to > 0`)).toBe(0);
  });

  it('memberships come and go in any order: no transaction fails for another (K3)', async () => {
    await database.query(
      'create or replace function convoy.most_scope_topics() returns integer language sql immutable return 1',
    );
    const [a, b] = [await createUser(database), await createUser(database)];
    const workspaces: string[] = [];
    for (let n = 0; n < 4; n += 1) workspaces.push((await createTeam(database)).workspace);
    const [first = '', second = '', third = '', fourth = ''] = workspaces;
    for (const workspace of [first, fourth]) await addMembers(database, workspace, [a, 'viewer']);
    for (const workspace of [second, third]) await addMembers(database, workspace, [b, 'viewer']);

    /** Runs four statements in two transactions: the first, the second's first, and then the rest of both at once. */
    const interleave = (of: (user: SyncUser, workspace: string) => string) =>
      database.transaction(async (one) => {
        await one.query(of(a, first));
        await database.transaction(async (two) => {
          await two.query(of(b, third));
          await Promise.all([one.query(of(b, second)), two.query(of(a, fourth))]);
        });
      });
    const noted = () => count(`convoy.users_of_many_scopes where user_id in ('${a.id}', '${b.id}')`);
    expect(await noted()).toBe(2);
    await interleave(
      (user, workspace) =>
        `update public.workspace_members set deleted_at = now()
         where user_id = '${user.id}' and workspace_id = '${workspace}'`,
    );
    await database.query('select convoy.purge()');
    expect(await noted()).toBe(0);
    const elsewhere = await createTeam(database);
    await addMembers(database, elsewhere.workspace, [a, 'viewer'], [b, 'viewer']);
    await interleave(
      (user, workspace) =>
        `insert into public.workspace_members (id, workspace_id, user_id, role)
         values (gen_random_uuid(), '${workspace}', '${user.id}', 'viewer')`,
    );
    expect(await noted()).toBe(2);
  });
});
