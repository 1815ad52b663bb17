import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { reactionTo, type SyncError } from '@/core/errors';
import { PROTOCOL_VERSION, type PullRequest, type PushRequest, SCHEMA_VERSION } from '@/core/protocol';
import { createConvoyClient } from '@/lib/supabase/client';
import { retryAfterMs } from '@/lib/supabase/traffic';
import { SupabaseTransport } from '@/lib/supabase/transport';

const USER = '01900000-0000-7000-8000-000000000001';
const ROW = '01900000-0000-7000-8000-000000000002';

const PULL: PullRequest = {
  protocol: PROTOCOL_VERSION,
  schema: SCHEMA_VERSION,
  user_id: USER,
  cursors: {},
  skip: {},
  limit: 100,
};
const PULL_ANSWER = {
  user_id: USER,
  server_time: '2026-03-01T00:00:00.000000Z',
  scopes: [{ id: ROW, role: 'owner', head: 1, tag: 'a' }],
  cursors: { [ROW]: { revision: 1, tag: 'a' } },
  refilled: {},
  forgotten: [],
  more: false,
  total: null,
  rows: { tasks: { id: [ROW], title: ['é'] } },
  deleted: { tasks: [] },
};
const PUSH: PushRequest = {
  protocol: PROTOCOL_VERSION,
  schema: SCHEMA_VERSION,
  user_id: USER,
  device_id: ROW,
  batch: 1,
  cursors: {},
  skip: {},
  changes: [{ table: 'tasks', op: 'delete', id: ROW, workspace_id: ROW, base: null, group: 0 }],
};
const PUSH_ANSWER = {
  user_id: USER,
  batch: 1,
  server_time: '2026-03-01T00:00:00.000000Z',
  outcomes: [{ outcome: 'applied', revision: 2 }],
  effects: { rows: {}, deleted: {} },
  revisions: { [ROW]: { revision: 2, tag: 'b' } },
};

type Respond = (request: {
  url: string;
  body: string;
  signal: AbortSignal | null;
}) => Promise<Response> | Response;

function transport(respond: Respond, timeoutMs = 5000): SupabaseTransport {
  const fetch = async (input: RequestInfo | URL, init?: RequestInit) =>
    respond({ url: String(input), body: String(init?.body), signal: init?.signal ?? null });
  const client = createConvoyClient('http://stack.test', 'key', { fetch, persistSession: false });
  return new SupabaseTransport(client, { timeoutMs });
}

function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

const neverAborted = () => new AbortController().signal;

async function failureOf(respond: Respond): Promise<SyncError> {
  const answer = await transport(respond).pull(PULL, neverAborted());
  if (answer.ok) throw new Error('It succeeded.');
  return answer.error;
}

