/** The catalogue of the API's functions, read from the database once, and again when a function is missing. */

import { fail, ok, type Result } from '@/core/result';
import type { SqlBackend, SqlFailure } from '../database/backend';
import { type RestFailure, restFailure } from './errors';

export interface ApiFunction {
  name: string;
  arguments: { name: string; type: string }[];
  /** Number of arguments with a default, counted from the last; callers may omit these. */
  defaults: number;
  /** STABLE and IMMUTABLE functions run in a read-only transaction. */
  readOnly: boolean;
  returns: 'void' | 'value' | 'row' | 'values' | 'rows';
  /** The `SET` clauses of the function, such as `statement_timeout`. */
  settings: Record<string, string>;
}

export interface FunctionCatalog {
  /** Finds the function that takes arguments of exactly these names. */
  find(name: string, argumentNames: string[]): Promise<Result<ApiFunction, CatalogFailure>>;
  /** Reads the database's catalogue again at the next call. */
  forget(): void;
}

export type CatalogFailure = { kind: 'rest'; failure: RestFailure } | { kind: 'sql'; failure: SqlFailure };

const FUNCTIONS = `
  select json_build_object(
    'name', p.proname,
    'readOnly', p.provolatile <> 'v',
    'defaults', p.pronargdefaults,
    'returns', case
      when p.prorettype = 'void'::regtype then 'void'
      when t.typtype = 'c' or p.prorettype = 'record'::regtype
        then case when p.proretset then 'rows' else 'row' end
      else case when p.proretset then 'values' else 'value' end
    end,
    'settings', coalesce((
      select json_object_agg(split_part(entry, '=', 1), substr(entry, strpos(entry, '=') + 1))
      from unnest(p.proconfig) as entry
    ), '{}'),
    'arguments', coalesce((
      select json_agg(json_build_object('name', a.name, 'type', format_type(a.type, null)) order by a.position)
      from unnest(p.proargnames, coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes)
        with ordinality as a (name, type, mode, position)
      where coalesce(a.mode, 'i') in ('i', 'b')
    ), '[]')
  )::text as function
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  join pg_catalog.pg_type t on t.oid = p.prorettype
  where n.nspname = 'public' and p.prokind = 'f' and p.prorettype <> 'trigger'::regtype
`;

export function createFunctionCatalog(backend: SqlBackend): FunctionCatalog {
  let known: Promise<Result<ApiFunction[], SqlFailure>> | null = null;

  async function read(): Promise<Result<ApiFunction[], SqlFailure>> {
    const rows = await backend.transaction(
      (connection) => connection.query<{ function: string }>(FUNCTIONS),
      {
        readOnly: true,
      },
    );
    if (!rows.ok) return rows;
    return ok(rows.value.map((row) => JSON.parse(row.function) as ApiFunction));
  }

  return {
    forget() {
      known = null;
    },
    async find(name, argumentNames) {
      for (const fresh of [false, true]) {
        if (fresh || known === null) known = read();
        // A failed read is not cached.
        known.catch(() => {
          known = null;
        });
        const functions = await known;
        if (!functions.ok) {
          known = null;
          return fail({ kind: 'sql', failure: functions.error });
        }
        const matches = functions.value.filter((one) => one.name === name && accepts(one, argumentNames));
        const [match] = matches;
        if (match && matches.length === 1) return ok(match);
        if (matches.length > 1) return fail({ kind: 'rest', failure: ambiguous(name, matches) });
      }
      return fail({ kind: 'rest', failure: notFound(name, argumentNames) });
    },
  };
}

function accepts(candidate: ApiFunction, given: string[]): boolean {
  const names = candidate.arguments.map((argument) => argument.name);
  const required = names.slice(0, names.length - candidate.defaults);
  return given.every((name) => names.includes(name)) && required.every((name) => given.includes(name));
}

function notFound(name: string, given: string[]): RestFailure {
  const names = [...given].sort().join(', ');
  const called = given.length > 0 ? `public.${name}(${names})` : `public.${name} without parameters`;
  const withNames = given.length > 0 ? `with parameters ${names}` : 'without parameters';
  return restFailure(
    404,
    'PGRST202',
    `Could not find the function ${called} in the schema cache`,
    `Searched for the function public.${name} ${withNames} or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache.`,
  );
}

function ambiguous(name: string, matches: ApiFunction[]): RestFailure {
  const candidates = matches.map(
    (match) => `public.${name}(${match.arguments.map((a) => `${a.name} => ${a.type}`).join(', ')})`,
  );
  return restFailure(
    300,
    'PGRST203',
    `Could not choose the best candidate function between: ${candidates.join(', ')}`,
    null,
    'Try renaming the parameters or the function itself in the database so function overloading can be resolved',
  );
}
