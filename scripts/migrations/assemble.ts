/**
 * Assembles a migration: the functions that differ between the database of the migrations and that of
 * `supabase/schemas`, as they stand there, with drops where a signature changed and with the grants that the schemas
 * have. DDL is written by hand; the objects that it has to bring about are listed in its place.
 */

import type { Migration, SqlBackend } from '@/server';
import { type Difference, differences, readCatalog } from './catalog';
import { asReplacement, createdFunction, splitStatements } from './statements';

interface StoredFunction {
  /** `schema.name(types)`, as `regprocedure` prints it. */
  signature: string;
  /** `schema.name` */
  name: string;
  /** The text between the dollar quotes; empty where the body is an SQL expression. */
  body: string;
  definition: string;
  result: string;
  acl: string;
}

const FUNCTIONS = `
  select p.oid::regprocedure::text as signature, n.nspname || '.' || p.proname as name, p.prosrc as body,
    pg_get_functiondef(p.oid) as definition, pg_get_function_result(p.oid) as result,
    coalesce((select string_agg(coalesce(nullif(a.grantee, 0)::regrole::text, 'public'), ', ' order by a.grantee)
      from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
      where a.privilege_type = 'EXECUTE' and a.grantee <> p.proowner), '') as acl
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname in ('convoy', 'public') and p.prokind = 'f'
    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
  order by p.oid`;

async function functionsOf(backend: SqlBackend): Promise<Map<string, StoredFunction>> {
  const read = await backend.transaction(async (connection) => {
    // With an empty search path every type of a signature is written with its schema.
    await connection.execute("set local search_path = ''");
    return connection.query<StoredFunction>(FUNCTIONS);
  });
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
 * @param files the schema files
 * @returns the migration from the one to the other, but for the DDL; empty SQL where they are the same
 */
export async function assembleMigration(
  from: SqlBackend,
  to: SqlBackend,
  files: readonly Migration[],
): Promise<Assembled> {
  const [before, after] = [await functionsOf(from), await functionsOf(to)];
  const statements = files.flatMap(({ sql }) => splitStatements(sql));
  const texts = statementsByName(statements);
  const isWritten = ({ name }: StoredFunction) => texts.has(name);

  const dropped = [...before.values()].filter((one) => {
    const now = after.get(one.signature);
    return now === undefined ? !isGenerated(one) : now.result !== one.result;
  });
  const gone = new Set(dropped.map(({ signature }) => signature));
  const kept = (signature: string) => (gone.has(signature) ? undefined : before.get(signature));
  const changed = [...after.values()].filter(
    ({ signature, definition }) => kept(signature)?.definition !== definition,
  );
  const granted = [...after.values()].filter(({ signature, acl }) => kept(signature)?.acl !== acl);

  const calls = new Set(changed.filter((one) => !isWritten(one)).map((one) => callFor(one, statements)));
  const parts = [
    dropped.map(({ signature }) => `drop function ${signature};\n`).join(''),
    ...changed.filter(isWritten).map((one) => `${asReplacement(textOf(one, texts.get(one.name) ?? []))}\n`),
    calls.size > 0
      ? `-- Functions that are written from the columns of the tables.\n${[...calls].join('\n')}\n`
      : '',
    granted.map(grants).join(''),
  ];
  const ddl = differences(await readCatalog(from), await readCatalog(to));
  return {
    sql: parts.filter(Boolean).join('\n'),
    ddl: ddl.filter(({ object }) => !object.startsWith('function ')),
  };
}

/** What convoy.build_pushes writes. */
const PUSH_ROWS = /^convoy\.(find_rows|written_rows|insert_rows|update_round)$/;

/**
 * Functions that convoy.make_synced, convoy.build_pages and convoy.build_pushes write. They are replaced by a call, and
 * never dropped.
 */
function isGenerated({ name }: StoredFunction): boolean {
  return (
    /^convoy\.(stamp_|page_(?!end)|find_page_end$|count_rows$|read_page$)/.test(name) || PUSH_ROWS.test(name)
  );
}

function statementsByName(statements: readonly string[]): Map<string, string[]> {
  const texts = new Map<string, string[]>();
  for (const statement of statements) {
    const name = createdFunction(statement);
    if (name !== null) texts.set(name, [...(texts.get(name) ?? []), statement]);
  }
  return texts;
}

/** @returns the function as the schema files have it; functions of one name are told apart by their bodies */
function textOf({ body, definition }: StoredFunction, texts: readonly string[]): string {
  const [only, ...others] = texts.filter((text) => text.includes(body));
  return only !== undefined && others.length === 0 ? only : `${definition.trim()};`;
}

/** @returns the statement of the schema files that writes a generated function */
function callFor({ name }: StoredFunction, statements: readonly string[]): string {
  const table = /^convoy\.stamp_(.+)$/.exec(name)?.[1];
  const build = PUSH_ROWS.test(name) ? 'select convoy.build_pushes(' : 'select convoy.build_pages(';
  const start = table === undefined ? build : `select convoy.make_synced('${table}'`;
  const call = statements.find((statement) => statement.startsWith(start));
  if (call === undefined) throw new Error(`No statement of supabase/schemas writes ${name}.`);
  return call;
}

/**
 * The grants of a function, whole: a function that is created takes on the default privileges of its schema,
 * and on Supabase those give EXECUTE to anon.
 */
function grants({ signature, acl }: StoredFunction): string {
  const revoke = `revoke all on function ${signature} from public, anon, authenticated, service_role;\n`;
  return acl === '' ? revoke : `${revoke}grant execute on function ${signature} to ${acl};\n`;
}

/** The head of a migration: what it is for, and where its DDL goes. */
export function migrationText(name: string, { sql, ddl }: Assembled): string {
  const wanted = ddl.map(({ object }) => `--   ${object}\n`).join('');
  const place =
    ddl.length > 0
      ? `-- DDL to write here, so that these come to be as supabase/schemas has them (calls below may do it):\n${wanted}\n`
      : '';
  return `-- ${name.replaceAll('_', ' ')}: say here what changes, and why.\n\n${place}${sql}`;
}
