/** Serves the built web app: hashed assets cached for a year, the page always revalidated, and for the app's routes too. */

import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { secureHeaders } from 'hono/secure-headers';

/** The content of `/convoy.json`. */
export interface PageConfig {
  supabaseUrl: string;
  anonKey: string;
  /** Accounts of the demo data; null without it. */
  demo: DemoAccount[] | null;
}

export interface DemoAccount {
  role: string;
  email: string;
  password: string;
}

export interface WebAppParts {
  /** Folder of the built app. */
  root: string;
  /** @param origin the origin of the request for the page */
  config: (origin: string) => PageConfig;
  /** Origins that the page may connect to, beside its own. */
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
    // The build leaves `.br` beside what is worth it.
    precompressed: true,
    onFound: (path, c) => {
      const immutable = path.startsWith(assets);
      c.header('Cache-Control', immutable ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache');
    },
  });
  app.get('*', files);

  // Other paths are routes of the app. A missing asset, or an API that this server lacks, must not be answered
  // with the page.
  const fallback = serveStatic({
    root,
    path: 'index.html',
    onFound: (_path, c) => c.header('Cache-Control', 'no-cache'),
  });
  const isFileOrApi = (path: string) =>
    /\.[a-z0-9]+$/i.test(path) || /^\/(auth|rest|realtime)\/v1\//.test(path);
  app.get('*', (c, next) => (isFileOrApi(c.req.path) ? next() : fallback(c, next)));

  app.notFound((c) => c.text('Not found\n', 404));
  return app;
}

function securityHeaders(connectTo: string[]) {
  const sockets = connectTo.map((origin) => origin.replace(/^http/, 'ws'));
  return secureHeaders({
    // The stack serves plain HTTP.
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
