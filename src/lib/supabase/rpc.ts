/** One call of a database function over PostgREST, with every way of failing as a typed value. */

import { isAuthRetryableFetchError, type AuthError as SupabaseAuthError } from '@supabase/supabase-js';
import type { AuthError, ProtocolError, TransportError } from '@/core/errors';
import type { Traffic } from '@/core/protocol';
import { fail, ok, type Result } from '@/core/result';
import type { ConvoyClient } from './client';
import type { Database } from './database.types.generated';
import { type Measure, measure } from './traffic';

type Functions = Database['public']['Functions'];
export type RpcName = keyof Functions & string;
export type RpcError = TransportError | AuthError | ProtocolError;

/** PostgREST's code for a function that it does not find, or not with these arguments. */
const NO_SUCH_FUNCTION = 'PGRST202';

export interface RpcOptions {
  signal?: AbortSignal;
  /** Milliseconds until the call is given up. */
  timeoutMs: number;
}

/**
 * Calls a function of the database. A session that has expired is refreshed once.
 * @returns what the function returned, unchecked, and the bytes that travelled; or the failure:
 * `offline` when the request did not get through, `timeout` when it was given up or aborted,
 * `schema_mismatch` when the server does not have the function.
 */
export async function callRpc<Name extends RpcName>(
  client: ConvoyClient,
  name: Name,
  args: Functions[Name]['Args'],
  options: RpcOptions,
): Promise<Result<{ data: unknown; traffic: Traffic }, RpcError>> {
  const called = await callOnce(client, name, args, options);
  if (called.ok || called.error.code !== 'expired') return called;
  const refreshed = await untilGivenUp(options, () => client.auth.refreshSession());
  if (refreshed === null) return fail(timedOut());
  const { error } = refreshed;
  if (!error) return callOnce(client, name, args, options);
  const transient = transientFailure(error);
  return transient ? fail(transient) : called;
}

/** @returns what kept a session from being refreshed, where not the session is at fault: asking the person to sign in would help nobody. */
function transientFailure(error: SupabaseAuthError): TransportError | null {
  if (isAuthRetryableFetchError(error)) return offline();
  const { status = 0 } = error;
  if (status !== 429 && status < 500) return null;
  return failureOf(status, error, { retryAfterMs: null }) as TransportError;
}

async function callOnce<Name extends RpcName>(
  client: ConvoyClient,
  name: Name,
  args: Functions[Name]['Args'],
  options: RpcOptions,
): Promise<Result<{ data: unknown; traffic: Traffic }, RpcError>> {
  const answered = await untilGivenUp(options, async (signal) => {
    const traffic = measure(signal);
    const { data, error, status } = await client.rpc(name, args).abortSignal(signal);
    if (!error)
      return ok({ data: data as unknown, traffic: { sent: traffic.sent, received: traffic.received } });
    if (status === 401) {
      // Without a session supabase-js asks as nobody, and nobody may call anything.
      const { data: stored, error: refusal } = await client.auth.getSession();
      // There may be one that could only not be refreshed just now.
      if (stored.session === null) return fail((refusal && transientFailure(refusal)) ?? signedOut());
    }
    return fail(error.code === NO_SUCH_FUNCTION ? lacking(name) : failureOf(status, error, traffic));
  });
  return answered ?? fail(timedOut());
}

/**
 * Waits for work no longer than it may take, and not at all once it is aborted: before a request
 * supabase-js may ask for a new token, and no signal reaches that request.
 * @returns null when it was given up
 */
async function untilGivenUp<T>(
  { signal, timeoutMs }: RpcOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | null> {
  if (signal?.aborted) return null;
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = setTimeout(abort, timeoutMs);
  signal?.addEventListener('abort', abort, { once: true });
  let giveUp = () => {};
  const givenUp = new Promise<null>((resolve) => {
    giveUp = () => resolve(null);
  });
  controller.signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([work(controller.signal), givenUp]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    // The runtime keeps a request's signal until the request is collected, and with this listener the answer.
    controller.signal.removeEventListener('abort', giveUp);
  }
}

function timedOut(): TransportError {
  return { kind: 'transport', code: 'timeout', message: 'The server did not answer in time.' };
}

function offline(): TransportError {
  return { kind: 'transport', code: 'offline', message: 'The server cannot be reached.' };
}

export function signedOut(): AuthError {
  return { kind: 'auth', code: 'signed_out', message: 'You are signed out. Sign in first.' };
}

/** The server's migrations are of another version than this code. */
function lacking(name: RpcName): ProtocolError {
  const message = `The server lacks the function ${name}, which this version of Convoy calls. Apply the migrations of this version to the server; if it is newer, update Convoy.`;
  return { kind: 'protocol', code: 'schema_mismatch', message };
}

/**
 * @param status of the response, or 0 where there was none.
 * @param body PostgREST's error: `code` is an SQLSTATE, or `PGRST` and a number.
 */
function failureOf(
  status: number,
  body: { code?: string; message?: string },
  { retryAfterMs }: Pick<Measure, 'retryAfterMs'>,
): RpcError {
  const message = body.message ?? '';
  if (status >= 200 && status < 300) {
    // A body that is no JSON: the login page of a hotel's network, or an answer that was cut off.
    return { kind: 'transport', code: 'offline', message: 'Something else answered in place of the server.' };
  }
  switch (status) {
    case 0:
      return offline();
    case 401:
      return { kind: 'auth', code: 'expired', message: 'Your session has ended. Sign in again.' };
    case 403:
      return { kind: 'auth', code: 'forbidden', message: message || 'The server does not allow this.' };
    case 408:
      return timedOut();
    case 429:
      return {
        kind: 'transport',
        code: 'rate_limited',
        message: 'The server asks to wait a moment.',
        retryAfterMs,
      };
    default:
      return {
        kind: 'transport',
        code: 'http',
        message: message || `The server answered with status ${status}.`,
        status,
        ...(retryAfterMs !== null && { retryAfterMs }),
        sqlState: /^[0-9A-Z]{5}$/.test(body.code ?? '') ? (body.code ?? null) : null,
      };
  }
}
