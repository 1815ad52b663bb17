/** The WebSocket of one client, and the channels that it has joined. */

import type { RawData, WebSocket } from 'ws';
import { fail, ok, type Result } from '@/core/result';
import type { Claims, Tokens } from '../auth/tokens';
import { decodeMessage, encodeMessage, isObject, type Message, type Serialization } from './messages';

/** Unsent bytes after which a client counts as not reading, and is disconnected. */
const MOST_BUFFERED_BYTES = 256 * 1024;
/** Most unanswered messages: joins need the database, so a client could send faster than they are answered. */
const MOST_WAITING = 500;
/** Supabase's limit. */
const MOST_CHANNELS = 100;
/** Longest timer: expiries further away, which a timer could not hold, are checked again after this. */
const LONGEST_TIMER_MS = 3_600_000;
const PREFIX = 'realtime:';

export interface ConnectionParts {
  tokens: Tokens;
  /** Whether the policies let this user listen to the topic; null: the database could not be asked. */
  mayListen(topic: string, claims: Claims): Promise<boolean | null>;
  /** Whether the stack is listening to the database's notifications. */
  isListening(): boolean;
  /** Milliseconds since 1970. */
  now: () => number;
  /** A client that is silent for this long is disconnected. */
  heartbeatTimeoutMs: number;
}

interface Channel {
  topic: string;
  joinRef: string | null;
  token: string;
  claims: Claims;
  expiry: ReturnType<typeof setTimeout>;
}

export class Connection {
  private readonly channels = new Map<string, Channel>();
  private last: Promise<void> = Promise.resolve();
  private waiting = 0;
  private silence: ReturnType<typeof setTimeout> | undefined;

