import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { type ConvoyClient, createConvoyClient } from '@/lib/supabase/client';
import { SupabaseTransport } from '@/lib/supabase/transport';
import { type InPlace, RefusingProxy } from '../../support/refusingProxy';
import { SEED } from '../../support/seed';
import { type TestDevice, World } from '../../support/world';

const REFRESH = /grant_type=refresh_token/;
const SYNC = /\/rpc\/sync_/;
const HOUR = 3_600_000;

const html = (status: number, headers = {}): InPlace => ({
  status,
  headers: { 'content-type': 'text/html', ...headers },
  body: '<html><h1>Sign in to the network</h1></html>',
});
const json = (status: number, body: unknown, headers = {}): InPlace => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

/** In the ways of proxies, firewalls, portals and gateways, and of a busy server. */
const OTHERS: [string, InPlace][] = [
  ...[400, 401, 403, 404, 407, 408, 422, 429, 451, 502, 511].flatMap((status): [string, InPlace][] => [
    [`${status} with a page`, html(status)],
    [`${status} in JSON`, json(status, { code: status, message: 'Blocked by policy' })],
    [`${status} in JSON with a name`, json(status, { code: 'FORBIDDEN', error: 'forbidden' })],
    [`${status} without a body`, { status, body: '' }],
  ]),
  ['200 with a page', html(200)],
  ...['access_denied', 'request_blocked', 'rate_limit_exceeded', 'no_route'].flatMap(
    (code): [string, InPlace][] => [
      [`401 with the code ${code}`, json(401, { code })],
      [`403 with the code ${code}`, json(403, { code, message: 'Blocked by policy' })],
      [`422 with the error_code ${code}`, json(422, { error_code: code })],
    ],
  ),
  ['429 of Auth', json(429, { code: 'over_request_rate_limit', message: 'Request rate limit reached' })],
  ['409 of Auth', json(409, { code: 'conflict', message: 'Too many concurrent token refresh requests' })],
  ['401 of a gateway', json(401, { message: 'Invalid API key', hint: 'Double check it.' })],
  ['400 of Auth to a damaged body', json(400, { code: 'bad_json', message: 'Could not parse request body' })],
];

const user = { id: '01900000-0000-7000-8000-000000000001' };
const tokens = { access_token: 'a', refresh_token: 'b' };

/** JSON of portals and gateways, and less than a session. */
const NO_SESSIONS = [
  {},
  [],
  'x',
  null,
  { status: 'login_required' },
  { access_token: 'a' },
  { ...tokens, user },
  { ...tokens, user, expires_in: 0 },
  { ...tokens, expires_in: 3_600 },
  { ...tokens, refresh_token: '', user, expires_in: 3_600 },
].map((body): [string, InPlace] => [`200 with ${JSON.stringify(body)}`, json(200, body)]);

/** By which the device's clock is ahead of the server's, ms. */
let skew = 0;
/** Time that has passed for both, beside the real one, ms. */
let passed = 0;
const realDate = Date.now;
const realMonotonic = performance.now.bind(performance);

let world: World;
let proxy: RefusingProxy;
let device: TestDevice;
let stored: Map<string, string>;
let hasEnded: boolean;

/** A client whose session lasts, as that of a restarted process. */
function newClient(): ConvoyClient {
  const client = createConvoyClient(proxy.url, world.stack.anonKey, {
    storage: {
      getItem: (key) => stored.get(key) ?? null,
      setItem: (key, value) => void stored.set(key, value),
      removeItem: (key) => void stored.delete(key),
    },
    autoRefreshToken: false,
    webSocket: WebSocket,
  });
  client.auth.onAuthStateChange((event) => {
    if (event === 'SIGNED_OUT') hasEnded = true;
  });
  return client;
}

