/** Migrations are history; supabase/schemas is what is true now. Both make the same database. */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPgliteInMemory, type PgliteBackend, readStackSql, type StackSql } from '@/server';
import { assembleMigration, migrationText } from '../../scripts/migrations/assemble';
import { differences, readCatalog, tell } from '../../scripts/migrations/catalog';
import { CHECKSUMS, migrationProblems, recordMigrations } from '../../scripts/migrations/checksums';
import { openFrom } from '../../scripts/migrations/databases';
import { bareTemplate, openBare, openMigrated } from '../support/template';

describe('migrations that were shipped', () => {
  it('are as they were shipped, and every one is recorded', () => {
    expect(migrationProblems('.')).toEqual([]);
  });

  it('are told when one is changed, gone, added in between, or not recorded; recording changes no old line', () => {
    const root = mkdtempSync(join(tmpdir(), 'convoy-migrations-'));
    try {
      cpSync('supabase', join(root, 'supabase'), { recursive: true });
      const before = readFileSync(join(root, CHECKSUMS), 'utf8');
      const [first = '', second = ''] = before.split('\n').map((line) => line.slice(66));
      const folder = join(root, 'supabase/migrations');
      writeFileSync(join(folder, first), `${readFileSync(join(folder, first), 'utf8')}-- more\n`);
      rmSync(join(folder, second));
      writeFileSync(join(folder, '20260101000001_between.sql'), 'select 1;\n');
      writeFileSync(join(folder, '29990101000000_later.sql'), 'select 1;\n');
      expect(migrationProblems(root)).toEqual([
        expect.stringContaining(`${first} was changed`),
        expect.stringContaining(`${second} is gone`),
        expect.stringContaining('20260101000001_between.sql sorts before'),
        expect.stringContaining('29990101000000_later.sql is not recorded'),
      ]);
      expect(recordMigrations(root)).toEqual(['20260101000001_between.sql', '29990101000000_later.sql']);
      expect(readFileSync(join(root, CHECKSUMS), 'utf8').startsWith(before)).toBe(true);
      expect(migrationProblems(root)[0]).toContain(`${first} was changed`);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });

  it('are no change where a checkout has other line ends', () => {
    const root = mkdtempSync(join(tmpdir(), 'convoy-migrations-'));
    try {
      cpSync('supabase', join(root, 'supabase'), { recursive: true });
      for (const { version, name, sql } of readStackSql().migrations) {
        writeFileSync(join(root, `supabase/migrations/${version}_${name}.sql`), sql.replaceAll('\n', '\r\n'));
      }
      expect(migrationProblems(root)).toEqual([]);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});

/** What is wrong in one altered copy of the schema files, each in a place of its own, and the object it shows in. */
const ALTERED: [what: string, find: string, replace: string, object: string][] = [
  [
    'a grant',
    'grant execute on function convoy.purge(interval) to service_role;',
    '',
    'function convoy.purge(interval)',
  ],
  [
    'the order of columns',
    'task_id uuid not null,\n  depends_on_task_id uuid not null,',
    'depends_on_task_id uuid not null,\n  task_id uuid not null,',
    'relation task_dependencies',
  ],
  [
    'a column',
    "  priority text not null default 'medium'",
    "  risk text,\n  priority text not null default 'medium'",
    'relation tasks',
  ],
  [
    'the body of a function',
    "return convoy.failure('signed_out');\n  end if;\n  delete from public.invitations i\n    where i.id = revoke",
    'return null;\n  end if;\n  delete from public.invitations i\n    where i.id = revoke',
    'function revoke_invitation(uuid)',
  ],
  ['a policy', 'using (id = (select auth.uid()));', 'using (true);', 'policy public.profiles own_profile'],
  [
    'a trigger',
    'create trigger b_actor before insert',
    'create trigger e_actor before insert',
    'trigger activity_feed b_actor',
  ],
  [
    'a row of settings',
    "('owner', array['deletions'], array['update']),",
    '',
    'convoy.permissions owner deletions update',
  ],
];

type TextEdit = readonly [find: string, replace: string];

/** @returns the schema files with edits, each of which has to match in exactly one place */
function edited(edits: readonly TextEdit[]): StackSql {
  const sql = readStackSql(undefined, 'schemas');
  let { migrations } = sql;
  for (const [find, replace] of edits) {
    expect(
      migrations.flatMap((one) => one.sql.split(find).slice(1)),
      find,
    ).toHaveLength(1);
    migrations = migrations.map((one) => ({ ...one, sql: one.sql.replace(find, () => replace) }));
  }
  return { ...sql, migrations };
}

/** Changes of every kind that a migration is assembled from. */
const CHANGES: readonly TextEdit[] = [
  // A changed body, and one in the generated functions of every table.
  ['new.actor_id := coalesce(auth.uid(), new.actor_id);', 'new.actor_id := auth.uid();'],
  ['      new.updated_at := now();\n', '      new.updated_at := clock_timestamp();\n'],
  ['        -- No row counts for less than 300 bytes.\n', '        -- A row counts for 300 bytes or more.\n'],
  // A new function of the API, and a second one of the same name.
  [
    'create function public.get_workspaces() returns jsonb',
    `create function public.count_tasks(scope uuid) returns bigint language sql stable set search_path = ''
as $$ select count(*) from public.tasks t where t.workspace_id = scope; $$;
create function public.count_tasks(scope uuid, title text) returns bigint language sql stable set search_path = ''
as $$ select count(*) from public.tasks t where t.workspace_id = scope and t.title = count_tasks.title; $$;
revoke all on function public.count_tasks(uuid), public.count_tasks(uuid, text) from public, anon;
grant execute on function public.count_tasks(uuid) to authenticated;

create function public.get_workspaces() returns jsonb`,
  ],
  // Another signature, another result, and one that is gone.
  [
    'create function public.get_workflows() returns jsonb',
    'create function public.get_workflows(most integer) returns jsonb',
  ],
  ["'get_workflows()'", "'get_workflows(integer)'"],
  [
    `create function convoy.is_transient(state text) returns boolean language sql immutable set search_path = ''
  return left(state, 2) in ('40', '53', '55', '57', '58', 'XX') or state = '25006';`,
    `create function convoy.is_transient(state text) returns integer language sql immutable set search_path = ''
  return case when left(state, 2) in ('40', '53') then 1 end;`,
  ],
  [
    'create function public.get_deletion(deletion_id uuid) returns jsonb',
    'create function public.get_deletion_of(deletion_id uuid) returns jsonb',
  ],
  ['where d.id = get_deletion.deletion_id', 'where d.id = get_deletion_of.deletion_id'],
  ["'get_deletion(uuid)'", "'get_deletion_of(uuid)'"],
  // Other grants alone.
  [
    'grant execute on function convoy.purge(interval) to service_role;',
    'grant execute on function convoy.purge(interval) to authenticated;',
  ],
];

describe('the schema files', () => {
  let history: PgliteBackend;
  let schemas: PgliteBackend;
  let wrong: PgliteBackend;
  const files = readStackSql(undefined, 'schemas').migrations;
  const copyOf = async (backend: PgliteBackend) => openPgliteInMemory(await backend.dump());
  const apply = async (backend: PgliteBackend, sql: string) => {
    const done = await backend.transaction((connection) => connection.execute(sql));
    if (!done.ok) throw new Error(done.error.message);
  };

  beforeAll(async () => {
    history = await openMigrated(false);
    schemas = await openMigrated(false, 'schemas');
    wrong = await openFrom(edited(ALTERED.map(([, find, replace]) => [find, replace])), openBare);
  });
  afterAll(async () => {
    for (const backend of [history, schemas, wrong]) await backend.close();
  });

  it('make the database that the migrations make, grants and column order included', async () => {
    const [before, after] = [await readCatalog(history), await readCatalog(schemas)];
    expect(differences(before, after).map(tell)).toEqual([]);
    expect(after.size).toBeGreaterThan(500);
  });

  it.each(ALTERED)('are told apart from the migrations by %s', async (_what, _find, _replace, object) => {
    const told = differences(await readCatalog(history), await readCatalog(wrong)).map(tell);
    expect(told.join('\n')).toContain(`${object}:`);
  });

  it('become a migration: changed, new and dropped functions as they stand there, with their grants', async () => {
    const changed = edited(CHANGES);
    const [wanted, migrated] = [await openFrom(changed, openBare), await copyOf(history)];
    const assembled = await assembleMigration(migrated, wanted, changed.migrations);
    expect(assembled.ddl).toEqual([]);
    expect(assembled.sql).not.toContain('function public.sync_pull');
    expect(assembled.sql).toContain(
      'create or replace function convoy.fill_actor() returns trigger\nlanguage plpgsql',
    );
    await apply(migrated, migrationText('change', assembled));
    const left = differences(await readCatalog(migrated), await readCatalog(wanted));
    expect(left.map(tell)).toEqual([]);
    await Promise.all([wanted.close(), migrated.close()]);
  });

  it('give an empty migration where they describe what the migrations make', async () => {
    expect(await assembleMigration(history, schemas, files)).toEqual({ sql: '', ddl: [] });
  });

  it('name the DDL that has to be written by hand', async () => {
    const { ddl } = await assembleMigration(history, wrong, files);
    expect(ddl.map(({ object }) => object)).toContain('relation tasks');
  });
});

describe('the migration to memberships by invitation', () => {
  it('lists the workspaces that agents alone own, and leaves them as they are (U26)', async () => {
    const { bootstrap, auth, migrations } = readStackSql();
    const at = migrations.findIndex(({ name }) => name === 'invitations_and_authors');
    const database = await PGlite.create({ loadDataDir: await bareTemplate() });
    for (const sql of [bootstrap, auth, ...migrations.slice(0, at).map((one) => one.sql)]) {
      await database.exec(sql);
    }
    await database.exec(`
      insert into auth.users (id, email) select ('019b0000-0000-7000-8000-00000000000' || n)::uuid, n || '@convoy.example'
        from generate_series(1, 2) n;
      update public.profiles set kind = 'agent' where id = '019b0000-0000-7000-8000-000000000001';
      insert into public.workspaces (id, workspace_id, name)
        select w, w, name from (values
          ('019b0000-0000-7000-8000-0000000000a1'::uuid, 'Agents'),
          ('019b0000-0000-7000-8000-0000000000a2'::uuid, 'Both'),
          ('019b0000-0000-7000-8000-0000000000a3'::uuid, 'People')) as x(w, name);
      insert into public.workspace_members (id, workspace_id, user_id, role)
        select gen_random_uuid(), ('019b0000-0000-7000-8000-0000000000' || w)::uuid,
          ('019b0000-0000-7000-8000-00000000000' || u)::uuid, 'owner'
        from (values ('a1', 1), ('a2', 1), ('a2', 2), ('a3', 2)) as x(w, u);`);
    const owners = async () =>
      (await database.query('select * from public.workspace_members order by id')).rows;
    const before = await owners();
    const told: (string | undefined)[] = [];
    await database.exec(migrations[at]?.sql ?? '', { onNotice: ({ message }) => void told.push(message) });
    expect(told.filter((message) => message?.includes('owned by agents alone'))).toEqual([
      'The workspace Agents (019b0000-0000-7000-8000-0000000000a1) is owned by agents alone: make a person its owner.',
    ]);
    expect(await owners()).toEqual(before);
    await database.close();
  });
});
