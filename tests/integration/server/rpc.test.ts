import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalStack } from '@/server';
import { clientOf, newMember, startProbe } from './probe';

let stack: LocalStack;
let member: Awaited<ReturnType<typeof newMember>>;
let anonymous: ReturnType<typeof clientOf>;

beforeAll(async () => {
  stack = await startProbe({ maxBodyBytes: 100_000 });
  member = await newMember(stack, 'member@example.com');
  anonymous = clientOf(stack);
});
afterAll(() => stack?.close());

describe('answers', () => {
  it('runs as the user of the token, with its claims', async () => {
    const { data, error } = await member.rpc('whoami');
    expect(error).toBeNull();
    const { data: user } = await member.auth.getUser();
    expect(data).toMatchObject({
      uid: user.user?.id,
      role: 'authenticated',
      method: 'POST',
      claims: { email: 'member@example.com', role: 'authenticated', aud: 'authenticated' },
    });
  });

  it('runs as anon with the API key alone', async () => {
    const { data } = await anonymous.rpc('whoami');
    expect(data).toMatchObject({ uid: null, role: 'anon' });
  });

  it('runs as service_role with the service key', async () => {
    const { data } = await clientOf(stack, stack.serviceKey).rpc('whoami');
    expect(data).toMatchObject({ role: 'service_role' });
  });

  it('casts named arguments to the declared types and leaves out defaults', async () => {
    expect((await member.rpc('add', { a: 1, b: 2 })).data).toBe(3);
    expect((await member.rpc('add', { a: '1' })).data).toBe(11);
  });

  it('passes JSON through unharmed', async () => {
    const request = { text: 'ä 😀 " \\ \n', big: 12345678901234, deep: [{ a: null }, [], {}] };
    expect((await member.rpc('echo', { request })).data).toEqual(request);
  });

  it.each([
    ['null_value', null],
    ['numbers', [1, 2, 3]],
    ['one_note', { id: 1, body: 'one' }],
    [
      'notes_table',
      [
        { id: 1, body: 'one' },
        { id: 2, body: 'two' },
      ],
    ],
  ])('%s answers as PostgREST would', async (name, expected) => {
    const { data, error, status } = await member.rpc(name);
    expect({ data, error, status }).toEqual({ data: expected, error: null, status: 200 });
  });

  it('answers 204 for void', async () => {
    const { status, error } = await member.rpc('nothing');
    expect({ status, error }).toEqual({ status: 204, error: null });
  });

  it('hoists the statement timeout of a function to its transaction', async () => {
    expect((await member.rpc('hurried')).data).toBe('4321ms');
  });

  it('carries no state from one request to the next', async () => {
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const client = index % 2 ? member : anonymous;
        const { data } = await client.rpc('whoami');
        expect(data.role).toBe(index % 2 ? 'authenticated' : 'anon');
      }),
    );
  });

  it('compresses large answers', async () => {
    const response = await call('echo', { request: 'x'.repeat(50_000) });
    expect(response.headers.get('content-encoding')).toMatch(/gzip|br/);
    expect(await response.json()).toHaveLength(50_000);
  });
});

