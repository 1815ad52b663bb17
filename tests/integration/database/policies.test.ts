/** Who may read and call what. Acting as each role, and by the catalog for what must hold for all. */

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SYNCED_TABLES } from '@/domain/schema';
import { openDatabase, refusalOf, type TestDatabase } from '../../support/database';
import { Changes, createTeam, type Team } from '../../support/syncUser';

const DENIED = '42501';

let database: TestDatabase;
let team: Team;
beforeAll(async () => {
  database = await openDatabase();
  team = await createTeam(database);
  await team.owner.push([
    team.make.insert('activity_feed', { task_id: team.task, activity_type: 'comment' }),
    team.make.insert('workflows', {
      name: 'Own',
      stages: [{ name: 'A', order: 1, description: '', is_checkpoint: false }],
    }),
    team.make.insert('patterns', { name: 'p' }),
    team.make.insert('best_practices', { name: 'b' }),
  ]);
  const gone = team.make.insert('patterns', { name: 'gone' });
  await team.owner.push([gone]);
  await team.owner.push([team.make.delete('patterns', gone.id, null)]);
});
afterAll(() => database.close());

const count = async (userId: string | null, table: string) => {
  const [row] = await database.as(userId, (connection) =>
    connection.query<{ count: number }>(
      `select count(*)::int as count from public.${table} where workspace_id = '${team.workspace}'`,
    ),
  );
  return row?.count ?? 0;
};

describe('reading tables', () => {
  it.each(SYNCED_TABLES.filter((table) => table !== 'task_dependencies'))(
    'members read %s, strangers see no row (P-PRIVATE)',
    async (table) => {
      for (const member of [team.owner, team.editor, team.viewer, team.agent]) {
        expect(await count(member.id, table)).toBeGreaterThan(0);
      }
      expect(await count(team.stranger.id, table)).toBe(0);
      expect(await refusalOf(count(null, table))).toBe(DENIED);
    },
  );

  it('a former member sees no row (P-PRIVATE)', async () => {
    const own = await createTeam(database);
    const [row] = await database.query<{ id: string }>(
      'select id::text as id from public.workspace_members where workspace_id = $1::uuid and user_id = $2::uuid',
      [own.workspace, own.viewer.id],
    );
    const read = () =>
      database.as(own.viewer.id, (connection) =>
        connection.query('select 1 from public.projects where workspace_id = $1::uuid', [own.workspace]),
      );
    expect(await read()).toHaveLength(1);
    await own.owner.push([own.make.delete('workspace_members', row?.id ?? '', null)]);
    expect(await read()).toHaveLength(0);
  });

  it('users read their own profile alone (P-PRIVATE)', async () => {
    const rows = await database.as(team.viewer.id, (connection) =>
      connection.query<{ name: string }>('select display_name as name from public.profiles'),
    );
    expect(rows).toEqual([{ name: 'Vera' }]);
    expect(await refusalOf(database.as(null, (c) => c.query('select 1 from public.profiles')))).toBe(DENIED);
  });

  it('the private schema is closed to users (P-PRIVATE)', async () => {
    for (const userId of [team.owner.id, null]) {
      const work = database.as(userId, (connection) => connection.query('select 1 from convoy.devices'));
      expect(await refusalOf(work)).toBe(DENIED);
    }
  });
});

describe('writing tables', () => {
  it.each(SYNCED_TABLES)('an owner cannot write %s directly (S7)', async (table) => {
    const attempts = [
      `insert into public.${table} (id, workspace_id) values ('${randomUUID()}', '${team.workspace}')`,
      `update public.${table} set deleted_at = now()`,
      `delete from public.${table}`,
      `truncate public.${table}`,
    ];
    for (const userId of [team.owner.id, null]) {
      for (const attempt of attempts) {
        expect(await refusalOf(database.as(userId, (c) => c.query(attempt))), attempt).toBe(DENIED);
      }
    }
  });

  it('users cannot turn an agent into a person (S7)', async () => {
    const attempt = "update public.profiles set kind = 'human'";
    expect(await refusalOf(database.as(team.agent.id, (c) => c.query(attempt)))).toBe(DENIED);
    await database.query(
      `update auth.users set raw_user_meta_data = '{"kind": "human", "display_name": "Agent"}' where id = $1::uuid`,
      [team.agent.id],
    );
    const [row] = await database.query<{ kind: string }>(
      'select kind from public.profiles where id = $1::uuid',
      [team.agent.id],
    );
    expect(row?.kind).toBe('agent');
  });

  it('the service role writes tables, with triggers and without limits (S7)', async () => {
    const id = randomUUID();
    const result = await database.backend.transaction(
      (connection) =>
        connection.query(
          `insert into public.tasks (id, workspace_id, milestone_id, title, current_stage, status)
           values ($1::uuid, $2::uuid, $3::uuid, 'by the service', 'COMMIT', 'done')`,
          [id, team.workspace, team.milestone],
        ),
      { settings: { role: 'service_role', 'request.jwt.claims': '{"role": "service_role"}' } },
    );
    expect(result.ok).toBe(true);
    const [row] = await database.query<{ revision: number }>(
      'select revision::int as revision from public.tasks where id = $1::uuid',
      [id],
    );
    expect(row?.revision).toBeGreaterThan(team.revision);
  });
});

