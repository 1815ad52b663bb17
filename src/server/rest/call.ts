/** Builds and runs the statement that calls a function and returns its answer as JSON. */

import pg from 'pg';
import type { Result } from '@/core/result';
import type { SqlBackend, SqlFailure, TransactionOptions } from '../database/backend';
import type { ApiFunction } from './functions';

/** A function's settings that must already hold when its transaction begins; the same as PostgREST's. */
const HOISTED = ['statement_timeout', 'plan_filter.statement_cost_limit'];

export interface Call {
  target: ApiFunction;
  argumentNames: string[];
  /** The arguments, as a JSON object in text form. */
  body: string;
  settings: Record<string, string>;
}

/** @returns the answer as JSON text; null for a function that returns void */
export function callFunction(backend: SqlBackend, call: Call): Promise<Result<string | null, SqlFailure>> {
  const { target, argumentNames, body } = call;
  const text = callText(target, argumentNames);
  const values = argumentNames.length > 0 ? [body] : [];
  return backend.transaction(async (connection) => {
    const [row] = await connection.query<{ body: string }>(text, values);
    return target.returns === 'void' ? null : (row?.body ?? 'null');
  }, transactionOptions(call));
}

function transactionOptions({ target, settings }: Call): TransactionOptions {
  const hoisted = HOISTED.flatMap((name) => {
    const value = target.settings[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    readOnly: target.readOnly,
    isolation: isolationOf(target.settings.default_transaction_isolation),
    settings: { ...settings, ...Object.fromEntries(hoisted) },
  };
}

function isolationOf(value: string | undefined): TransactionOptions['isolation'] {
  switch (value) {
    case 'repeatable read':
    case 'serializable':
      return value;
    default:
      return undefined;
  }
}

/** Names come from the request, so they are quoted. Types come from the database's catalogue. */
function callText(target: ApiFunction, given: string[]): string {
  const quote = pg.escapeIdentifier;
  const used = target.arguments.filter((argument) => given.includes(argument.name));
  const passed = used.map(({ name }) => `${quote(name)} := arguments.${quote(name)}`).join(', ');
  const columns = used.map(({ name, type }) => `${quote(name)} ${type}`).join(', ');
  const source = used.length > 0 ? `json_to_record($1::json) as arguments (${columns}), lateral ` : '';
  const call = `${source}public.${quote(target.name)}(${passed})`;
  switch (target.returns) {
    case 'void':
      return `select from ${call}`;
    case 'value':
      return `select coalesce(to_json(answer.value)::text, 'null') as body from ${call} as answer (value)`;
    case 'row':
      return `select coalesce(to_json(answer)::text, 'null') as body from ${call} as answer`;
    case 'values':
      return `select coalesce(json_agg(answer.value)::text, '[]') as body from ${call} as answer (value)`;
    case 'rows':
      return `select coalesce(json_agg(answer)::text, '[]') as body from ${call} as answer`;
  }
}
