/** The channels of the local stack: who may listen, and what the connection does. */

import { randomUUID } from 'node:crypto';
import type { RealtimeChannel } from '@supabase/supabase-js';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import type { ConvoyClient } from '@/lib/supabase/client';
import { WAIT_MS } from '../../support/patience';
import { SEED } from '../../support/seed';
import { type TestDevice, World } from '../../support/world';
import { startProbe } from '../server/probe';

let world: World;
let writer: TestDevice;
beforeAll(async () => {
  world = await World.start();
  writer = await world.device('owner');
  await writer.sync();
});
afterAll(() => world.close());

const TOPIC = `workspace:${SEED.workspace}`;
const eventually = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: WAIT_MS, interval: 20 });

async function write(title: string): Promise<void> {
  await writer.contextService.createTask({ milestone_id: SEED.offlineMilestone, title });
  const { error } = await writer.sync();
  expect(error).toBeNull();
}

interface Joined {
  channel: RealtimeChannel;
  /** `SUBSCRIBED`, or the reason why not. */
  answer: string;
  /** Payloads of broadcasts. */
  heard: Record<string, unknown>[];
  statuses: string[];
}

/** Joins as supabase-js does, and waits for the answer. */
async function join(
  client: ConvoyClient,
  topic: string,
  config: object = { private: true },
): Promise<Joined> {
  await client.realtime.setAuth();
  const heard: Record<string, unknown>[] = [];
  const statuses: string[] = [];
  const channel = client.channel(topic, { config });
  const answer = await new Promise<string>((resolve) => {
    channel
      .on('broadcast', { event: '*' }, ({ event, payload }) => heard.push({ event, ...payload }))
      .subscribe((status, error) => {
        statuses.push(status);
        resolve(error?.message ?? status);
      });
  });
  // Refused, realtime-js would go on trying.
  if (answer !== 'SUBSCRIBED') await client.removeChannel(channel);
  return { channel, answer, heard, statuses };
}

/** A token as the stack signs them, that expires when the test says. */
function tokenOf(userId: string, seconds: number, secret = world.stack.jwtSecret): Promise<string> {
  return new SignJWT({ role: 'authenticated' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(userId)
    .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
    .sign(new TextEncoder().encode(secret));
}

/** A connection that speaks the protocol by hand. */
class Raw {
  readonly received: unknown[][] = [];
  closed: number | null = null;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => this.received.push(JSON.parse(String(data))));
    socket.on('close', (code) => {
      this.closed = code;
    });
    socket.on('error', () => {});
  }

  /** @returns the connection, or the HTTP status it was refused with. */
  static open(query: Record<string, string> = {}, path = '/realtime/v1/websocket'): Promise<Raw | number> {
    const search = new URLSearchParams({ apikey: world.stack.anonKey, vsn: '2.0.0', ...query });
    const socket = new WebSocket(`${world.stack.url.replace('http', 'ws')}${path}?${search}`);
    const raw = new Raw(socket);
    return new Promise((resolve) => {
      socket.once('open', () => resolve(raw));
      socket.once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    });
  }

  send(...message: unknown[]): void {
    this.socket.send(JSON.stringify(message));
  }

  /** @returns the reply to the message with this ref. */
  reply(ref: string): Promise<{ status: string; response: Record<string, unknown> }> {
    return eventually(() => {
      const found = this.received.find((one) => one[1] === ref && one[3] === 'phx_reply');
      expect(found).toBeDefined();
      return found?.[4] as { status: string; response: Record<string, unknown> };
    });
  }

  async join(token: string, topic = TOPIC): Promise<void> {
    const config = { private: true };
    this.send('1', '1', `realtime:${topic}`, 'phx_join', { config, access_token: token });
    expect(await this.reply('1')).toMatchObject({ status: 'ok' });
  }

  events(): unknown[] {
    return this.received.map((one) => one[3]).filter((event) => event !== 'phx_reply');
  }
}

async function raw(): Promise<Raw> {
  const opened = await Raw.open();
  if (typeof opened === 'number') throw new Error(`refused with ${opened}`);
  return opened;
}

