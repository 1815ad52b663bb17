/** supabase/README.md says which functions there are, who may call them, and what errors mean: as the database has it. */

import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PgliteBackend } from '@/server';
import { openMigrated } from '../support/template';

const README = readFileSync('supabase/README.md', 'utf8');
const SCHEMAS = readdirSync('supabase/schemas').map((file) =>
  readFileSync(`supabase/schemas/${file}`, 'utf8'),
);

/** Names of functions by the roles that the table of functions gives them; `get_*` stands for all that begin so. */
function documented(): { pattern: RegExp; roles: string }[] {
  const rows = README.split('\n').filter((line) => /^\|[^|]*\|[^|]*\|[^|]*\|[^|]*\|$/.test(line));
  return rows.flatMap((row) => {
    const [, , , functions = '', callers = ''] = row.split('|');
    return [...functions.matchAll(/`(?:convoy\.|public\.)?([a-z_]+\*?)`/g)].map(([, name = '']) => ({
      pattern: new RegExp(`^${name.replace('*', '[a-z_]+')}$`),
      roles: callers.trim(),
    }));
  });
}

describe('the map of the server', () => {
  let backend: PgliteBackend;
  let functions: { name: string; roles: string }[];
  beforeAll(async () => {
    backend = await openMigrated(false);
    const read = await backend.transaction((connection) =>
      connection.query<{ name: string; roles: string }>(`
        select p.proname as name, coalesce((
            select string_agg(coalesce(nullif(a.grantee, 0)::regrole::text, 'public'), ', '
              order by coalesce(nullif(a.grantee, 0)::regrole::text, 'public'))
            from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
            where a.privilege_type = 'EXECUTE' and a.grantee <> p.proowner), '') as roles
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in ('convoy', 'public')`),
    );
    if (!read.ok) throw new Error(read.error.message);
    functions = read.value;
  });
  afterAll(() => backend.close());

  it('names no function that is not there, and says of each who may call it', () => {
    for (const { pattern, roles } of documented()) {
      const found = functions.filter(({ name }) => pattern.test(name));
      expect(found, String(pattern)).not.toEqual([]);
      for (const one of found) expect(one.roles, one.name).toBe(roles);
    }
    expect(documented().length).toBeGreaterThan(30);
  });

  it('names every function that a client may call, and anon may call none', () => {
    const callable = functions.filter(({ roles }) => roles !== '');
    const unnamed = callable.filter(({ name }) => !documented().some(({ pattern }) => pattern.test(name)));
    expect(unnamed).toEqual([]);
    expect(callable.filter(({ roles }) => /anon|public/.test(roles))).toEqual([]);
  });

  it('explains every error code that the SQL raises or tells apart, and no other', () => {
    const used = new Set(SCHEMAS.flatMap((sql) => sql.match(/SN\d{3}/g) ?? []));
    const explained = README.match(/^\| SN\d{3}/gm)?.map((row) => row.slice(2)) ?? [];
    expect(explained.sort()).toEqual([...used].sort());
  });

  it('explains the first letter of every trigger on a synced table', async () => {
    const read = await backend.transaction((connection) =>
      connection.query<{ name: string }>(`
        select distinct t.tgname as name from pg_trigger t join convoy.synced_tables s
          on t.tgrelid = format('public.%I', s.name)::regclass where not t.tgisinternal`),
    );
    const prefixes = README.match(/^\| `[a-z][a-z0-9_]*`/gm)?.map((row) => row.slice(3, -1)) ?? [];
    const names = read.ok ? read.value.map(({ name }) => name) : [];
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !prefixes.some((prefix) => name.startsWith(prefix)))).toEqual([]);
  });
});