  /** @param apiKey used as the token of a join without one, as on Supabase */
  constructor(
    private readonly socket: WebSocket,
    private readonly version: Serialization,
    private readonly apiKey: string,
    private readonly parts: ConnectionParts,
  ) {
    socket.on('message', (data, isBinary) => this.receive(data, isBinary));
    // `close` follows an `error`, and cleans up.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(this.silence);
      for (const channel of [...this.channels.values()]) this.forget(channel);
    });
    this.heard();
  }

  /** Sends a broadcast to the client, if it has joined the topic. @param topic without `realtime:` */
  broadcast(topic: string, event: string, payload: unknown): void {
    const channel = this.channels.get(PREFIX + topic);
    if (!channel) return;
    if (this.hasExpired(channel)) {
      this.shutDown(channel, EXPIRED);
      return;
    }
    this.send({
      joinRef: null,
      ref: null,
      topic: channel.topic,
      event: 'broadcast',
      payload: { type: 'broadcast', event, payload },
    });
  }

  private receive(data: RawData, isBinary: boolean): void {
    this.heard();
    const message = decodeMessage(data as Buffer, isBinary, this.version);
    if (!message || this.waiting >= MOST_WAITING) {
      this.socket.close(message ? 1008 : 1003, message ? 'Too many messages.' : 'Not a channel message.');
      return;
    }
    this.waiting += 1;
    // In order: a leave must not overtake a join that is still being checked.
    this.last = this.last
      .then(() => this.handle(message))
      .catch(() => this.socket.terminate())
      .finally(() => {
        this.waiting -= 1;
      });
  }

  private async handle(message: Message): Promise<void> {
    const channel = this.channels.get(message.topic);
    if (!this.isOpen) {
      // The client has disconnected: no answer is needed.
    } else if (message.topic === 'phoenix' && message.event === 'heartbeat') {
      this.reply(message, 'ok');
    } else if (message.event === 'phx_join') {
      await this.join(message);
    } else if (!channel) {
      this.reply(message, 'error', { reason: 'unmatched topic' });
    } else if (message.event === 'phx_leave') {
      this.reply(message, 'ok');
      this.close(channel);
    } else if (message.event === 'access_token') {
      await this.renew(channel, message);
    } else {
      const reason = `Clients can only listen: "${message.event}" is not supported.`;
      this.reply(message, 'error', { reason });
    }
  }

  private async join(message: Message): Promise<void> {
    const { topic, joinRef, payload } = message;
    const token = typeof payload.access_token === 'string' ? payload.access_token : this.apiKey;
    // The client may have lost this channel without leaving it.
    const old = this.channels.get(topic);
    if (old) this.close(old);
    const reason = this.refusalOf(message);
    const granted = reason === null ? await this.check(topic, token) : fail(reason);
    if (!this.isOpen) return;
    if (!granted.ok) {
      this.reply(message, 'error', { reason: granted.error });
      return;
    }
    const expiry = setTimeout(() => {}, 0);
    const channel = { topic, joinRef, token, claims: granted.value, expiry };
    this.channels.set(topic, channel);
    this.watchExpiry(channel);
    this.reply(message, 'ok', { postgres_changes: [] });
  }

  private refusalOf({ topic, payload }: Message): string | null {
    if (!topic.startsWith(PREFIX) || topic.length === PREFIX.length) {
      return 'TopicNameRequired: You must provide a topic name';
    }
    if (this.channels.size >= MOST_CHANNELS) return 'ChannelRateLimitReached: Too many channels';
    if (!this.parts.isListening()) return 'InitializingProjectConnection: Connecting to the database';
    return unusedFeature(payload.config);
  }

  private async renew(channel: Channel, message: Message): Promise<void> {
    const token = message.payload.access_token;
    // Supabase sends no reply. A client that expects one would wait until its timeout.
    if (message.ref !== null) this.reply(message, 'ok');
    if (typeof token !== 'string' || token === channel.token) return;
    const granted = await this.check(channel.topic, token);
    if (this.channels.get(channel.topic) !== channel) return;
    if (granted.ok) {
      channel.token = token;
      channel.claims = granted.value;
      this.watchExpiry(channel);
    } else {
      this.shutDown(channel, granted.error);
    }
  }

  /** @returns the token's claims, if it may listen to the topic; else the reason of the refusal */
  private async check(topic: string, token: string): Promise<Result<Claims, string>> {
    const verified = await this.parts.tokens.verify(token);
    if (!verified.ok) {
      return fail(
        verified.error.reason === 'expired' ? EXPIRED : `InvalidJWTToken: ${verified.error.message}`,
      );
    }
    const name = topic.slice(PREFIX.length);
    const allowed = await this.parts.mayListen(name, verified.value);
    if (allowed === null) return fail('UnableToConnectToProject: The database cannot be asked');
    if (allowed) return ok(verified.value);
    return fail(`Unauthorized: You do not have permissions to read from this Channel topic: ${name}`);
  }

  private watchExpiry(channel: Channel): void {
    clearTimeout(channel.expiry);
    const left = (channel.claims.exp ?? 0) * 1000 - this.parts.now();
    channel.expiry = setTimeout(
      () => (this.hasExpired(channel) ? this.shutDown(channel, EXPIRED) : this.watchExpiry(channel)),
      Math.max(0, Math.min(left, LONGEST_TIMER_MS)),
    );
  }

  private hasExpired({ claims }: Channel): boolean {
    return (claims.exp ?? 0) * 1000 <= this.parts.now();
  }

  private shutDown(channel: Channel, reason: string): void {
    this.send({
      joinRef: channel.joinRef,
      ref: null,
      topic: channel.topic,
      event: 'system',
      payload: {
        extension: 'system',
        status: 'error',
        message: reason,
        channel: channel.topic.slice(PREFIX.length),
      },
    });
    this.close(channel);
  }

  private close(channel: Channel): void {
    this.forget(channel);
    const { topic, joinRef } = channel;
    this.send({ joinRef, ref: joinRef, topic, event: 'phx_close', payload: {} });
  }

  private forget(channel: Channel): void {
    clearTimeout(channel.expiry);
    this.channels.delete(channel.topic);
  }

  private reply(to: Message, status: 'ok' | 'error', response: Record<string, unknown> = {}): void {
    this.send({ ...to, event: 'phx_reply', payload: { status, response } });
  }

  private send(message: Message): void {
    if (!this.isOpen) return;
    if (this.socket.bufferedAmount > MOST_BUFFERED_BYTES) this.socket.terminate();
    else this.socket.send(encodeMessage(message, this.version));
  }

  private get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  private heard(): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.socket.terminate(), this.parts.heartbeatTimeoutMs);
  }
}

const EXPIRED = 'InvalidJWTToken: Token has expired';

/** @returns why a join is refused: it asks for a feature that the stack does not offer, since Convoy does not use it */
function unusedFeature(config: unknown): string | null {
  const { private: isPrivate, presence, broadcast, postgres_changes } = isObject(config) ? config : {};
  if (isPrivate !== true) return 'PrivateOnly: Only private channels are offered';
  if (isObject(presence) && presence.enabled === true) return 'Presence is not offered';
  if (isObject(broadcast) && broadcast.replay) return 'Replay is not offered';
  if (Array.isArray(postgres_changes) && postgres_changes.length > 0) {
    return 'postgres_changes are not offered';
  }
  return null;
}
