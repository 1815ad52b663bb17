import { isAuthApiError, isAuthWeakPasswordError } from '@supabase/supabase-js';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, openPgliteInMemory, type SqlBackend } from '@/server';
import { hashPassword } from '@/server/auth/passwords';
import { clientOf, newMember, startProbe } from './probe';

let stack: LocalStack;
let clock = Date.now();

beforeAll(async () => {
  const backend = interrupted(await openPgliteInMemory());
  stack = await startProbe({ now: () => clock, data: { kind: 'backend', backend } });
});
afterAll(() => stack?.close());

/** What happens once, when the next transaction has ended and before anybody can begin another. */
let meanwhile: (() => Promise<unknown>) | null = null;

function interrupted(backend: SqlBackend): SqlBackend {
  return {
    ...backend,
    async transaction(work, options) {
      const done = await backend.transaction(work, options);
      const happening = meanwhile;
      meanwhile = null;
      await happening?.();
      return done;
    },
  };
}

const password = 'correct horse';

describe('signing up', () => {
  it('creates a user and a session whose token has the claims of Supabase', async () => {
    const client = clientOf(stack);
    const { data, error } = await client.auth.signUp({
      email: ' Ada@Example.com',
      password,
      options: { data: { display_name: ' Ada ' } },
    });
    expect(error).toBeNull();
    expect(data.user).toMatchObject({
      email: 'ada@example.com',
      role: 'authenticated',
      app_metadata: { provider: 'email' },
      user_metadata: { display_name: 'Ada' },
    });
    expect(data.user?.email_confirmed_at).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    const claims = decodeJwt(data.session?.access_token ?? '');
    expect(claims).toMatchObject({
      iss: `${stack.url}/auth/v1`,
      sub: data.user?.id,
      aud: 'authenticated',
      role: 'authenticated',
      email: 'ada@example.com',
      user_metadata: { display_name: 'Ada' },
      session_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(3600);
    expect(data.session?.expires_in).toBe(3600);
  });

  it.each([
    ['a taken email in other case', { email: 'ADA@example.com', password }, 'user_already_exists'],
    ['an email that is none', { email: 'ada', password }, 'validation_failed'],
    ['an email with a space', { email: 'a b@example.com', password }, 'validation_failed'],
    ['a long password', { email: 'x@example.com', password: 'ä'.repeat(37) }, 'validation_failed'],
    [
      'a blank name',
      { email: 'x@example.com', password, options: { data: { display_name: ' ' } } },
      'validation_failed',
    ],
    [
      'a name with NUL',
      { email: 'x@example.com', password, options: { data: { display_name: 'a\0' } } },
      'validation_failed',
    ],
    [
      'a lone surrogate',
      { email: 'x@example.com', password, options: { data: { mood: '\ud83d' } } },
      'validation_failed',
    ],
    [
      'much metadata',
      { email: 'x@example.com', password, options: { data: { a: 'x'.repeat(20_000) } } },
      'validation_failed',
    ],
  ])('refuses %s', async (_, credentials, code) => {
    const { data, error } = await clientOf(stack).auth.signUp(credentials);
    expect(isAuthApiError(error)).toBe(true);
    expect(error?.code).toBe(code);
    expect(data.session).toBeNull();
  });

  it('refuses a weak password in the form that supabase-js knows', async () => {
    const { error } = await clientOf(stack).auth.signUp({ email: 'x@example.com', password: '1234567' });
    expect(isAuthWeakPasswordError(error)).toBe(true);
    expect(error?.code).toBe('weak_password');
  });

  it('refuses anonymous sign-ins', async () => {
    const { error } = await clientOf(stack).auth.signInAnonymously();
    expect(error?.code).toBe('anonymous_provider_disabled');
  });

  it('lets one of two simultaneous sign-ups win', async () => {
    const both = await Promise.all(
      [1, 2].map(() => clientOf(stack).auth.signUp({ email: 'race@example.com', password })),
    );
    expect(both.map(({ error }) => error?.code ?? 'ok').sort()).toEqual(['ok', 'user_already_exists']);
  });
});

describe('repeated sign-ups', () => {
  const signUp = (email: string) =>
    fetch(`${stack.url}/auth/v1/signup`, {
      method: 'POST',
      headers: { apikey: stack.anonKey, 'X-Supabase-Api-Version': '2024-01-01' },
      body: JSON.stringify({ email, password }),
    });

  it('are accepted a hundred times in five minutes, also at once, and then answered with Retry-After', async () => {
    clock += 6 * 60_000;
    const taken = await Promise.all(Array.from({ length: 110 }, () => signUp('ada@example.com')));
    const statuses = taken.map(({ status }) => status);
    expect(statuses.filter((status) => status === 422)).toHaveLength(100);
    expect(statuses.filter((status) => status === 429)).toHaveLength(10);

    clock += 60_000;
    const refused = await signUp('newcomer@example.com');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('240');
    expect(await refused.json()).toMatchObject({ code: 'over_request_rate_limit' });
    const known = await clientOf(stack).auth.signInWithPassword({ email: 'ada@example.com', password });
    expect(known.error).toBeNull();

    clock += 240_000;
    expect((await signUp('newcomer@example.com')).status).toBe(200);
  });

  it('hash no password for an address that is taken', async () => {
    const cost = async (work: () => Promise<unknown>) => {
      const before = process.cpuUsage();
      await work();
      return process.cpuUsage(before).user;
    };
    const many = await cost(() => Promise.all(Array.from({ length: 50 }, () => signUp('ada@example.com'))));
    const one = await cost(() => hashPassword(password));
    expect(many).toBeLessThan(25 * one);
    clock += 6 * 60_000;
  });
});

describe('concurrent changes of a session or password', () => {
  const changed = 'battery staple';

  it('the old password gives no session once it is changed', async () => {
    const owner = await newMember(stack, 'meanwhile@example.com');
    const thief = clientOf(stack);
    meanwhile = () => owner.auth.updateUser({ password: changed });
    const { data, error } = await thief.auth.signInWithPassword({ email: 'meanwhile@example.com', password });
    expect(error?.code).toBe('invalid_credentials');
    expect(data.session).toBeNull();
    const again = { email: 'meanwhile@example.com', password: changed };
    expect((await thief.auth.signInWithPassword(again)).error).toBeNull();
  });

  it('an ended session changes nothing any more', async () => {
    const thief = await newMember(stack, 'late@example.com');
    const owner = clientOf(stack);
    await owner.auth.signInWithPassword({ email: 'late@example.com', password });
    meanwhile = () => owner.auth.updateUser({ password: changed });
    const late = await thief.auth.updateUser({ password: 'of the thief', data: { mine: true } });
    expect(late.error).not.toBeNull();
    expect((await owner.auth.getUser()).data.user?.user_metadata).toEqual({});
    const again = { email: 'late@example.com', password: changed };
    expect((await clientOf(stack).auth.signInWithPassword(again)).error).toBeNull();
  });

  it('an address is looked up before its password is hashed, and again when it is stored', async () => {
    const first = clientOf(stack).auth;
    meanwhile = () => first.signUp({ email: 'twice@example.com', password });
    const { error } = await clientOf(stack).auth.signUp({ email: 'twice@example.com', password });
    expect(error?.code).toBe('user_already_exists');
  });
});

describe('signing in', () => {
  it('accepts the password, whatever the case of the email', async () => {
    const { data, error } = await clientOf(stack).auth.signInWithPassword({
      email: 'ADA@example.com',
      password,
    });
    expect(error).toBeNull();
    expect(data.user?.last_sign_in_at).toBeTruthy();
  });

  it.each([['ada@example.com'], ['nobody@example.com']])(
    'answers %s like any wrong password',
    async (email) => {
      const { error } = await clientOf(stack).auth.signInWithPassword({ email, password: 'wrong password' });
      expect(error).toMatchObject({
        code: 'invalid_credentials',
        status: 400,
        message: 'Invalid login credentials',
      });
    },
  );

  it('slows down guessing, for this account alone and for a time', async () => {
    await newMember(stack, 'guessed@example.com');
    const attempt = (given: string) =>
      clientOf(stack).auth.signInWithPassword({ email: 'guessed@example.com', password: given });
    for (let i = 0; i < 10; i++)
      expect((await attempt(`guess number ${i}`)).error?.code).toBe('invalid_credentials');
    expect((await attempt(password)).error).toMatchObject({ code: 'over_request_rate_limit', status: 429 });
    const other = await clientOf(stack).auth.signInWithPassword({ email: 'ada@example.com', password });
    expect(other.error).toBeNull();
    clock += 6 * 60_000;
    expect((await attempt(password)).error).toBeNull();
  });

  it('allows no more simultaneous guesses than successive ones', async () => {
    await newMember(stack, 'rushed@example.com');
    const attempt = (given: string) =>
      clientOf(stack).auth.signInWithPassword({ email: 'rushed@example.com', password: given });
    const answers = await Promise.all(Array.from({ length: 25 }, (_, n) => attempt(`guess number ${n}`)));
    const codes = answers.map(({ error }) => error?.code);
    expect(codes.filter((code) => code === 'invalid_credentials')).toHaveLength(10);
    expect(codes.filter((code) => code === 'over_request_rate_limit')).toHaveLength(15);
    clock += 6 * 60_000;
    const all = await Promise.all(Array.from({ length: 12 }, () => attempt(password)));
    expect(
      all.filter(({ error }) => error === null).length,
      'a right password is no guess',
    ).toBeGreaterThanOrEqual(10);
    expect((await attempt(password)).error).toBeNull();
  });

  it('answers older clients in the older shape', async () => {
    const response = await fetch(`${stack.url}/auth/v1/token?grant_type=password`, {
      method: 'POST',
      headers: { apikey: stack.anonKey },
      body: JSON.stringify({ email: 'nobody@example.com', password: 'wrong password' }),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      code: 400,
      error_code: 'invalid_credentials',
      msg: 'Invalid login credentials',
    });
  });
});

describe('refreshing', () => {
  const refresh = (token: string) => clientOf(stack).auth.refreshSession({ refresh_token: token });
  async function signIn(): Promise<string> {
    const { data } = await clientOf(stack).auth.signInWithPassword({ email: 'ada@example.com', password });
    return data.session?.refresh_token ?? '';
  }
  async function next(token: string): Promise<string> {
    const { data, error } = await refresh(token);
    if (error) throw error;
    return data.session?.refresh_token ?? '';
  }

  it('gives a new token that works, for the same session', async () => {
    const first = await signIn();
    const { data, error } = await refresh(first);
    expect(error).toBeNull();
    expect(data.session?.refresh_token).not.toBe(first);
    expect(data.user?.email).toBe('ada@example.com');
    const client = clientOf(stack);
    await client.auth.setSession({
      access_token: data.session?.access_token ?? '',
      refresh_token: data.session?.refresh_token ?? '',
    });
    expect((await client.rpc('whoami')).data.uid).toBe(data.user?.id);
  });

  it('gives the same token again when the answer was lost', async () => {
    const first = await signIn();
    const second = await next(first);
    expect(await next(first)).toBe(second);
    await next(second);
  });

  it('gives one and the same token to two at once', async () => {
    const first = await signIn();
    const [a, b] = await Promise.all([next(first), next(first)]);
    expect(a).toBe(b);
  });

  it('ends the session when an older token comes back', async () => {
    const first = await signIn();
    const second = await next(first);
    const third = await next(second);
    expect((await refresh(first)).error).toMatchObject({ code: 'refresh_token_already_used', status: 400 });
    expect((await refresh(third)).error?.code).toBe('refresh_token_not_found');
  });

  it.each([['nonsense'], ['']])('refuses the token "%s"', async (token) => {
    const response = await fetch(`${stack.url}/auth/v1/token?grant_type=refresh_token`, {
      method: 'POST',
      headers: { apikey: stack.anonKey },
      body: JSON.stringify({ refresh_token: token }),
    });
    expect(await response.json()).toMatchObject({ error_code: 'refresh_token_not_found' });
  });

  it('refuses a token whose counter was raised by hand', async () => {
    const bytes = Buffer.from(await signIn(), 'base64url');
    bytes[19] = 5;
    expect((await refresh(bytes.toString('base64url'))).error?.code).toBe('refresh_token_not_found');
  });

  it('renews an access token that has expired', async () => {
    const client = await newMember(stack, 'sleeper@example.com');
    const { data } = await client.auth.getSession();
    clock += 2 * 3600_000;
    const stale = await fetch(`${stack.url}/auth/v1/user`, {
      headers: { apikey: stack.anonKey, Authorization: `Bearer ${data.session?.access_token}` },
    });
    expect(stale.status).toBe(403);
    expect(await stale.json()).toMatchObject({ error_code: 'bad_jwt' });
    expect((await client.rpc('whoami')).error).toMatchObject({ code: 'PGRST301', message: 'JWT expired' });
    expect((await client.auth.refreshSession()).error).toBeNull();
    expect((await client.rpc('whoami')).error).toBeNull();
  });
});

describe('the user', () => {
  it('changes metadata key by key, and null removes a key', async () => {
    const client = await newMember(stack, 'meta@example.com');
    await client.auth.updateUser({ data: { display_name: 'Meta', theme: 'dark' } });
    const { data } = await client.auth.updateUser({ data: { theme: null, size: 3 } });
    expect(data.user?.user_metadata).toEqual({ display_name: 'Meta', size: 3 });
    expect((await client.auth.getUser()).data.user?.user_metadata).toEqual({ display_name: 'Meta', size: 3 });
  });

  it('works with metadata of the largest size, and refuses to exceed it piece by piece', async () => {
    const client = await newMember(stack, 'large@example.com');
    expect((await client.auth.updateUser({ data: { first: 'x'.repeat(16_000) } })).error).toBeNull();
    expect((await client.auth.refreshSession()).error).toBeNull();
    expect((await client.rpc('whoami')).error).toBeNull();
    const { error } = await client.auth.updateUser({ data: { second: 'x'.repeat(16_000) } });
    expect(error?.code).toBe('validation_failed');
  });

  it('changes the password and signs the others out', async () => {
    const here = await newMember(stack, 'change@example.com');
    const there = clientOf(stack);
    await there.auth.signInWithPassword({ email: 'change@example.com', password });
    expect((await here.auth.updateUser({ password })).error?.code).toBe('same_password');
    expect((await here.auth.updateUser({ password: 'short' })).error?.code).toBe('weak_password');
    expect((await here.auth.updateUser({ password: 'battery staple' })).error).toBeNull();
    expect((await here.auth.getUser()).error).toBeNull();
    expect((await there.auth.getUser()).error).not.toBeNull();
    const again = { email: 'change@example.com', password: 'battery staple' };
    expect((await clientOf(stack).auth.signInWithPassword(again)).error).toBeNull();
    expect((await clientOf(stack).auth.signInWithPassword({ ...again, password })).error?.code).toBe(
      'invalid_credentials',
    );
  });

  it('does not change the email', async () => {
    const client = await newMember(stack, 'fixed@example.com');
    expect((await client.auth.updateUser({ email: 'b@example.com' })).error?.code).toBe('validation_failed');
  });

  it('needs a token', async () => {
    const response = await fetch(`${stack.url}/auth/v1/user`, { headers: { apikey: stack.anonKey } });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error_code: 'no_authorization' });
  });
});

