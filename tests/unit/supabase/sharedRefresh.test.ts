import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sharedRefresh } from '@/lib/supabase/session/sharedRefresh';
import { sessionFile } from '@/platform/node/sessionFile';
import { withFileLock } from '@/platform/node/withFileLock';

const KEY = 'session';
const REFRESH = 'http://convoy.test/auth/v1/token?grant_type=refresh_token';
const user = { id: '01900000-0000-7000-8000-000000000001' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-refresh-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A server that takes each refresh token once, slowly. */
class Auth {
  current = 'first';
  requests = 0;

  readonly fetch: typeof fetch = async (_, init) => {
    this.requests += 1;
    const { refresh_token } = JSON.parse(String(init?.body)) as { refresh_token: string };
    await new Promise((done) => setTimeout(done, 20));
    if (refresh_token !== this.current)
      return Response.json({ code: 'refresh_token_not_found' }, { status: 400 });
    this.current = `${refresh_token}+`;
    return Response.json({
      access_token: `of ${this.current}`,
      refresh_token: this.current,
      expires_in: 3_600,
      user,
    });
  };
}

/** What a process has: its own storage and lock, on the same folder. */
function process(auth: Auth): () => Promise<Record<string, unknown>> {
  const storage = sessionFile(folder, 'session.json');
  const refresh = sharedRefresh(auth.fetch, {
    storage,
    storageKey: KEY,
    exclusively: (work) => withFileLock(folder, 'refresh', work),
  });
  return async () => {
    const response = await refresh(REFRESH, {
      method: 'POST',
      body: JSON.stringify({ refresh_token: 'first' }),
    });
    return { status: response.status, ...((await response.json()) as object) };
  };
}

const stored = async () => JSON.parse((await sessionFile(folder, 'session.json').getItem(KEY)) ?? 'null');
const store = (session: object) => sessionFile(folder, 'session.json').setItem(KEY, JSON.stringify(session));

it('of processes that refresh at once, one asks the server, and all have its token (K11)', async () => {
  const auth = new Auth();
  await store({ access_token: 'a', refresh_token: 'first', expires_at: 1, user });
  const answers = await Promise.all(Array.from({ length: 5 }, () => process(auth)()));
  expect(auth.requests).toBe(1);
  expect(answers.map(({ status, refresh_token }) => [status, refresh_token])).toEqual(
    answers.map(() => [200, 'first+']),
  );
  expect(await stored()).toMatchObject({ access_token: 'of first+', refresh_token: 'first+' });
});

it('a newer token that is about to expire is refreshed by what is stored, not by what a process remembers', async () => {
  const auth = new Auth();
  auth.current = 'second';
  await store({
    access_token: 'b',
    refresh_token: 'second',
    expires_at: Math.floor(Date.now() / 1_000) + 5,
    user,
  });
  expect(await process(auth)()).toMatchObject({ status: 200, refresh_token: 'second+' });
});

it('a refusal is handed on, and the stored session stays as it is', async () => {
  const auth = new Auth();
  auth.current = 'another';
  const session = { access_token: 'a', refresh_token: 'first', expires_at: 1, user };
  await store(session);
  expect(await process(auth)()).toMatchObject({ status: 400 });
  expect(await stored()).toEqual(session);
});

it('without a stored session the server is asked', async () => {
  const auth = new Auth();
  expect(await process(auth)()).toMatchObject({ status: 200, refresh_token: 'first+' });
});
