import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalStack } from '@/server';
import { postgresBinaries, startPostgres, type TestPostgres } from '../../support/postgres';
import { postgrestInstalled, startPostgrest, type TestPostgrest } from '../../support/postgrest';
import { startProbe } from './probe';

interface Sample {
  name: string;
  body?: unknown;
  as?: 'member' | 'anon' | 'expired' | 'forged';
  /** Of the URL, with its question mark. */
  query?: string;
  headers?: Record<string, string>;
  /** Where the two may differ. */
  except?: ('code' | 'message' | 'details' | 'hint')[];
}

const SAMPLES: [string, Sample][] = [
  ['a jsonb value', { name: 'echo', body: { request: { a: [1, 'ä', null], b: 1.5 } } }],
  ['a jsonb text', { name: 'echo', body: { request: 'text' } }],
  ['a jsonb null', { name: 'null_value' }],
  ['an integer', { name: 'add', body: { a: 1, b: 2 } }],
  ['an integer by default', { name: 'add', body: { a: 1 } }],
  ['an integer from text', { name: 'add', body: { a: '5' } }],
  ['text', { name: 'hurried' }],
  ['void', { name: 'nothing' }],
  ['a set of values', { name: 'numbers' }],
  ['a table', { name: 'notes_table' }],
  ['a row', { name: 'one_note' }],
  ['a bigint', { name: 'count_notes' }],
  ['no value for an argument', { name: 'add', body: {}, except: ['hint'] }],
  ['an unknown argument', { name: 'add', body: { a: 1, z: 2 }, except: ['hint'] }],
  ['an unknown function', { name: 'no_such_thing', except: ['hint'] }],
  ['a value of another type', { name: 'add', body: { a: 'many' } }],
  ['NUL', { name: 'echo', body: '{"request": "\\u0000"}' }],
  // PostgREST's own parser refuses it before PostgreSQL does.
  [
    'a lone surrogate',
    { name: 'echo', body: '{"request": "\\ud800"}', except: ['code', 'message', 'details'] },
  ],
  ['a write in STABLE', { name: 'write_while_stable' }],
  ['an exception', { name: 'write_and_fail' }],
  ['what anon may not', { name: 'members_only', as: 'anon' }],
  ['what a member may not', { name: 'private_sessions' }],
  ['an expired token', { name: 'nothing', as: 'expired' }],
  ['a forged token', { name: 'nothing', as: 'forged', except: ['message'] }],
  ['no JSON', { name: 'echo', body: '{"request"', except: ['message'] }],
];
/** Functions of every shape of an answer, by what they are called with. */
const CALLS: Record<string, unknown> = {
  notes_table: {},
  one_note: {},
  numbers: {},
  add: { a: 1 },
  echo: { request: { a: 1 } },
  null_value: {},
  nothing: {},
};
/** What PostgREST reads of a URL. */
const QUERIES = (
  'select=id select=* select= select=nope select=id( select=id&select=body id=eq.1 id=not.eq.1 id=is.null id=nonsense ' +
  'nope=eq.1 a=1 a=eq.1 a.b=eq.1 order=id order=id.desc limit=1 limit= limit=x offset=1 columns=a columns=id ' +
  'on_conflict=id or=(id.eq.1,id.eq.9) not.and=(id.eq.1) and=x x =1'
).split(' ');
/** And of headers. */
const HEADERS: Record<string, string>[] = [
  { Accept: '*/*' },
  { Accept: 'application/json, text/plain' },
  { Accept: 'text/csv' },
  { Accept: 'text/csv, application/json' },
  { Accept: 'application/json, text/csv' },
  { Accept: 'text/csv;q=0.5, application/json' },
  { Accept: 'text/plain' },
  { Accept: 'application/vnd.pgrst.object+json' },
  { Accept: 'application/vnd.pgrst.object+json;nulls=stripped' },
  { Accept: 'application/vnd.pgrst.array+json' },
  { Accept: 'application/vnd.pgrst.plan' },
  { 'Content-Profile': 'convoy' },
  { 'Content-Profile': 'public' },
  { 'Accept-Profile': 'convoy' },
  { Prefer: 'count=exact' },
  { Prefer: 'return=minimal' },
  { Prefer: 'params=single-object' },
  { Prefer: 'nonsense' },
  { Prefer: 'handling=strict, nonsense' },
  { Prefer: 'handling=strict, return=minimal' },
  { Range: '0-0' },
];
/** Without 40001, which PostgREST retries for ever. */
const STATES = (
  '08006 09000 0L000 0P000 21000 22000 22012 22023 22P02 23502 23503 23505 23514 25000 25006 28000 2D000 38000 39000 ' +
  '3B000 40P01 42501 42601 42883 42P01 42P17 53300 53400 54000 55000 55P03 57014 57P01 58000 F0000 HV000 P0000 ' +
  'P0001 P0002 XX000 PT402 PT204 PTabc'
).split(' ');

