/**
 * Requests that PostgREST would answer otherwise than a plain call of a function. The local stack refuses them: an
 * answer that ignores a filter holds rows that nobody asked for.
 */

import type { Context } from 'hono';
import { type RestFailure, restFailure } from './errors';
import type { ApiFunction } from './functions';

export type AnswerType = 'application/json' | 'application/vnd.pgrst.object+json';

/** The types under which PostgREST answers with JSON. */
const JSON_TYPES = ['*/*', 'application/*', 'application/json', 'application/vnd.pgrst.array+json'];
const OBJECT_TYPES = ['application/vnd.pgrst.object+json', 'application/vnd.pgrst.object'];
/** Types that PostgREST has and the local stack lacks. */
const OTHER_TYPES = /^(text\/csv|application\/(geo\+json|openapi\+json|vnd\.pgrst\..+))$/;

/** @returns the refusal of a request by its URL and headers; null where it is a plain call */
export function unsupportedRequest(c: Context): RestFailure | null {
  const profile = c.req.header('Content-Profile');
  if (profile !== undefined && profile !== 'public') {
    return restFailure(406, 'PGRST106', 'The schema must be one of the following: public');
  }
  return unsupportedQuery(c.req.url) ?? unsupportedPreference(c.req.header('Prefer'));
}

/** `select`, `order`, `limit`, `offset`, `columns` and every filter. PostgREST ignores what has no value. */
function unsupportedQuery(url: string): RestFailure | null {
  if (!url.includes('?')) return null;
  for (const [name, value] of new URL(url).searchParams) {
    const saysNothing = value === '' || name === 'on_conflict' || (name === 'select' && value === '*');
    if (saysNothing) continue;
    return restFailure(
      400,
      'PGRST100',
      `The local stack does not select, filter or order what a function answers ("${name}")`,
      null,
      'Arguments of functions go in the body of the request.',
    );
  }
  return null;
}

function unsupportedPreference(header = ''): RestFailure | null {
  const preferences = header.split(',').map((one) => one.trim());
  const strict = preferences.includes('handling=strict');
  const known = strict ? /^((handling|return|missing|resolution)=.*)?$/ : /^(?!(count|params)=)/;
  const [unknown] = preferences.filter((one) => !known.test(one));
  if (unknown === undefined) return null;
  const given = strict
    ? 'Invalid preferences given with handling=strict'
    : 'The local stack does not have this preference';
  return restFailure(400, 'PGRST122', given, `Invalid preferences: ${unknown}`);
}

/**
 * Chooses the first type that PostgREST has, by the client's order of preference.
 * @returns the type, or a refusal where this stack cannot answer in it
 */
export function answerType(accept: string | undefined, target: ApiFunction): AnswerType | RestFailure {
  const wanted = acceptedTypes(accept);
  const isSet = target.returns === 'rows' || target.returns === 'values';
  for (const type of wanted) {
    if (JSON_TYPES.includes(type)) return 'application/json';
    // Of a set, PostgREST counts the rows first.
    if (OBJECT_TYPES.includes(type) && !isSet) return 'application/vnd.pgrst.object+json';
    if (OTHER_TYPES.test(type)) break;
  }
  return restFailure(415, 'PGRST107', `None of these media types are available: ${wanted.join(', ')}`);
}

/** @returns the types of an Accept header, the most wanted first */
function acceptedTypes(accept: string | undefined): string[] {
  if (!accept) return ['*/*'];
  return accept
    .split(',')
    .map((entry) => {
      const [type = '', ...parameters] = entry.split(';').map((part) => part.trim());
      const quality = parameters.find((one) => one.startsWith('q='))?.slice(2);
      const options = parameters.filter((one) => one.startsWith('nulls='));
      return { type: [type, ...options].join(';'), quality: Number(quality ?? 1) };
    })
    .sort((a, b) => b.quality - a.quality)
    .map(({ type }) => type);
}