describe('SupabaseTransport', () => {
  it('posts the request to the function and returns the answer with the number of bytes received (P1)', async () => {
    let seen: { url: string; body: string } | undefined;
    const answer = await transport((request) => {
      seen = request;
      return json(PULL_ANSWER);
    }).pull(PULL, neverAborted());
    expect(seen?.url).toBe('http://stack.test/rest/v1/rpc/sync_pull');
    expect(JSON.parse(seen?.body ?? '')).toEqual({ request: PULL });
    const sent = new TextEncoder().encode(seen?.body).length;
    const received = new TextEncoder().encode(JSON.stringify(PULL_ANSWER)).length;
    const traffic = { sent, received, ms: expect.any(Number) };
    expect(answer).toEqual({ ok: true, value: { ...PULL_ANSWER, traffic } });
  });

  it('nothing that outlives the request refers to its answer (P32)', async () => {
    let sent: AbortSignal | null = null;
    const answer = await transport(({ signal }) => {
      sent = signal;
      return json(PULL_ANSWER);
    }).pull(PULL, neverAborted());
    expect(answer.ok).toBe(true);
    expect(sent).not.toBeNull();
    expect(getEventListeners(sent as never, 'abort')).toEqual([]);
  });

  it('refuses an answer with an invalid time', async () => {
    const answer = { ...PULL_ANSWER, server_time: 'infinity' };
    expect(await failureOf(() => json(answer))).toMatchObject({ kind: 'protocol', code: 'malformed' });
  });

  it('takes the received bytes from Content-Length where there is one', async () => {
    const answer = await transport(() => json(PUSH_ANSWER, 200, { 'content-length': '42' })).push(
      PUSH,
      neverAborted(),
    );
    expect(answer.ok && answer.value.traffic.received).toBe(42);
  });

  it.each([
    [401, { code: 'PGRST301', message: 'JWT expired' }, { kind: 'auth', code: 'signed_out' }],
    [403, { code: '42501', message: 'permission denied' }, { kind: 'auth', code: 'forbidden' }],
    [
      500,
      { code: '40P01', message: 'deadlock' },
      { kind: 'transport', code: 'http', status: 500, sqlState: '40P01' },
    ],
    [404, { code: 'PGRST202', message: 'no function' }, { kind: 'protocol', code: 'schema_mismatch' }],
    [404, { code: '42883', message: 'no operator' }, { code: 'http', status: 404, sqlState: '42883' }],
    [404, '<html>', { code: 'http', status: 404, sqlState: null }],
    [413, 'too large', { code: 'http', status: 413, sqlState: null }],
    [502, '<html>', { code: 'http', status: 502, sqlState: null }],
  ])('maps status %i', async (status, body, expected) => {
    expect(await failureOf(() => json(body, status))).toMatchObject(expected);
  });

  it.each([
    ['PostgREST', 400, { code: 'PGRST102', message: 'invalid json' }, 'split'],
    ['the database', 400, { code: '22P02', message: 'invalid input' }, 'split'],
    ['a proxy that limits the size', 413, '<html>', 'split'],
    ['PostgreSQL, of what is too complex', 413, { code: '54001', message: 'stack depth' }, 'split'],
    ['a proxy', 400, '<html>', 'retry'],
    ['a proxy that speaks JSON', 400, { code: 'bad_gateway_request', message: 'no' }, 'retry'],
    ['a proxy', 422, {}, 'retry'],
    ['a proxy', 408, '', 'retry'],
    ['a proxy', 504, '', 'retry'],
  ])(
    'a batch that %s refuses with status %i is set aside only where the server itself refused it (D9)',
    async (_who, status, body, reaction) => {
      expect(reactionTo(await failureOf(() => json(body, status)))).toBe(reaction);
    },
  );

  it('says which function the server lacks, and what to do about it', async () => {
    const { message } = await failureOf(() => json({ code: 'PGRST202', message: 'schema cache' }, 404));
    expect(message).toBe(
      'The server lacks the function sync_pull, which this version of Convoy calls. ' +
        'Apply the migrations of this version to the server; if it is newer, update Convoy.',
    );
  });

  it('maps 429 with Retry-After', async () => {
    const error = await failureOf(() => json({ message: 'slow' }, 429, { 'retry-after': '7' }));
    expect(error).toMatchObject({ kind: 'transport', code: 'rate_limited', retryAfterMs: 7000 });
    expect(await failureOf(() => json({}, 429))).toMatchObject({ retryAfterMs: null });
  });

  it('maps a request that does not get through', async () => {
    const error = await failureOf(() => {
      throw new TypeError('fetch failed');
    });
    expect(error).toMatchObject({ kind: 'transport', code: 'offline' });
  });

  const hang: Respond = ({ signal }) =>
    new Promise((_, reject) => {
      const abort = () => reject(new DOMException('Aborted', 'AbortError'));
      if (signal?.aborted) abort();
      signal?.addEventListener('abort', abort);
    });

  it('aborts after the timeout', async () => {
    const answer = await transport(hang, 20).pull(PULL, neverAborted());
    expect(answer).toMatchObject({ ok: false, error: { kind: 'transport', code: 'timeout' } });
  });

  it('aborts when its signal does, beforehand too', async () => {
    const controller = new AbortController();
    const pulling = transport(hang).pull(PULL, controller.signal);
    controller.abort();
    expect(await pulling).toMatchObject({ ok: false, error: { code: 'timeout' } });
    expect(await transport(() => json(PULL_ANSWER)).pull(PULL, controller.signal)).toMatchObject({
      ok: false,
    });
  });

  it.each([
    ['wrong_user', 'auth'],
    ['forbidden', 'auth'],
    ['client_too_old', 'protocol'],
    ['schema_mismatch', 'protocol'],
    ['device_conflict', 'protocol'],
    ['history_changed', 'protocol'],
    ['too_large', 'protocol'],
  ])('maps the error value %s to %s (P2)', async (code, kind) => {
    for (const error of [{ code, message: 'x' }, { code }]) {
      expect(await failureOf(() => json({ error }))).toMatchObject({ kind, code });
    }
  });

  it('maps an unknown error value to an unexpected error', async () => {
    expect(await failureOf(() => json({ error: { code: 'moon', message: 'x' } }))).toMatchObject({
      kind: 'unexpected',
    });
  });

  it.each([
    ['null', null],
    ['a list', []],
    ['an empty object', {}],
    ['a wish of a portal', { status: 'login_required', url: 'http://portal.test' }],
    ['an error in words', { error: 'x' }],
    ['an error with a number', { error: { code: 511, message: 'Network Authentication Required' } }],
    ['an error without words', { error: { code: 'login' } }],
  ])(
    'treats JSON that is no answer of the server as one of something in between, which is retried: %s',
    async (_, body) => {
      const portal = transport(() => json(body));
      const settling = { ...PUSH, settle: true as const, key: ROW };
      for (const answer of [
        await portal.pull(PULL, neverAborted()),
        await portal.push(PUSH, neverAborted()),
        await portal.settle(settling as never, 1, neverAborted()),
      ]) {
        expect(answer).toMatchObject({ ok: false, error: { kind: 'transport', code: 'offline' } });
        if (!answer.ok) expect(reactionTo(answer.error)).toBe('wait');
      }
    },
  );

  it('refuses an answer made for another user (P2)', async () => {
    expect(await failureOf(() => json({ ...PULL_ANSWER, user_id: ROW }))).toMatchObject({
      kind: 'auth',
      code: 'wrong_user',
    });
  });

  it('accepts an answer with unknown tables and columns (U19)', async () => {
    const newer = {
      ...PULL_ANSWER,
      rows: { labels: { id: [ROW], name: ['new'] } },
      deleted: { labels: [ROW] },
    };
    expect(await transport(() => json(newer)).pull(PULL, neverAborted())).toMatchObject({ ok: true });
  });

  it.each([
    ['no scopes', { ...PULL_ANSWER, scopes: undefined }],
    ['a bad cursor', { ...PULL_ANSWER, cursors: { [ROW]: { revision: '1', tag: 'a' } } }],
    ['a table without ids', { ...PULL_ANSWER, rows: { tasks: { title: [] } } }],
    ['tombstones that are no ids', { ...PULL_ANSWER, deleted: { tasks: [1] } }],
  ])('refuses a pull answer that is malformed: %s', async (_, answer) => {
    expect(await failureOf(() => json(answer))).toMatchObject({ kind: 'protocol', code: 'malformed' });
  });

  it('maps a duplicate of nothing to gone (U10)', async () => {
    const replayed = { ...PUSH_ANSWER, outcomes: [{ outcome: 'duplicate', of: null }] };
    const pushed = await transport(() => json(replayed)).push(PUSH, neverAborted());
    expect(pushed).toMatchObject({ ok: true, value: { outcomes: [{ outcome: 'gone', which: 'record' }] } });
  });

  it.each([
    ['no outcomes', { ...PUSH_ANSWER, outcomes: [] }],
    ['outcomes that are no list', { ...PUSH_ANSWER, outcomes: {} }],
    ['a duplicate of no id', { ...PUSH_ANSWER, outcomes: [{ outcome: 'duplicate' }] }],
    ['an unknown outcome', { ...PUSH_ANSWER, outcomes: [{ outcome: 'maybe' }] }],
    ['another batch', { ...PUSH_ANSWER, batch: 2 }],
    ['no effects', { ...PUSH_ANSWER, effects: null }],
  ])('refuses a push answer that is malformed: %s', async (_, answer) => {
    const pushed = await transport(() => json(answer)).push(PUSH, neverAborted());
    expect(pushed).toMatchObject({ ok: false, error: { kind: 'protocol', code: 'malformed' } });
  });

  it('treats a body that is not JSON as a proxy’s answer, which is retried', async () => {
    const error = await failureOf(() => new Response('<html>', { status: 200 }));
    expect(error).toMatchObject({ kind: 'transport', code: 'offline' });
  });
});

describe('Retry-After', () => {
  it.each([
    ['3', 3000],
    ['0', 0],
    ['Thu, 01 Jan 1970 00:00:05 GMT', 4000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', null],
    ['', null],
    [null, null],
  ])('%s is %s ms', (asked, expected) => {
    const headers = new Headers(asked === null ? {} : { 'retry-after': asked });
    expect(retryAfterMs(headers, 1000)).toBe(expected);
  });

  it('a moment is one of the clock that wrote the answer, not of this device', () => {
    const headers = { 'retry-after': 'Thu, 01 Jan 1970 02:00:07 GMT', date: 'Thu, 01 Jan 1970 02:00:00 GMT' };
    expect(retryAfterMs(new Headers(headers), 1000)).toBe(7000);
  });
});
