/** The Supabase CLI applies and checks the server's SQL, as the README tells people to. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgres, readStackSql, type SqlBackend } from '@/server';
import { differences, readCatalog, tell } from '../../../scripts/migrations/catalog';
import { refusalOf, TestDatabase } from '../../support/database';
import { lintFindings } from '../../support/linters';
import { postgresBinaries, startPostgres, type TestPostgres } from '../../support/postgres';
import { hasPlpgsqlCheck, PACKAGED_MAJORS, wantedMajor } from '../../support/postgresBinaries';
import {
  createProject,
  openSupabaseCli,
  PROJECT_OWNER,
  type SupabaseCli,
  supabaseCliInstalled,
} from '../../support/supabaseCli';
import { createTeam } from '../../support/syncUser';
import { prepareForTests } from '../../support/template';

const VERSIONS = readStackSql().migrations.map(({ version }) => version);

/** The installed version, and the newest. */
const MAJORS = wantedMajor() === null ? [null, PACKAGED_MAJORS[1]] : [wantedMajor()];

const NAMED = MAJORS.map((major) => ({ major, version: major ?? 'as installed' }));

describe.each(NAMED)('the Supabase CLI, on PostgreSQL $version', ({ major }) => {
  describe.skipIf(!supabaseCliInstalled() || postgresBinaries(major) === null)('with a new project', () => {
    let cli: SupabaseCli;
    let postgres: TestPostgres;
    let url: string;
    let database: TestDatabase;
    beforeAll(async () => {
      cli = openSupabaseCli();
      postgres = await startPostgres({ fsync: 'off' }, major);
      url = await createProject(postgres);
      database = new TestDatabase(openPostgres(url), async () => {});
    });
    afterAll(async () => {
      await database?.close();
      await postgres?.stop();
      cli?.close();
    });

    it('applies all migrations for an owner who is no superuser, and finds nothing to do afterwards', async () => {
      const first = await cli.run('db', 'push', '--yes', `--remote=${url}`);
      expect(first).toMatchObject({ exitCode: 0, value: { upToDate: false } });
      expect(first.value.migrations).toHaveLength(VERSIONS.length);
      const second = await cli.run('db', 'push', '--yes', `--remote=${url}`);
      expect(second).toMatchObject({ exitCode: 0, value: { upToDate: true, migrations: [] } });
    });

    // The newest version says the same.
    if (major === MAJORS[0]) {
      it('reads the settings without a warning, and lists every migration as here and there', async () => {
        const { exitCode, said, value } = await cli.run('migration', 'list', `--remote=${url}`);
        expect(exitCode).toBe(0);
        expect(said).not.toMatch(/warn|deprecated|config\.toml/i);
        expect(value.migrations).toMatchObject(
          VERSIONS.map((version) => ({ local: version, remote: version })),
        );
        // A start ends where it looks for Docker, and not earlier.
        const start = await cli.run('start');
        expect(start.exitCode).toBe(1);
        expect(start.value.error.message).toContain('Docker daemon');
      });

      it('makes the database that the local stack makes', async () => {
        const stack = openPostgres(await postgres.createDatabase());
        await prepareForTests(stack, false);
        const [made, wanted] = [await ownCatalog(database), await readCatalog(stack)];
        const differing = differences(made, wanted).filter(
          ({ object }) => !object.startsWith('default privileges'),
        );
        expect(differing.map(tell)).toEqual([]);
        expect(made.size).toBeGreaterThan(500);
        await stack.close();
      });

      it('finds nothing to advise but what is explained', async () => {
        const { exitCode, value } = await cli.run('db', 'advisors', '--level', 'info', `--remote=${url}`);
        expect(exitCode).toBe(0);
        const faults = new Set((await database.transaction(lintFindings)).map(({ object }) => object));
        const found: Advice[] = value.results;
        const left = found.filter((advice) => !EXPLAINED[advice.name]?.(advice, faults));
        expect(left.map(({ detail }) => detail)).toEqual([]);
      });

      it('lays down the demo once, where it is asked to', async () => {
        const seed = () => cli.run('db', 'push', '--yes', '--include-seed', `--remote=${url}`);
        const tasks = () => database.query('select id from public.tasks');
        const before = (await tasks()).length;
        expect(await seed()).toMatchObject({ exitCode: 0, value: { seeds: ['supabase/seed.sql'] } });
        const after = (await tasks()).length;
        expect(after).toBeGreaterThan(before + 50);
        expect(await seed()).toMatchObject({ exitCode: 0, value: { upToDate: true, seeds: [] } });
        expect(await tasks()).toHaveLength(after);
      });
    }

    it('leaves a database that devices push to and pull from, by their roles', async () => {
      const { owner, editor, viewer, stranger, make, workspace, task } = await createTeam(database);
      const { revision } = await editor.pull().then(({ cursors }) => cursors[workspace] ?? { revision: 0 });
      const renamed = make.update('tasks', task, revision, { title: 'Renamed' });
      expect(await editor.pushOne(renamed)).toMatchObject({ outcome: 'applied' });
      expect(await viewer.pushOne(renamed)).toMatchObject({ outcome: 'rejected', code: 'forbidden' });
      expect((await viewer.pull()).rows.tasks?.title).toEqual(['Renamed']);
      expect((await stranger.pull()).rows.tasks).toBeUndefined();

      // Policies keep a stranger out, too, and not the functions alone.
      const seen = (user: typeof owner) =>
        database.as(user.id, (connection) => connection.query('select id from public.tasks'));
      expect(await seen(viewer)).toHaveLength(1);
      expect(await seen(stranger)).toEqual([]);

      expect(await editor.pushOne(make.delete('tasks', task, null))).toMatchObject({ outcome: 'applied' });
      expect((await owner.pull()).rows.tasks).toBeUndefined();
      const insert = database.as(owner.id, (connection) =>
        connection.query("insert into public.workflows (workspace_id, name) values (null, 'x')"),
      );
      expect(await refusalOf(insert)).toBe('42501');
    });
  });
});

