/** Measures single requests: their bytes, and the `Retry-After` header, which supabase-js drops. */

import type { Traffic } from '@/core/protocol';

export interface Measure extends Traffic {
  /** From `Retry-After`, ms; null when the response has none. */
  retryAfterMs: number | null;
}

/**
 * Measures by the abort signal of the request: the only object that supabase-js passes on to `fetch`
 * unchanged.
 */
const measures = new WeakMap<AbortSignal, Measure>();

/** @returns the measure of the request that is made with this signal. */
export function measure(signal: AbortSignal): Measure {
  const fresh: Measure = { sent: 0, received: 0, retryAfterMs: null };
  measures.set(signal, fresh);
  return fresh;
}

/** @returns a `fetch` that fills in the measures. */
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
    // supabase-js parses the whole body as one JSON value, so reading it here costs no streaming.
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
