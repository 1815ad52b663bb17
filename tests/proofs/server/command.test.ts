import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '@/server';
import { copyMigratedFolder } from '../../support/template';

let folder: string;
let children: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-command-'));
  children = [];
});
afterEach(async () => {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  await Promise.all(children.map(exited));
  rmSync(folder, { recursive: true, force: true });
});

interface Run {
  child: ChildProcess;
  output: { out: string; err: string };
}

function run(args: string[], env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', 'start', ...args], {
    cwd: packageRoot(),
    env: { ...process.env, DATABASE_URL: '', SUPABASE_URL: '', SUPABASE_ANON_KEY: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const output = { out: '', err: '' };
  child.stdout?.on('data', (chunk) => {
    output.out += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    output.err += chunk;
  });
  return { child, output };
}

function exited(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', resolve));
}

async function ready({ child, output }: Run): Promise<{ url: string; accounts: unknown[] }> {
  while (!output.out.includes('\n')) {
    if (child.exitCode !== null) throw new Error(output.err);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return JSON.parse(output.out);
}

/** @returns what a run that was asked for JSON, and failed, says: on standard output alone */
function errorOf({ output }: Run): { kind: string; code: string; message: string } {
  expect(output.err).toBe('');
  return (JSON.parse(output.out) as { error: { kind: string; code: string; message: string } }).error;
}

const data = () => ['--data', folder, '--port', '0'];

describe('npm start', () => {
  it('prints one JSON value once it answers, and ends cleanly on SIGTERM', async () => {
    const first = run([...data(), '--json']);
    const { url, accounts } = await ready(first);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(accounts).toContainEqual({
      role: 'owner',
      email: 'owner@convoy.example',
      password: 'convoy-demo',
    });
    const config = await (await fetch(`${url}/convoy.json`)).json();
    expect(config).toMatchObject({ supabaseUrl: url, demo: accounts });
    const signIn = await fetch(`${url}/auth/v1/token?grant_type=password`, {
      method: 'POST',
      headers: { apikey: config.anonKey },
      body: JSON.stringify({ email: 'owner@convoy.example', password: 'convoy-demo' }),
    });
    expect(signIn.status).toBe(200);

    const second = run([...data(), '--json']);
    expect(await exited(second.child)).toBe(1);
    expect(errorOf(second)).toMatchObject({
      code: 'data_locked',
      message: expect.stringContaining(`process ${first.child.pid}`),
    });

    first.child.kill('SIGTERM');
    expect(await exited(first.child)).toBe(0);
    expect(first.output.err).toBe('');
  });

  it('opens the data folder of a killed process', async () => {
    await copyMigratedFolder(folder);
    const first = run([...data(), '--json']);
    const { url } = await ready(first);
    const { anonKey } = await (await fetch(`${url}/convoy.json`)).json();
    const signUp = await fetch(`${url}/auth/v1/signup`, {
      method: 'POST',
      headers: { apikey: anonKey },
      body: JSON.stringify({ email: 'last@example.com', password: 'correct horse' }),
    });
    expect(signUp.status).toBe(200);
    first.child.kill('SIGKILL');
    await exited(first.child);

    const second = run([...data(), '--json']);
    const again = await ready(second);
    const signIn = await fetch(`${again.url}/auth/v1/token?grant_type=password`, {
      method: 'POST',
      headers: { apikey: anonKey },
      body: JSON.stringify({ email: 'last@example.com', password: 'correct horse' }),
    });
    expect(signIn.status).toBe(200);
    second.child.kill('SIGINT');
    expect(await exited(second.child)).toBe(0);
  });

  it('ends with the npm that started it', async () => {
    const main = join(packageRoot(), 'src/cli/main.ts');
    const command = `"${process.execPath}" --import tsx "${main}" start --port 0 --json & wait`;
    const project = { SUPABASE_URL: 'https://project.supabase.co', SUPABASE_ANON_KEY: 'key' };
    const shell = spawn('sh', ['-c', command], {
      cwd: packageRoot(),
      env: { ...process.env, ...project, npm_lifecycle_event: 'start' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(shell);
    const output = { out: '', err: '' };
    shell.stdout?.on('data', (chunk) => {
      output.out += chunk;
    });
    const { url } = await ready({ child: shell, output });
    shell.kill('SIGTERM');
    await expect
      .poll(() =>
        fetch(url).then(
          () => 'up',
          () => 'down',
        ),
      )
      .toBe('down');
  });

  it('prints a table for people', async () => {
    const { child, output } = run([...data(), '--no-demo']);
    while (!output.out.includes('running at') && child.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(output.out).toMatch(/Convoy is running at http:\/\/127\.0\.0\.1:\d+/);
    expect(output.out).not.toContain('owner@');
    child.kill('SIGTERM');
    expect(await exited(child)).toBe(0);
  });

  it('serves the app for a Supabase project, without a stack of its own', async () => {
    const project = { SUPABASE_URL: 'https://project.supabase.co', SUPABASE_ANON_KEY: 'their-key' };
    const first = run([...data(), '--json'], project);
    const { url, accounts } = await ready(first);
    expect(accounts).toEqual([]);
    const response = await fetch(`${url}/convoy.json`);
    expect(await response.json()).toEqual({
      supabaseUrl: 'https://project.supabase.co',
      anonKey: 'their-key',
      demo: null,
    });
    expect(response.headers.get('content-security-policy')).toContain('wss://project.supabase.co');
    expect((await fetch(`${url}/auth/v1/health`)).status).not.toBe(200);
  });
});

describe('npm start that fails', () => {
  let occupant: Server;
  afterEach(() => {
    occupant?.close();
  });

  it('reports a taken port before it touches the data', async () => {
    occupant = createServer().listen(0, '127.0.0.1');
    await once(occupant, 'listening');
    const { port } = occupant.address() as AddressInfo;
    const told = run(['--data', folder, '--port', String(port), '--reset', '--json']);
    expect(await exited(told.child)).toBe(1);
    expect(errorOf(told).message).toContain(`Port ${port} is already in use`);
  });

  it.each([
    [['--port', 'high'], /0 to 65535/],
    [['--unknown'], /unknown option/],
  ])('refuses %j', async (args, message) => {
    const { child, output } = run(args);
    expect(await exited(child)).toBe(2);
    expect(output.err).toMatch(message);
  });

  it('explains what is wrong with the data folder and how to go on', async () => {
    writeFileSync(join(folder, 'stack.json'), '{}');
    const { child, output } = run(data());
    expect(await exited(child)).toBe(1);
    expect(output.out).toBe('');
    expect(output.err).toMatch(/--reset/);
    expect(output.err.trim().split('\n')).toHaveLength(1);
  });

  it('does not reset a PostgreSQL', async () => {
    const { child, output } = run([...data(), '--reset'], { DATABASE_URL: 'postgres://localhost/x' });
    expect(await exited(child)).toBe(2);
    expect(output.err).toMatch(/never the database of DATABASE_URL/);
  });
});
