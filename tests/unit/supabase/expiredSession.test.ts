import { describe, expect, it, vi } from 'vitest';
import { reactionTo } from '@/core/errors';
import { createConvoyClient } from '@/lib/supabase/client';
import { callRpc } from '@/lib/supabase/rpc';
import { inMemory } from '@/lib/supabase/session/deviceTime';

const json = (value: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(value), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  });

const session = (token: string) =>
  json({
    access_token: token,
    refresh_token: `refresh ${token}`,
    token_type: 'bearer',
    expires_in: 3600,
    user: { id: '01900000-0000-7000-8000-000000000001', email: 'a@b.example' },
  });

const expired = () => json({ code: 'PGRST301', message: 'JWT expired' }, 401);

/** Calls a function as somebody who is signed in. @returns the answer and the tokens that were sent */
async function call(rpc: (token: string) => Response, refresh: () => Response) {
  const tokens: string[] = [];
  let refreshes = 0;
  const client = createConvoyClient('http://stack.test', 'key', {
    persistSession: false,
    autoRefreshToken: false,
    fetch: async (input, init) => {
      const url = String(input);
      if (url.includes('grant_type=password')) return session('first');
      if (url.includes('grant_type=refresh_token')) {
        refreshes += 1;
        return refresh();
      }
      const token = new Headers(init?.headers).get('authorization')?.replace('Bearer ', '') ?? '';
      tokens.push(token);
      return rpc(token);
    },
  });
  await client.auth.signInWithPassword({ email: 'a@b.example', password: 'x' });
  const answer = await callRpc(client, 'sync_pull', { request: {} }, { timeoutMs: 5_000 });
  return { answer, tokens, refreshes };
}

