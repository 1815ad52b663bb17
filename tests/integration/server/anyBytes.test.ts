/** Whatever bytes arrive over HTTP or a WebSocket, the next request is answered. */

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { SupabaseTransport } from '@/lib/supabase/transport';
import { type DemoStack, startDemoStack } from '../../support/demoStack';

let demo: DemoStack;
let token: string;
let userId: string;
let transport: SupabaseTransport;

beforeAll(async () => {
  demo = await startDemoStack();
  const signedIn = await demo.signIn('owner');
  userId = signedIn.userId;
  token = (await signedIn.client.auth.getSession()).data.session?.access_token ?? '';
  transport = new SupabaseTransport(signedIn.client);
});
afterAll(() => demo?.stack.close());

/** Sends on a connection of its own, which the server may close over a body that it did not read. */
async function send(method: string, target: string, body: Buffer, isSignedIn: boolean) {
  const sending = request(`${demo.stack.url}${target}`, {
    method,
    agent: false,
    headers: {
      apikey: demo.stack.anonKey,
      'content-type': 'application/json',
      ...(isSignedIn && { authorization: `Bearer ${token}` }),
    },
  });
  sending.end(body);
  const [answer] = (await once(sending, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, said: await text(answer) };
}

async function expectAnswered(): Promise<void> {
  const asked = { protocol: 3, schema: 1, user_id: userId, cursors: {}, skip: {}, limit: 10 };
  const answered = await transport.pull(asked, new AbortController().signal);
  expect(answered.ok).toBe(true);
}

const TARGETS = [
  '/rest/v1/rpc/sync_pull',
  '/rest/v1/rpc/sync_push',
  '/rest/v1/rpc/get_workspaces',
  '/rest/v1/rpc/accept_invitation',
  '/rest/v1/rpc/no_such_function',
  '/rest/v1/tasks',
  '/auth/v1/signup',
  '/auth/v1/token?grant_type=password',
  '/auth/v1/user',
] as const;

/** JSON that nests so deep, within what a function takes or a sign-up asks for. */
const nested = fc
  .tuple(fc.constantFrom('[', '{"a":', '[{"request":'), fc.constantFrom(90, 130, 1_000, 6_000, 50_000))
  .map(([open, depth]) => {
    const close = [...open]
      .reverse()
      .map((c) => (c === '[' ? ']' : c === '{' ? '}' : ''))
      .join('');
    const value = `${open.repeat(depth)}1${close.repeat(depth)}`;
    return `{"request": ${value}, "data": ${value}, "email": "a@b.example", "password": "longer than that"}`;
  });
const bytes = fc.uint8Array({ maxLength: 300 }).map((all) => Buffer.from(all).toString('latin1'));
const json = fc.jsonValue({ maxDepth: 6 }).map((value) => JSON.stringify({ request: value }));
const body = fc.oneof(nested, bytes, json);

describe('any bytes', () => {
  it('over HTTP, signed in or not, leave the server answering (P33)', async () => {
    const sent = fc.record({
      target: fc.constantFrom(...TARGETS),
      body,
      isSignedIn: fc.boolean(),
      method: fc.constantFrom('POST', 'PUT'),
    });
    await fc.assert(
      fc.asyncProperty(sent, async ({ target, body, isSignedIn, method }) => {
        const { status, said } = await send(method, target, Buffer.from(body, 'latin1'), isSignedIn);
        expect(status, said).toBeLessThan(500);
        await expectAnswered();
      }),
      { numRuns: 80 },
    );
  });

  it('that nest too deep are refused as PostgreSQL does, with what to do', async () => {
    const nesting = (depth: number) =>
      send('POST', TARGETS[0], Buffer.from(`{"request": ${'['.repeat(depth)}${']'.repeat(depth)}}`), true);
    const refused = await nesting(6_000);
    expect(refused.status).toBe(413);
    expect(JSON.parse(refused.said)).toMatchObject({
      code: '54001',
      details: expect.stringContaining('128 levels'),
    });
    expect(JSON.parse((await nesting(100)).said)).toMatchObject({ error: { code: 'malformed' } });
    await expectAnswered();
  });

  it('over a WebSocket leave the server answering, other sockets too (P33)', async () => {
    const url = `${demo.stack.url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${demo.stack.anonKey}&vsn=`;
    const frames = fc.record({
      version: fc.constantFrom('1.0.0', '2.0.0'),
      sent: fc.array(fc.tuple(body, fc.boolean()), { minLength: 1, maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(frames, async ({ version, sent }) => {
        const socket = new WebSocket(`${url}${version}`);
        socket.on('error', () => {});
        await once(socket, 'open');
        for (const [frame, binary] of sent) socket.send(Buffer.from(frame, 'latin1'), { binary });
        const other = new WebSocket(`${url}1.0.0`);
        await once(other, 'open');
        other.send(JSON.stringify({ topic: 'phoenix', event: 'heartbeat', payload: {}, ref: '1' }));
        const [reply] = (await once(other, 'message')) as [Buffer];
        expect(JSON.parse(reply.toString())).toMatchObject({ event: 'phx_reply', ref: '1' });
        socket.terminate();
        other.terminate();
      }),
      { numRuns: 30 },
    );
    await expectAnswered();
  });
});