beforeAll(async () => {
  vi.spyOn(Date, 'now').mockImplementation(() => realDate() + passed + skew);
  vi.spyOn(performance, 'now').mockImplementation(() => realMonotonic() + passed);
  // supabase-js tells of every request that fails.
  vi.spyOn(console, 'error').mockImplementation(() => {});
  world = await World.start(undefined, { now: () => realDate() + passed });
  proxy = await RefusingProxy.start(world.stack.url);
});
afterAll(async () => {
  await world.close();
  await proxy.close();
  vi.restoreAllMocks();
});
beforeEach(async () => {
  // Most sessions here outlive what befalls them, and serve the next test.
  if (!device || hasEnded || skew !== 0) {
    [skew, hasEnded, stored] = [0, false, new Map()];
    device = await signedIn();
  }
  // supabase-js tries a refresh again for half a minute, and then lets a minute pass.
  proxy.onRefused = () => {
    passed += 31_000;
  };
});
afterEach(() => {
  proxy.letThrough();
  proxy.asked.length = 0;
});

async function signedIn(): Promise<TestDevice> {
  const client = newClient();
  const credentials = { email: 'editor@convoy.example', password: SEED.password };
  const { data, error } = await client.auth.signInWithPassword(credentials);
  if (error || !data.user) throw error ?? new Error('No user.');
  return world.device({ client, userId: data.user.id });
}

const isSignedIn = () => [...stored.values()].some((value) => value.includes('refresh_token')) && !hasEnded;

/** The device syncs. @returns the code of the error, and what follows from it */
async function outcome(): Promise<unknown> {
  const { status, error, reaction } = await device.sync();
  return error ? { status, kind: error.kind, reaction } : status;
}

