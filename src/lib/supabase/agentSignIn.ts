/**
 * Signs a new agent in once, and out again. Agents are inserted into the tables of Supabase Auth, which its authors advise
 * against, since what sign-in expects of a row may change (github.com/supabase/auth/issues/1940): this says so at once.
 */

import type { ConvoyClient } from './client';

/** @returns what keeps the user from signing in as an agent; null where nothing does, or where that cannot be told now. */
export type AgentSignIn = (email: string, secret: string) => Promise<string | null>;

/** The addresses that supabase-js keeps of its server; its types do not tell of them. */
interface Server {
  supabaseUrl: string;
  supabaseKey: string;
  fetch: typeof fetch;
}

/** Answers of something in between, or of a server in trouble: they say nothing about the user. */
const PASSING = new Set([408, 429, 502, 503, 504]);

/** As `AgentSignIn`, on a client's server and apart from the client's own session. */
export async function signInOnce(
  client: ConvoyClient,
  email: string,
  password: string,
): Promise<string | null> {
  const { supabaseUrl, supabaseKey, fetch: send } = client as unknown as Server;
  const post = (path: string, bearer: string, body: object) =>
    send(`${supabaseUrl}/auth/v1/${path}`, {
      method: 'POST',
      headers: {
        apikey: supabaseKey,
        authorization: `Bearer ${bearer}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
    });
  try {
    const answer = await post('token?grant_type=password', supabaseKey, { email, password });
    const said = (await answer.json().catch(() => null)) as Said | null;
    if (PASSING.has(answer.status) || said === null) return null;
    if (!answer.ok || typeof said.access_token !== 'string') {
      return `sign-in answers ${answer.status}, ${said.error_code ?? 'without a code'}`;
    }
    await post('logout?scope=local', said.access_token, {}).catch(() => null);
    return said.user?.app_metadata?.kind === 'agent' ? null : 'it is signed in as a person';
  } catch {
    // The network failed.
    return null;
  }
}

interface Said {
  access_token?: unknown;
  error_code?: string;
  user?: { app_metadata?: { kind?: unknown } };
}
