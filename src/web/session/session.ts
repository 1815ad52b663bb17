/** Sign-in and the stored session: a thin layer over Supabase Auth with the typed errors of the app. */

import { type AppError, ConvoyError } from '@/core/errors';
import type { ConvoyClient } from '@/lib/supabase/client';
import { SESSION_KEY } from '@/lib/watermelon/accounts/sessionKey';
import { platform } from '../platform';
import { WITHOUT_ACCOUNT } from './lastUse';
import { notLoaded } from './notLoaded';

export interface User {
  id: string;
  email: string;
}

/** Loads the module that connects Supabase with the local database; it is a chunk of its own. */
export const loadDataLayer = () =>
  import('@/lib/watermelon/device/compose').catch((cause) => {
    throw notLoaded(cause);
  });

/** @returns the client. Rejects while this browser does not know the server's address. */
export async function openClient(): Promise<ConvoyClient> {
  const { connect } = await loadDataLayer();
  const client = await connect(platform);
  if (client) return client;
  const message = 'This browser has never been told where the server is.';
  throw failure({ kind: 'transport', code: 'offline', message });
}

/**
 * @returns the user of the stored session. Read from the storage of supabase-js directly: supabase-js would wait for
 * the server to renew an expired session, and the local database can be opened without that.
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
export async function worksWithoutAccount(): Promise<boolean> {
  return (await platform.sessionStorage().getItem(WITHOUT_ACCOUNT)) !== null;
}

export async function rememberWithoutAccount(alone: boolean): Promise<void> {
  const storage = platform.sessionStorage();
  if (alone) await storage.setItem(WITHOUT_ACCOUNT, 'yes');
  else await storage.removeItem(WITHOUT_ACCOUNT);
}

export interface Credentials {
  email: string;
  password: string;
}

/** @throws ConvoyError of kind `auth`, `transport` or `rejected` */
export async function signIn(client: ConvoyClient, credentials: Credentials): Promise<User> {
  const { data, error } = await client.auth.signInWithPassword(credentials);
  const user = asUser(data.user);
  if (user) return user;
  throw authFailure(error);
}

/** @throws ConvoyError of kind `auth`, `transport` or `rejected` */
export async function signUp(
  client: ConvoyClient,
  { email, password, name }: Credentials & { name: string },
): Promise<User> {
  const options = { data: { display_name: name } };
  const { data, error } = await client.auth.signUp({ email, password, options });
  const user = asUser(data.user);
  if (user && data.session) return user;
  if (user) throw failure({ kind: 'auth', code: 'unconfirmed', message: 'The account has no session yet.' });
  throw authFailure(error);
}

type AuthFailure = { code?: string; status?: number; message: string } | null;

/** Supabase Auth's codes (https://supabase.com/docs/guides/auth/debugging/error-codes) as errors of the app. */
function authFailure(error: AuthFailure): ConvoyError {
  if (!error?.status) return failure({ kind: 'transport', code: 'offline', message: error?.message ?? '' });
  const { status, code = '', message } = error;
  if (code === '' && status === 429) {
    return failure({ kind: 'transport', code: 'rate_limited', message, retryAfterMs: null });
  }
  // Auth gives its refusals a code; a proxy or a captive portal has none.
  if (status >= 500 || code === '') {
    return failure({ kind: 'transport', code: 'http', message, status, sqlState: null });
  }
  switch (code) {
    case 'invalid_credentials':
      return failure({ kind: 'auth', code: 'bad_credentials', message });
    case 'user_already_exists':
    case 'email_exists':
      return failure({ kind: 'auth', code: 'account_exists', message });
    case 'email_not_confirmed':
      return failure({ kind: 'auth', code: 'unconfirmed', message });
    case 'over_request_rate_limit':
    case 'over_email_send_rate_limit':
      return failure({ kind: 'transport', code: 'rate_limited', message, retryAfterMs: null });
    // Auth names the rule: a password that is too weak, an address it does not take.
    default:
      return failure({ kind: 'rejected', code: 'credentials', column: null, message });
  }
}

const failure = (detail: AppError) => new ConvoyError(detail);