describe('refusals', () => {
  it.each([
    ['P0001', 400],
    ['22P02', 400],
    ['23505', 409],
    ['23503', 409],
    ['40001', 500],
    ['40P01', 500],
    ['42501', 403],
    ['55P03', 500],
    ['57014', 500],
    ['PT418', 418],
    ['P0002', 500],
  ])('SQLSTATE %s is HTTP %i', async (state, expected) => {
    const { error, status } = await member.rpc('fail', { state });
    expect(status).toBe(expected);
    expect(error).toMatchObject({ code: state, message: `failed with ${state}`, details: null, hint: null });
  });

  it('gives detail and hint, and rolls back what failed', async () => {
    const { error } = await member.rpc('write_and_fail');
    expect(error).toMatchObject({ code: 'P0001', message: 'no', details: 'the detail', hint: 'the hint' });
    expect((await member.rpc('count_notes')).data).toBe(2);
  });

  it('runs STABLE functions read-only', async () => {
    const { error, status } = await member.rpc('write_while_stable');
    expect({ status, code: error?.code }).toEqual({ status: 405, code: '25006' });
  });

  it('refuses values of another type', async () => {
    const { error, status } = await member.rpc('add', { a: 'many' });
    expect({ status, code: error?.code }).toEqual({ status: 400, code: '22P02' });
  });

  it.each([[{}], [{ a: 1, c: 2 }]])('refuses to call a function with the arguments %j', async (args) => {
    const { error, status } = await member.rpc('add', args);
    expect({ status, code: error?.code }).toEqual({ status: 404, code: 'PGRST202' });
  });

  it('refuses a function of another schema', async () => {
    const { error } = await member.rpc('pg_sleep', { '': 1 });
    expect(error?.code).toBe('PGRST202');
  });

  it('demands a sign-in for functions that need a user', async () => {
    expect((await member.rpc('members_only')).data).toBe(1);
    const { error, status } = await anonymous.rpc('members_only');
    expect({ status, code: error?.code }).toEqual({ status: 401, code: '42501' });
  });

  it('keeps the private schema of the stack private', async () => {
    expect((await member.rpc('private_sessions')).error?.code).toBe('42501');
  });

  it('serves no tables', async () => {
    const { error, status } = await member.from('notes').select();
    expect({ status, code: error?.code }).toEqual({ status: 404, code: 'PGRST205' });
    expect((await member.from('notes').insert({ id: 5, body: '' })).status).toBe(404);
  });

  it('refuses to select from, filter or order what a function answers, rather than ignore it', async () => {
    const refused = { status: 400, error: expect.objectContaining({ code: 'PGRST100' }) };
    expect(await member.rpc('notes_table').select('id')).toMatchObject(refused);
    expect(await member.rpc('notes_table').eq('id', 1)).toMatchObject(refused);
    expect(await member.rpc('notes_table').order('id')).toMatchObject(refused);
    expect(await member.rpc('notes_table').limit(1)).toMatchObject(refused);
    expect((await member.rpc('notes_table').select()).data).toHaveLength(2);
  });

  it('answers single() of a row as PostgREST does, and refuses it of a set', async () => {
    expect((await member.rpc('one_note').single()).data).toEqual({ id: 1, body: 'one' });
    expect(await member.rpc('notes_table').single()).toMatchObject({
      status: 415,
      error: { code: 'PGRST107' },
    });
  });

  it('refuses other formats, counts and schemas', async () => {
    expect((await member.rpc('notes_table').csv()).error?.code).toBe('PGRST107');
    expect((await member.rpc('notes_table', {}, { count: 'exact' })).error?.code).toBe('PGRST122');
    expect((await member.schema('convoy').rpc('notes_table')).error?.code).toBe('PGRST106');
  });

  it('refuses an expired token', async () => {
    const response = await call('whoami', {}, await token({ exp: Math.floor(Date.now() / 1000) - 60 }));
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({
      code: 'PGRST301',
      message: 'JWT expired',
      details: null,
      hint: null,
    });
  });

  it.each([
    ['signed by another', () => token({}, 'another secret that is long enough to be one')],
    ['of an unknown role', () => token({ role: 'postgres' })],
    ['that never expires', () => token({ exp: undefined })],
    ['that is none', async () => 'nonsense'],
    ['without a signature', async () => `${btoa('{"alg":"none"}')}.${btoa('{"role":"service_role"}')}.`],
  ])('refuses a token %s', async (_, make) => {
    const response = await call('whoami', {}, await make());
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 'PGRST301' });
  });

  it('refuses requests without an API key, or with a user token as one', async () => {
    const url = `${stack.url}/rest/v1/rpc/whoami`;
    expect((await fetch(url, { method: 'POST' })).status).toBe(401);
    const headers = { apikey: await token({}) };
    expect((await fetch(url, { method: 'POST', headers })).status).toBe(401);
  });

  it.each(['not json', '[1]', '"text"', '1'])('refuses the body %s', async (body) => {
    const response = await call('echo', body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'PGRST102' });
  });

  it('refuses text that PostgreSQL cannot store with its own error', async () => {
    const response = await call('echo', '{"request": "\\u0000"}');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: '22P05' });
  });

  it('refuses a body over the limit, declared or streamed', async () => {
    expect((await call('echo', { request: 'x'.repeat(100_001) })).status).toBe(413);
    const chunk = new TextEncoder().encode(`"${'x'.repeat(60_000)}"`);
    const body = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 3; i++) controller.enqueue(chunk);
        controller.close();
      },
    });
    const response = await fetch(`${stack.url}/rest/v1/rpc/echo`, {
      method: 'POST',
      headers: { apikey: stack.anonKey },
      body,
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(413);
  });

  it('allows requests of pages of other origins', async () => {
    const response = await fetch(`${stack.url}/rest/v1/rpc/whoami`, {
      method: 'OPTIONS',
      headers: {
        Origin: 'http://elsewhere.example',
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'apikey,authorization,content-type,x-client-info',
      },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-headers')).toContain('x-client-info');
  });
});

function call(name: string, body: unknown, bearer = stack.anonKey): Promise<Response> {
  return fetch(`${stack.url}/rest/v1/rpc/${name}`, {
    method: 'POST',
    headers: {
      apikey: stack.anonKey,
      Authorization: `Bearer ${bearer}`,
      'Content-Type': 'application/json',
      'Accept-Encoding': 'gzip, br',
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

function token(claims: Record<string, unknown>, secret = stack.jwtSecret): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 600;
  return new SignJWT({ role: 'authenticated', exp, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret));
}
