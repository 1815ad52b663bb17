import { isAuthApiError, isAuthWeakPasswordError } from '@supabase/supabase-js';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalStack, SqlBackend } from '@/server';
import { hashPassword } from '@/server/auth/passwords';
import { openBare } from '../../support/template';
import { clientOf, newMember, startProbe } from './probe';

let stack: LocalStack;
let clock = Date.now();

beforeAll(async () => {
  const backend = interrupted(await openBare());
  stack = await startProbe({ now: () => clock, uptime: () => clock, data: { kind: 'backend', backend } });
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
