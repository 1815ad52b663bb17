/** Calls of database functions over PostgREST, with every failure as a typed value. */

import {
  isAuthRefreshDiscardedError,
  isAuthRetryableFetchError,
  type AuthError as SupabaseAuthError,
} from '@supabase/supabase-js';
import type { AuthError, ProtocolError, TransportError } from '@/core/errors';
import type { Traffic } from '@/core/protocol';
import { fail, ok, type Result } from '@/core/result';
import type { ConvoyClient } from './client';
import type { Database } from './database.types.generated';
import { watchOf } from './session/sessionWatch';
import { type Measure, measure, type ProgressListener } from './traffic';

type Functions = Database['public']['Functions'];
export type RpcName = keyof Functions & string;
export type RpcError = TransportError | AuthError | ProtocolError;

/** PostgREST's code for a function that it does not find, or not with these arguments. */
const NO_SUCH_FUNCTION = 'PGRST202';

const NO_BODY = { code: '', message: '' };

/**
 * The slowest upload that is waited for, bytes/s: a bad mobile connection (GPRS) still carries more. The full batch of
 * 250,000 characters then has two minutes beside its timeout.
 */
const SLOWEST_UPLOAD = 2_000;

export interface RpcOptions {
  signal?: AbortSignal;
  /**
   * How long no byte may come, ms: after the time of the upload until the answer begins, and then between its parts.
   * While bytes come, a call is not given up (D55).
   */
  timeoutMs: number;
  /** The slowest upload that is waited for, bytes/s: a request has its bytes divided by this for its upload. Default: 2,000. */
  slowestUpload?: number;
}

/**
 * Calls a function of the database. A session that the server calls expired is refreshed once.
 * @returns the unchecked answer of the function and the bytes of the exchange; or the failure:
 * `offline` when the server was not reached, `timeout` when no byte came for too long or the call was aborted,
 * `schema_mismatch` when the server does not have the function. A session has ended only when Supabase Auth refuses to
 * refresh it: a new token that is refused, too, will be taken later, when the clocks of the server agree again.
 */
export async function callRpc<Name extends RpcName>(
  client: ConvoyClient,
  name: Name,
  args: Functions[Name]['Args'],
  options: RpcOptions,
): Promise<Result<{ data: unknown; traffic: Traffic }, RpcError>> {
  const watch = watchOf(client);
  const called = await callOnce(client, name, args, options);
  if (called.ok) watch.wasAnswered(false);
  if (called.ok || called.error.code !== 'expired') return called;
  const asked = watch.wait();
  if (asked) return fail(asked);
  if (!watch.mayHelp) return fail(tokenRefused());
  const refreshed = await untilGivenUp(client, options, () => client.auth.refreshSession(), true);
  if (refreshed === null) return fail(watch.wait() ?? timedOut());
  const { error } = refreshed;
  // Discarded: another client of this session was faster, and its token is stored.
  if (error && !isAuthRefreshDiscardedError(error)) {
    const transient = watch.wait() ?? transientFailure(error);
    return transient ? fail(transient) : called;
  }
  watch.wasRefreshed();
  const again = await callOnce(client, name, args, options);
  const isNewRefused = !again.ok && again.error.code === 'expired';
  if (again.ok || isNewRefused) watch.wasAnswered(isNewRefused);
  return isNewRefused ? fail(tokenRefused()) : again;
}

/** @returns the failure of a refresh that says nothing about the session, so that signing in would not help; null for others. */
function transientFailure(error: SupabaseAuthError): TransportError | null {
  return isAuthRetryableFetchError(error) ? offline() : null;
}

async function callOnce<Name extends RpcName>(
  client: ConvoyClient,
  name: Name,
  args: Functions[Name]['Args'],
  options: RpcOptions,
): Promise<Result<{ data: unknown; traffic: Traffic }, RpcError>> {
  const answered = await untilGivenUp(client, options, async (signal, progress) => {
    const traffic = measure(signal, progress);
    const { data, error: said, status } = await client.rpc(name, args).abortSignal(signal);
    // postgrest-js takes a refusal with an empty JSON value for its body for a success.
    const isAnswered = status >= 200 && status < 300 && traffic.status !== 404;
    const error = said || (isAnswered ? null : NO_BODY);
    if (error === null) {
      const { retryAfterMs: _, status: __, ...exchange } = traffic;
      return ok({ data: data as unknown, traffic: exchange });
    }
    if (status === 401) {
      // Without a session, supabase-js calls with the anonymous role, which may call no function.
      const { data: stored, error: refusal } = await client.auth.getSession();
      // The session may be valid, and only its refresh failed.
      if (stored.session === null) return fail((refusal && transientFailure(refusal)) ?? signedOut());
    }
    if (error.code === NO_SUCH_FUNCTION) return fail(lacking(name));
    return fail(failureOf(traffic.status || status, error, traffic));
  });
  return answered ?? fail(watchOf(client).wait() ?? timedOut());
}

