import { ConvoyError } from '@/core/errors';

/** A part of the app itself did not come: there is no network, or the server has another version by now. */
export function notLoaded(): ConvoyError {
  return new ConvoyError({
    kind: 'transport',
    code: 'offline',
    message: 'A part of Convoy could not be loaded. Check your connection and try again.',
  });
}
