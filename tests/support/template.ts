/** Migrating a database takes seconds, so the data folder of one that is migrated is kept until the SQL changes. */

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
  startLocalStack,
} from '@/server';
import { VARIANTS } from './variant';

/** @returns a PGlite in memory with all migrations and, if asked for, the demo. */
export async function openMigrated(demo: boolean): Promise<PgliteBackend> {
  // SQL that was varied for one test is met again by none.
  const isVaried = packageRoot().includes(VARIANTS) && !existsSync(placeOf(nameOf(demo)));
  if (!isVaried) return openPgliteInMemory(await migratedTemplate(demo));
  const backend = await openPgliteInMemory();
  await prepareForTests(backend, demo);
  return backend;
}

const nameOf = (demo: boolean) => (demo ? 'demo.tar' : 'empty.tar');

/** @returns what a PGlite in memory starts from, with all migrations and, if asked for, the demo. */
export async function migratedTemplate(demo: boolean): Promise<Blob> {
  const file = await kept(nameOf(demo), async (path) => {
    const backend = await openPgliteInMemory();
    await prepareForTests(backend, demo);
    writeFileSync(path, Buffer.from(await (await backend.dump()).arrayBuffer()));
    await backend.close();
  });
  return new Blob([readFileSync(file)]);
}

/** Fills an empty folder with what the local stack leaves behind when it was started there once, with the demo. */
export async function copyMigratedFolder(to: string): Promise<void> {
  const folder = await kept('demo', async (path) => {
    const started = await startLocalStack({ data: { kind: 'folder', path } });
    if (!started.ok) throw new Error(started.error.message);
    await started.value.close();
  });
  cpSync(folder, to, { recursive: true });
}

/** @returns where a file or folder of this name is kept until the SQL or PGlite changes. */
function placeOf(name: string): string {
  const pglite = readFileSync(join(packageRoot(), 'node_modules/@electric-sql/pglite/package.json'), 'utf8');
  const hash = createHash('sha256')
    .update(JSON.stringify([readStackSql(), pglite]))
    .digest('hex');
  return join(packageRoot(), 'node_modules/.cache/convoy-database', `${hash}-${name}`);
}

/** @returns where a file or folder of this name is, made by `make` when it is not there. */
async function kept(name: string, make: (path: string) => Promise<void>): Promise<string> {
  const path = placeOf(name);
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.${randomUUID()}`;
  await make(unfinished);
  try {
    renameSync(unfinished, path);
  } catch (error) {
    // Another process was quicker, and a folder does not replace one that is there.
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(path)) throw error;
  }
  return path;
}

export async function prepareForTests(backend: SqlBackend, demo: boolean): Promise<void> {
  const prepared = await prepareDatabase(backend, readStackSql(), { demo });
  if (!prepared.ok) throw new Error(prepared.error.message);
}
