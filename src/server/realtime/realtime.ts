/** `/realtime/v1/websocket`: private broadcast channels, fed by the database's notifications. */

import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { fail, ok, type Result } from '@/core/result';
import type { Tokens } from '../auth/tokens';
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
  const { server, answersTo, backend, tokens, apiKeys, now, log } = parts;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MOST_MESSAGE_BYTES });
  const connections = new Set<Connection>();
  let stopListening: (() => Promise<void>) | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let closed = false;

  async function listen(attempt: number): Promise<void> {
    const listening = await backend.listen(NOTIFICATIONS, { onNotification: deliver, onLost });
    if (closed) {
      if (listening.ok) await listening.value();
    } else if (listening.ok) {
      stopListening = listening.value;
    } else {
      log(`realtime: the database cannot be listened to: ${listening.error.message}`);
      retry = setTimeout(() => listenAgain(attempt + 1), Math.min(30_000, 250 * 2 ** attempt));
    }
  }

  function listenAgain(attempt: number): void {
    starting = listen(attempt).catch((error: unknown) => log(`realtime: ${String(error)}`));
  }

  /** What was sent meanwhile is lost: clients that have to connect again ask for what they missed. */
  function onLost(): void {
    stopListening = null;
    if (closed) return;
    for (const socket of sockets.clients) socket.close(RESTARTING, 'The database was away.');
    listenAgain(0);
  }

  function deliver(notification: string): void {
    const sent = parse(notification);
    if (!sent) return;
    for (const connection of connections) connection.broadcast(sent.topic, sent.event, sent.payload);
  }

  const connectionParts: ConnectionParts = {
    tokens,
    now,
    heartbeatTimeoutMs: parts.heartbeatTimeoutMs ?? HEARTBEAT_TIMEOUT_MS,
    isListening: () => stopListening !== null,
    mayListen: async (topic, claims) => {
      const allowed = await mayListen(backend, topic, claims);
      if (allowed.ok) return allowed.value;
      log(`realtime: ${topic} could not be checked: ${allowed.error.message} (${allowed.error.sqlState})`);
      return null;
    },
  };

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // An upgraded socket is no longer the HTTP server's, and an error nobody listens to ends the process.
    socket.on('error', () => socket.destroy());
    const opening = admit(request);
    if (!opening.ok) {
      refuse(socket, opening.error);
      return;
    }
    const { apiKey, version } = opening.value;
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = new Connection(webSocket, version, apiKey, connectionParts);
      connections.add(connection);
      webSocket.once('close', () => connections.delete(connection));
    });
  }

  /** @returns what the connection is opened with, or the status it is refused with. */
  function admit(request: IncomingMessage): Result<Opening, string> {
    if (closed) return fail('503 Service Unavailable');
    const target = request.url ?? '';
    const base = `http://${request.headers.host ?? ''}`;
    if (!URL.canParse(target, base)) return fail('400 Bad Request');
    const { hostname, pathname, searchParams } = new URL(target, base);
    if (!answersTo(hostname)) return fail('421 Misdirected Request');
    // Browsers let any page open a WebSocket anywhere.
    if (isForeignOrigin(request.headers.origin, answersTo)) return fail('403 Forbidden');
    if (pathname !== PATH) return fail('404 Not Found');
    const apiKey = searchParams.get('apikey') ?? '';
    if (!apiKeys.has(apiKey)) return fail('401 Unauthorized');
    const version = SERIALIZATIONS.find((known) => known === (searchParams.get('vsn') ?? '1.0.0'));
    return version ? ok({ apiKey, version }) : fail('400 Bad Request');
  }

  let starting: Promise<void> = Promise.resolve();
  listenAgain(0);
  server.on('upgrade', upgrade);

  return {
    close: async () => {
      closed = true;
      clearTimeout(retry);
      for (const socket of sockets.clients) socket.close(GOING_AWAY, 'The server is closing.');
      const cut = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate();
      }, CLOSE_GRACE_MS);
      await new Promise<void>((resolve) => sockets.close(() => resolve()));
      clearTimeout(cut);
      await starting;
      await stopListening?.();
      // From here on an upgrade is an unknown request like any other.
      server.off('upgrade', upgrade);
    },
  };
}

/** The client may keep its side open for ever, so the socket goes as soon as the answer is out. */
function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}

function parse(notification: string): { topic: string; event: string; payload: unknown } | null {
  try {
    const sent: unknown = JSON.parse(notification);
    if (!isObject(sent) || typeof sent.topic !== 'string' || typeof sent.event !== 'string') return null;
    // Public channels are not offered, so nobody can have joined one.
    return sent.private === true ? { topic: sent.topic, event: sent.event, payload: sent.payload } : null;
  } catch {
    return null;
  }
}
