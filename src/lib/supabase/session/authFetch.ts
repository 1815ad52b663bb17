/**
 * Requests to Supabase Auth. supabase-js ends the session when a refresh fails, unless the network failed or the server is in
 * trouble. Here only Auth's own refusal of the token ends it: what a busy server, a proxy or a captive portal answers does
 * not (K20).
 */

import { retryAfterMs } from '../traffic';
import type { Busy, SessionWatch } from './sessionWatch';

/** ms without requests for a busy server that names no time: longer than supabase-js tries a refresh again by itself. */
const BUSY_MS = 30_000;

const REFUSING_STATUSES: ReadonlySet<number> = new Set([400, 401, 403, 422]);

/** Codes of Auth that say nothing of the token: the request was damaged on its way, or the server failed. */
const SAYS_NOTHING =
  /^(bad_json|captcha_failed|conflict|request_timeout|unexpected_failure|(hook|over)_\w+)$/;

/** @returns a `fetch` after which supabase-js keeps the session unless Auth has refused its token. */
export function authFetch(inner: typeof fetch, watch: SessionWatch): typeof fetch {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (!url.includes('/auth/v1/')) return inner(input, init);
    if (!url.includes('grant_type=refresh_token')) return withoutServersTime(await inner(input, init));
    // supabase-js would repeat the request every few seconds, whatever the server asked for.
    if (watch.waitMs > 0) return inTrouble();
    const response = await inner(input, init);
    const body = await response.text();
    if (response.ok) {
      if (!isJson(body)) throw new TypeError('The answer to the refresh of the session is truncated.');
      return withoutServersTime(withBody(response, body));
    }
    if (isRefusal(response.status, body)) return withBody(response, body);
    const askedMs = retryAfterMs(response.headers) ?? (response.status === 429 ? BUSY_MS : 0);
    if (askedMs > 0) watch.askToWait(busy(response.status), askedMs);
    return inTrouble();
  };
}

/** An answer after which supabase-js keeps the session and tries again. */
function inTrouble(): Response {
  return new Response(null, { status: 503 });
}

function withBody({ status, statusText, headers }: Response, body: string): Response {
  return new Response(body, { status, statusText, headers });
}

/** @returns whether Auth itself says that this session goes on no longer. */
function isRefusal(status: number, body: string): boolean {
  if (!REFUSING_STATUSES.has(status) || !isJson(body)) return false;
  const said: unknown = JSON.parse(body);
  if (typeof said !== 'object' || said === null) return false;
  const { code, error_code, error } = said as Record<string, unknown>;
  // Of versions without codes, in the words of OAuth.
  if (error === 'invalid_grant') return true;
  // Newer versions name the code `code`; in older ones that is the status. Proxies write no such words.
  const name = typeof error_code === 'string' ? error_code : code;
  return typeof name === 'string' && /^[a-z]+(_[a-z]+)+$/.test(name) && !SAYS_NOTHING.test(name);
}

/**
 * Removes the time at which a new token expires by the server's clock, so that supabase-js reckons it from how long
 * it lasts, by the device's own.
 */
async function withoutServersTime(response: Response): Promise<Response> {
  if (!response.ok || response.status === 204) return response;
  const body = await response.text();
  const answer: unknown = isJson(body) ? JSON.parse(body) : null;
  if (typeof answer !== 'object' || answer === null || !('expires_in' in answer)) {
    return withBody(response, body);
  }
  return withBody(response, JSON.stringify({ ...answer, expires_at: undefined }));
}

function busy(status: number): Busy {
  const message = 'The server has received too many requests. Wait, then try again.';
  if (status === 429) return { kind: 'transport', code: 'rate_limited', message, retryAfterMs: null };
  return { kind: 'transport', code: 'http', message, status, sqlState: null };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
