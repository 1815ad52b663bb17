/** JSON web tokens in Supabase's format: access tokens of users, and the two API keys. */

import { createSecretKey } from 'node:crypto';
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { fail, ok, type Result } from '@/core/result';

export const ACCESS_TOKEN_SECONDS = 3600;
const API_KEY_SECONDS = 10 * 365 * 24 * 3600;
const ALGORITHM = 'HS256';
/** Most verified tokens kept in the cache; each is about 1 KB. */
const MOST_REMEMBERED = 1_000;

/** The roles a token may act as. */
const ROLES = ['anon', 'authenticated', 'service_role'] as const;
export type ApiRole = (typeof ROLES)[number];

export type Claims = JWTPayload & { role: ApiRole; session_id?: string };

export interface TokenFailure {
  reason: 'expired' | 'invalid';
  message: string;
}

export interface Tokens {
  signAccessToken(user: AccessTokenSubject, sessionId: string, issuer: string): Promise<string>;
  signApiKey(role: 'anon' | 'service_role', issuedAt: number): Promise<string>;
  /** @returns the claims of a token that this stack signed, and that has not expired */
  verify(token: string): Promise<Result<Claims, TokenFailure>>;
}

export interface AccessTokenSubject {
  id: string;
  email: string;
  app_metadata: Record<string, unknown>;
  user_metadata: Record<string, unknown>;
}

function accessClaims(user: AccessTokenSubject, sessionId: string, issuedAt: number): JWTPayload {
  return {
    email: user.email,
    phone: '',
    app_metadata: user.app_metadata,
    user_metadata: user.user_metadata,
    role: 'authenticated',
    aal: 'aal1',
    amr: [{ method: 'password', timestamp: issuedAt }],
    session_id: sessionId,
    is_anonymous: false,
  };
}

/** @param now milliseconds since 1970 */
export function createTokens(secret: string, now: () => number): Tokens {
  const key = createSecretKey(secret, 'utf8');
  /** Tokens with a verified signature: a device sends the same token for up to an hour. */
  const signed = new Map<string, Claims>();
  const remember = (token: string, claims: Claims) => {
    signed.set(token, claims);
    if (signed.size > MOST_REMEMBERED) signed.delete(signed.keys().next().value as string);
    return ok(claims);
  };

  return {
    signAccessToken(user, sessionId, issuer) {
      const issuedAt = Math.floor(now() / 1000);
      return new SignJWT(accessClaims(user, sessionId, issuedAt))
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
        .setIssuer(issuer)
        .setSubject(user.id)
        .setAudience('authenticated')
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + ACCESS_TOKEN_SECONDS)
        .sign(key);
    },

    signApiKey: (role, issuedAt) =>
      new SignJWT({ role })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
        .setIssuer('convoy')
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + API_KEY_SECONDS)
        .sign(key),

    async verify(token) {
      const known = signed.get(token);
      if (known && Number(known.exp) > Math.floor(now() / 1000)) return ok(known);
      signed.delete(token);
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: [ALGORITHM],
          requiredClaims: ['exp'],
          currentDate: new Date(now()),
        });
        const role = ROLES.find((name) => name === payload.role);
        if (!role) return fail({ reason: 'invalid', message: 'The token has no known role' });
        return remember(token, { ...payload, role });
      } catch (error) {
        if (error instanceof errors.JWTExpired) return fail({ reason: 'expired', message: 'JWT expired' });
        if (error instanceof errors.JOSEError) return fail({ reason: 'invalid', message: error.message });
        throw error;
      }
    },
  };
}
