/** What anybody can send, byte by byte, and what breaks underneath: none of it ends the process. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LocalStack } from '@/server';
import { purgeDaily } from '@/server/database/purge';
import { startProbe } from './probe';

let stack: LocalStack;
const ended: unknown[] = [];
const note = (error: unknown) => ended.push(error);

beforeAll(async () => {
  stack = await startProbe();
  process.on('uncaughtException', note);
  process.on('unhandledRejection', note);
});
afterEach(async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(ended.splice(0), 'this would have ended the process').toEqual([]);
  expect((await fetch(`${stack.url}/auth/v1/health`)).status).toBe(401);
});
afterAll(async () => {
  process.off('uncaughtException', note);
  process.off('unhandledRejection', note);
  await stack?.close();
});

/** A client that never closes its own side. */
function open(): Socket {
  const { hostname, port } = new URL(stack.url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.on('error', () => {});
  return socket;
}

const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

function head(target: string, headers = UPGRADE, host = new URL(stack.url).host): string {
  return [`GET ${target} HTTP/1.1`, `Host: ${host}`, ...headers, '', ''].join('\r\n');
}

/** @returns the first line of the answer, once the server has said all it has to say. */
async function answerTo(bytes: string): Promise<string> {
  const socket = open();
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.write(bytes, 'latin1');
  await Promise.race([once(socket, 'end'), once(socket, 'close')]);
  socket.destroy();
  return answer.split('\r\n')[0] ?? '';
}

describe('an upgrade', () => {
  it.each(['//', 'http://[', '//[', 'http://a b', '/\\['])('to %s is refused', async (target) => {
    expect(await answerTo(head(target))).toMatch(/^HTTP\/1\.1 40\d /);
  });

  it.each(['//', 'http://['])('to %s, which is no address, is a bad request', async (target) => {
    expect(await answerTo(head(target))).toBe('HTTP/1.1 400 Bad Request');
  });

  it.each(['[', 'a:b:c', '%00', ''])('to the host "%s" is a bad request', async (host) => {
    const bytes = head('/realtime/v1/websocket', UPGRADE, host);
    expect(await answerTo(bytes)).toBe('HTTP/1.1 400 Bad Request');
  });

  it('without the headers of a WebSocket is a bad request', async () => {
    const target = `/realtime/v1/websocket?apikey=${stack.anonKey}`;
    for (const headers of [
      UPGRADE.slice(0, 2),
      UPGRADE.slice(0, 3),
      [...UPGRADE.slice(0, 3), 'Sec-WebSocket-Key: x'],
    ]) {
      expect(await answerTo(head(target, headers))).toMatch(/^HTTP\/1\.1 400 /);
    }
  });

  it('that is refused leaves no descriptor behind, though the client keeps its side open', async () => {
    const held: Socket[] = [];
    const hold = (socket: Socket) => held.push(socket);
    stack.server.on('connection', hold);
    const clients = Array.from({ length: 20 }, open);
    for (const client of clients) {
      client.resume();
      client.write(head('/elsewhere'));
    }
    await Promise.all(clients.map((client) => once(client, 'end')));
    stack.server.off('connection', hold);
    await expect.poll(() => held.filter(({ destroyed }) => !destroyed)).toEqual([]);
    expect(held).toHaveLength(20);
    for (const client of clients) client.destroy();
  });

  it('that is cut off while it is refused does no harm', async () => {
    for (let i = 0; i < 20; i++) {
      const client = open();
      await once(client, 'connect');
      client.write(head(i % 2 ? '/elsewhere' : `/realtime/v1/websocket?apikey=${stack.anonKey}&vsn=2.0.0`));
      client.resetAndDestroy();
    }
  });
});

describe('a request', () => {
  it.each([
    ['no HTTP', 'nonsense\r\n\r\n'],
    ['a target that is no address', 'GET http://[ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'],
    ['a host that is none', 'GET / HTTP/1.1\r\nHost: [\r\nConnection: close\r\n\r\n'],
    ['no host', 'GET / HTTP/1.0\r\n\r\n'],
    ['a method nobody knows', 'CONNECT evil:1 HTTP/1.1\r\nHost: evil\r\n\r\n'],
    ['a broken length', 'POST /auth/v1/signup HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n'],
    [
      'a broken chunk',
      'POST /rest/v1/rpc/echo HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    ],
  ])('with %s is answered or cut', async (_, bytes) => {
    expect(await answerTo(bytes)).toMatch(/^(HTTP\/1\.1 [345]\d\d |$)/);
  });

  it.each([
    '//',
    '/%',
    '/%00',
    '/%ff',
    '/assets/%2e%2e/',
    '/..\\',
    '/convoy.json?%',
    `/${'a/'.repeat(5_000)}`,
  ])('for %s is answered', async (target) => {
    expect(await answerTo(head(target, ['Connection: close']))).toMatch(/^HTTP\/1\.1 [2345]\d\d /);
  });

  it('whose client disconnects in the middle of it does no harm', async () => {
    const key = `apikey: ${stack.anonKey}`;
    const post = (path: string, length: number, body: string) =>
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${key}\r\nContent-Length: ${length}\r\n\r\n${body}`;
    const cut = [
      post('/auth/v1/token?grant_type=password', 500, '{"email"'),
      post('/rest/v1/rpc/echo', 500, '{"request"'),
      post('/rest/v1/rpc/echo', 16, '{"request":"ab"}'),
      post('/nowhere', 500, 'x'),
      head('/', []),
    ];
    for (const bytes of cut) {
      const client = open();
      await once(client, 'connect');
      client.write(bytes);
      await new Promise((resolve) => setTimeout(resolve, 10));
      client.resetAndDestroy();
    }
  });
});

/** A frame as clients send them: masked, with a mask of zeros. */
function frame(opcode: number, payload: Buffer | string, { fin = true, reserved = 0 } = {}): Buffer {
  const data = Buffer.from(payload);
  const first = (fin ? 0x80 : 0) | reserved | opcode;
  const length =
    data.length < 126 ? [0x80 | data.length] : [0x80 | 126, data.length >> 8, data.length & 0xff];
  return Buffer.concat([Buffer.from([first, ...length, 0, 0, 0, 0]), data]);
}

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;

async function upgraded(version: string): Promise<Socket> {
  const client = open();
  client.write(head(`/realtime/v1/websocket?apikey=${stack.anonKey}&vsn=${version}`));
  const [answer] = (await once(client, 'data')) as [Buffer];
  expect(String(answer)).toMatch(/^HTTP\/1\.1 101 /);
  client.resume();
  return client;
}

describe('a connection', () => {
  it.each<[string, Buffer]>([
    ['an unmasked frame', Buffer.from([0x81, 1, 0x61])],
    ['reserved bits', frame(TEXT, 'x', { reserved: 0x70 })],
    ['an opcode nobody knows', frame(7, 'x')],
    [
      'a frame longer than memory',
      Buffer.from([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
    ],
    ['text that is no UTF-8', frame(TEXT, Buffer.from([0xff, 0xfe]))],
    ['a continuation of nothing', frame(0, 'x')],
    ['a close of one byte', frame(CLOSE, 'x')],
    ['a close with a code there is not', frame(CLOSE, Buffer.from([0, 1]))],
    ['an empty binary message', frame(BINARY, '')],
    ['a broadcast whose lengths lie', frame(BINARY, Buffer.from([3, 255, 255, 255, 255, 255, 1]))],
    ...[
      '',
      'null',
      '0',
      '"text"',
      '[]',
      '{}',
      '[null,null,null,null,null]',
      '['.repeat(60_000),
      '{"topic":{}}',
    ].map((text): [string, Buffer] => [`the message ${text.slice(0, 30)}`, frame(TEXT, text)]),
  ])('that sends %s is closed', async (_, bytes) => {
    for (const version of ['1.0.0', '2.0.0']) {
      const client = await upgraded(version);
      client.write(bytes);
      const [answer] = (await once(client, 'data')) as [Buffer];
      expect(answer[0]).toBe(0x80 | CLOSE);
      client.destroy();
    }
  });

  it('may ask for anything and be cut off at any time', async () => {
    const strange = [
      ['1', '1', 'realtime:\0', 'phx_join', { config: { private: true }, access_token: stack.anonKey }],
      ['1', '1', 'realtime:\ud800', 'phx_join', { config: { private: true } }],
      [
        '1',
        '1',
        'realtime:a',
        'phx_join',
        { config: { private: true, presence: 3, broadcast: [], postgres_changes: {} } },
      ],
      ['1', '1', 'realtime:a', 'phx_join', { config: null, access_token: 'a.b.c' }],
      [{}, [], 'phoenix', 'heartbeat', []],
      ['1', '1', '__proto__', 'constructor', { __proto__: null }],
    ];
    for (const message of strange) {
      const client = await upgraded('2.0.0');
      client.write(frame(TEXT, JSON.stringify(message)));
      if (message !== strange[0]) await once(client, 'data');
      client.resetAndDestroy();
    }
    const client = await upgraded('2.0.0');
    client.write(frame(TEXT, '["1","1","realtime:a"', { fin: false }));
    client.resetAndDestroy();
  });
});

describe('database and listener', () => {
  it('any notification is survived', async () => {
    const client = await upgraded('2.0.0');
    for (const payload of [
      '',
      'null',
      '{',
      '[]',
      '{"topic":1}',
      `{"topic":"a","event":"b","private":true,"payload":${'['.repeat(3_500)}${']'.repeat(3_500)}}`,
    ]) {
      const sent = await stack.backend.transaction((connection) =>
        connection.query("select pg_notify('realtime_messages', $1)", [payload]),
      );
      expect(sent.ok).toBe(true);
    }
    client.destroy();
  });

  it('a failed accept is survived', () => {
    expect(() => stack.server.emit('error', new Error('accept EMFILE'))).not.toThrow();
  });

  it('a purge that throws is logged', async () => {
    const told: string[] = [];
    const broken = { ...stack.backend, transaction: () => Promise.reject(new Error('unreachable')) };
    const stop = purgeDaily(broken, (message) => told.push(message), { firstMs: 0, everyMs: 60_000 });
    await expect.poll(() => told).toEqual([expect.stringContaining('unreachable')]);
    await stop();
  });
});