describe('joining a topic', () => {
  it('members join their workspace, signed-in users the reference data, and each user their own topic (K4)', async () => {
    for (const role of ['owner', 'editor', 'viewer', 'agent']) {
      const { client, userId } = await world.signIn(role);
      for (const topic of [TOPIC, `workspace:${GLOBAL_SCOPE_ID}`, `user:${userId}`]) {
        expect((await join(client, topic)).answer, `${role}, ${topic}`).toBe('SUBSCRIBED');
      }
      await client.removeAllChannels();
    }
  });

  it('strangers, other users, callers without an account and missing topics are refused (K4, P-PRIVATE)', async () => {
    const { client } = await world.signIn('stranger');
    for (const topic of [
      TOPIC,
      `user:${SEED.users.owner}`,
      `workspace:${randomUUID()}`,
      'workspace:x',
      '*',
      'a',
    ]) {
      expect((await join(client, topic)).answer, topic).toMatch(/^Unauthorized: /);
    }
    const owner = await world.signIn('owner');
    await owner.client.auth.signOut();
    for (const topic of [TOPIC, `workspace:${GLOBAL_SCOPE_ID}`]) {
      expect((await join(owner.client, topic)).answer, topic).toMatch(/^Unauthorized: /);
    }
  });

  it('a forged or expired token is refused (K4)', async () => {
    const connection = await raw();
    const tokens = [
      await tokenOf(SEED.users.owner, 60, 'x'.repeat(40)),
      await tokenOf(SEED.users.owner, -60),
      'nonsense',
    ];
    for (const [index, access_token] of tokens.entries()) {
      const ref = String(index + 1);
      connection.send(ref, ref, `realtime:${TOPIC}`, 'phx_join', { config: { private: true }, access_token });
      const { status, response } = await connection.reply(ref);
      expect(status).toBe('error');
      expect(response.reason).toMatch(/^InvalidJWTToken: /);
    }
    connection.socket.close();
  });

  it('a channel closes when its token expires, and stays open when the token is renewed before (K4)', async () => {
    const [left, kept] = [await raw(), await raw()];
    await left.join(await tokenOf(SEED.users.editor, 2));
    await kept.join(await tokenOf(SEED.users.editor, 2));
    kept.send('1', '2', `realtime:${TOPIC}`, 'access_token', {
      access_token: await tokenOf(SEED.users.editor, 600),
    });
    await kept.reply('2');
    await eventually(() => expect(left.events()).toEqual(['system', 'phx_close']));
    await write('After the token');
    await eventually(() => expect(kept.events()).toEqual(['broadcast']));
    expect(left.events()).toEqual(['system', 'phx_close']);
    for (const { socket } of [left, kept]) socket.close();
  });

  it('a former member hears nothing once the token is renewed (K4)', async () => {
    const { client, userId } = await world.signIn('leaving');
    const member = randomUUID();
    const change = async (statement: string) => {
      const done = await world.stack.backend.transaction((connection) => connection.execute(statement));
      expect(done.ok).toBe(true);
    };
    await change(`insert into public.workspace_members (id, workspace_id, user_id, role)
      values ('${member}', '${SEED.workspace}', '${userId}', 'viewer')`);
    const joined = await join(client, TOPIC);
    expect(joined.answer).toBe('SUBSCRIBED');
    await write('Still a member');
    await eventually(() => expect(joined.heard).toHaveLength(1));

    await change(`update public.workspace_members set deleted_at = now() where id = '${member}'`);
    await eventually(() => expect(joined.heard).toHaveLength(2));
    // Two tokens of one second are the same token, and the same is not looked at again.
    const { data: before } = await client.auth.getSession();
    await eventually(async () => {
      const { data } = await client.auth.refreshSession();
      expect(data.session?.access_token).not.toBe(before.session?.access_token);
    });
    await eventually(() => expect(joined.statuses).toContain('CLOSED'));
    await write('No member any more');
    expect((await join(client, TOPIC)).answer).toMatch(/^Unauthorized: /);
    expect(joined.heard).toHaveLength(2);
    await client.removeAllChannels();
  });

  it('only the database sends, and unused Realtime features are refused (K4)', async () => {
    const { client } = await world.signIn('owner');
    for (const config of [
      {},
      { private: false },
      { private: true, presence: { enabled: true } },
      { private: true, broadcast: { replay: { since: 1 } } },
    ]) {
      expect((await join(client, TOPIC, config)).answer, JSON.stringify(config)).not.toBe('SUBSCRIBED');
    }
    const { channel, answer } = await join(client, TOPIC, { private: true, broadcast: { ack: true } });
    expect(answer).toBe('SUBSCRIBED');
    expect(await channel.send({ type: 'broadcast', event: 'advanced', payload: { revision: 1e9 } })).toBe(
      'error',
    );
    expect(await channel.track({ here: true })).toBe('error');
    await client.removeAllChannels();
  });
});

