/**
 * The checks of Supabase's database advisors that concern a schema, over PostgreSQL's own catalogues: they run where the
 * Supabase CLI does not, and ask what the advisors only guess at.
 */

import type { SqlConnection } from '@/server';

export interface Finding {
  check: Check;
  /** What it is about, with its schema. */
  object: string;
}

const OWN = `('convoy', 'public')`;

/** Each answers the objects that it finds fault with. */
const CHECKS = {
  /** Whoever calls such a function chooses what its names mean. A body in SQL's own form is bound when it is created. */
  'function without a search path': `
    select p.oid::regprocedure::text as object from pg_proc p
    where p.pronamespace::regnamespace::text in ${OWN} and p.prosqlbody is null
      and not exists (select from unnest(p.proconfig) setting where setting like 'search_path=%')`,

  /**
   * An index serves a foreign key when it begins with all of its columns, or with one that identifies the row that is
   * referred to; and when it has every row in which that column is set.
   */
  'foreign key without an index': `
    select c.conrelid::regclass || ' ' || c.conname as object
    from pg_constraint c
    where c.contype = 'f' and c.connamespace::regnamespace::text in ${OWN}
      and not exists (
        select from pg_index i
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indrelid = c.conrelid and i.indisvalid and i.indkey[0] = any (c.conkey)
          and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', a.attname))
          and (
            cardinality(c.conkey) = 1
            or c.conkey <@ (i.indkey::smallint[])[0:cardinality(c.conkey) - 1]
            or exists (
              select from pg_index u
              where u.indrelid = c.confrelid and u.indisunique and u.indnkeyatts = 1 and u.indpred is null
                and u.indkey[0] = c.confkey[array_position(c.conkey, i.indkey[0])])))`,

  'table without row level security': `
    select t.oid::regclass::text as object from pg_class t
    where t.relnamespace::regnamespace::text in ${OWN} and t.relkind in ('r', 'p') and not t.relrowsecurity`,

  /** Within a subquery, the caller is looked up once a statement. */
  'policy that looks the caller up for each row': `
    select p.schemaname || '.' || p.tablename || ' ' || p.policyname as object from pg_policies p
    where regexp_replace(concat_ws(' ', p.qual, p.with_check), 'SELECT (auth\\.\\w+\\(\\)|current_setting\\()', '', 'gi')
      ~* 'auth\\.(uid|jwt|role|email)\\(|current_setting\\('`,

  'several permissive policies for one role and action': `
    select p.schemaname || '.' || p.tablename as object
    from pg_policies p
    cross join unnest(p.roles) role
    cross join unnest(case p.cmd when 'ALL' then array['SELECT', 'INSERT', 'UPDATE', 'DELETE'] else array[p.cmd] end) action
    where p.permissive = 'PERMISSIVE' and p.schemaname in ${OWN}
    group by p.schemaname, p.tablename, role, action having count(*) > 1`,

  'two indexes that are the same': `
    select min(i.indexrelid::regclass::text) as object from pg_index i
    join pg_class t on t.oid = i.indrelid
    where t.relnamespace::regnamespace::text in ${OWN}
    group by i.indrelid, i.indkey::text, i.indclass::text, i.indoption::text, pg_get_expr(i.indpred, i.indrelid),
      pg_get_expr(i.indexprs, i.indrelid)
    having count(*) > 1`,

  'table without a primary key': `
    select t.oid::regclass::text as object from pg_class t
    where t.relnamespace::regnamespace::text in ${OWN} and t.relkind in ('r', 'p')
      and not exists (select from pg_index i where i.indrelid = t.oid and i.indisprimary)`,

  /** Such a view shows rows that the caller's policies hide. */
  'view that reads as its owner': `
    select v.oid::regclass::text as object from pg_class v
    where v.relnamespace::regnamespace::text = 'public' and v.relkind in ('v', 'm')
      and not coalesce(v.reloptions && array['security_invoker=true', 'security_invoker=on'], false)`,
} as const;

export type Check = keyof typeof CHECKS;
export const CHECK_NAMES = Object.keys(CHECKS) as Check[];

/** Runs all checks. @returns what they find, sorted by check and object */
export async function lintFindings(connection: SqlConnection): Promise<Finding[]> {
  await connection.execute("set local search_path = ''");
  const all: Finding[] = [];
  for (const check of CHECK_NAMES) {
    const rows = await connection.query<{ object: string }>(`${CHECKS[check]} order by 1`);
    all.push(...rows.map(({ object }) => ({ check, object })));
  }
  return all;
}
