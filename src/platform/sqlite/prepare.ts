/** Brings a database file to the schema of this code, in one transaction, or leaves it unchanged. */

import type { AppSchema } from '@nozbe/watermelondb';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import { CHANGE_LOG, CHANGE_LOG_SQL, newerSchema } from './changeLog';
import { inTransaction, SqliteFailure, type SqliteHandle, storageError } from './handle';
import { encodeMigrationSteps, encodeSchema, stepsForMigration } from './watermelondb';

export interface SchemaOfCode {
  schema: AppSchema;
  migrations: SchemaMigrations;
}

/**
 * Sets a new database up, or migrates an older one. Of several concurrent callers one does the work.
 * Throws a `SqliteFailure`: `newer_schema`, `no_migration`, `migration_failed`, `corrupt` for a file of another program.
 */
export function prepareDatabase(handle: SqliteHandle, { schema, migrations }: SchemaOfCode): void {
  if (versionOf(handle) === schema.version && hasChangeLog(handle)) return;
  inTransaction(handle, () => {
    const found = versionOf(handle);
    if (found > schema.version) throw newerSchema(found, schema.version);
    if (found === 0) setUp(handle, schema);
    else if (found < schema.version) migrate(handle, { schema, migrations }, found);
    handle.exec(CHANGE_LOG_SQL);
    handle.exec(`pragma user_version = ${schema.version}`);
  });
}

export function versionOf(handle: SqliteHandle): number {
  return Number(handle.select('pragma user_version').rows[0]?.[0]);
}

export function hasChangeLog(handle: SqliteHandle): boolean {
  return handle.select(`select 1 from "sqlite_master" where "name" = 'convoy_changes'`).rows.length > 0;
}

function setUp(handle: SqliteHandle, schema: AppSchema): void {
  const { rows } = handle.select('select "name" from "sqlite_master" limit 1');
  if (rows.length > 0) throw new SqliteFailure(storageError('corrupt', 'it holds tables of another program'));
  handle.exec(encodeSchema(schema));
}

/** Drops every table but the change log, and makes those of the schema. */
export function setUpAnew(handle: SqliteHandle, schema: AppSchema): void {
  const { rows } = handle.select(`select "name" from "sqlite_master" where "type" = 'table'`);
  const names = rows
    .map(([name]) => String(name))
    .filter((name) => name !== CHANGE_LOG && !/^sqlite_/.test(name));
  handle.exec(names.map((name) => `drop table "${name}";`).join('') + encodeSchema(schema));
}

function migrate(handle: SqliteHandle, { schema, migrations }: SchemaOfCode, found: number): void {
  const steps = stepsForMigration({ migrations, fromVersion: found, toVersion: schema.version });
  if (!steps) {
    throw new SqliteFailure(storageError('no_migration', `version ${found}, wanted ${schema.version}`));
  }
  const sql = encodeMigrationSteps(steps, schema);
  if (sql === '') return;
  try {
    handle.exec(sql);
  } catch (error) {
    // Other codes, such as `quota` and `corrupt`, already name the cause.
    if (!(error instanceof SqliteFailure) || error.detail.code !== 'unavailable') throw error;
    throw new SqliteFailure(storageError('migration_failed', error.reason), { cause: error });
  }
}
