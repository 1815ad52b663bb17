/** The session of a user as it is stored. It is never refreshed here: that would change it. */

import { SESSION_KEY } from '@/lib/watermelon/accounts/sessionKey';
import { sessionFile } from '@/platform/node/sessionFile';
import { loginCommand } from '../errors';
import type { KeptProfile } from '../profiles';
import { type Check, doubtful, faulty, good } from './check';

export interface FoundSession {
  check: Check;
  /** null: there is none that can be used now. */
  token: string | null;
}

const NAME = 'session';

export async function checkSession({ folder, name, kind, url }: KeptProfile): Promise<FoundSession> {
  const text = await sessionFile(folder, 'session.json').getItem(SESSION_KEY);
  const stored = text === null ? null : parsed(text);
  if (!stored) {
    const message = `${name} has no session here.`;
    return { check: faulty(NAME, message, `Run: ${loginCommand(url)}`), token: null };
  }
  const { access_token: token, expires_at: expiresAt } = stored;
  if (typeof token !== 'string' || typeof expiresAt !== 'number' || expiresAt * 1_000 <= Date.now()) {
    const message = `The token of ${name} has run out; the next sync gets another one.`;
    const mend = 'To look at the server as this user, run convoy sync first.';
    return { check: doubtful(NAME, message, mend), token: null };
  }
  const who = kind === 'agent' ? `the agent ${name}` : name;
  return { check: good(NAME, `Signed in as ${who}.`), token };
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