describe.skipIf(!postgrestInstalled() || postgresBinaries() === null)('beside the real PostgREST', () => {
  let cluster: TestPostgres;
  let stack: LocalStack;
  let postgrest: TestPostgrest;

  beforeAll(async () => {
    cluster = await startPostgres();
    const url = await cluster.createDatabase();
    stack = await startProbe({ data: { kind: 'postgres', url } });
    postgrest = await startPostgrest(url, stack.jwtSecret);
  });
  afterAll(async () => {
    await postgrest?.stop();
    await stack?.close();
    await cluster?.stop();
  });

  it.each(SAMPLES)('answers alike: %s', async (_, sample) => {
    const [ours, theirs] = await both(sample);
    expect(ours).toEqual(theirs);
  });

  it.each(STATES)('answers alike: SQLSTATE %s', async (state) => {
    const [ours, theirs] = await both({ name: 'fail', body: { state } });
    expect(ours).toEqual(theirs);
    const [anonymous, theirsAnonymous] = await both({ name: 'fail', body: { state }, as: 'anon' });
    expect(anonymous.status).toBe(theirsAnonymous.status);
  });

  /** Asks both. @returns whether ours is an answer at all */
  async function comparesWith(query: string, headers: Record<string, string>): Promise<number> {
    let answered = 0;
    for (const [name, body] of Object.entries(CALLS)) {
      const [ours, theirs] = await both({ name, body, query, headers });
      const what = `${name}${query} ${JSON.stringify(headers)}`;
      if (ours.status < 400) {
        expect(ours, what).toEqual(theirs);
        answered += 1;
      } else {
        expect(ours.answer, what).toMatchObject({ code: expect.stringMatching(/^PGRST1\d\d$/) });
        // A refusal of PostgREST's own is refused with the same status, but for what it looks for among its functions.
        if (theirs.status >= 400 && theirs.status !== 404)
          expect([theirs.status, 415], what).toContain(ours.status);
      }
    }
    return answered;
  }

  it.each(QUERIES)('never answers otherwise, but may refuse: the query ?%s', async (query) => {
    const answered = await comparesWith(`?${query}`, {});
    const saysNothing = /^(select=\*?|limit=|on_conflict=id|x)$/.test(query);
    expect(answered).toBe(saysNothing ? Object.keys(CALLS).length : 0);
  });

  it.each(HEADERS)('never answers otherwise, but may refuse: the headers %j', async (headers) => {
    await comparesWith('', headers);
  });

  async function both(sample: Sample) {
    const { name, body = {}, as = 'member', query = '', headers = {}, except = [] } = sample;
    const bearer = await token(as);
    const answers = await Promise.all(
      [`${stack.url}/rest/v1`, postgrest.url].map(async (base) => {
        const response = await fetch(`${base}/rpc/${name}${query}`, {
          method: 'POST',
          headers: {
            apikey: stack.anonKey,
            Authorization: `Bearer ${bearer}`,
            'Content-Type': 'application/json',
            ...headers,
          },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        });
        const text = await response.text();
        const type = response.headers.get('content-type') ?? '';
        const answer: unknown = text === '' ? null : type.includes('json') ? JSON.parse(text) : text;
        if (typeof answer === 'object' && answer !== null) {
          for (const field of except) delete (answer as Record<string, unknown>)[field];
        }
        return {
          status: response.status,
          type: text === '' ? null : response.headers.get('content-type'),
          answer,
        };
      }),
    );
    const [ours, theirs] = answers;
    if (!ours || !theirs) throw new Error('Two answers were asked for.');
    return [ours, theirs] as const;
  }

  function token(as: NonNullable<Sample['as']>): Promise<string> {
    if (as === 'anon') return Promise.resolve(stack.anonKey);
    const now = Math.floor(Date.now() / 1000);
    const secret = as === 'forged' ? 'x'.repeat(40) : stack.jwtSecret;
    return new SignJWT({
      role: 'authenticated',
      sub: '018f0000-0000-7000-8000-000000000000',
      exp: as === 'expired' ? now - 60 : now + 600,
    })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));
  }
});
