import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalStack } from '@/server';
import { clientOf, newMember, startProbe } from './probe';

let stack: LocalStack;
let clock = Date.now();

beforeAll(async () => {
  stack = await startProbe({ now: () => clock, uptime: () => clock });
  await newMember(stack, 'ada@example.com');
});
afterAll(() => stack?.close());

const password = 'correct horse';

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

  it('gives the same token again hours later when the answer was lost', async () => {
    const first = await signIn();
    const second = await next(first);
    clock += 5 * 3600_000;
    expect(await next(first)).toBe(second);
  });

  it('gives the current token to an older one that comes back within ten seconds', async () => {
    const first = await signIn();
    const third = await next(await next(first));
    clock += 9_000;
    expect(await next(first)).toBe(third);
    // Each refresh begins the interval anew.
    clock += 9_000;
    expect(await next(first)).toBe(third);
    await next(third);
  });

  it('ends the session when an older token comes back later', async () => {
    const first = await signIn();
    const second = await next(first);
    const third = await next(second);
    clock += 10_000;
    expect((await refresh(first)).error).toMatchObject({ code: 'refresh_token_already_used', status: 400 });
    expect((await refresh(third)).error?.code).toBe('refresh_token_not_found');
  });

  it('refuses a token that is none', async () => {
    const token = 'nonsense';
    const response = await fetch(`${stack.url}/auth/v1/token?grant_type=refresh_token`, {
      method: 'POST',
      headers: { apikey: stack.anonKey },
      body: JSON.stringify({ refresh_token: token }),
    });
    expect(await response.json()).toMatchObject({ error_code: 'refresh_token_not_found' });
  });

  it('refuses a token of a server that knew more than this one, and keeps the session', async () => {
    const first = await signIn();
    const second = await next(first);
    // As a copy of the database knows it that was made before the refresh.
    await stack.backend.transaction((connection) =>
      connection.query('update local_stack.sessions set refresh_counter = 0 where refresh_counter = 1'),
    );
    expect((await refresh(second)).error).toMatchObject({ code: 'validation_failed', status: 400 });
    await next(first);
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