describe('a session', () => {
  it.each([...OTHERS, ...NO_SESSIONS])(
    'outlives %s to its refresh, and the next sync goes on (K20, P-NOLOSS)',
    async (_, answer) => {
      passed += 2 * HOUR;
      proxy.refuse(REFRESH, answer);
      const { error } = await device.sync();
      expect(error).toMatchObject({ kind: 'transport' });
      expect(proxy.count(REFRESH)).toBeGreaterThan(0);
      expect(isSignedIn()).toBe(true);
      proxy.letThrough();
      passed += 2 * 60_000;
      expect(await outcome()).toBe('ok');
      expect(isSignedIn()).toBe(true);
    },
  );

  it.each(OTHERS)('outlives %s to a sync, which is tried again by itself (K20)', async (_, answer) => {
    proxy.refuse(SYNC, answer);
    const failed = await outcome();
    expect(failed).toMatchObject({ kind: 'transport' });
    expect(['retry', 'wait']).toContain((failed as { reaction: string }).reaction);
    expect(isSignedIn()).toBe(true);
    proxy.letThrough();
    passed += 2 * 60_000;
    expect(await outcome()).toBe('ok');
  });

  it.each<[string, InPlace]>([
    ['that Auth does not know', json(400, { code: 'refresh_token_not_found', message: 'Not found' })],
    ['of an older Auth', json(400, { code: 400, error_code: 'session_expired', msg: 'Expired' })],
    ...[
      'refresh_token_already_used',
      'session_not_found',
      'session_expired',
      'user_banned',
      'validation_failed',
    ].map((code): [string, InPlace] => [`with the code ${code}`, json(400, { code, message: 'Refused' })]),
    ['of a user that is gone', json(403, { code: 'user_not_found', message: 'User not found' })],
    ['in the words of OAuth', json(400, { error: 'invalid_grant', error_description: 'Invalid token' })],
  ])('ends when the server refuses a token %s (K20)', async (_, answer) => {
    passed += 2 * HOUR;
    proxy.refuse(REFRESH, answer);
    expect(await outcome()).toMatchObject({ kind: 'auth', reaction: 'sign_in' });
    expect(isSignedIn()).toBe(false);
  });

  it.each([
    ['429', { code: 'over_request_rate_limit', message: 'Request rate limit reached' }],
    ['503', { code: 'unexpected_failure', message: 'Error running a query' }],
    ['500', { code: 500, msg: 'Internal Server Error' }],
  ])(
    'whose refresh Auth answers with %s and a Retry-After waits as long, without a request (K11, K20)',
    async (status, body) => {
      passed += 2 * HOUR;
      proxy.onRefused = () => {};
      proxy.refuse(REFRESH, json(Number(status), body, { 'retry-after': '600' }));
      for (const left of [600_000, 400_000, 200_000]) {
        const { error, reaction } = await device.sync();
        expect(reaction).toBe('retry');
        const { retryAfterMs } = error as { retryAfterMs?: number };
        expect(retryAfterMs).toBeGreaterThan(left - 100_000);
        expect(retryAfterMs).toBeLessThanOrEqual(left);
        passed += 200_000;
      }
      expect(proxy.count(REFRESH)).toBe(1);
      proxy.letThrough();
      passed += 120_000;
      expect(await outcome()).toBe('ok');
      expect(isSignedIn()).toBe(true);
    },
  );

  it.each([
    ['429', html(429, { 'retry-after': '3600' })],
    ['503', html(503, { 'retry-after': '3600' })],
    ['403', json(403, {}, { 'retry-after': '3600' })],
  ])(
    'whose refresh something else answers with %s and a long Retry-After waits a minute (K20)',
    async (_, answer) => {
      passed += 2 * HOUR;
      proxy.onRefused = () => {};
      proxy.refuse(REFRESH, answer);
      const { error } = await device.sync();
      expect((error as { retryAfterMs?: number }).retryAfterMs).toBeLessThanOrEqual(60_000);
      proxy.letThrough();
      passed += 61_000;
      expect(await outcome()).toBe('ok');
    },
  );

  it('that waits for a new token is refreshed at once when a person syncs, and asked once alone (K11, K20)', async () => {
    passed += 2 * HOUR;
    proxy.onRefused = () => {};
    proxy.refuse(REFRESH, json(429, { code: 'over_request_rate_limit' }, { 'retry-after': '600' }));
    expect((await device.sync()).error).toMatchObject({ code: 'rate_limited' });
    // What supabase-js tries in vain meanwhile it answers with for a minute.
    passed += 61_000;
    expect((await device.sync()).error).toMatchObject({ code: 'rate_limited' });
    expect(device.transport.waitsEnded, 'told by syncs that are called for').toBeGreaterThan(0);
    const agent = await world.device(device, { kind: 'agent' });
    await agent.sync();
    expect(agent.transport.waitsEnded, 'agents wait').toBe(0);
    const transport = new SupabaseTransport(device.client);
    proxy.asked.length = 0;
    transport.endWait();
    expect((await device.sync()).error).toMatchObject({ code: 'rate_limited' });
    expect((await device.sync()).error).toMatchObject({ code: 'rate_limited' });
    expect(proxy.count(REFRESH)).toBe(1);
    proxy.letThrough();
    transport.endWait();
    expect(await outcome()).toBe('ok');
    expect(isSignedIn()).toBe(true);
  });

  it.each([403, 404, 408, 429, 503])(
    'a Retry-After of a sync that is answered with %i is told (K11)',
    async (status) => {
      proxy.refuse(SYNC, html(status, { 'retry-after': '77' }));
      expect((await device.sync()).error).toMatchObject({ retryAfterMs: 77_000 });
    },
  );

  it('whose new tokens are refused as well waits until they are taken, and is refreshed ever more rarely (K11)', async () => {
    const future = json(401, { code: 'PGRST303', message: 'JWT issued at future' });
    proxy.onRefused = () => {};
    proxy.refuse(SYNC, future);
    for (let n = 0; n < 5; n += 1) {
      expect(await outcome()).toMatchObject({ status: 'error', kind: 'transport', reaction: 'retry' });
    }
    expect(proxy.count(REFRESH)).toBe(1);
    passed += 70_000;
    expect(await outcome()).toMatchObject({ kind: 'transport', reaction: 'retry' });
    expect(proxy.count(REFRESH)).toBe(2);
    // The pause doubles: after 1, 3, 7, 15 and 31 minutes.
    for (let n = 0; n < 96; n += 1) {
      passed += 30_000;
      expect(await outcome()).toMatchObject({ kind: 'transport', reaction: 'retry' });
    }
    expect(proxy.count(REFRESH)).toBeLessThanOrEqual(6);
    proxy.letThrough();
    expect(await outcome()).toBe('ok');
    expect(isSignedIn()).toBe(true);
    proxy.refuse(SYNC, future);
    proxy.asked.length = 0;
    for (let n = 0; n < 2; n += 1) {
      passed += 70_000;
      expect(await outcome()).toMatchObject({ kind: 'transport', reaction: 'retry' });
    }
    expect(proxy.count(REFRESH), 'as at first, once a token was taken').toBe(2);
  });
});

