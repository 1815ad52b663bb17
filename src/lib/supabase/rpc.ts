/** Calls of database functions over PostgREST, with every failure as a typed value. */

import { isAuthRetryableFetchError, type AuthError as SupabaseAuthError } from '@supabase/supabase-js';
import type { AuthError, ProtocolError, TransportError } from '@/core/errors';
import type { Traffic } from '@/core/protocol';
import { fail, ok, type Result } from '@/core/result';
import type { ConvoyClient } from './client';
import type { Database } from './database.types.generated';
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
 * Calls a function of the database. A session that has expired is refreshed once.
 * @returns the unchecked answer of the function and the bytes of the exchange; or the failure:
 * `offline` when the server was not reached, `timeout` when no byte came for too long or the call was aborted,
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

/** @returns the failure of a refresh that says nothing about the session, so that signing in would not help; null for others. */
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
  const answered = await untilGivenUp(options, async (signal, progress) => {
    const traffic = measure(signal, progress);
    const { data, error: said, status } = await client.rpc(name, args).abortSignal(signal);
    // postgrest-js takes a refusal with an empty JSON value for its body for a success.
    const error = said || (status >= 200 && status < 300 ? null : NO_BODY);
    if (error === null) {
      const { retryAfterMs: _, ...exchange } = traffic;
      return ok({ data: data as unknown, traffic: exchange });
    }
    if (status === 401) {
      // Without a session, supabase-js calls with the anonymous role, which may call no function.
      const { data: stored, error: refusal } = await client.auth.getSession();
      // The session may be valid, and only its refresh failed.
      if (stored.session === null) return fail((refusal && transientFailure(refusal)) ?? signedOut());
    }
    return fail(error.code === NO_SUCH_FUNCTION ? lacking(name) : failureOf(status, error, traffic));
  });
  return answered ?? fail(timedOut());
}

/**
 * Waits for work until the timeout or the abort: supabase-js may request a new token before the call, and
 * the signal does not reach that request. The listener that the work is given starts the wait anew.
 * @returns null after the timeout or the abort
 */
async function untilGivenUp<T>(
  { signal, timeoutMs, slowestUpload = SLOWEST_UPLOAD }: RpcOptions,
  work: (signal: AbortSignal, progress: ProgressListener) => Promise<T>,
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
  const progress: ProgressListener = {
    onSending: (bytes) => waitAnew((bytes / slowestUpload) * 1_000),
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
  const message = body.message ?? '';
  if (status >= 200 && status < 300) {
    // The body is no JSON: the login page of a captive portal, or a truncated answer.
    return { kind: 'transport', code: 'offline', message: NOT_CONVOY };
  }
  switch (status) {
    case 0:
      return offline();
    case 401:
      return { kind: 'auth', code: 'expired', message: 'The session has expired. Sign in again.' };
    case 403:
      return {
        kind: 'auth',
        code: 'forbidden',
        message: message || 'The server does not allow this call for your account.',
      };
    case 408:
      return timedOut();
    case 429:
      return {
        kind: 'transport',
        code: 'rate_limited',
        message: 'The server has received too many requests. Wait, then try again.',
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
        ...(/^PGRST\d+$/.test(body.code ?? '') && { restCode: body.code }),
      };
  }
}