describe.skipIf(!supabaseCliInstalled() || !hasPlpgsqlCheck())(
  'the Supabase CLI, on PostgreSQL with plpgsql_check',
  () => {
    let cli: SupabaseCli;
    let postgres: TestPostgres;
    let url: string;
    let backend: SqlBackend;
    beforeAll(async () => {
      cli = openSupabaseCli();
      postgres = await startPostgres({ fsync: 'off' }, null);
      url = await postgres.createDatabase();
      backend = openPostgres(url);
      await prepareForTests(backend, false);
    });
    afterAll(async () => {
      await backend?.close();
      await postgres?.stop();
      cli?.close();
    });

    it('finds the fault of one function, and none in the others', async () => {
      await backend.transaction((connection) =>
        connection.execute(
          `create function convoy.careless() returns void language plpgsql set search_path = '' as $$
           declare ids uuid[] := '{}'; begin perform ids; end $$`,
        ),
      );
      const lint = ['db', 'lint', '--level', 'warning', '--schema', 'convoy,public', `--remote=${url}`];
      const { value } = await cli.run(...lint);
      expect(value.results.map((one: { function: string }) => one.function)).toEqual(['convoy.careless']);
    });
  },
);

interface Advice {
  name: string;
  detail: string;
  metadata: { name: string; schema: string; fkey_name?: string };
}

/** Advice that is no fault here, and the question whose answer explains it. */
const EXPLAINED: Record<string, (advice: Advice, faults: ReadonlySet<string>) => boolean> = {
  // The database is new: no index has been used.
  unused_index: () => true,
  // Nobody but the server's own functions reads these tables: without a policy, row level security refuses the rest.
  rls_enabled_no_policy: ({ metadata }) => metadata.schema === 'convoy',
  // The id alone finds the row that a key of workspace and id refers to.
  unindexed_foreign_keys: ({ metadata: { schema, name, fkey_name } }, faults) =>
    !faults.has(`${schema}.${name} ${fkey_name}`),
  // A body that is bound when the function is created looks nothing up, and a setting would cost each call.
  function_search_path_mutable: ({ metadata: { schema, name } }, faults) =>
    ![...faults].some((object) => object.startsWith(`${schema}.${name}(`)),
};

/** The catalogue, as if the owner of the stack's databases had made it. */
async function ownCatalog(database: TestDatabase): Promise<Map<string, string>> {
  const catalog = await readCatalog(database.backend);
  return new Map([...catalog].map(([object, text]) => [object, text.replaceAll(PROJECT_OWNER, 'postgres')]));
}