describe('signing out', () => {
  it('ends this session (local) or all of them (global)', async () => {
    const here = await newMember(stack, 'leaver@example.com');
    const there = clientOf(stack);
    await there.auth.signInWithPassword({ email: 'leaver@example.com', password });
    const token = (await here.auth.getSession()).data.session?.refresh_token ?? '';

    expect((await here.auth.signOut({ scope: 'local' })).error).toBeNull();
    const gone = await clientOf(stack).auth.refreshSession({ refresh_token: token });
    expect(gone.error?.code).toBe('refresh_token_not_found');
    expect((await there.auth.getUser()).error).toBeNull();

    await here.auth.signInWithPassword({ email: 'leaver@example.com', password });
    expect((await here.auth.signOut({ scope: 'global' })).error).toBeNull();
    expect((await there.auth.getUser()).error?.name).toBe('AuthSessionMissingError');
  });
});

it('reports its health and its settings', async () => {
  const get = (path: string) =>
    fetch(`${stack.url}/auth/v1/${path}`, { headers: { apikey: stack.anonKey } }).then((r) => r.json());
  expect(await get('health')).toMatchObject({ name: 'GoTrue' });
  expect(await get('settings')).toMatchObject({ external: { email: true }, mailer_autoconfirm: true });
  expect(await get('factors')).toMatchObject({ error_code: 'not_found' });
});
