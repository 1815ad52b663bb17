/** Counts the bytes of single requests, and keeps what supabase-js drops of a response: its headers. */

import type { Traffic } from '@/core/protocol';

export interface Measure extends Traffic {
  /** From `Retry-After`, in milliseconds; null when the response had none. */
  retryAfterMs: number | null;
}

/**
 * supabase-js hands the abort signal of a request down to `fetch` as it is, and nothing else that
 * could name the request: so the signal is the key.
 */
const measures = new WeakMap<AbortSignal, Measure>();

/** Asks for the request made with this signal to be measured. */
export function measure(signal: AbortSignal): Measure {
  const fresh: Measure = { sent: 0, received: 0, retryAfterMs: null };
  measures.set(signal, fresh);
  return fresh;
}

/** @returns a `fetch` that fills in the measure of each request that has one. */
export function meteredFetch(inner: typeof fetch): typeof fetch {
  return async (input, init) => {
    const record = init?.signal ? measures.get(init.signal) : undefined;
    if (!record) return inner(input, init);
    if (typeof init?.body === 'string') record.sent += new TextEncoder().encode(init.body).length;
    const response = await inner(input, init);
    record.retryAfterMs = retryAfterMs(response.headers.get('retry-after'));
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    if (Number.isFinite(length)) {
      record.received += length;
      return response;
    }
    // The whole body is parsed as one JSON value anyway, so it may as well be gathered here.
    const body = await response.arrayBuffer();
    record.received += body.byteLength;
    return new Response(body.byteLength > 0 ? body : null, {
      status: response.status,
      statusText: response.statusText,
      headers: response.headers,
    });
  };
}

/** `Retry-After` is a number of seconds or an HTTP date. */
export function retryAfterMs(header: string | null, now = Date.now()): number | null {
  if (header === null || header.trim() === '') return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, Math.round(seconds * 1000));
  const moment = Date.parse(header);
  return Number.isNaN(moment) ? null : Math.max(0, moment - now);
}
