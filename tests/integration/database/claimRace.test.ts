/** What only several connections at once can show of claims. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAbout, claim, race } from '../../support/claims';
import { openDatabase, type TestDatabase } from '../../support/database';
import { postgresBinaries, startPostgres, type TestPostgres } from '../../support/postgres';
import { addMembers, createTeam, createUser, type Team } from '../../support/syncUser';

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

  const newTask = async () => {
    const task = team.make.insert('tasks', { title: 'One', milestone_id: team.milestone });
    await team.owner.push([task]);
    return task.id;
  };

  it('of sixteen agents that ask at once exactly one has the task, again and again (C2)', async () => {
    for (let round = 0; round < 8; round += 1) {
      const task = await newTask();
      const { agents, answers } = await race(team, task);
      const won = answers.flatMap((answer, n) => (answer.claim ? [agents[n]?.id] : []));
      expect(won).toHaveLength(1);
      const others = answers.flatMap(({ taken }) => (taken ? [taken.claimed_by] : []));
      expect(others).toEqual(Array.from({ length: 15 }, () => won[0]));
    }
  });

  it('sessions of one agent that ask at once are told apart, and one that asks twice is answered alike (C2, C9)', async () => {
    const task = await newTask();
    const ids = Array.from({ length: 16 }, (_, n) => `session ${n % 8}`);
    const answers = await Promise.all(ids.map((id) => claim(team.agent, task, id)));
    const won = answers.flatMap((answer) => (answer.claim ? [answer.claim] : []));
    expect(won).toHaveLength(2);
    expect(won[0]).toEqual(won[1]);
    const renewed = await Promise.all(
      ids.map((claim_id) => askAbout(team.agent, 'renew_claim', { task_id: task, claim_id })),
    );
    expect(renewed.filter((answer) => answer.claim)).toHaveLength(2);
  });

  it('claims do not wait for pushes of other workspaces, and pushes go on beside them (C2)', async () => {
    const task = await newTask();
    const push = () =>
      team.editor.pushOne(team.make.update('tasks', task, null, { title: `Title ${Math.random()}` }));
    const work: Promise<unknown>[] = [];
    for (let n = 0; n < 6; n += 1) work.push(claim(team.agent, task, 'c'));
    for (let n = 0; n < 3; n += 1) {
      work.push(push());
      await work.at(-1);
    }
    const answers = await Promise.all(work);
    const claims = (answers.slice(0, 6) as Awaited<ReturnType<typeof claim>>[]).map((answer) => answer.claim);
    // Pushes between them raise the revision of the task that a claim names.
    const alike = claims.map((one) => ({ ...one, revision: 0 }));
    expect(claims[0]).toMatchObject({ claim_id: 'c' });
    expect(alike).toEqual(alike.map(() => alike[0]));
  });

  /** Until a statement waits for a lock that another transaction has. */
  async function untilBlocked(): Promise<void> {
    for (;;) {
      const [row] = await database.query<{ waits: boolean }>(
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock') as waits",
      );
      if (row?.waits) return;
    }
  }

  it.each([
    [
      'is revoked',
      'not_found',
      `update public.workspace_members set deleted_at = now() where id = $2::uuid and $1::uuid is not null`,
    ],
    [
      'is paused',
      'paused',
      `update public.workspace_members set paused_at = now() where id = $2::uuid and $1::uuid is not null`,
    ],
    [
      'may only read',
      'forbidden',
      `update public.workspace_members set role = 'viewer' where id = $2::uuid and $1::uuid is not null`,
    ],
    [
      'sees the task deleted',
      'not_found',
      `update public.tasks set deleted_at = now() where id = $1::uuid and $2::uuid is not null`,
    ],
    [
      'sees the task done',
      'closed',
      `update public.tasks set status = 'done' where id = $1::uuid and $2::uuid is not null`,
    ],
  ])('whoever %s while a claim waits for the lock has no claim (C2, C11)', async (_, code, change) => {
    const agent = await createUser(database, { name: 'Late', kind: 'agent' });
    const [member] = await addMembers(database, team.workspace, [agent, 'agent']);
    const task = await newTask();
    let asked: ReturnType<typeof claim> | undefined;
    await database.transaction(async (connection) => {
      await connection.query(change, [task, member ?? '']);
      asked = claim(agent, task, 'late');
      await untilBlocked();
    });
    expect(await asked).toMatchObject({ error: { code } });
    const [row] = await database.query<{ claimed_by: string | null }>(
      'select claimed_by::text as claimed_by from public.tasks where id = $1::uuid',
      [task],
    );
    expect(row?.claimed_by).toBeNull();
  });

  it('whoever is no member holds up nobody who has the clock of a workspace (A3, P-PRIVATE)', async () => {
    const member = await addMembers(database, team.workspace, [
      await createUser(database, { kind: 'agent' }),
      'agent',
    ]);
    await database.transaction(async (connection) => {
      await connection.query('select from convoy.scope_clocks where scope_id = $1::uuid for update', [
        team.workspace,
      ]);
      // Answered while the clock is locked.
      for (const [name, values] of [
        ['revoke_agent($1::uuid)', member],
        ['pause_agent($1::uuid, true)', member],
        [`create_agent($1::uuid, 'Bot')`, [team.workspace]],
      ] as const) {
        const [row] = await database.as(team.stranger.id, (own) =>
          own.query<{ answer: { error: { code: string } } }>(`select public.${name} as answer`, [...values]),
        );
        expect(['not_found', 'forbidden']).toContain(row?.answer.error.code);
      }
    });
  });
});
