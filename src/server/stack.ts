/** Composes the local stack: port, database, auth, API, web app, realtime. */

import type { Server } from 'node:http';
import { join } from 'node:path';
import { Hono } from 'hono';
import { fail, ok, type Result } from '@/core/result';
import type { StorageWarning } from '@/core/storage';
import { createRefreshTokens } from './auth/refreshTokens';
import { createAuthService } from './auth/service';
import { createTokens } from './auth/tokens';
import type { SqlBackend } from './database/backend';
import { takeDataFolder } from './database/dataFolder';
import { openPgliteInMemory } from './database/pglite';
import { openPostgres } from './database/postgres';
import { prepareDatabase } from './database/prepare';
import { type PurgeTimes, purgeDaily } from './database/purge';
import type { StackError } from './errors';
import { api } from './http/api';
import { hostInUrl } from './http/hosts';
import { type Listener, listen } from './http/listener';
import { type DemoAccount, webApp } from './http/webApp';
import { packageRoot, readStackSql, type StackSql } from './projectFiles';
import { createRealtime, type Realtime } from './realtime/realtime';

/** The database that the stack runs on. */
export type DataSource =
  | { kind: 'folder'; path: string; reset?: boolean }
  | { kind: 'memory'; template?: Blob }
  | { kind: 'postgres'; url: string }
  /** A backend that the caller has opened; the stack prepares it, and closes it at the end. */
  | { kind: 'backend'; backend: SqlBackend };

export interface LocalStackOptions {
  data: DataSource;
  /** Default 127.0.0.1: reachable from this machine only. */
  host?: string;
  /** 0, the default, takes any free port. */
  port?: number;
  /** Load the demo data into a new database. Default: true. */
  demo?: boolean;
  /** Folder of the built web app. Default: dist/web of the package. */
  webRoot?: string;
  /** Signing secret to use instead of the database's own, at least 32 characters. */
  jwtSecret?: string;
  /** Largest request to `/rest/v1`, in bytes. Default 32 MB. */
  maxBodyBytes?: number;
  sql?: StackSql;
  /** ms after which a silent WebSocket is closed. Default 60,000. */
  heartbeatTimeoutMs?: number;
  /** When old tombstones are purged. */
  purge?: PurgeTimes;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Monotonic ms. Default: this process's. */
  uptime?: () => number;
  /** Receives failures that clients are not told of. Default: standard error. */
  log?: (message: string) => void;
}

