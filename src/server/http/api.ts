/** The HTTP API of the stack: `/auth/v1` and `/rest/v1`. `/realtime/v1` accepts only WebSockets. */

import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { authRoutes } from '../auth/routes';
import type { AuthService } from '../auth/service';
import type { Tokens } from '../auth/tokens';
import type { SqlBackend } from '../database/backend';
import { createFunctionCatalog } from '../rest/functions';
import { restRoutes } from '../rest/routes';
import { requireApiKey } from './apiKey';

type Environment = { Bindings: HttpBindings };

export interface ApiParts {
  backend: SqlBackend;
  tokens: Tokens;
  apiKeys: ReadonlySet<string>;
  auth: AuthService;
  /** Monotonic ms; absent: this process's. */
  uptime?: (() => number) | undefined;
  maxBodyBytes: number;
}

export function api({ backend, tokens, apiKeys, auth, uptime, maxBodyBytes }: ApiParts): Hono<Environment> {
  const app = new Hono<Environment>();
  for (const path of ['/auth/v1/*', '/rest/v1/*']) {
    app.use(path, cors({ origin: '*', exposeHeaders: ['X-Supabase-Api-Version', 'Retry-After'] }));
    app.use(path, requireApiKey(apiKeys));
  }
  app.route('/auth/v1', authRoutes({ service: auth, tokens, uptime }));
  app.route(
    '/rest/v1',
    restRoutes({ backend, catalog: createFunctionCatalog(backend), tokens, maxBodyBytes }),
  );
  app.all('/realtime/v1/*', (c) =>
    c.json({ message: 'Only /realtime/v1/websocket is offered, and only as a WebSocket.' }, 404),
  );
  return app;
}