describe('broadcasts', () => {
  it('a transaction sends one broadcast for each scope, with the revision and nothing of the rows (K1)', async () => {
    const { client } = await world.signIn('viewer');
    const { heard } = await join(client, TOPIC);
    const service = await world.device('editor');
    await service.sync();
    for (const title of ['one', 'two', 'three']) {
      await service.contextService.createTask({ milestone_id: SEED.offlineMilestone, title });
    }
    await service.sync();
    await write('another');
    await eventually(() => expect(heard).toHaveLength(2));
    const [first, second] = heard.map(({ revision }) => Number(revision));
    expect(second).toBe((first ?? 0) + 1);
    expect(Object.keys(heard[0] ?? {}).sort()).toEqual(['event', 'id', 'revision']);
    await client.removeAllChannels();
  });

  it('a transaction that is rolled back sends nothing, and a write goes on when nothing can be sent (K1, K3)', async () => {
    const { client } = await world.signIn('viewer');
    const { heard } = await join(client, TOPIC);
    const rename = `update public.workspaces set description = gen_random_uuid()::text where id = '${SEED.workspace}'`;
    const { backend } = world.stack;
    await backend.transaction((connection) => connection.execute(`${rename}; select 1 / 0`));
    const hide = (from: string, to: string) => `alter function realtime.${from} rename to ${to}`;
    const signature = '(jsonb, text, text, boolean)';
    const unsent = await backend.transaction((connection) =>
      connection.execute(
        `${hide(`send${signature}`, 'hidden')}; ${rename}; ${hide(`hidden${signature}`, 'send')}`,
      ),
    );
    expect(unsent.ok).toBe(true);
    await write('Heard');
    await eventually(() => expect(heard).toHaveLength(1));
    await client.removeAllChannels();
  });

  it('the older serialization is understood too', async () => {
    const opened = await Raw.open({ vsn: '1.0.0' });
    if (typeof opened === 'number') throw new Error(`refused with ${opened}`);
    const topic = `realtime:${TOPIC}`;
    const access_token = await tokenOf(SEED.users.viewer, 60);
    const payload = { config: { private: true }, access_token };
    opened.socket.send(JSON.stringify({ topic, event: 'phx_join', payload, ref: '1', join_ref: '1' }));
    await eventually(() =>
      expect(opened.received).toEqual([
        {
          topic,
          event: 'phx_reply',
          ref: '1',
          join_ref: '1',
          payload: expect.objectContaining({ status: 'ok' }),
        },
      ]),
    );
    opened.socket.close();
  });
});

describe('the connection', () => {
  it('is refused without a key, with another version, and on another path', async () => {
    expect(await Raw.open({ apikey: 'wrong' })).toBe(401);
    expect(await Raw.open({ vsn: '9' })).toBe(400);
    expect(await Raw.open({}, '/realtime/v1/longpoll')).toBe(404);
    expect((await fetch(`${world.stack.url}/realtime/v1/websocket`)).status).toBe(404);
  });

  it('answers heartbeats, and refuses messages of no channel', async () => {
    const connection = await raw();
    connection.send(null, '1', 'phoenix', 'heartbeat', {});
    expect(await connection.reply('1')).toEqual({ status: 'ok', response: {} });
    connection.send('1', '2', `realtime:${TOPIC}`, 'access_token', { access_token: 'x' });
    expect(await connection.reply('2')).toMatchObject({ status: 'error' });
    connection.socket.close();
  });

  it('is closed on malformed and oversized messages', async () => {
    const [nonsense, long] = [await raw(), await raw()];
    nonsense.socket.send('nonsense');
    await eventually(() => expect(nonsense.closed).toBe(1003));
    long.send('1', '1', `realtime:${TOPIC}`, 'phx_join', { access_token: 'x'.repeat(70_000) });
    await eventually(() => expect(long.closed).toBe(1009));
  });

  it('closes the earlier channel of a topic that is joined again', async () => {
    const connection = await raw();
    const payload = { config: { private: true }, access_token: await tokenOf(SEED.users.owner, 60) };
    for (const ref of ['1', '2', '3']) {
      connection.send(ref, ref, `realtime:${TOPIC}`, 'phx_join', payload);
      expect(await connection.reply(ref)).toMatchObject({ status: 'ok' });
    }
    expect(connection.received.filter((one) => one[3] === 'phx_close').map(([joinRef]) => joinRef)).toEqual([
      '1',
      '2',
    ]);
    await write('Heard once');
    await eventually(() => expect(connection.events()).toContain('broadcast'));
    expect(connection.events().filter((event) => event === 'broadcast')).toHaveLength(1);
    connection.socket.close();
  });

  it('is cut when the client is silent, and closed with the stack', async () => {
    const stack = await startProbe({ heartbeatTimeoutMs: 400 });
    const search = new URLSearchParams({ apikey: stack.anonKey, vsn: '2.0.0' });
    const connect = async () => {
      const socket = new WebSocket(`${stack.url.replace('http', 'ws')}/realtime/v1/websocket?${search}`);
      await new Promise((resolve) => socket.once('open', resolve));
      return { socket, closed: new Promise<number>((resolve) => socket.once('close', resolve)) };
    };
    const [silent, alive] = [await connect(), await connect()];
    const heartbeats = setInterval(
      () => alive.socket.send(JSON.stringify([null, '1', 'phoenix', 'heartbeat', {}])),
      50,
    );
    expect(await silent.closed).toBe(1006);
    clearInterval(heartbeats);
    await stack.close();
    expect(await alive.closed).toBe(1001);
  });
});
