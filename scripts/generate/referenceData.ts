/**
 * Writes src/lib/watermelon/accounts/referenceData.generated.ts from the migrations: the records of the
 * global scope, for devices that work without a server. Applied to an empty in-memory database first.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Json } from '@/core/protocol';
import { columnsOf, SYNCED_TABLES } from '@/domain/schema';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import { readStackSql, type SqlBackend } from '@/server';
import { openFrom } from '../migrations/databases';

export const GENERATED_FILE = fileURLToPath(
  new URL('../../src/lib/watermelon/accounts/referenceData.generated.ts', import.meta.url),
);

/** @returns the text of the generated file for a database that the migrations made. Closes it. */
export async function generate(backend: SqlBackend): Promise<string> {
  try {
    const data: Record<string, Json[]> = {};
    for (const table of SYNCED_TABLES) {
      const rows = await backend.transaction((connection) =>
        connection.query<{ row: string }>(
          `select to_jsonb(t)::text as row from public.${table} t
           where t.workspace_id = $1::uuid and t.deleted_at is null order by t.id`,
          [GLOBAL_SCOPE_ID],
        ),
      );
      if (!rows.ok) throw new Error(rows.error.message);
      const names = ['id', 'workspace_id', ...Object.keys(columnsOf(table))];
      if (rows.value.length > 0) data[table] = rows.value.map(({ row }) => pick(JSON.parse(row), names));
    }
    return [
      '/** Generated from supabase/migrations by `npm run types:reference`. Do not edit. */',
      '',
      "import type { Json } from '@/core/protocol';",
      "import type { SyncedTable } from '@/domain/schema';",
      '',
      '/** The records of the global scope as they travel, without their stamps. */',
      `export const REFERENCE_DATA: Partial<Record<SyncedTable, Record<string, Json>[]>> = ${JSON.stringify(data, null, 2)};`,
      '',
    ].join('\n');
  } finally {
    await backend.close();
  }
}

function pick(row: Record<string, Json>, names: readonly string[]): Json {
  return Object.fromEntries(names.map((name) => [name, row[name] ?? null]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const content = await generate(await openFrom(readStackSql()));
  const check = process.argv.includes('--check');
  if (check && readFileSync(GENERATED_FILE, 'utf8') !== content) {
    console.error('The reference data is out of date: run npm run types:reference.');
    process.exitCode = 1;
  }
  if (!check) writeFileSync(GENERATED_FILE, content);
}
