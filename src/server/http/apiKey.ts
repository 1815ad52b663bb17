/** The gateway's check: requests to the API must carry one of the API keys, as on Supabase. */

import type { MiddlewareHandler } from 'hono';

/** @param keys the keys that this stack issued; compared as text, as Supabase's gateway does */
export function requireApiKey(keys: ReadonlySet<string>): MiddlewareHandler {
  return async (c, next) => {
    const key = c.req.header('apikey');
    if (!key) {
      return c.json({ message: 'No API key found in request', hint: 'Send the `apikey` header.' }, 401);
    }
    if (!keys.has(key)) {
      return c.json({ message: 'Invalid API key', hint: 'Double check the `apikey` header.' }, 401);
    }
    return next();
  };
}
