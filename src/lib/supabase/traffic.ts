/** Measures single requests: bytes, times, and the `Retry-After` header, which supabase-js drops. */

import type { Traffic } from '@/core/protocol';

export interface Measure extends Traffic {
  /** From `Retry-After`, ms; null when the response has none. */
  retryAfterMs: number | null;
  /** Of the response, 0 before it: postgrest-js takes a 404 without a body for a success. */
  status: number;
}

/** Hears how a request gets on. */
export interface ProgressListener {
  /** The request is handed to the network; nothing tells how much of it has arrived. @param bytes of its body */
  onSending(bytes: number): void;
  /** The head of the answer, or a part of its body, has come. */
  onReceiving(): void;
}

interface Metered {
  measure: Measure;
  listener: ProgressListener;
}

/** By the abort signal of the request: the only object that supabase-js passes on to `fetch` unchanged. */
const metered = new WeakMap<AbortSignal, Metered>();

/** @returns the measure of the request that is made with this signal; it is complete once the answer is. */
export function measure(signal: AbortSignal, listener: ProgressListener): Measure {
  const fresh: Measure = { sent: 0, received: 0, ms: 0, retryAfterMs: null, status: 0 };
  metered.set(signal, { measure: fresh, listener });
  return fresh;
}

/** @returns a `fetch` that fills in the measures, and tells their listeners of every part of the answer. */
export function meteredFetch(inner: typeof fetch): typeof fetch {
  return async (input, init) => {
    const request = init?.signal ? metered.get(init.signal) : undefined;
    if (!request) return inner(input, init);
    const { measure: record, listener } = request;
    const bytes = typeof init?.body === 'string' ? new TextEncoder().encode(init.body).length : 0;
    const from = performance.now();
    listener.onSending(bytes);
    const response = await inner(input, init);
    listener.onReceiving();
    // supabase-js parses the whole body as one JSON value, so reading it here costs no streaming.
    const body = await readWhole(response, () => listener.onReceiving());
    // A compressed body was shorter on the way.
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    record.sent += bytes;
    record.received += Number.isFinite(length) ? length : body.length;
    record.ms += performance.now() - from;
    record.retryAfterMs = retryAfterMs(response.headers);
    record.status = response.status;
    const { status, statusText, headers } = response;
    return new Response(body.length > 0 ? body : null, { status, statusText, headers });
  };
}

/**
 * Reads a body part by part, since only a stream tells that bytes still come. Runtimes hand out what they have decompressed
 * as soon as they can.
 * @param onPart called with every part
 */
async function readWhole(response: Response, onPart: () => void): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
    onPart();
    parts.push(part.value);
    size += part.value.length;
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * `Retry-After` is a number of seconds or an HTTP date: one of the clock that wrote the answer's own date, where that
 * can be read, and this device's may be another.
 */
export function retryAfterMs(headers: Headers, now = Date.now()): number | null {
  const asked = headers.get('retry-after')?.trim() ?? '';
  if (asked === '') return null;
  const seconds = Number(asked);
  if (Number.isFinite(seconds)) return Math.max(0, Math.round(seconds * 1000));
  const moment = Date.parse(asked);
  const written = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(moment) ? null : Math.max(0, moment - (Number.isNaN(written) ? now : written));
}
