import { ConvoyError } from '@/core/errors';

/** A module of the app could not be fetched: there is no network, or the server has another version by now. */
export function notLoaded(cause: unknown): ConvoyError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new ConvoyError({ kind: 'storage', code: 'not_loaded', message });
}
