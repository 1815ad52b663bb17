/** Who is signed in: a thin layer over Supabase Auth that says in plain words what went wrong. */

import { ConvoyError } from '@/core/errors';
import type { ConvoyClient } from '@/lib/supabase/client';
import { SESSION_KEY } from '@/lib/watermelon/accounts/sessionKey';
import { platform } from '../platform';
import { WITHOUT_ACCOUNT } from './lastUse';
import { notLoaded } from './notLoaded';

export interface User {
  id: string;
  email: string;
}

/** What puts Supabase and the local database together; a part of the app of its own, as for the library itself. */
export const loadDefaults = () =>
  import('@/lib/watermelon/device/compose').catch(() => {
    throw notLoaded();
  });

/** @returns the client; rejects when this browser has never been told where the server is. */
export async function openClient(): Promise<ConvoyClient> {
  const { connect } = await loadDefaults();
  const client = await connect(platform);
  if (client) return client;
  throw new ConvoyError({
    kind: 'transport',
    code: 'offline',
    message: 'The server cannot be reached, and this browser has not been connected to it before.',
  });
}

/**
 * @returns whose session this browser holds. Read from where supabase-js keeps it, not asked of
 * supabase-js: an expired session would wait for a server, and what is here is that user's anyway.
 */
export async function storedUser(): Promise<User | null> {
  const text = await platform.sessionStorage().getItem(SESSION_KEY);
  if (text === null) return null;
  try {
    return asUser((JSON.parse(text) as { user?: unknown }).user);
  } catch {
    return null;
  }
}

function asUser(value: unknown): User | null {
  if (typeof value !== 'object' || value === null || !('id' in value)) return null;
  const { id, email } = value as { id: unknown; email?: unknown };
  return typeof id === 'string' ? { id, email: typeof email === 'string' ? email : '' } : null;
}

/** @returns whether this browser was last used without an account. */
export async function worksAlone(): Promise<boolean> {
  return (await platform.sessionStorage().getItem(WITHOUT_ACCOUNT)) !== null;
}

export async function rememberAlone(alone: boolean): Promise<void> {
  const storage = platform.sessionStorage();
  if (alone) await storage.setItem(WITHOUT_ACCOUNT, 'yes');
  else await storage.removeItem(WITHOUT_ACCOUNT);
}

export interface Credentials {
  email: string;
  password: string;
}

/** Rejects with a `ConvoyError` that says what to do. */
export async function signIn(client: ConvoyClient, credentials: Credentials): Promise<User> {
  const { data, error } = await client.auth.signInWithPassword(credentials);
  const user = asUser(data.user);
  if (user) return user;
  throw authFailure(error);
}

/** Rejects with a `ConvoyError` that says what to do. */
export async function signUp(
  client: ConvoyClient,
  { email, password, name }: Credentials & { name: string },
): Promise<User> {
  const options = { data: { display_name: name } };
  const { data, error } = await client.auth.signUp({ email, password, options });
  const user = asUser(data.user);
  if (user && data.session) return user;
  if (user) throw badCredentials('Look into your mailbox: the link in our message completes the account.');
  throw authFailure(error);
}

type AuthFailure = { code?: string; status?: number; message: string } | null;

function authFailure(error: AuthFailure): ConvoyError {
  switch (error?.code) {
    case 'invalid_credentials':
      return badCredentials('The email address or the password is wrong. Check both and try again.');
    case 'user_already_exists':
    case 'email_exists':
      return badCredentials('There is an account with this email address already. Sign in instead.');
    case 'over_request_rate_limit':
      return badCredentials('Too many attempts. Wait a few minutes, then try again.');
  }
  if (!error?.status) {
    const message = 'The server cannot be reached. Check your connection and try again.';
    return new ConvoyError({ kind: 'transport', code: 'offline', message });
  }
  return badCredentials(`${error.message.replace(/\.$/, '')}.`);
}

function badCredentials(message: string): ConvoyError {
  return new ConvoyError({ kind: 'auth', code: 'bad_credentials', message });
}
