/** Prepares a database for Convoy: bootstrap, the stack's own tables, migrations, demo data. */

import { createHash, randomBytes } from 'node:crypto';
import { fail, ok, type Result } from '@/core/result';
import type { StackError } from '../errors';
import type { Migration, StackSql } from '../projectFiles';
import type { SqlBackend, SqlConnection, SqlFailure } from './backend';

export interface PreparedDatabase {
  /** Signs the tokens of this database's users. Generated once and stored in the database. */
  jwtSecret: string;
  /** When the secret was generated, seconds since 1970: with it the API keys are the same at every start. */
  createdAt: number;
  /** The demo data was loaded into this database. */
  demo: boolean;
}

export interface PrepareOptions {
  /** Load the demo data into a new database. */
  demo: boolean;
  /** Signing secret to use instead of the database's own, at least 32 characters. */
  jwtSecret?: string;
}

/** Of several stacks that start on one PostgreSQL at once, one at a time takes a step. */
const LOCK = 'select pg_advisory_xact_lock(4206920141)';

/**
 * Applies missing migrations, each in its own transaction: after a failure the earlier ones stay applied, and the
 * failed one can be repaired and retried.
 */
export async function prepareDatabase(
  backend: SqlBackend,
  sql: StackSql,
  options: PrepareOptions,
): Promise<Result<PreparedDatabase, StackError>> {
  const based = await backend.transaction(async (connection) => {
    await connection.execute(LOCK);
    await connection.execute(sql.bootstrap);
    await connection.execute(sql.auth);
    await connection.execute(MIGRATIONS_TABLE);
    const applied = await connection.query('select 1 from supabase_migrations.schema_migrations limit 1');
    if (applied.length === 0) await insertSetting(connection, 'demo', options.demo ? 'wanted' : 'no');
  });
  if (!based.ok) return fail(explain('The database could not be prepared', based.error));

  const migrated = await migrate(backend, sql.migrations);
  if (!migrated.ok) return migrated;

  const finished = await backend.transaction(async (connection) => {
    await connection.execute(LOCK);
    if (sql.seed !== null && (await setting(connection, 'demo')) === 'wanted') {
      await connection.execute(sql.seed);
      await connection.query("update local_stack.settings set value = 'yes' where key = 'demo'");
    }
    await insertSetting(connection, 'jwt_secret', randomBytes(48).toString('base64url'));
    await insertSetting(connection, 'created_at', String(Math.floor(Date.now() / 1000)));
    return {
      jwtSecret: options.jwtSecret ?? (await setting(connection, 'jwt_secret')) ?? '',
      createdAt: Number(await setting(connection, 'created_at')),
      demo: (await setting(connection, 'demo')) === 'yes',
    };
  });
  return finished.ok ? finished : fail(explain('The demo data could not be laid down', finished.error));
}

/** The Supabase CLI's own table, so that the CLI knows which migrations are applied. */
const MIGRATIONS_TABLE = `
  create schema if not exists supabase_migrations;
  create table if not exists supabase_migrations.schema_migrations (
    version text primary key,
    statements text[],
    name text
  );
`;

async function migrate(backend: SqlBackend, migrations: Migration[]): Promise<Result<void, StackError>> {
  const checked = await backend.transaction((connection) => checkApplied(connection, migrations));
  if (!checked.ok) return fail(explain('The migrations could not be read', checked.error));
  const before = checked.value;
  if (!before.ok) return before;
  const missing = migrations.filter(({ version }) => !before.value.has(version));

  for (const migration of missing) {
    const applied = await backend.transaction(async (connection) => {
      await connection.execute(LOCK);
      // Another stack may have applied it since they were read.
      const done = await connection.query(
        'select 1 from supabase_migrations.schema_migrations where version = $1',
        [migration.version],
      );
      if (done.length > 0) return;
      await connection.execute(migration.sql);
      await record(connection, migration);
    });
    if (!applied.ok) {
      return fail(
        explain(`Migration ${migration.version}_${migration.name} failed and was undone`, applied.error),
      );
    }
  }
  return ok(undefined);
}

/** @returns the versions that are applied, or why this version of Convoy must not go on with the database */
async function checkApplied(
  connection: SqlConnection,
  migrations: Migration[],
): Promise<Result<ReadonlySet<string>, StackError>> {
  const applied = await connection.query<{ version: string; name: string | null; sha256: string | null }>(`
    select version, name, sha256
    from supabase_migrations.schema_migrations
    left join local_stack.migration_checksums using (version)
    order by version
  `);
  const known = new Map(migrations.map((migration) => [migration.version, migration]));
  for (const { version, name, sha256 } of applied) {
    const migration = known.get(version);
    if (!migration) {
      return fail({
        code: 'data_newer',
        message: `The database has migration ${version}_${name ?? ''}, which this version of Convoy does not know: a newer one made it. Update Convoy, or use another data folder (--data), or start over with --reset, which deletes the data.`,
      });
    }
    if (sha256 !== null && sha256 !== checksum(migration)) {
      return fail({
        code: 'migration_changed',
        message: `Migration ${version}_${migration.name} was changed after it had been applied to this database. Restore the file and put the change into a new migration, or start over with --reset, which deletes the data.`,
      });
    }
  }
  return ok(new Set(applied.map(({ version }) => version)));
}

async function record(connection: SqlConnection, migration: Migration): Promise<void> {
  await connection.query(
    'insert into supabase_migrations.schema_migrations (version, statements, name) values ($1, array[$2]::text[], $3)',
    [migration.version, migration.sql, migration.name],
  );
  await connection.query('insert into local_stack.migration_checksums (version, sha256) values ($1, $2)', [
    migration.version,
    checksum(migration),
  ]);
}

async function setting(connection: SqlConnection, key: string): Promise<string | null> {
  const [row] = await connection.query<{ value: string }>(
    'select value from local_stack.settings where key = $1',
    [key],
  );
  return row?.value ?? null;
}

/** Inserts a setting; an existing value stays. */
async function insertSetting(connection: SqlConnection, key: string, value: string): Promise<void> {
  await connection.query(
    'insert into local_stack.settings (key, value) values ($1, $2) on conflict do nothing',
    [key, value],
  );
}

/** Ignores carriage returns: a checkout on Windows is no change. */
function checksum({ sql }: Migration): string {
  return createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex');
}

function explain(what: string, failure: SqlFailure): StackError {
  const why = [failure.message, failure.detail, failure.hint].filter(Boolean).join(' ');
  if (failure.sqlState.startsWith('08') || failure.sqlState.startsWith('28')) {
    return { code: 'database_unreachable', message: `The database cannot be reached: ${why}` };
  }
  return { code: 'migration_failed', message: `${what}: ${why} (SQLSTATE ${failure.sqlState})` };
}
