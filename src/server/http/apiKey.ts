/** The gateway's part: requests to the API must carry one of its keys, as on Supabase. */

import type { MiddlewareHandler } from 'hono';
import type { Tokens } from '../auth/tokens';

export function requireApiKey(tokens: Tokens): MiddlewareHandler {
  return async (c, next) => {
    const key = c.req.header('apikey');
    if (!key) {
      return c.json({ message: 'No API key found in request', hint: 'Send the `apikey` header.' }, 401);
    }
    const claims = await tokens.verify(key);
    if (!claims.ok || claims.value.role === 'authenticated') {
      return c.json({ message: 'Invalid API key', hint: 'Double check the `apikey` header.' }, 401);
    }
    return next();
  };
}
