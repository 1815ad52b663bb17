import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, startLocalStack } from '@/server';
import { clientOf, newMember, probeSql, startProbe } from './probe';

let stack: LocalStack;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-web-'));
  const webRoot = join(folder, 'web');
  mkdirSync(join(webRoot, 'assets'), { recursive: true });
  writeFileSync(join(folder, 'secret.txt'), 'not for the web');
  writeFileSync(join(webRoot, 'index.html'), '<!doctype html><title>Convoy</title>');
  writeFileSync(join(webRoot, 'assets/app-abc123.js'), `console.log(${JSON.stringify('x'.repeat(5000))})`);
  writeFileSync(join(webRoot, 'sqlite3.wasm'), 'wasm');
  stack = await startProbe({ webRoot });
});
afterAll(async () => {
  await stack?.close();
  rmSync(folder, { recursive: true, force: true });
});

const get = (path: string) => fetch(`${stack.url}${path}`, { headers: { 'Accept-Encoding': 'gzip' } });

describe('the web app', () => {
  it.each(['/', '/index.html', '/tasks/018f-some-task', '/workspaces?sort=name'])(
    'answers %s with the page, never from a cache',
    async (path) => {
      const response = await get(path);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain('<title>Convoy</title>');
      expect(response.headers.get('cache-control')).toBe('no-cache');
      expect(response.headers.get('content-type')).toMatch(/^text\/html/);
    },
  );

  it('lets hashed assets be kept for ever, compressed', async () => {
    const response = await get('/assets/app-abc123.js');
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(response.headers.get('content-type')).toMatch(/javascript/);
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect((await get('/sqlite3.wasm')).headers.get('content-type')).toBe('application/wasm');
    expect((await get('/sqlite3.wasm')).headers.get('cache-control')).toBe('no-cache');
  });

  it('answers 404 for a missing file, not with the page', async () => {
    expect((await get('/assets/old-def456.js')).status).toBe(404);
    expect((await get('/favicon.ico')).status).toBe(404);
  });

  it.each(['/../secret.txt', '/..%2fsecret.txt', '/assets/..%2f..%2fsecret.txt', '/%2e%2e/secret.txt'])(
    'does not leave its folder for %s',
    async (path) => {
      expect(await raw(path)).not.toContain('not for the web');
    },
  );

  it('locks the page down', async () => {
    const { headers } = await get('/');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe-eval;');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('strict-transport-security')).toBeNull();
  });

  it('tells the page where its Supabase is', async () => {
    const response = await get('/convoy.json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({ supabaseUrl: stack.url, anonKey: stack.anonKey, demo: null });
  });

  it('says so when it has not been built', async () => {
    const bare = await startProbe({ webRoot: join(folder, 'nowhere') });
    const response = await fetch(bare.url);
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('npm run build');
    await bare.close();
  });
});

describe('the listener', () => {
  it('goes away and comes back like a network, with everything kept', async () => {
    const client = await newMember(stack, 'traveller@example.com');
    await stack.suspend();
    expect((await client.rpc('whoami')).error?.message).toMatch(/fetch failed/);
    await stack.resume();
    expect((await client.rpc('whoami')).error).toBeNull();
  });

  it('lets a running request finish before it closes', async () => {
    const closing = await startProbe();
    const client = await newMember(closing, 'slow@example.com');
    await closing.backend.transaction((connection) =>
      connection.execute(`
        create function public.slow() returns text language sql volatile as
          $$ select count(*)::text from generate_series(1, 3000000) $$
      `),
    );
    const answer = client.rpc('slow').then((result) => result);
    await new Promise((resolve) => closing.server.once('request', resolve));
    await closing.close();
    expect((await answer).data).toBe('3000000');
    expect((await clientOf(closing).rpc('whoami')).error).not.toBeNull();
    await closing.close();
  });

  it('does not wait for an upgraded connection when the network goes away', async () => {
    stack.server.once('upgrade', (_request, socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
    );
    const { hostname, port } = new URL(stack.url);
    const upgraded = connect(Number(port), hostname);
    upgraded.write('GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await new Promise((resolve) => upgraded.once('data', resolve));
    const gone = new Promise((resolve) => upgraded.once('close', resolve));
    await stack.suspend();
    await gone;
    await stack.resume();
  });

  it('refuses a busy port as a value', async () => {
    const port = Number(new URL(stack.url).port);
    const second = await startLocalStack({ data: { kind: 'memory' }, sql: probeSql(), port });
    expect(second).toMatchObject({ ok: false, error: { code: 'port_in_use' } });
  });
});

/** fetch() would tidy the path up before sending it. */
function raw(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(stack.url);
    request({ hostname, port, path }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
}