describe('the catalog', () => {
  it('row level security is on for every table (P-PRIVATE)', async () => {
    const open = await database.query<{ name: string }>(
      `select c.oid::regclass::text as name from pg_class c
       where c.relnamespace in ('public'::regnamespace, 'convoy'::regnamespace) and c.relkind in ('r', 'p')
         and not c.relrowsecurity`,
    );
    expect(open).toEqual([]);
  });

  it('signed-in users can at most read, and other roles have no grant (P-PRIVATE)', async () => {
    const grants = await database.query<{ table: string; grantee: string; privilege: string }>(
      `select c.oid::regclass::text as "table", coalesce(r.rolname, 'public')::text as grantee,
         a.privilege_type as privilege
       from pg_class c cross join lateral aclexplode(c.relacl) a left join pg_roles r on r.oid = a.grantee
       where c.relnamespace in ('public'::regnamespace, 'convoy'::regnamespace)
         and coalesce(r.rolname, 'public') in ('public', 'anon', 'authenticated')`,
    );
    for (const grant of grants) {
      expect(grant).toMatchObject({ grantee: 'authenticated', privilege: 'SELECT' });
      expect(grant.table).not.toMatch(/^convoy/);
    }
  });

  it('no function is executable by PUBLIC (P-PRIVATE)', async () => {
    const open = await database.query<{ name: string; grantee: string }>(
      `select p.oid::regprocedure::text as name, coalesce(r.rolname, 'public')::text as grantee
       from pg_proc p
       cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
       left join pg_roles r on r.oid = a.grantee
       where p.pronamespace in ('public'::regnamespace, 'convoy'::regnamespace)
         and coalesce(r.rolname, 'public') in ('public', 'anon')`,
    );
    expect(open).toEqual([]);
  });

  it('no function depends on the search_path of its caller (P-PRIVATE)', async () => {
    const loose = await database.query<{ name: string }>(
      `select p.oid::regprocedure::text as name from pg_proc p
       where p.pronamespace in ('public'::regnamespace, 'convoy'::regnamespace)
         and p.prosqlbody is null
         and not coalesce('search_path=""' = any (p.proconfig), false)`,
    );
    expect(loose).toEqual([]);
  });

  it('sync_pull and the functions it calls are STABLE (P1)', async () => {
    const rows = await database.query<{ name: string }>(
      `select p.proname::text as name from pg_proc p
       where p.provolatile = 'v' and (p.oid = 'public.sync_pull(jsonb)'::regprocedure
         or p.pronamespace = 'convoy'::regnamespace and p.proname ~ '^(page_|read_|find_page_end|count_rows|refuse_|is_|to_|failure)')`,
    );
    expect(rows).toEqual([]);
  });

  it('no policy calls a function for each row (P-PRIVATE)', async () => {
    const policies = await database.query<{ name: string; condition: string }>(
      `select polname::text || ' on ' || polrelid::regclass::text as name,
         pg_get_expr(polqual, polrelid) as condition
       from pg_policy where polrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)`,
    );
    expect(policies.length).toBeGreaterThan(SYNCED_TABLES.length);
    for (const { name, condition } of policies) {
      // Calls stand inside a subselect, which is run once for a query, or concern workspaces in which a deletion is under
      // way (U44).
      const outside = condition
        .replace(/\( SELECT [^()]*\([^()]*\)[^()]*\)/g, '')
        .replace(
          /NOT \(\(workspace_id = ANY \(ARRAY\)\) AND \(convoy\.hidden_by\([^()]*\) IS NOT NULL\)\)/,
          '',
        );
      expect(outside, name).not.toMatch(/(auth|convoy)\.\w+\(|\b(uid|visible_scopes)\(/);
    }
  });
});

describe('the answer to a push', () => {
  it('reveals no task of another workspace, whatever the batch moves and names (R7, P-PRIVATE)', async () => {
    const place = { milestone_id: team.milestone, parent_task_id: team.task };
    const secret = team.make.insert('tasks', { title: 'secret', ...place });
    const { revisions } = await team.owner.push([secret]);
    const wanted = revisions[team.workspace]?.revision ?? 0;
    const mine = new Changes(randomUUID());
    const project = mine.insert('projects', { name: 'P' });
    const milestone = () => mine.insert('milestones', { name: 'M', project_id: project.id });
    const one = milestone();
    const other = milestone();
    const task = mine.insert('tasks', { title: 'T', milestone_id: one.id });
    const workspace = mine.insert('workspaces', { name: 'W' }, { id: mine.workspace });
    await team.stranger.push([workspace, project, one, other, task]);
    // The revision of the own workspace passes that of the foreign row.
    let reached = 0;
    for (let turn = 0; reached <= wanted; turn += 1) {
      const milestone_id = (turn % 2 === 0 ? other : one).id;
      const answer = await team.stranger.push([
        mine.update('tasks', task.id, null, { milestone_id }),
        mine.update('tasks', secret.id, null, { title: 'guessed' }),
      ]);
      expect(answer.outcomes).toMatchObject([{ outcome: 'applied' }, { outcome: 'gone' }]);
      expect(JSON.stringify(answer.effects)).not.toContain('secret');
      reached = answer.revisions[mine.workspace]?.revision ?? Number.POSITIVE_INFINITY;
    }
  });
});
