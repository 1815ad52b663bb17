/** The operations of auth, without HTTP. Passwords are hashed and compared outside transactions. */

import { randomUUID } from 'node:crypto';
import { fail, ok, type Result } from '@/core/result';
import type { SqlBackend, SqlConnection } from '../database/backend';
import type { Refusal } from './errors';
import { hashPassword, passwordMatches } from './passwords';
import type { RefreshTokens } from './refreshTokens';
import { type Credentials, type Fields, metadataFits } from './requests';
import {
  endSession,
  endSessionsOf,
  rotateSession,
  type Session,
  sessionExists,
  startSession,
} from './sessions';
import { ACCESS_TOKEN_SECONDS, type Tokens } from './tokens';
import {
  findUserByEmail,
  findUserById,
  insertUser,
  lockUser,
  markSignedIn,
  type User,
  updateUser,
} from './users';

/** The answer to a sign-in, as supabase-js expects it. */
export interface SessionAnswer {
  access_token: string;
  token_type: 'bearer';
  expires_in: number;
  expires_at: number;
  refresh_token: string;
  user: User;
}

/** The user and session of a verified access token. */
export interface Caller {
  userId: string;
  sessionId: string;
}

export interface AuthService {
  signUp(credentials: Credentials, metadata: Fields, issuer: string): Promise<Answer<SessionAnswer>>;
  signIn(credentials: Credentials, issuer: string): Promise<Answer<SessionAnswer>>;
  refresh(refreshToken: string, issuer: string): Promise<Answer<SessionAnswer>>;
  getUser(caller: Caller): Promise<Answer<User>>;
  changeUser(caller: Caller, changes: { metadata: Fields; password: string | null }): Promise<Answer<User>>;
  signOut(caller: Caller, scope: 'global' | 'local' | 'others'): Promise<Answer<void>>;
}

type Answer<T> = Result<T, Refusal>;

export interface AuthServiceParts {
  backend: SqlBackend;
  tokens: Tokens;
  refreshTokens: RefreshTokens;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Receives failures whose details the client is not told. */
  log: (message: string) => void;
}

const UNIQUE_VIOLATION = '23505';

export function createAuthService(parts: AuthServiceParts): AuthService {
  const { backend, tokens, refreshTokens } = parts;

  async function transact<T>(work: (connection: SqlConnection) => Promise<Answer<T>>): Promise<Answer<T>> {
    const done = await backend.transaction(work);
    if (done.ok) return done.value;
    if (done.error.sqlState === UNIQUE_VIOLATION) return fail({ code: 'user_already_exists' });
    parts.log(`auth: ${done.error.message} (SQLSTATE ${done.error.sqlState})`);
    return fail({ code: 'unexpected_failure' });
  }

  async function answer(user: User, session: Session, issuer: string): Promise<SessionAnswer> {
    return {
      access_token: await tokens.signAccessToken(user, session.id, issuer),
      token_type: 'bearer',
      expires_in: ACCESS_TOKEN_SECONDS,
      expires_at: Math.floor(parts.now() / 1000) + ACCESS_TOKEN_SECONDS,
      refresh_token: refreshTokens.issue({ sessionId: session.id, counter: session.counter }),
      user,
    };
  }

  async function start(connection: SqlConnection, userId: string, issuer: string) {
    await markSignedIn(connection, userId);
    const stored = await findUserById(connection, userId);
    if (!stored) return fail<Refusal>({ code: 'user_not_found' });
    return ok(await answer(stored.user, await startSession(connection, userId), issuer));
  }

  /** The user of a token, if its session has not ended since it was issued. */
  async function userOf(connection: SqlConnection, { userId, sessionId }: Caller, find = findUserById) {
    const stored = await find(connection, userId);
    if (!stored) return fail<Refusal>({ code: 'user_not_found' });
    if (!(await sessionExists(connection, sessionId))) return fail<Refusal>({ code: 'session_not_found' });
    return ok(stored);
  }

  return {
    async signUp({ email, password }, metadata, issuer) {
      const taken = await transact(async (connection) => ok(await findUserByEmail(connection, email)));
      if (!taken.ok) return taken;
      if (taken.value) return fail({ code: 'user_already_exists' });
      const passwordHash = await hashPassword(password);
      return transact(async (connection) => {
        if (await findUserByEmail(connection, email)) return fail({ code: 'user_already_exists' });
        const id = randomUUID();
        await insertUser(connection, { id, email, passwordHash, metadata });
        return start(connection, id, issuer);
      });
    },

    async signIn({ email, password }, issuer) {
      const found = await transact(async (connection) => ok(await findUserByEmail(connection, email)));
      if (!found.ok) return found;
      // Outside a transaction: comparing deliberately takes a tenth of a second.
      const matches = await passwordMatches(password, found.value?.passwordHash ?? null);
      const compared = found.value;
      if (!matches || !compared) return fail({ code: 'invalid_credentials' });
      return transact(async (connection) => {
        // A password change since then ended all other sessions; the old password must not start a new one.
        const stored = await lockUser(connection, compared.user.id);
        if (stored?.passwordHash !== compared.passwordHash) return fail({ code: 'invalid_credentials' });
        return start(connection, compared.user.id, issuer);
      });
    },

    async refresh(refreshToken, issuer) {
      const token = refreshTokens.read(refreshToken);
      if (!token) return fail({ code: 'refresh_token_not_found' });
      return transact(async (connection) => {
        const session = await rotateSession(connection, token);
        if (!session.ok) return session;
        const stored = await findUserById(connection, session.value.userId);
        if (!stored) return fail({ code: 'user_not_found' });
        return ok(await answer(stored.user, session.value, issuer));
      });
    },

    getUser: (caller) =>
      transact(async (connection) => {
        const stored = await userOf(connection, caller);
        return stored.ok ? ok(stored.value.user) : stored;
      }),

    async changeUser(caller, { metadata, password }) {
      const before = await transact((connection) => userOf(connection, caller));
      if (!before.ok) return before;
      if (password !== null && (await passwordMatches(password, before.value.passwordHash))) {
        return fail({ code: 'same_password' });
      }
      const passwordHash = password === null ? null : await hashPassword(password);
      return transact(async (connection) => {
        // The session may have ended during hashing.
        const locked = await userOf(connection, caller, lockUser);
        if (!locked.ok) return locked;
        if (!metadataFits({ ...locked.value.user.user_metadata, ...metadata })) {
          return fail({ code: 'validation_failed', message: 'User metadata is too large' });
        }
        await updateUser(connection, caller.userId, { metadata, passwordHash });
        // A new password ends all other sessions.
        if (passwordHash !== null) await endSessionsOf(connection, caller.userId, caller.sessionId);
        const stored = await findUserById(connection, caller.userId);
        return stored ? ok(stored.user) : fail({ code: 'user_not_found' });
      });
    },

    signOut: (caller, scope) =>
      transact(async (connection) => {
        if (scope === 'local') await endSession(connection, caller.sessionId);
        else await endSessionsOf(connection, caller.userId, scope === 'others' ? caller.sessionId : null);
        return ok(undefined);
      }),
  };
}
