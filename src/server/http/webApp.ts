/** The built web app: hashed assets for ever, the page itself never from a cache, its own routes on reload. */

import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { secureHeaders } from 'hono/secure-headers';

/** What the page learns from `/convoy.json`. */
export interface PageConfig {
  supabaseUrl: string;
  anonKey: string;
  /** Ready-made accounts of the demo; null where there is none. */
  demo: DemoAccount[] | null;
}

export interface DemoAccount {
  role: string;
  email: string;
  password: string;
}

export interface WebAppParts {
  /** The folder the app was built into. */
  root: string;
  /** @param origin the address the page was asked for under. */
  config: (origin: string) => PageConfig;
  /** Where the page may connect to beside its own origin. */
  connectTo: string[];
}

const YEAR_SECONDS = 365 * 24 * 3600;

export function webApp({ root, config, connectTo }: WebAppParts): Hono {
  const app = new Hono();
  const page = join(root, 'index.html');
  const assets = join(root, 'assets') + sep;

  app.use(compress(), securityHeaders(connectTo));

  app.get('/convoy.json', (c) => {
    c.header('Cache-Control', 'no-store');
    return c.json(config(new URL(c.req.url).origin));
  });

  if (!existsSync(page)) {
    app.get('*', (c) =>
      c.text('The web app has not been built: run "npm run build" and start again.\n', 503),
    );
    return app;
  }

  const files = serveStatic({
    root,
    onFound: (path, c) => {
      const immutable = path.startsWith(assets);
      c.header('Cache-Control', immutable ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache');
    },
  });
  app.get('*', files);

  // What is no file is a route of the app; a missing asset, or an API that is elsewhere, must not be
  // answered with a page.
  const fallback = serveStatic({
    root,
    path: 'index.html',
    onFound: (_path, c) => c.header('Cache-Control', 'no-cache'),
  });
  const isNoRoute = (path: string) =>
    /\.[a-z0-9]+$/i.test(path) || /^\/(auth|rest|realtime)\/v1\//.test(path);
  app.get('*', (c, next) => (isNoRoute(c.req.path) ? next() : fallback(c, next)));

  app.notFound((c) => c.text('Not found\n', 404));
  return app;
}

function securityHeaders(connectTo: string[]) {
  const sockets = connectTo.map((origin) => origin.replace(/^http/, 'ws'));
  return secureHeaders({
    // The stack speaks plain HTTP on this machine.
    strictTransportSecurity: false,
    xFrameOptions: 'DENY',
    referrerPolicy: 'no-referrer',
    contentSecurityPolicy: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'", "'wasm-unsafe-eval'"],
      workerSrc: ["'self'", 'blob:'],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:', 'blob:'],
      fontSrc: ["'self'", 'data:'],
      connectSrc: ["'self'", ...connectTo, ...sockets],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  });
}
