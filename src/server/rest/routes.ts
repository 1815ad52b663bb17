/** `/rest/v1`: remote procedure calls, answered like PostgREST. Tables are not served. */

import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { fail, ok, type Result } from '@/core/result';
import { nestsDeeper, REQUEST_DEPTH } from '@/core/text';
import type { Claims, Tokens } from '../auth/tokens';
import type { SqlBackend } from '../database/backend';
import { callFunction } from './call';
import { compressed } from './compress';
import { failureFromSql, type RestFailure, restFailure } from './errors';
import type { ApiFunction, FunctionCatalog } from './functions';
import { answerType, unsupportedRequest } from './unsupported';

type Environment = { Bindings: HttpBindings };

/** SQLSTATE of a call to a missing function, be it the called function itself or one that it calls. */
const UNDEFINED_FUNCTION = '42883';

/** As PostgreSQL says it, of what is too deep for it. */
const TOO_DEEP = restFailure(
  413,
  '54001',
  'stack depth limit exceeded',
  `The request is nested more than ${REQUEST_DEPTH} levels deep.`,
);

const JSON_TYPE = { 'Content-Type': 'application/json; charset=utf-8' };

export interface RestRoutesParts {
  backend: SqlBackend;
  catalog: FunctionCatalog;
  tokens: Tokens;
  maxBodyBytes: number;
}

export function restRoutes(parts: RestRoutesParts): Hono<Environment> {
  const routes = new Hono<Environment>();
  routes.use(
    bodyLimit({
      maxSize: parts.maxBodyBytes,
      onError: (c) =>
        reply(c, restFailure(413, 'PGRST102', `The request is larger than ${parts.maxBodyBytes} bytes`)),
    }),
  );
  routes.post('/rpc/:function', (c) => answerCall(c, c.req.param('function'), parts));
  routes.all('/rpc/:function', (c) =>
    reply(c, restFailure(405, 'PGRST101', 'The local stack serves functions only by POST')),
  );
  routes.all('/:table{.*}', (c) =>
    reply(
      c,
      restFailure(
        404,
        'PGRST205',
        `Could not find the table 'public.${c.req.param('table')}' in the schema cache`,
        null,
        'Convoy reads and writes only through functions.',
      ),
    ),
  );
  return routes;
}

async function answerCall(
  c: Context,
  name: string,
  { backend, catalog, tokens }: RestRoutesParts,
): Promise<Response> {
  const claims = await claimsOf(c, tokens);
  if (!claims.ok) return reply(c, claims.error);
  const anonymous = claims.value.role === 'anon';
  const unsupported = unsupportedRequest(c);
  if (unsupported) return reply(c, unsupported);

  const body = (await c.req.text()) || '{}';
  // PostgreSQL's parser is recursive: what does not fit its stack ends PGlite.
  if (nestsDeeper(body, REQUEST_DEPTH)) return reply(c, TOO_DEEP);
  const argumentNames = readArgumentNames(body);
  if (!argumentNames) return reply(c, restFailure(400, 'PGRST102', 'Empty or invalid json'));

  const found = await catalog.find(name, argumentNames);
  if (!found.ok) {
    const { kind, failure } = found.error;
    return reply(c, kind === 'rest' ? failure : failureFromSql(failure, anonymous));
  }
  const type = answerType(c.req.header('Accept'), found.value);
  if (typeof type !== 'string') return reply(c, type);
  const answer = await callFunction(backend, {
    target: found.value,
    argumentNames,
    body,
    settings: settingsOf(c, claims.value),
  });
  if (!answer.ok) {
    const isMissing = answer.error.sqlState === UNDEFINED_FUNCTION;
    const missing = isMissing ? await droppedFunction(catalog, found.value, argumentNames) : null;
    return reply(c, missing ?? failureFromSql(answer.error, anonymous));
  }
  if (answer.value === null) return c.body(null, 204);
  const headers = { 'Content-Type': `${type}; charset=utf-8` };
  return c.body(await compressed(c, answer.value), 200, headers);
}

/** @returns the failure of a call to a function that was dropped after the catalogue was read; null: it exists */
async function droppedFunction(
  catalog: FunctionCatalog,
  { name }: ApiFunction,
  argumentNames: string[],
): Promise<RestFailure | null> {
  catalog.forget();
  const found = await catalog.find(name, argumentNames);
  return !found.ok && found.error.kind === 'rest' ? found.error.failure : null;
}

function reply(c: Context, { status, body }: RestFailure): Response {
  if (status === 401) c.header('WWW-Authenticate', 'Bearer');
  // With PT204 or PT304 a function sets a status that forbids a body.
  if (status === 204 || status === 304) return c.body(null, status);
  return c.body(JSON.stringify(body), status as ContentfulStatusCode, JSON_TYPE);
}

/** Claims of the user's token, or of the API key where the request has no user. */
async function claimsOf(c: Context, tokens: Tokens): Promise<Result<Claims, RestFailure>> {
  const bearer = /^Bearer (.+)$/i.exec(c.req.header('Authorization') ?? '')?.[1];
  const claims = await tokens.verify(bearer ?? c.req.header('apikey') ?? '');
  return claims.ok ? ok(claims.value) : fail(restFailure(401, 'PGRST301', claims.error.message));
}

function readArgumentNames(body: string): string[] | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : null;
  } catch {
    return null;
  }
}

/** Settings through which functions see the request, and the role they run as. */
function settingsOf(c: Context, claims: Claims): Record<string, string> {
  return {
    search_path: 'public, extensions',
    role: claims.role,
    'request.jwt.claims': JSON.stringify(claims),
    'request.method': c.req.method,
    'request.path': c.req.path,
    'request.headers': JSON.stringify(c.req.header()),
  };
}
