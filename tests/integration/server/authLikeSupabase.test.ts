/** What Supabase Auth answers to requests that are wrong: status, code and words, in both versions of its API. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalStack } from '@/server';
import { clientOf, newMember, startProbe } from './probe';

let stack: LocalStack;
const email = 'ada@example.com';
const password = 'correct horse';

beforeAll(async () => {
  stack = await startProbe();
  await newMember(stack, email);
});
afterAll(() => stack?.close());

interface Request {
  path: string;
  method?: string;
  /** Sent as it is where it is text. */
  body?: unknown;
  bearer?: string;
}

async function send({ path, method = 'POST', body, bearer }: Request, version?: string) {
  const response = await fetch(`${stack.url}/auth/v1/${path}`, {
    method,
    headers: {
      apikey: stack.anonKey,
      Authorization: `Bearer ${bearer ?? stack.anonKey}`,
      ...(version === undefined ? {} : { 'X-Supabase-Api-Version': version }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    code: response.headers.get('x-sb-error-code'),
    body: text === '' ? null : JSON.parse(text),
  };
}

const SIGN_IN = 'token?grant_type=password';
const REFRESH = 'token?grant_type=refresh_token';
const LOGIN = 'Invalid login credentials';
const UNREADABLE = 'Could not parse request body as JSON: unexpected end of JSON input';

const REFUSED: readonly [string, Request, status: number, code: string, message: string | RegExp][] = [
  ['an empty password', { path: SIGN_IN, body: { email, password: '' } }, 400, 'invalid_credentials', LOGIN],
  ['no password', { path: SIGN_IN, body: { email } }, 400, 'invalid_credentials', LOGIN],
  ['no email', { path: SIGN_IN, body: { password } }, 400, 'validation_failed', 'missing email or phone'],
  ['an empty object', { path: SIGN_IN, body: {} }, 400, 'validation_failed', 'missing email or phone'],
  ['null for a body', { path: SIGN_IN, body: 'null' }, 400, 'validation_failed', 'missing email or phone'],
  [
    'a list for a body',
    { path: SIGN_IN, body: '[]' },
    400,
    'bad_json',
    /^Could not parse request body as JSON/,
  ],
  [
    'a number for a password',
    { path: SIGN_IN, body: { email, password: 1 } },
    400,
    'bad_json',
    /^Could not parse/,
  ],
  ['no body', { path: SIGN_IN }, 400, 'bad_json', UNREADABLE],
  ['an empty body', { path: SIGN_IN, body: '' }, 400, 'bad_json', UNREADABLE],
  ['an empty body of a refresh', { path: REFRESH, body: '' }, 400, 'bad_json', UNREADABLE],
  ['an empty body of a sign-up', { path: 'signup', body: '' }, 400, 'bad_json', UNREADABLE],
  [
    'a phone beside the email',
    { path: SIGN_IN, body: { email, phone: '+491', password } },
    400,
    'validation_failed',
    'Only an email address or phone number should be provided on login.',
  ],
  [
    'a phone',
    { path: SIGN_IN, body: { phone: '+491', password } },
    422,
    'phone_provider_disabled',
    'Phone logins are disabled',
  ],
  [
    'an unknown grant',
    { path: 'token?grant_type=magic' },
    400,
    'invalid_credentials',
    'unsupported_grant_type',
  ],
  ['no grant', { path: 'token', body: {} }, 400, 'invalid_credentials', 'unsupported_grant_type'],
  [
    'a refresh token that is none',
    { path: REFRESH, body: { refresh_token: 'x' } },
    400,
    'refresh_token_not_found',
    'Invalid Refresh Token: Refresh Token Not Found',
  ],
  [
    'a sign-up without a password',
    { path: 'signup', body: { email: 'new@example.com' } },
    400,
    'validation_failed',
    'Signup requires a valid password',
  ],
  [
    'a sign-up without anything',
    { path: 'signup', body: {} },
    422,
    'anonymous_provider_disabled',
    'Anonymous sign-ins are disabled',
  ],
  [
    'the API key in place of a token',
    { path: 'user', method: 'GET' },
    403,
    'bad_jwt',
    'invalid claim: missing sub claim',
  ],
  [
    'a token that is none',
    { path: 'user', method: 'GET', bearer: 'x.y.z' },
    403,
    'bad_jwt',
    /^invalid JWT: unable to parse or verify signature, /,
  ],
];

describe('Supabase Auth and the local stack refuse', () => {
  it.each(REFUSED)('%s', async (_, request, status, code, message) => {
    const words = message instanceof RegExp ? expect.stringMatching(message) : message;
    const older = await send(request);
    expect(older).toEqual({ status, code, body: { code: status, error_code: code, msg: words } });
    const newer = await send(request, '2024-01-01');
    expect(newer).toEqual({ status, code, body: { code, message: words } });
  });

  it.each([[{}], [{ refresh_token: '' }], ['null']])('a refresh without a token: %j', async (body) => {
    const answer = {
      status: 400,
      code: null,
      body: { error: 'invalid_request', error_description: 'refresh_token required' },
    };
    expect(await send({ path: REFRESH, body })).toEqual(answer);
    expect(await send({ path: REFRESH, body }, '2024-01-01')).toEqual(answer);
  });

  it('a second sign-out with the same token, which supabase-js takes for signed out', async () => {
    const client = clientOf(stack);
    const { data } = await client.auth.signInWithPassword({ email, password });
    const bearer = data.session?.access_token ?? '';
    expect(await send({ path: 'logout?scope=local', bearer })).toMatchObject({ status: 204, body: null });
    for (const path of ['logout?scope=local', 'logout', 'logout?scope=nowhere']) {
      expect(await send({ path, bearer }, '2024-01-01')).toEqual({
        status: 403,
        code: 'session_not_found',
        body: {
          code: 'session_not_found',
          message: 'Session from session_id claim in JWT does not exist',
        },
      });
    }
    expect((await client.auth.signOut()).error).toBeNull();
  });

  it('a sign-out of an unknown scope', async () => {
    const { data } = await clientOf(stack).auth.signInWithPassword({ email, password });
    const bearer = data.session?.access_token;
    expect(await send({ path: 'logout?scope=nowhere', ...(bearer ? { bearer } : {}) })).toEqual({
      status: 400,
      code: 'validation_failed',
      body: { code: 400, error_code: 'validation_failed', msg: 'Unsupported logout scope "nowhere"' },
    });
  });
});

describe('the user object', () => {
  it('names the identity by which the user signs in, the same at each answer', async () => {
    const client = clientOf(stack);
    const { data } = await client.auth.signInWithPassword({ email: 'ADA@example.com', password });
    const id = data.user?.id;
    const identity = {
      id,
      user_id: id,
      identity_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      provider: 'email',
      email,
      identity_data: { email, email_verified: false, phone_verified: false, sub: id },
      created_at: data.user?.created_at,
    };
    expect(data.user?.identities).toEqual([expect.objectContaining(identity)]);
    const { data: linked } = await client.auth.getUserIdentities();
    expect(linked?.identities).toEqual(data.user?.identities);
    expect(linked?.identities[0]?.identity_id).not.toBe(id);
  });
});

it('supabase-js tells a refusal by its code, and one in the format of OAuth by its words', async () => {
  const client = clientOf(stack);
  const wrong = await client.auth.signInWithPassword({ email, password: '' });
  expect(wrong.error).toMatchObject({ code: 'invalid_credentials', status: 400, message: LOGIN });
  const stale = await client.auth.refreshSession({ refresh_token: 'x' });
  expect(stale.error).toMatchObject({ code: 'refresh_token_not_found', status: 400 });
});
