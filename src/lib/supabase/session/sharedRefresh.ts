/**
 * Refreshes of a session that several processes have. Each refresh token can be used once: who refreshes holds a lock, and
 * reads the stored session anew first. Where another process was faster, its token serves, and no request is made.
 */

import type { Storage } from './deviceTime';

export interface SharedSession {
  storage: Storage;
  /** The key under which supabase-js stores the session. */
  storageKey: string;
  /** Runs work while no other process refreshes this session. */
  exclusively: <T>(work: () => Promise<T>) => Promise<T>;
}

interface StoredSession {
  access_token: string;
  refresh_token: string;
  /** s since the epoch, by the device's clock. */
  expires_at: number;
  user: object;
}

/** A token that lasts less than this is refreshed all the same, s. */
const LEAST_LEFT_S = 60;

/** @returns a `fetch` whose refreshes are stored before another process may read what to refresh. */
export function sharedRefresh(inner: typeof fetch, session: SharedSession): typeof fetch {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const asked = url.includes('grant_type=refresh_token') ? refreshTokenOf(init?.body) : null;
    if (asked === null) return inner(input, init);
    return session.exclusively(async () => {
      const stored = await read(session);
      // Signed out meanwhile: the server is to say what becomes of the token.
      const isNewer = stored !== null && stored.refresh_token !== asked;
      const leftS = isNewer ? stored.expires_at - Math.floor(Date.now() / 1_000) : 0;
      if (isNewer && leftS > LEAST_LEFT_S) return answerOf(stored, leftS);
      const body = isNewer ? JSON.stringify({ refresh_token: stored.refresh_token }) : init?.body;
      const response = await inner(input, { ...init, body });
      if (!response.ok) return response;
      const text = await response.text();
      await store(session, JSON.parse(text) as Omit<StoredSession, 'expires_at'> & { expires_in: number });
      return new Response(text, { status: response.status, headers: response.headers });
    });
  };
}

function refreshTokenOf(body: unknown): string | null {
  if (typeof body !== 'string') return null;
  const { refresh_token } = JSON.parse(body) as { refresh_token?: unknown };
  return typeof refresh_token === 'string' ? refresh_token : null;
}

async function read({ storage, storageKey }: SharedSession): Promise<StoredSession | null> {
  try {
    const found = JSON.parse((await storage.getItem(storageKey)) ?? 'null') as Partial<StoredSession> | null;
    const { access_token, refresh_token, expires_at, user } = found ?? {};
    if (!access_token || !refresh_token || typeof expires_at !== 'number' || !user) return null;
    return { access_token, refresh_token, expires_at, user };
  } catch {
    // supabase-js takes what cannot be read for no session.
    return null;
  }
}

/** As supabase-js stores it, which does so again once it has the answer. */
async function store(
  { storage, storageKey }: SharedSession,
  answer: Omit<StoredSession, 'expires_at'> & { expires_in: number },
): Promise<void> {
  const expires_at = Math.floor(Date.now() / 1_000) + answer.expires_in;
  await storage.setItem(storageKey, JSON.stringify({ ...answer, expires_at }));
}

function answerOf({ access_token, refresh_token, user }: StoredSession, expires_in: number): Response {
  const answer = { access_token, refresh_token, token_type: 'bearer', expires_in, user };
  return new Response(JSON.stringify(answer), { headers: { 'content-type': 'application/json' } });
}
