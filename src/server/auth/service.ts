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
  return new SqlAuthService(parts);
}

class SqlAuthService implements AuthService {
  constructor(private readonly parts: AuthServiceParts) {}

  async signUp(
    { email, password }: Credentials,
    metadata: Fields,
    issuer: string,
  ): Promise<Answer<SessionAnswer>> {
    const taken = await this.transact(async (connection) => ok(await findUserByEmail(connection, email)));
    if (!taken.ok) return taken;
    if (taken.value) return fail({ code: 'user_already_exists' });
    const passwordHash = await hashPassword(password);
    return this.transact(async (connection) => {
      if (await findUserByEmail(connection, email)) return fail({ code: 'user_already_exists' });
      const id = randomUUID();
      await insertUser(connection, { id, email, passwordHash, metadata });
      return this.start(connection, id, issuer);
    });
  }

  async signIn({ email, password }: Credentials, issuer: string): Promise<Answer<SessionAnswer>> {
    const found = await this.transact(async (connection) => ok(await findUserByEmail(connection, email)));
    if (!found.ok) return found;
    // Outside a transaction: comparing deliberately takes a tenth of a second.
    const matches = await passwordMatches(password, found.value?.passwordHash ?? null);
    const compared = found.value;
    if (!matches || !compared) return fail({ code: 'invalid_credentials' });
    return this.transact(async (connection) => {
      // A password change since then ended all other sessions; the old password must not start a new one.
      const stored = await lockUser(connection, compared.user.id);
      if (stored?.passwordHash !== compared.passwordHash) return fail({ code: 'invalid_credentials' });
      return this.start(connection, compared.user.id, issuer);
    });
  }

  async refresh(refreshToken: string, issuer: string): Promise<Answer<SessionAnswer>> {
    const token = this.parts.refreshTokens.read(refreshToken);
    if (!token) return fail({ code: 'refresh_token_not_found' });
    return this.transact(async (connection) => {
      const session = await rotateSession(connection, token, this.parts.now());
      if (!session.ok) return session;
      const stored = await findUserById(connection, session.value.userId);
      if (!stored) return fail({ code: 'user_not_found' });
      return ok(await this.answer(stored.user, session.value, issuer));
    });
  }

  getUser(caller: Caller): Promise<Answer<User>> {
    return this.transact(async (connection) => {
      const stored = await this.userOf(connection, caller);
      return stored.ok ? ok(stored.value.user) : stored;
    });
  }

  async changeUser(
    caller: Caller,
    { metadata, password }: { metadata: Fields; password: string | null },
  ): Promise<Answer<User>> {
    const before = await this.transact((connection) => this.userOf(connection, caller));
    if (!before.ok) return before;
    if (password !== null && (await passwordMatches(password, before.value.passwordHash))) {
      return fail({ code: 'same_password' });
    }
    const passwordHash = password === null ? null : await hashPassword(password);
    return this.transact(async (connection) => {
      // The session may have ended during hashing.
      const locked = await this.userOf(connection, caller, lockUser);
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
  }

  signOut(caller: Caller, scope: 'global' | 'local' | 'others'): Promise<Answer<void>> {
    return this.transact(async (connection) => {
      const known = await this.userOf(connection, caller);
      if (!known.ok) return known;
      if (scope === 'local') await endSession(connection, caller.sessionId);
      else await endSessionsOf(connection, caller.userId, scope === 'others' ? caller.sessionId : null);
      return ok(undefined);
    });
  }

  private async transact<T>(work: (connection: SqlConnection) => Promise<Answer<T>>): Promise<Answer<T>> {
    const done = await this.parts.backend.transaction(work);
    if (done.ok) return done.value;
    if (done.error.sqlState === UNIQUE_VIOLATION) return fail({ code: 'user_already_exists' });
    this.parts.log(`auth: ${done.error.message} (SQLSTATE ${done.error.sqlState})`);
    return fail({ code: 'unexpected_failure' });
  }

  private async answer(user: User, session: Session, issuer: string): Promise<SessionAnswer> {
    return {
      access_token: await this.parts.tokens.signAccessToken(user, session.id, issuer),
      token_type: 'bearer',
      expires_in: ACCESS_TOKEN_SECONDS,
      expires_at: Math.floor(this.parts.now() / 1000) + ACCESS_TOKEN_SECONDS,
      refresh_token: this.parts.refreshTokens.issue({ sessionId: session.id, counter: session.counter }),
      user,
    };
  }

  private async start(connection: SqlConnection, userId: string, issuer: string) {
    await markSignedIn(connection, userId);
    const stored = await findUserById(connection, userId);
    if (!stored) return fail<Refusal>({ code: 'user_not_found' });
    const session = await startSession(connection, userId, this.parts.now());
    return ok(await this.answer(stored.user, session, issuer));
  }

  /** The user of a token, if its session has not ended since it was issued. */
  private async userOf(connection: SqlConnection, { userId, sessionId }: Caller, find = findUserById) {
    const stored = await find(connection, userId);
    if (!stored) return fail<Refusal>({ code: 'user_not_found' });
    if (!(await sessionExists(connection, sessionId))) return fail<Refusal>({ code: 'session_not_found' });
    return ok(stored);
  }
}
