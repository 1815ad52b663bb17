/** The two databases that have to be the same: made by the migrations, and by the schema files. */

import {
  openPgliteInMemory,
  type PgliteBackend,
  prepareDatabase,
  readStackSql,
  type StackSql,
} from '@/server';
import { differences, readCatalog, tell } from './catalog';

/** @returns an empty database that this SQL was applied to. Rejects, naming the file, where one of them fails. */
export async function openFrom(sql: StackSql, openEmpty = openPgliteInMemory): Promise<PgliteBackend> {
  const backend = await openEmpty();
  const prepared = await prepareDatabase(backend, sql, { demo: false });
  if (prepared.ok) return backend;
  await backend.close();
  throw new Error(prepared.error.message);
}

/** @returns the objects that the migrations and the schema files do not make alike, as a person reads it */
export async function describeDifferences(): Promise<string[]> {
  const history = await openFrom(readStackSql());
  const schemas = await openFrom(readStackSql(undefined, 'schemas'));
  const found = differences(await readCatalog(history), await readCatalog(schemas));
  await Promise.all([history.close(), schemas.close()]);
  return found.map(tell);
}