export interface LocalStack {
  readonly url: string;
  readonly anonKey: string;
  readonly serviceKey: string;
  readonly jwtSecret: string;
  /** Accounts of the demo data; empty without it. */
  readonly accounts: readonly DemoAccount[];
  /** Warnings about the place where the data is kept. */
  readonly warnings: readonly StorageWarning[];
  readonly server: Server;
  readonly backend: SqlBackend;
  /** Refuses and closes connections, like a lost network; the database stays open. */
  suspend(): Promise<void>;
  resume(): Promise<void>;
  /** Lets running requests finish, then closes the database. May be called twice. */
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 32 * 1024 * 1024;
export const DEFAULT_HOST = '127.0.0.1';

/** The accounts that supabase/seed.sql creates. */
export const DEMO_ACCOUNTS: readonly DemoAccount[] = ['owner', 'editor', 'viewer', 'agent'].map((role) => ({
  role,
  email: `${role}@convoy.example`,
  password: 'convoy-demo',
}));

/**
 * Starts the stack and resolves when it answers requests.
 * @returns the stack, or the error, with nothing left open
 */
export async function startLocalStack(options: LocalStackOptions): Promise<Result<LocalStack, StackError>> {
  const host = options.host ?? DEFAULT_HOST;
  // The port comes first: a stack that cannot listen must not touch the data, least of all reset it.
  const listening = await listen(host, options.port ?? 0);
  if (!listening.ok) return listening;
  const listener = listening.value;

  const opened = await openBackend(options.data);
  if (!opened.ok) {
    await listener.close();
    return opened;
  }
  const { backend, release, warnings } = opened.value;
  const running = await serve(listener, backend, options);
  if (!running.ok) {
    await listener.close();
    await backend.close();
    release();
    return running;
  }

  const { realtime, ...stack } = running.value;
  const stopPurging = purgeDaily(
    backend,
    options.log ?? ((message) => console.error(message)),
    options.purge,
  );
  let closing: Promise<void> | null = null;
  async function close(): Promise<void> {
    await realtime.close();
    await listener.close();
    await stopPurging();
    await backend.close();
    release();
  }
  return ok({
    ...stack,
    url: `http://${browsableHost(host)}:${listener.port}`,
    warnings,
    server: listener.server,
    backend,
    suspend: () => listener.suspend(),
    resume: () => listener.resume(),
    close: () => {
      closing ??= close();
      return closing;
    },
  });
}

interface OpenBackend {
  backend: SqlBackend;
  release: () => void;
  warnings: StorageWarning[];
}

async function openBackend(data: DataSource): Promise<Result<OpenBackend, StackError>> {
  const without = { release: () => {}, warnings: [] };
  switch (data.kind) {
    case 'backend':
      return ok({ backend: data.backend, ...without });
    case 'postgres':
      return ok({ backend: openPostgres(data.url), ...without });
    case 'memory':
      return ok({ backend: await openPgliteInMemory(data.template), ...without });
    case 'folder': {
      const folder = takeDataFolder(data.path, data.reset);
      if (!folder.ok) return folder;
      const { open, release, warning } = folder.value;
      const backend = await open();
      if (backend.ok) return ok({ backend: backend.value, release, warnings: warning ? [warning] : [] });
      release();
      return backend;
    }
  }
}

interface Running extends Pick<LocalStack, 'anonKey' | 'serviceKey' | 'jwtSecret' | 'accounts'> {
  realtime: Realtime;
}

async function serve(
  listener: Listener,
  backend: SqlBackend,
  options: LocalStackOptions,
): Promise<Result<Running, StackError>> {
  const now = options.now ?? Date.now;
  const log = options.log ?? ((message) => console.error(message));
  const prepared = await prepareDatabase(backend, options.sql ?? readStackSql(), {
    demo: options.demo ?? true,
    jwtSecret: options.jwtSecret,
  });
  if (!prepared.ok) return fail(prepared.error);
  const { jwtSecret, createdAt, demo } = prepared.value;
  const { uptime } = options;

  const tokens = createTokens(jwtSecret, now);
  const refreshTokens = createRefreshTokens(jwtSecret);
  const anonKey = await tokens.signApiKey('anon', createdAt);
  const serviceKey = await tokens.signApiKey('service_role', createdAt);
  const accounts = demo ? DEMO_ACCOUNTS : [];

  const auth = createAuthService({ backend, tokens, refreshTokens, now, log });
  const maxBodyBytes = options.maxBodyBytes ?? MAX_BODY_BYTES;
  const apiKeys = new Set([anonKey, serviceKey]);
  const app = emptyApp(log);
  app.route('/', api({ backend, tokens, apiKeys, auth, uptime, maxBodyBytes }));
  app.route(
    '/',
    webApp({
      root: options.webRoot ?? defaultWebRoot(),
      config: (origin) => ({ supabaseUrl: origin, anonKey, demo: demo ? [...accounts] : null }),
      connectTo: [],
    }),
  );
  listener.serve((request, env) => app.fetch(request, env));
  const { server, answersTo } = listener;
  const { heartbeatTimeoutMs } = options;
  const realtimeParts = { server, answersTo, backend, tokens, apiKeys, now, log, heartbeatTimeoutMs };
  const realtime = createRealtime(realtimeParts);
  return ok({ anonKey, serviceKey, jwtSecret, accounts, realtime });
}

/** @returns an app without routes, which logs unexpected errors */
function emptyApp(log: (message: string) => void): Hono {
  const app = new Hono();
  app.onError((error, c) => {
    // A request that its client aborted is no failure of the server.
    if (!c.req.raw.signal.aborted) log(`${c.req.method} ${c.req.path}: ${error.stack ?? error.message}`);
    return c.json({ code: 'unexpected_failure', message: 'Unexpected failure, see the server log' }, 500);
  });
  return app;
}

export interface HostedAppOptions {
  /** The Supabase project that the app uses. */
  supabase: { url: string; anonKey: string };
  host?: string;
  port?: number;
  webRoot?: string;
}

export type HostedApp = Pick<LocalStack, 'url' | 'close'>;

/** Serves only the web app, configured for a Supabase project; no local stack runs. */
export async function serveHostedApp(options: HostedAppOptions): Promise<Result<HostedApp, StackError>> {
  const host = options.host ?? DEFAULT_HOST;
  const { url, anonKey } = options.supabase;
  const listening = await listen(host, options.port ?? 0);
  if (!listening.ok) return listening;
  const app = webApp({
    root: options.webRoot ?? defaultWebRoot(),
    config: () => ({ supabaseUrl: url, anonKey, demo: null }),
    connectTo: [new URL(url).origin],
  });
  listening.value.serve((request, env) => app.fetch(request, env));
  return ok({
    url: `http://${browsableHost(host)}:${listening.value.port}`,
    close: () => listening.value.close(),
  });
}

function defaultWebRoot(): string {
  return join(packageRoot(), 'dist/web');
}

/** @returns a host that a browser can open: localhost for a server on all addresses */
function browsableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return hostInUrl(host);
}
