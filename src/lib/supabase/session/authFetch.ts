/**
 * Requests to Supabase Auth. supabase-js ends the session when a refresh fails, unless the network failed or the server is in
 * trouble. Here only Auth's own refusal of the token ends it: what a busy server, a proxy or a captive portal answers does
 * not (K20).
 */

import { retryAfterMs } from '../traffic';
import type { Busy, SessionWatch } from './sessionWatch';

/** ms without requests for a busy server that names no time: longer than supabase-js tries a refresh again by itself. */
const BUSY_MS = 30_000;

/** The longest wait that something else than Auth may ask for, ms: a proxy's page knows nothing of Auth's limits. */
const OTHERS_WAIT_MOST_MS = 60_000;

/** Codes of Auth when it is busy or in trouble. */
const TROUBLES: ReadonlySet<unknown> = new Set([
  'over_request_rate_limit',
  'request_timeout',
  'unexpected_failure',
  'conflict',
]);

/** ms after which a request is given up: supabase-js has all later refreshes wait for the one under way. */
const REFRESH_MS = 30_000;
const REQUEST_MS = 60_000;

/** ms until a refresh may be requested again whose repeats were ended. */
const ENDED_MS = 5_000;

const REFUSING_STATUSES: ReadonlySet<number> = new Set([400, 401, 403, 422]);

/** Codes by which Auth says that a session goes on no longer. `validation_failed`: the token's counter is ahead of the server's. */
const REFUSALS: ReadonlySet<unknown> = new Set([
  'refresh_token_not_found',
  'refresh_token_already_used',
  'session_not_found',
  'session_expired',
  'user_not_found',
  'user_banned',
  'validation_failed',
]);

/** @returns a `fetch` after which supabase-js keeps the session unless Auth has refused its token. */
export function authFetch(inner: typeof fetch, watch: SessionWatch): typeof fetch {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (!url.includes('/auth/v1/')) return inner(input, init);
    if (!url.includes('grant_type=refresh_token')) {
      return within(REQUEST_MS, async (signal) =>
        withoutServersTime(await inner(input, { signal, ...init })),
      );
    }
    // supabase-js would repeat the request every few seconds, whatever the server asked for.
    const isLast = watch.wasRepeatedTooLong();
    if (watch.waitMs > 0) return isLast ? noMore(watch) : inTrouble();
    const answer = await refreshed(inner, input, init).catch((error: unknown) => {
      if (!isLast) throw error;
      return null;
    });
    if (answer?.response.ok || (answer && isRefusal(answer.response.status, answer.body))) {
      watch.repeatsEnded();
      return withoutServersTime(withBody(answer.response, answer.body));
    }
    if (answer) noteWait(answer, watch);
    return isLast ? noMore(watch) : inTrouble();
  };
}

interface RefreshAnswer {
  response: Response;
  body: string;
}

/** @returns the whole answer; rejects as without a network where it is a success that is no session. */
async function refreshed(
  inner: typeof fetch,
  ...[input, init]: Parameters<typeof fetch>
): Promise<RefreshAnswer> {
  const answer = await within(REFRESH_MS, async (signal) => {
    const response = await inner(input, { signal, ...init });
    return { response, body: await response.text() };
  });
  const isOther = answer.response.ok && !isSession(parsed(answer.body));
  if (isOther) throw new TypeError('The answer to the refresh is no session.');
  return answer;
}

/** Notes the wait that a busy server asks for. */
function noteWait({ response, body }: RefreshAnswer, watch: SessionWatch): void {
  const askedMs = retryAfterMs(response.headers) ?? (response.status === 429 ? BUSY_MS : 0);
  const mostMs = isByAuth(body) ? Number.POSITIVE_INFINITY : OTHERS_WAIT_MOST_MS;
  if (askedMs > 0) watch.askToWait(busy(response.status), Math.min(askedMs, mostMs));
}

/** Gives a request up that has not been answered in full after so long: it then fails as without a network. */
async function within<T>(ms: number, request: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TypeError('The server did not answer in time.'));
      controller.abort();
    }, ms);
  });
  try {
    return await Promise.race([request(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** An answer after which supabase-js keeps the session and tries again. */
function inTrouble(): Response {
  return new Response(null, { status: 503 });
}

/**
 * Ends the repeats of supabase-js, which a clock that was set back would prolong. It removes a session after another status than those of
 * a server in trouble, unless the stored token seems valid: while a wait is noted it does.
 */
function noMore(watch: SessionWatch): Response {
  watch.repeatsEnded();
  if (watch.waitMs < ENDED_MS) watch.askToWait(busy(503), ENDED_MS);
  return new Response(JSON.stringify({ code: 'ended', message: 'Repeated for too long.' }), { status: 400 });
}

function withBody({ status, statusText, headers }: Response, body: string): Response {
  return new Response(body, { status, statusText, headers });
}

/** @returns whether this is a session with a new token, rather than JSON of a portal or a gateway. */
function isSession(answer: unknown): boolean {
  if (!isObject(answer)) return false;
  const { access_token, refresh_token, expires_in, user } = answer;
  const lasts = typeof expires_in === 'number' && expires_in > 0;
  return isText(access_token) && isText(refresh_token) && lasts && isObject(user);
}

/** @returns whether Auth itself says that this session goes on no longer. */
function isRefusal(status: number, body: string): boolean {
  const said = parsed(body);
  if (!REFUSING_STATUSES.has(status) || !isObject(said)) return false;
  // Of versions without codes, in the words of OAuth.
  if (said.error === 'invalid_grant') return true;
  // Newer versions name the code `code`; in older ones that is the status.
  return REFUSALS.has(isText(said.error_code) ? said.error_code : said.code);
}

/** @returns whether Auth itself has answered that it is busy or in trouble, as far as its JSON tells. */
function isByAuth(body: string): boolean {
  const said = parsed(body);
  if (!isObject(said)) return false;
  // Earlier versions give the text as `msg`, and the status as the code.
  return isText(said.msg) || TROUBLES.has(isText(said.error_code) ? said.error_code : said.code);
}

/**
 * Removes the time at which a new token expires by the server's clock, so that supabase-js reckons it from how long
 * it lasts, by the device's own.
 */
async function withoutServersTime(response: Response): Promise<Response> {
  if (!response.ok || response.status === 204) return response;
  const body = await response.text();
  const answer = parsed(body);
  if (!isObject(answer) || !('expires_in' in answer)) return withBody(response, body);
  return withBody(response, JSON.stringify({ ...answer, expires_at: undefined }));
}

function busy(status: number): Busy {
  const message = 'The server has received too many requests. Wait, then try again.';
  if (status === 429) return { kind: 'transport', code: 'rate_limited', message, retryAfterMs: null };
  return { kind: 'transport', code: 'http', message, status, sqlState: null };
}

/** @returns the value of a JSON text; undefined for another text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
