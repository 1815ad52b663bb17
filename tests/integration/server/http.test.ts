import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { type LocalStack, serveHostedApp, startLocalStack } from '@/server';
import { createHostCheck } from '@/server/http/hosts';
import { bareTemplate } from '../../support/template';
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
  writeFileSync(join(webRoot, 'assets/built-def456.js'), BUILT);
  writeFileSync(join(webRoot, 'assets/built-def456.js.br'), brotliCompressSync(BUILT));
  stack = await startProbe({ webRoot });
});
afterAll(async () => {
  await stack?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Long enough to be worth it. */
const BUILT = `console.log(${JSON.stringify('built '.repeat(2_000))})`;

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

  it('sends what the build has compressed to those who take it, and the file itself to others', async () => {
    const ask = async (encoding: string) => {
      const response = await fetch(`${stack.url}/assets/built-def456.js`, {
        headers: { 'Accept-Encoding': encoding },
      });
      const { headers } = response;
      return [
        headers.get('content-encoding'),
        headers.get('content-type'),
        headers.get('vary'),
        headers.get('cache-control'),
        await response.text(),
      ];
    };
    const rest = [
      'text/javascript; charset=utf-8',
      'Accept-Encoding',
      'public, max-age=31536000, immutable',
      BUILT,
    ];
    expect(await ask('gzip, deflate, br, zstd')).toEqual(['br', ...rest]);
    expect(await ask('gzip')).toEqual(['gzip', ...rest]);
    expect(await ask('identity')).toEqual([null, ...rest]);
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

  it('gives the page the address of its Supabase', async () => {
    const response = await get('/convoy.json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({ supabaseUrl: stack.url, anonKey: stack.anonKey, demo: null });
  });

  it('reports a missing build', async () => {
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

  it('finishes a running request before it closes', async () => {
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
    const upgraded = new WebSocket(
      `${stack.url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${stack.anonKey}&vsn=2.0.0`,
    );
    await new Promise((resolve) => upgraded.once('open', resolve));
    const gone = new Promise((resolve) => upgraded.once('close', resolve));
    await stack.suspend();
    await gone;
    await stack.resume();
  });

  it('lets the largest batch arrive at 2 KB/s, which devices wait for (D55)', () => {
    const largest = 3 * 250_000;
    expect((stack.server.requestTimeout / 1_000) * 2_000).toBeGreaterThan(largest);
  });

  it('refuses a busy port as a value', async () => {
    const port = Number(new URL(stack.url).port);
    const second = await startLocalStack({
      data: { kind: 'memory', template: await bareTemplate() },
      sql: probeSql(),
      port,
    });
    expect(second).toMatchObject({ ok: false, error: { code: 'port_in_use' } });
  });
});

describe('the host name of a request', () => {
  const upgrade = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  const socketPath = () => `/realtime/v1/websocket?apikey=${stack.anonKey}&vsn=2.0.0`;
  const status = async (path: string, headers: Record<string, string>, url = stack.url) =>
    (await ask(url, path, headers)).status;

  it.each(['localhost', 'LOCALHOST:8787', '127.0.0.1', '[::1]:1'])('may be %s', async (host) => {
    expect(await status('/convoy.json', { host })).toBe(200);
    expect(await status(socketPath(), { host, ...upgrade })).toBe(101);
  });

  it.each([
    'evil.example',
    'evil.example:8787',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1',
  ])(
    'may not be %s: a page under a foreign name that resolves to this machine learns nothing',
    async (host) => {
      const answer = await ask(stack.url, '/convoy.json', { host });
      expect(answer.status).toBe(421);
      expect(answer.text).not.toContain(stack.anonKey);
      expect(await status('/', { host })).toBe(421);
      expect(await status('/auth/v1/health', { host, apikey: stack.anonKey })).toBe(421);
      expect(await status(socketPath(), { host, ...upgrade })).toBe(421);
    },
  );

  it('is the one in the target, where the target has one', async () => {
    expect(await status('http://evil.example/convoy.json', {})).toBe(421);
    expect(await status(`http://evil.example${socketPath()}`, upgrade)).toBe(421);
  });

  it('may be a configured one', () => {
    const answersTo = createHostCheck('Box.example', '127.0.1.1');
    expect(['box.example', 'localhost', 'evil.example'].map(answersTo)).toEqual([true, true, false]);
  });

  it('may be any when other machines can connect', async () => {
    const app = { supabase: { url: 'https://project.supabase.co', anonKey: 'key' } };
    for (const [given, host, expected] of [
      ['0.0.0.0', 'box.example', 200],
      ['localhost', 'box.example', 421],
    ] as const) {
      const started = await serveHostedApp({ ...app, host: given });
      if (!started.ok) throw new Error(started.error.message);
      expect(await status('/convoy.json', { host }, started.value.url), `${host} at ${given}`).toBe(expected);
      await started.value.close();
    }
  });

  it('a WebSocket is opened by programs and by pages of this machine alone', async () => {
    for (const [origin, expected] of [
      [stack.url, 101],
      ['http://localhost:5173', 101],
      ['https://evil.example', 403],
      ['http://localhost.evil.example', 403],
      ['null', 403],
    ] as const) {
      expect(await status(socketPath(), { ...upgrade, origin }), origin).toBe(expected);
    }
  });
});

/** fetch() would tidy the path up before sending it. */
const raw = async (path: string) => (await ask(stack.url, path)).text;

interface Answer {
  status: number;
  text: string;
}

/** fetch() lets nobody choose the host, either. */
function ask(url: string, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    request({ hostname, port, path, headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    })
      .on('upgrade', ({ statusCode = 0 }, socket) => {
        socket.destroy();
        resolve({ status: statusCode, text: '' });
      })
      .on('error', reject)
      .end();
  });
}
