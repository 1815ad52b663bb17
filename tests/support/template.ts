/** Caches migrated databases until the SQL changes: migrating one takes seconds. */

import { createHash, randomUUID } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { hashSync } from 'bcryptjs';
import {
  openPgliteInMemory,
  type PgliteBackend,
  packageRoot,
  prepareDatabase,
  readStackSql,
  type SqlBackend,
  type SqlSource,
  startLocalStack,
} from '@/server';
import { SEED } from './seed';

/**
 * @param source the migrations, or the schema files, which make the same database: the simulation plants its bugs in
 *   those, since a migration may have been superseded
 * @returns a PGlite in memory with all of that SQL and, if asked for, the demo
 */
export async function openMigrated(demo: boolean, source: SqlSource = 'migrations'): Promise<PgliteBackend> {
  return openPgliteInMemory(await migratedTemplate(demo, source));
}

/** @returns the initial data of a PGlite in memory, with all migrations and optionally the demo. */
export async function migratedTemplate(demo: boolean, source: SqlSource = 'migrations'): Promise<Blob> {
  const file = await cached(demo ? 'demo.tar' : 'empty.tar', source, async (path) => {
    const backend = await openBare();
    await prepareForTests(backend, demo, source);
    writeFileSync(path, Buffer.from(await (await backend.dump()).arrayBuffer()));
    await backend.close();
  });
  return read(file);
}

/** @returns a PGlite in memory as PostgreSQL's initdb leaves it, in a tenth of the time that initdb takes */
export async function openBare(): Promise<PgliteBackend> {
  return openPgliteInMemory(await bareTemplate());
}

/** @returns the initial data of a PGlite in memory without any of Convoy's SQL. */
export async function bareTemplate(): Promise<Blob> {
  const file = await cached('bare.tar', null, async (path) => {
    const initial = await openPgliteInMemory();
    const database = await PGlite.create({ loadDataDir: await initial.dump() });
    await initial.close();
    // Half of a database is the two that PostgreSQL copies new ones from; PGlite makes none.
    await database.exec('update pg_database set datistemplate = false');
    for (const name of ['template0', 'template1']) await database.exec(`drop database ${name}`);
    const lean = await database.dumpDataDir('none');
    writeFileSync(path, Buffer.from(await lean.arrayBuffer()));
    await database.close();
  });
  return read(file);
}

/** By their paths: most test files of a process open the same one. */
const templates = new Map<string, Blob>();

function read(file: string): Blob {
  const template = templates.get(file) ?? new Blob([readFileSync(file)]);
  templates.set(file, template);
  return template;
}

/** Fills an empty folder with the data folder of a local stack that was started once, with the demo. */
export async function copyMigratedFolder(to: string): Promise<void> {
  const folder = await cached('demo', 'migrations', async (path) => {
    const started = await startLocalStack({ data: { kind: 'folder', path } });
    if (!started.ok) throw new Error(started.error.message);
    await started.value.close();
  });
  cpSync(folder, to, { recursive: true });
}

/** @returns the path of a cached file or folder; it changes with PGlite, with how it is made, and with the SQL. */
function cachePath(name: string, source: SqlSource | null): string {
  const made = [
    'node_modules/@electric-sql/pglite/package.json',
    'src/server/database/pglite.ts',
    'tests/support/template.ts',
  ].map((file) => readFileSync(join(packageRoot(), file), 'utf8'));
  const sql = source && readStackSql(undefined, source);
  const hash = createHash('sha256')
    .update(JSON.stringify([made, sql]))
    .digest('hex');
  return join(packageRoot(), 'node_modules/.cache/convoy-database', `${hash}-${name}`);
}

/** @returns the path of a cached file or folder, which `make` makes when it is missing. */
async function cached(
  name: string,
  source: SqlSource | null,
  make: (path: string) => Promise<void>,
): Promise<string> {
  const path = cachePath(name, source);
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.${randomUUID()}`;
  await make(unfinished);
  try {
    renameSync(unfinished, path);
  } catch (error) {
    // Another process was quicker: a folder does not replace an existing one.
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(path)) throw error;
  }
  return path;
}

export async function prepareForTests(
  backend: SqlBackend,
  demo: boolean,
  source: SqlSource = 'migrations',
): Promise<void> {
  const prepared = await prepareDatabase(backend, readStackSql(undefined, source), { demo });
  if (!prepared.ok) throw new Error(prepared.error.message);
  if (demo) await cheapenPasswords(backend);
}

/**
 * Gives the demo's accounts the hash of their password that takes bcrypt the least time: thousands of sign-ins of tests
 * would spend minutes on the one that is shipped. Passwords of accounts that tests sign up are hashed as for people.
 */
async function cheapenPasswords(backend: SqlBackend): Promise<void> {
  const cheap = hashSync(SEED.password, 4);
  const changed = await backend.transaction((connection) =>
    connection.query('update auth.users set encrypted_password = $1 where encrypted_password is not null', [
      cheap,
    ]),
  );
  if (!changed.ok) throw new Error(changed.error.message);
}