/**
 * Waits for work until the timeout or the abort: supabase-js may request a new token before the call, and
 * the signal does not reach that request. The listener that the work is given starts the wait anew. Work that needs a new
 * token is given up as soon as the server asks for a wait, since supabase-js would go on trying for half a minute.
 * @param isRefresh the work asks for a new token
 * @returns null when it was given up
 */
async function untilGivenUp<T>(
  client: ConvoyClient,
  { signal, timeoutMs, slowestUpload = SLOWEST_UPLOAD }: RpcOptions,
  work: (signal: AbortSignal, progress: ProgressListener) => Promise<T>,
  isRefresh = false,
): Promise<T | null> {
  if (signal?.aborted) return null;
  const controller = new AbortController();
  const abort = () => controller.abort();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  const waitAnew = (extraMs: number) => {
    clearTimeout(timer);
    // Work that was given up may go on for a moment, and must not leave a timer behind (K9).
    if (!isOver) timer = setTimeout(abort, timeoutMs + extraMs);
  };
  waitAnew(0);
  const watch = watchOf(client);
  let isSent = false;
  const stopWatching = watch.onWait(() => {
    if (isRefresh || !(isSent || watch.isTokenValid)) abort();
  });
  const progress: ProgressListener = {
    onSending: (bytes) => {
      isSent = true;
      waitAnew((bytes / slowestUpload) * 1_000);
    },
    onReceiving: () => waitAnew(0),
  };
  signal?.addEventListener('abort', abort, { once: true });
  let giveUp = () => {};
  const givenUp = new Promise<null>((resolve) => {
    giveUp = () => resolve(null);
  });
  controller.signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([work(controller.signal, progress), givenUp]);
  } finally {
    isOver = true;
    clearTimeout(timer);
    stopWatching();
    signal?.removeEventListener('abort', abort);
    // The runtime keeps the signal until the request is collected; this listener would keep the answer with it.
    controller.signal.removeEventListener('abort', giveUp);
  }
}

function timedOut(): TransportError {
  return { kind: 'transport', code: 'timeout', message: 'The server did not answer in time. Try again.' };
}

function offline(): TransportError {
  return {
    kind: 'transport',
    code: 'offline',
    message: 'The server cannot be reached. Check the network, then try again.',
  };
}

const NOT_CONVOY =
  'The network answered in place of the server, or the answer is truncated. Check the network, then try again.';

/** An answer of something in between, such as the login page of a captive portal. */
export function notConvoy(): TransportError {
  return { kind: 'transport', code: 'offline', message: NOT_CONVOY };
}

/** A new token is refused as well: the clocks of the server differ, or it has changed its keys. */
function tokenRefused(): TransportError {
  const message = 'The server does not take the new token of this session yet.';
  return { kind: 'transport', code: 'http', message, status: 401, sqlState: null };
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
 * @param status of the response, or 0 without one.
 * @param body PostgREST's error: `code` is an SQLSTATE, or `PGRST` and a number.
 */
function failureOf(
  status: number,
  body: { code?: string; message?: string },
  { retryAfterMs }: Pick<Measure, 'retryAfterMs'>,
): RpcError {
  const { code = '', message = '' } = body;
  const sqlState = /^[0-9A-Z]{5}$/.test(code) ? code : null;
  const restCode = /^PGRST\d+$/.test(code) ? code : undefined;
  // The login page of a captive portal, a proxy's refusal, or a truncated answer.
  const isByOther = sqlState === null && restCode === undefined;
  if (status >= 200 && status < 300) return notConvoy();
  switch (status) {
    case 0:
      return offline();
    case 401:
      return { kind: 'auth', code: 'expired', message: 'The session has expired. Sign in again.' };
    case 403:
      if (isByOther) break;
      return {
        kind: 'auth',
        code: 'forbidden',
        message: message || 'The server does not allow this call for your account.',
      };
    case 408:
      if (retryAfterMs !== null) break;
      return timedOut();
    case 429:
      return {
        kind: 'transport',
        code: 'rate_limited',
        message: 'The server has received too many requests. Wait, then try again.',
        retryAfterMs,
      };
  }
  return {
    kind: 'transport',
    code: 'http',
    message: isByOther && status < 500 ? NOT_CONVOY : message || `The server answered with status ${status}.`,
    status,
    ...(retryAfterMs !== null && { retryAfterMs }),
    sqlState,
    ...(restCode !== undefined && { restCode }),
  };
}
