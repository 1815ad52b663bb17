/**
 * What a database is made of, object by object, so that two databases can be compared: the one that the
 * migrations make, and the one that `supabase/schemas` describes.
 */

import type { SqlBackend } from '@/server';

/** By kind and name, the definition of an object: grants, owner and column order included. */
export type Catalog = ReadonlyMap<string, string>;

/** The schemas that are Convoy's, and those of Supabase in which Convoy has triggers and policies. */
const OWN = `('convoy', 'public')`;
const TOUCHED = `('convoy', 'public', 'auth', 'realtime')`;

const ACL = (acl: string) =>
  `(select string_agg(entry::text, ' ' order by entry::text) from unnest(${acl}) entry)`;

/** Each answers (name, definition). Objects of extensions are left out. */
const QUERIES: Record<string, string> = {
  schema: `
    select n.nspname as name, concat_ws(' | ', pg_get_userbyid(n.nspowner), ${ACL('n.nspacl')}) as definition
    from pg_namespace n where n.nspname in ${OWN}`,
  'default privileges': `
    select concat_ws(' ', pg_get_userbyid(d.defaclrole), n.nspname, d.defaclobjtype) as name, ${ACL('d.defaclacl')} as definition
    from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace`,
  relation: `
    select c.oid::regclass::text as name,
      concat_ws(' | ', c.relkind::text, c.relpersistence::text, pg_get_userbyid(c.relowner), ${ACL('c.relacl')},
        'rls ' || c.relrowsecurity, 'forced ' || c.relforcerowsecurity, c.reloptions::text,
        case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end,
        (select string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
            case when a.attnotnull then 'not null' end, 'storage ' || a.attstorage::text, nullif(a.attcompression::text, ''),
            'generated ' || nullif(a.attgenerated::text, ''), 'identity ' || nullif(a.attidentity::text, ''),
            nullif(a.attcollation, 0)::regcollation::text, pg_get_expr(d.adbin, d.adrelid), a.attacl::text), e',\\n  '
            order by a.attnum)
          from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)) as definition
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ${OWN} and c.relkind in ('r', 'p', 'v', 'm', 'S', 'c', 'f')`,
  constraint: `
    select c.conrelid::regclass || ' ' || c.conname as name,
      concat_ws(' | ', pg_get_constraintdef(c.oid), 'validated ' || c.convalidated) as definition
    from pg_constraint c join pg_namespace n on n.oid = c.connamespace where n.nspname in ${OWN} and c.conrelid <> 0`,
  index: `
    select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition
    from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ${OWN}`,
  trigger: `
    select t.tgrelid::regclass || ' ' || t.tgname as name, concat_ws(' | ', pg_get_triggerdef(t.oid), t.tgenabled) as definition
    from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ${TOUCHED} and not t.tgisinternal`,
  policy: `
    select concat_ws('.', p.schemaname, p.tablename) || ' ' || p.policyname as name,
      concat_ws(' | ', p.permissive, p.roles::text, p.cmd, 'using ' || p.qual, 'check ' || p.with_check) as definition
    from pg_policies p where p.schemaname in ${TOUCHED}`,
  function: `
    select p.oid::regprocedure::text as name,
      concat_ws(e'\\n', pg_get_userbyid(p.proowner), ${ACL('p.proacl')}, pg_get_functiondef(p.oid)) as definition
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ${OWN} and p.prokind in ('f', 'p')
      and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`,
  type: `
    select t.oid::regtype::text as name,
      concat_ws(' | ', t.typtype, pg_get_userbyid(t.typowner), ${ACL('t.typacl')}, nullif(t.typbasetype, 0)::regtype::text,
        (select string_agg(e.enumlabel, ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid)) as definition
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where n.nspname in ${OWN} and t.typtype in ('c', 'd', 'e', 'r') and t.typelem = 0`,
  comment: `
    select concat_ws(' ', d.classoid::regclass, pg_describe_object(d.classoid, d.objoid, d.objsubid)) as name, d.description as definition
    from pg_description d join pg_class c on d.classoid = 'pg_class'::regclass and c.oid = d.objoid
    join pg_namespace n on n.oid = c.relnamespace where n.nspname in ${OWN}`,
  publication: `
    select concat_ws(' ', p.pubname, t.schemaname, t.tablename) as name, to_jsonb(p)::text as definition
    from pg_publication p left join pg_publication_tables t on t.pubname = p.pubname`,
};

/** Rows that a database cannot live without, without the stamps that say when they were written. */
const DATA: Record<string, string> = {
  'convoy.permissions': `select concat_ws(' ', role, table_name, op) as name, '' as definition from convoy.permissions`,
  'convoy.synced_tables': `select name, to_jsonb(t)::text as definition from convoy.synced_tables t`,
  'convoy.synced_columns': `select table_name || '.' || name as name, to_jsonb(c)::text as definition from convoy.synced_columns c`,
  'convoy.served_versions': `select 'versions' as name, to_jsonb(v)::text as definition from convoy.served_versions v`,
  'convoy.scope_clocks': `select scope_id::text as name, purged_to::text as definition from convoy.scope_clocks`,
  ...Object.fromEntries(
    ['workflows', 'best_practices', 'patterns'].map((table) => [
      `public.${table}`,
      `select id::text as name, (to_jsonb(r) - '{revision,created_at,updated_at}'::text[])::text as definition
       from public.${table} r where workspace_id = '00000000-0000-7000-8000-000000000000'`,
    ]),
  ),
};

/** @returns the catalog of a database. Rejects where it cannot be read. */
export async function readCatalog(backend: SqlBackend): Promise<Catalog> {
  const catalog = new Map<string, string>();
  const read = await backend.transaction(async (connection) => {
    for (const [kind, query] of Object.entries({ ...QUERIES, ...DATA })) {
      const rows = await connection.query<{ name: string; definition: string | null }>(query);
      for (const { name, definition } of rows) catalog.set(`${kind} ${name}`, definition ?? '');
    }
  });
  if (!read.ok) throw new Error(`The catalog could not be read: ${read.error.message}`);
  return catalog;
}

export interface Difference {
  /** Kind and name. */
  object: string;
  /** The definition in each database; null where it has no such object. */
  before: string | null;
  after: string | null;
}

/** @returns the objects that two databases do not have alike, by name. */
export function differences(before: Catalog, after: Catalog): Difference[] {
  const objects = [...new Set([...before.keys(), ...after.keys()])].sort();
  return objects
    .map((object) => ({ object, before: before.get(object) ?? null, after: after.get(object) ?? null }))
    .filter((one) => one.before !== one.after);
}

/** @returns a difference as a person reads it. */
export function tell({ object, before, after }: Difference): string {
  if (before === null) return `${object}: in supabase/schemas alone`;
  if (after === null) return `${object}: in supabase/migrations alone`;
  const [a, b] = [before.split('\n'), after.split('\n')];
  const line = a.findIndex((text, n) => text !== b[n]);
  const at = line < 0 ? a.length : line;
  return `${object}:\n  migrations: ${a[at] ?? '(ends here)'}\n  schemas:    ${b[at] ?? '(ends here)'}`;
}
