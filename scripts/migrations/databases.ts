/** The two databases that have to be the same: made by the migrations, and by the schema files. */

import { openPgliteInMemory, type PgliteBackend, prepareDatabase, type StackSql } from '@/server';

/** @returns an empty database that this SQL was applied to. Rejects, naming the file, where one of them fails. */
export async function openFrom(sql: StackSql): Promise<PgliteBackend> {
  const backend = await openPgliteInMemory();
  const prepared = await prepareDatabase(backend, sql, { demo: false });
  if (prepared.ok) return backend;
  await backend.close();
  throw new Error(prepared.error.message);
}
