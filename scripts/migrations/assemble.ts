/**
 * Assembles a migration: the functions that differ between the database of the migrations and that of
 * `supabase/schemas`, verbatim, with drops where a signature changed and with the grants that the schemas have.
 * DDL is written by hand; what it has to bring about is listed in its place.
 */

import type { SqlBackend } from '@/server';
import { type Difference, differences, readCatalog } from './catalog';

interface StoredFunction {
  /** `schema.name(types)`, as `regprocedure` prints it. */
  signature: string;
  definition: string;
  result: string;
  acl: string;
  owner: string;
}

const FUNCTIONS = `
  select p.oid::regprocedure::text as signature, pg_get_functiondef(p.oid) as definition,
    pg_get_function_result(p.oid) as result, pg_get_userbyid(p.proowner) as owner,
    coalesce((select string_agg(coalesce(nullif(a.grantee, 0)::regrole::text, 'public'), ',' order by a.grantee)
      from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
      where a.privilege_type = 'EXECUTE' and a.grantee <> p.proowner), '') as acl
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname in ('convoy', 'public') and p.prokind = 'f'
  order by p.oid`;

/** Functions that convoy.make_synced and convoy.build_pages write: they come with a call, not as text. */
const GENERATED = /^convoy\.(stamp_|page_(?!end)|find_page_end\(|count_rows\(|read_page\()/;

async function functionsOf(backend: SqlBackend): Promise<Map<string, StoredFunction>> {
  const read = await backend.transaction((connection) => connection.query<StoredFunction>(FUNCTIONS));
  if (!read.ok) throw new Error(`The functions could not be read: ${read.error.message}`);
  return new Map(read.value.map((one) => [one.signature, one]));
}

export interface Assembled {
  sql: string;
  /** Objects other than functions that differ: DDL that is to be written by hand. */
  ddl: Difference[];
}

/**
 * @param from the database that the migrations make
 * @param to the database that the schema files describe
 * @returns the migration from the one to the other, but for the DDL; empty SQL where they are the same
 */
export async function assembleMigration(from: SqlBackend, to: SqlBackend): Promise<Assembled> {
  const [before, after] = [await functionsOf(from), await functionsOf(to)];
  const ddl = differences(await readCatalog(from), await readCatalog(to)).filter(
    ({ object }) => !object.startsWith('function '),
  );
  const dropped = [...before.values()].filter(({ signature, result }) => {
    const now = after.get(signature);
    return !GENERATED.test(signature) && (now === undefined || now.result !== result);
  });
  const gone = new Set(dropped.map(({ signature }) => signature));
  const created = [...after.values()].filter(({ signature, definition }) => {
    const known = gone.has(signature) ? undefined : before.get(signature);
    return !GENERATED.test(signature) && known?.definition !== definition;
  });
  const granted = [...after.values()].filter(({ signature, acl }) => {
    const isNew = gone.has(signature) || !before.has(signature);
    return !GENERATED.test(signature) && (isNew || before.get(signature)?.acl !== acl);
  });
  const parts = [
    dropped.map(({ signature }) => `drop function ${signature};\n`).join(''),
    ...created.map(({ definition }) => `${definition.trim()};\n`),
    granted.map(grants).join(''),
  ];
  const isGeneratedStale = differing(before, after).some((signature) => GENERATED.test(signature));
  if (isGeneratedStale) {
    parts.push(
      '-- The functions that are written from the columns. Stamp functions: call convoy.make_synced for the table, above.\nselect convoy.build_pages();\n',
    );
  }
  return { sql: parts.filter(Boolean).join('\n'), ddl };
}

/** @returns signatures of functions that both databases have, with different text. */
function differing(before: Map<string, StoredFunction>, after: Map<string, StoredFunction>): string[] {
  return [...after.keys()].filter((signature) => {
    const known = before.get(signature);
    return known !== undefined && known.definition !== after.get(signature)?.definition;
  });
}

/**
 * The grants of a function, whole: a function that is created takes on the default privileges of its schema,
 * and on Supabase those give EXECUTE to anon.
 */
function grants({ signature, acl, owner }: StoredFunction): string {
  const roles = acl.split(',').filter(Boolean);
  const known = ['public', 'anon', 'authenticated', 'service_role'].filter((role) => role !== owner);
  const revoke = `revoke all on function ${signature} from ${known.join(', ')};\n`;
  return roles.length > 0
    ? `${revoke}grant execute on function ${signature} to ${roles.join(', ')};\n`
    : revoke;
}

/** The head of a migration: what it is for, and where its DDL goes. */
export function migrationText(name: string, { sql, ddl }: Assembled): string {
  const wanted = ddl.map(({ object }) => `--   ${object}\n`).join('');
  const place =
    ddl.length > 0
      ? `-- DDL to write here, so that these come to be as supabase/schemas has them:\n${wanted}\n`
      : '';
  return `-- ${name.replaceAll('_', ' ')}: say here what changes, and why.\n\n${place}${sql}`;
}
