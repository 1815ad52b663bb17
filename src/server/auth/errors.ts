/** Refusals in Supabase Auth's format, which supabase-js turns into its own error classes. */

import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** Each expected refusal: HTTP status and message. */
const REFUSALS = {
  invalid_credentials: [400, 'Invalid login credentials'],
  validation_failed: [400, 'The request is not valid'],
  bad_json: [400, 'Could not parse request body as JSON'],
  phone_provider_disabled: [422, 'Phone logins are disabled'],
  user_already_exists: [422, 'User already registered'],
  weak_password: [422, 'Password should be at least 8 characters.'],
  same_password: [422, 'New password should be different from the old password.'],
  anonymous_provider_disabled: [422, 'Anonymous sign-ins are disabled'],
  refresh_token_not_found: [400, 'Invalid Refresh Token: Refresh Token Not Found'],
  refresh_token_already_used: [400, 'Invalid Refresh Token: Already Used'],
  session_not_found: [403, 'Session from session_id claim in JWT does not exist'],
  user_not_found: [403, 'User from sub claim in JWT does not exist'],
  bad_jwt: [403, 'The token is not valid'],
  no_authorization: [401, 'This endpoint requires a valid Bearer token'],
  over_request_rate_limit: [429, 'Request rate limit reached'],
  request_too_large: [413, 'The request is too large'],
  not_found: [404, 'The local stack does not offer this'],
  unexpected_failure: [500, 'Unexpected failure, please check the server log'],
} as const satisfies Record<string, readonly [ContentfulStatusCode, string]>;

/** Refusals in the format of OAuth 2, which has no code of Supabase's. */
const OAUTH_REFUSALS = {
  invalid_request: 'refresh_token required',
} as const;

export interface Refusal {
  code: keyof typeof REFUSALS | keyof typeof OAUTH_REFUSALS;
  message?: string;
  /** Seconds, for the Retry-After header. */
  retryAfter?: number;
}

const CODE_HEADER = 'X-Sb-Error-Code';
const VERSION_HEADER = 'X-Supabase-Api-Version';
const FIRST_VERSION_WITH_CODES = '2024-01-01';

/** Answers with a refusal, in the format of the API version that the client names. */
export function refuse(c: Context, { code, message, retryAfter }: Refusal): Response {
  const knowsCodes = (c.req.header(VERSION_HEADER) ?? '') >= FIRST_VERSION_WITH_CODES;
  if (knowsCodes) c.header(VERSION_HEADER, FIRST_VERSION_WITH_CODES);
  if (isOauth(code)) return c.json({ error: code, error_description: OAUTH_REFUSALS[code] }, 400);
  const [status, text] = REFUSALS[code];
  const msg = message ?? text;
  const extra = code === 'weak_password' ? { weak_password: { reasons: ['length'] } } : {};
  if (retryAfter !== undefined) c.header('Retry-After', String(retryAfter));
  c.header(CODE_HEADER, code);
  if (knowsCodes) return c.json({ code, message: msg, ...extra }, status);
  return c.json({ code: status, error_code: code, msg, ...extra }, status);
}

function isOauth(code: Refusal['code']): code is keyof typeof OAUTH_REFUSALS {
  return code in OAUTH_REFUSALS;
}