describe('a session that the server takes for expired', () => {
  it('is refreshed, and the request repeated once (K11)', async () => {
    const { answer, tokens } = await call(
      (token) => (token === 'second' ? json({ fine: true }) : expired()),
      () => session('second'),
    );
    expect(answer).toMatchObject({ ok: true, value: { data: { fine: true } } });
    expect(tokens).toEqual(['first', 'second']);
  });

  it('is refreshed once, and waits where the new token is refused too: nobody has to sign in (K11)', async () => {
    const { answer, tokens, refreshes } = await call(expired, () => session('second'));
    expect(answer).toMatchObject({ ok: false, error: { kind: 'transport', code: 'http', status: 401 } });
    if (!answer.ok) expect(reactionTo(answer.error)).toBe('retry');
    expect(tokens).toEqual(['first', 'second']);
    expect(refreshes).toBe(1);
  });

  it('is not reported as ended when another client of it was faster to refresh it (K11, K20)', async () => {
    const storage = inMemory();
    let refreshes = 0;
    let fasterIsDone = () => {};
    const faster = new Promise<void>((resolve) => {
      fasterIsDone = resolve;
    });
    const newClient = () =>
      createConvoyClient('http://stack.test', 'key', {
        storage,
        autoRefreshToken: false,
        fetch: async (input, init) => {
          const url = String(input);
          if (url.includes('grant_type=password')) return session('first');
          if (url.includes('grant_type=refresh_token')) {
            refreshes += 1;
            if (refreshes === 1) return session('second');
            await faster;
            return session('third');
          }
          return new Headers(init?.headers).get('authorization') === 'Bearer first'
            ? expired()
            : json({ fine: true });
        },
      });
    const [one, other] = [newClient(), newClient()];
    await one.auth.signInWithPassword({ email: 'a@b.example', password: 'x' });
    const calls = [one, other].map((client) =>
      callRpc(client, 'sync_pull', { request: {} }, { timeoutMs: 5_000 }),
    );
    await Promise.race(calls);
    fasterIsDone();
    for (const answer of await Promise.all(calls)) {
      expect(answer).toMatchObject({ ok: true, value: { data: { fine: true } } });
    }
    expect(refreshes).toBe(2);
  });

  it('that cannot be refreshed has ended (K11)', async () => {
    const { answer, tokens } = await call(expired, () =>
      json({ code: 400, error_code: 'refresh_token_not_found', msg: 'Invalid Refresh Token' }, 400),
    );
    expect(answer).toMatchObject({ ok: false, error: { kind: 'auth', code: 'expired' } });
    expect(tokens).toEqual(['first']);
  });

  it('is not reported as ended because the server is busy (D31)', async () => {
    const { answer } = await call(expired, () =>
      json({ code: 429, error_code: 'over_request_rate_limit', msg: 'Too many requests' }, 429),
    );
    expect(answer).toMatchObject({ ok: false, error: { kind: 'transport', code: 'rate_limited' } });
  });

  it('a call is given up though the new token never comes (D32)', async () => {
    const client = createConvoyClient('http://stack.test', 'key', {
      persistSession: false,
      autoRefreshToken: false,
      fetch: async (input) => {
        const url = String(input);
        if (url.includes('grant_type=password')) return session('first');
        return url.includes('grant_type=refresh_token') ? new Promise<never>(() => {}) : expired();
      },
    });
    await client.auth.signInWithPassword({ email: 'a@b.example', password: 'x' });
    const cancel = new AbortController();
    const calls = [
      callRpc(client, 'sync_pull', { request: {} }, { timeoutMs: 200 }),
      callRpc(client, 'sync_pull', { request: {} }, { timeoutMs: 60_000, signal: cancel.signal }),
    ];
    setTimeout(() => cancel.abort(), 50);
    for (const answer of await Promise.all(calls)) {
      expect(answer).toMatchObject({ ok: false, error: { code: 'timeout' } });
    }
  });

  it('a wait that the server asks for is passed on, whatever the status (K11)', async () => {
    const { answer } = await call(
      () => json({ message: 'busy' }, 503, { 'retry-after': '7' }),
      () => session('second'),
    );
    expect(answer).toMatchObject({ ok: false, error: { code: 'http', status: 503, retryAfterMs: 7_000 } });
  });

  it.each([
    ['an hour', 3_600_000],
    ['a day', 86_400_000],
  ])(
    'goes on soon when its refresh fails and the clock is set back %s meanwhile (K20)',
    async (_what, backMs) => {
      vi.useFakeTimers({ now: Date.now() });
      // supabase-js tells of every request that fails.
      const told = vi.spyOn(console, 'error').mockImplementation(() => {});
      try {
        let isBroken = true;
        let signedOut = 0;
        const client = createConvoyClient('http://stack.test', 'key', {
          persistSession: false,
          autoRefreshToken: false,
          fetch: async (input, init) => {
            const url = String(input);
            if (url.includes('grant_type=password')) return session('first');
            if (url.includes('grant_type=refresh_token')) {
              return isBroken ? json({ msg: 'Bad Gateway' }, 502) : session('second');
            }
            const isKnown = new Headers(init?.headers).get('authorization') === 'Bearer second';
            return isKnown ? json({ fine: true }) : expired();
          },
        });
        client.auth.onAuthStateChange((event) => {
          if (event === 'SIGNED_OUT') signedOut += 1;
        });
        await client.auth.signInWithPassword({ email: 'a@b.example', password: 'x' });
        await vi.advanceTimersByTimeAsync(2 * 3_600_000);
        const pull = () => callRpc(client, 'sync_pull', { request: {} }, { timeoutMs: 20_000 });
        const first = pull();
        await vi.advanceTimersByTimeAsync(5_000);
        vi.setSystemTime(Date.now() - backMs);
        await vi.advanceTimersByTimeAsync(115_000);
        expect(await first).toMatchObject({ ok: false, error: { kind: 'transport' } });
        isBroken = false;
        const later = pull();
        await vi.advanceTimersByTimeAsync(20_000);
        expect(await later).toMatchObject({ ok: true, value: { data: { fine: true } } });
        expect(signedOut).toBe(0);
      } finally {
        told.mockRestore();
        vi.useRealTimers();
      }
    },
  );

  const hopeless: [string, () => Response | Promise<Response>, object][] = [
    [
      'gets lost',
      () => {
        throw new TypeError('fetch failed');
      },
      { code: 'offline' },
    ],
    ['is never answered', () => new Promise<never>(() => {}), { code: 'offline' }],
    ['stalls after its head', () => new Response(new ReadableStream(), { status: 200 }), { code: 'offline' }],
    ['breaks off', () => new Response('{"access_token": "se', { status: 200 }), { code: 'offline' }],
    ['meets a server in trouble', () => json({ msg: 'Internal Server Error' }, 500), { code: 'offline' }],
  ];
  it.each(hopeless)(
    'goes on when its refresh %s and a later one succeeds (K20)',
    async (_what, answer, expected) => {
      vi.useFakeTimers({ now: Date.now() });
      // supabase-js tells of every request that fails.
      const told = vi.spyOn(console, 'error').mockImplementation(() => {});
      try {
        let isBroken = true;
        const client = createConvoyClient('http://stack.test', 'key', {
          persistSession: false,
          autoRefreshToken: false,
          fetch: async (input, init) => {
            const url = String(input);
            if (url.includes('grant_type=password')) return session('first');
            if (url.includes('grant_type=refresh_token')) return isBroken ? answer() : session('second');
            const isKnown = new Headers(init?.headers).get('authorization') === 'Bearer second';
            return isKnown ? json({ fine: true }) : expired();
          },
        });
        await client.auth.signInWithPassword({ email: 'a@b.example', password: 'x' });
        // The device knows that the token has expired: supabase-js refreshes it before the request.
        vi.setSystemTime(Date.now() + 2 * 3_600_000);
        const pull = () => callRpc(client, 'sync_pull', { request: {} }, { timeoutMs: 120_000 });
        const first = pull();
        await vi.advanceTimersByTimeAsync(40_000);
        expect(await first).toMatchObject({ ok: false, error: { kind: 'transport', ...expected } });
        isBroken = false;
        await vi.advanceTimersByTimeAsync(70_000);
        expect(await pull()).toMatchObject({ ok: true, value: { data: { fine: true } } });
      } finally {
        told.mockRestore();
        vi.useRealTimers();
      }
    },
  );
});