describe('a token lasts as long as the server said', () => {
  it.each([
    ['61 minutes ahead', 61 * 60_000],
    ['a day ahead', 24 * HOUR],
    ['61 minutes behind', -61 * 60_000],
    ['a day behind', -24 * HOUR],
  ])(
    'on a device whose clock is %s: it is refreshed when it expires, and not before (K20)',
    async (_, ahead) => {
      skew = ahead;
      device = await signedIn();
      proxy.asked.length = 0;
      for (let n = 0; n < 3; n += 1) expect(await outcome()).toBe('ok');
      await device.client.auth.startAutoRefresh();
      expect(proxy.count(REFRESH)).toBe(0);
      device = await world.device({ client: newClient(), userId: device.userId });
      expect(await outcome()).toBe('ok');
      expect(proxy.count(REFRESH), 'after a restart').toBe(0);
      passed += HOUR;
      for (let n = 0; n < 3; n += 1) expect(await outcome()).toBe('ok');
      expect(proxy.count(REFRESH), 'after an hour').toBe(1);
      expect(proxy.count(SYNC), 'no request with a token that had expired').toBe(proxy.asked.length - 1);
      await device.client.auth.stopAutoRefresh();
    },
  );

  it.each([
    ['ahead', 3 * HOUR],
    ['back', -3 * HOUR],
  ])('on a device whose clock is set %s meanwhile: it is refreshed once at most (K20)', async (_, by) => {
    expect(await outcome()).toBe('ok');
    proxy.asked.length = 0;
    skew += by;
    for (let n = 0; n < 3; n += 1) expect(await outcome()).toBe('ok');
    expect(proxy.count(REFRESH)).toBe(by > 0 ? 1 : 0);
    passed += HOUR;
    for (let n = 0; n < 3; n += 1) expect(await outcome()).toBe('ok');
    expect(proxy.count(REFRESH)).toBe(by > 0 ? 2 : 1);
    expect(isSignedIn()).toBe(true);
  });

  it('on a device whose clock is set back a day after a refresh that failed: the next one is not put off (K20)', async () => {
    passed += 2 * HOUR;
    proxy.refuse(REFRESH, html(502));
    expect(await outcome()).toMatchObject({ kind: 'transport' });
    proxy.letThrough();
    skew -= 24 * HOUR;
    passed += 2 * 60_000;
    expect(await outcome()).toBe('ok');
    expect(isSignedIn()).toBe(true);
  });

  it('of a session that an earlier release stored: one refresh sets it right (K20)', async () => {
    skew = 61 * 60_000;
    device = await signedIn();
    for (const [key, value] of stored) {
      const session = JSON.parse(value);
      stored.set(key, JSON.stringify({ ...session, expires_at: session.expires_at - 61 * 60 }));
    }
    proxy.asked.length = 0;
    device = await world.device({ client: newClient(), userId: device.userId });
    for (let n = 0; n < 3; n += 1) expect(await outcome()).toBe('ok');
    expect(proxy.count(REFRESH)).toBe(1);
  });
});
