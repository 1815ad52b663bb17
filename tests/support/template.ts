/** Caches migrated databases until the SQL changes: migrating one takes seconds. */

import { createHash, randomUUID } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
import { VARIANTS } from './variant';

/**
 * @param source the migrations, or the schema files, which make the same database: a variant plants its bugs in
 *   those, since a migration may have been superseded
 * @returns a PGlite in memory with all of that SQL and, if asked for, the demo
 */
export async function openMigrated(demo: boolean, source: SqlSource = 'migrations'): Promise<PgliteBackend> {
  // A variant's SQL is used by one test alone, so it is not cached.
  const isVaried = packageRoot().includes(VARIANTS) && !existsSync(cachePath(nameOf(demo), source));
  if (!isVaried) return openPgliteInMemory(await migratedTemplate(demo, source));
  const backend = await openPgliteInMemory();
  await prepareForTests(backend, demo, source);
  return backend;
}

const nameOf = (demo: boolean) => (demo ? 'demo.tar' : 'empty.tar');

/** @returns the initial data of a PGlite in memory, with all migrations and optionally the demo. */
export async function migratedTemplate(demo: boolean, source: SqlSource = 'migrations'): Promise<Blob> {
  const file = await cached(nameOf(demo), source, async (path) => {
    const backend = await openPgliteInMemory();
    await prepareForTests(backend, demo, source);
    writeFileSync(path, Buffer.from(await (await backend.dump()).arrayBuffer()));
    await backend.close();
  });
  return new Blob([readFileSync(file)]);
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

/** @returns the path of a cached file or folder; it changes with the SQL and with PGlite. */
function cachePath(name: string, source: SqlSource): string {
  const pglite = readFileSync(join(packageRoot(), 'node_modules/@electric-sql/pglite/package.json'), 'utf8');
  const hash = createHash('sha256')
    .update(JSON.stringify([readStackSql(undefined, source), pglite]))
    .digest('hex');
  return join(packageRoot(), 'node_modules/.cache/convoy-database', `${hash}-${name}`);
}

/** @returns the path of a cached file or folder, which `make` makes when it is missing. */
async function cached(
  name: string,
  source: SqlSource,
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
}
