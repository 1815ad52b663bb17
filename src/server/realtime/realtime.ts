/** `/realtime/v1/websocket`: private broadcast channels, fed by the database's notifications. */

import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { fail, ok, type Result } from '@/core/result';
import type { Claims, Tokens } from '../auth/tokens';
import type { SqlBackend } from '../database/backend';
import { type HostCheck, isForeignOrigin } from '../http/hosts';
import { mayListen } from './authorization';
import { Connection, type ConnectionParts } from './connection';
import { isObject, SERIALIZATIONS, type Serialization } from './messages';

const PATH = '/realtime/v1/websocket';
/** The channel that `realtime.send` of bootstrap.sql notifies. */
const NOTIFICATIONS = 'realtime_messages';
/** A join carries an access token, which includes the user's metadata. */
const MOST_MESSAGE_BYTES = 64 * 1024;
/** Phoenix's default; clients send a heartbeat every 25 to 30 s. */
const HEARTBEAT_TIMEOUT_MS = 60_000;
const CLOSE_GRACE_MS = 500;
const GOING_AWAY = 1001;
const RESTARTING = 1012;

export interface RealtimeParts {
  /** The server whose upgrades are handled. */
  server: Server;
  answersTo: HostCheck;
  backend: SqlBackend;
  tokens: Tokens;
  apiKeys: ReadonlySet<string>;
  now: () => number;
  log: (message: string) => void;
  heartbeatTimeoutMs?: number;
}

export interface Realtime {
  /** Closes all connections, and stops listening to the database. */
  close(): Promise<void>;
}

interface Opening {
  apiKey: string;
  version: Serialization;
}

export function createRealtime(parts: RealtimeParts): Realtime {
  return new RealtimeServer(parts);
}

class RealtimeServer implements Realtime {
  private readonly sockets = new WebSocketServer({ noServer: true, maxPayload: MOST_MESSAGE_BYTES });
  private readonly connections = new Set<Connection>();
  private readonly connectionParts: ConnectionParts;
  private stopListening: (() => Promise<void>) | null = null;
  /** The attempt to listen that is under way, or the latest one. */
  private starting: Promise<void> = Promise.resolve();
  private retry: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(private readonly parts: RealtimeParts) {
    this.connectionParts = {
      tokens: parts.tokens,
      now: parts.now,
      heartbeatTimeoutMs: parts.heartbeatTimeoutMs ?? HEARTBEAT_TIMEOUT_MS,
      isListening: () => this.stopListening !== null,
      mayListen: (topic, claims) => this.mayListen(topic, claims),
    };
    this.listenAgain(0);
    parts.server.on('upgrade', this.upgrade);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.retry);
    for (const socket of this.sockets.clients) socket.close(GOING_AWAY, 'The server is closing.');
    const cut = setTimeout(() => {
      for (const socket of this.sockets.clients) socket.terminate();
    }, CLOSE_GRACE_MS);
    await new Promise<void>((resolve) => this.sockets.close(() => resolve()));
    clearTimeout(cut);
    await this.starting;
    await this.stopListening?.();
    // Removed last: until then upgrades are refused as those of a closing server.
    this.parts.server.off('upgrade', this.upgrade);
  }

  private listenAgain(attempt: number): void {
    this.starting = this.listen(attempt).catch((error: unknown) =>
      this.parts.log(`realtime: ${String(error)}`),
    );
  }

  private async listen(attempt: number): Promise<void> {
    const listening = await this.parts.backend.listen(NOTIFICATIONS, {
      onNotification: (notification) => this.deliver(notification),
      onLost: () => this.onLost(),
    });
    if (this.closed) {
      if (listening.ok) await listening.value();
    } else if (listening.ok) {
      this.stopListening = listening.value;
    } else {
      this.parts.log(`realtime: the database cannot be listened to: ${listening.error.message}`);
      const waitMs = Math.min(30_000, 250 * 2 ** attempt);
      this.retry = setTimeout(() => this.listenAgain(attempt + 1), waitMs);
    }
  }

  /** Broadcasts sent meanwhile are lost, so clients are disconnected: after reconnecting they ask for what they missed. */
  private onLost(): void {
    this.stopListening = null;
    if (this.closed) return;
    for (const socket of this.sockets.clients) socket.close(RESTARTING, 'The database was away.');
    this.listenAgain(0);
  }

  private deliver(notification: string): void {
    const sent = parse(notification);
    if (!sent) return;
    for (const connection of this.connections) connection.broadcast(sent.topic, sent.event, sent.payload);
  }

  private async mayListen(topic: string, claims: Claims): Promise<boolean | null> {
    const { backend, log } = this.parts;
    const allowed = await mayListen(backend, topic, claims);
    if (allowed.ok) return allowed.value;
    log(`realtime: ${topic} could not be checked: ${allowed.error.message} (${allowed.error.sqlState})`);
    return null;
  }

  private readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // The HTTP server no longer handles errors of an upgraded socket; an unhandled one would end the process.
    socket.on('error', () => socket.destroy());
    const opening = this.admit(request);
    if (!opening.ok) {
      refuse(socket, opening.error);
      return;
    }
    const { apiKey, version } = opening.value;
    this.sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = new Connection(webSocket, version, apiKey, this.connectionParts);
      this.connections.add(connection);
      webSocket.once('close', () => this.connections.delete(connection));
    });
  };

  /** @returns the parameters of the connection, or the HTTP status of the refusal */
  private admit(request: IncomingMessage): Result<Opening, string> {
    const { answersTo, apiKeys } = this.parts;
    if (this.closed) return fail('503 Service Unavailable');
    const target = request.url ?? '';
    const base = `http://${request.headers.host ?? ''}`;
    if (!URL.canParse(target, base)) return fail('400 Bad Request');
    const { hostname, pathname, searchParams } = new URL(target, base);
    if (!answersTo(hostname)) return fail('421 Misdirected Request');
    // Browsers let any page open a WebSocket to any host.
    if (isForeignOrigin(request.headers.origin, answersTo)) return fail('403 Forbidden');
    if (pathname !== PATH) return fail('404 Not Found');
    const apiKey = searchParams.get('apikey') ?? '';
    if (!apiKeys.has(apiKey)) return fail('401 Unauthorized');
    const version = SERIALIZATIONS.find((known) => known === (searchParams.get('vsn') ?? '1.0.0'));
    return version ? ok({ apiKey, version }) : fail('400 Bad Request');
  }
}

/** Destroys the socket once the answer is sent: the client may keep its side open forever. */
function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}

function parse(notification: string): { topic: string; event: string; payload: unknown } | null {
  try {
    const sent: unknown = JSON.parse(notification);
    if (!isObject(sent) || typeof sent.topic !== 'string' || typeof sent.event !== 'string') return null;
    // Public channels are not offered, so no client can have joined one.
    return sent.private === true ? { topic: sent.topic, event: sent.event, payload: sent.payload } : null;
  } catch {
    return null;
  }
}
