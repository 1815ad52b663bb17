/**
 * Writes src/lib/supabase/database.types.generated.ts from the migrations: applied to an empty
 * in-memory database, whose catalog is then read. The format is that of `supabase gen types typescript`.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readStackSql, type SqlBackend } from '@/server';
import { openFrom } from '../migrations/databases';
import { databaseTypes } from './databaseTypes';

export const GENERATED_FILE = fileURLToPath(
  new URL('../../src/lib/supabase/database.types.generated.ts', import.meta.url),
);

/** @returns the text of the generated file for a database that the migrations made. Closes it. */
export async function generate(backend: SqlBackend): Promise<string> {
  try {
    const types = await backend.transaction(databaseTypes);
    if (!types.ok) throw new Error(types.error.message);
    return types.value;
  } finally {
    await backend.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const types = await generate(await openFrom(readStackSql()));
  const check = process.argv.includes('--check');
  if (check && readFileSync(GENERATED_FILE, 'utf8') !== types) {
    console.error('The database types are out of date: run npm run types:database.');
    process.exitCode = 1;
  }
  if (!check) writeFileSync(GENERATED_FILE, types);
}
