/** Migrating a database takes seconds, so the data folder of one that is migrated is kept until the SQL changes. */

import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openPgliteInMemory, packageRoot, prepareDatabase, readStackSql, type SqlBackend } from '@/server';

/** @returns what a PGlite in memory starts from, with all migrations and, if asked for, the demo. */
export async function migratedTemplate(demo: boolean): Promise<Blob> {
  const folder = join(packageRoot(), 'node_modules/.cache/convoy-database');
  const pglite = readFileSync(join(packageRoot(), 'node_modules/@electric-sql/pglite/package.json'), 'utf8');
  const hash = createHash('sha256')
    .update(JSON.stringify([readStackSql(), demo, pglite]))
    .digest('hex');
  const file = join(folder, `${hash}.tar`);
  if (!existsSync(file)) {
    const backend = await openPgliteInMemory();
    await prepareForTests(backend, demo);
    mkdirSync(folder, { recursive: true });
    const unfinished = `${file}.${randomUUID()}`;
    writeFileSync(unfinished, Buffer.from(await (await backend.dump()).arrayBuffer()));
    renameSync(unfinished, file);
    await backend.close();
  }
  return new Blob([readFileSync(file)]);
}

export async function prepareForTests(backend: SqlBackend, demo: boolean): Promise<void> {
  const prepared = await prepareDatabase(backend, readStackSql(), { demo });
  if (!prepared.ok) throw new Error(prepared.error.message);
}
