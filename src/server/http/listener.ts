/** The listening socket, opened before the database so that a busy port is reported at once. */

import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { fail, ok, type Result } from '@/core/result';
import type { StackError } from '../errors';
import { createHostCheck, type HostCheck } from './hosts';

export type RequestHandler = (request: Request, env: HttpBindings) => Response | Promise<Response>;

export interface Listener {
  /** For WebSocket upgrades, which bypass `serve`. */
  readonly server: Server;
  readonly port: number;
  /** Accepts the host names of this server. Requests for others are refused; code that handles upgrades must check itself. */
  readonly answersTo: HostCheck;
  /** Handles requests from now on; earlier ones get 503 with Retry-After. */
  serve(handler: RequestHandler): void;
  /** Refuses connections and closes the open ones, like a lost network. */
  suspend(): Promise<void>;
  /** Listens again, on the same port. */
  resume(): Promise<void>;
  /** Accepts no connections, lets running requests finish within `graceMs`, then closes the remaining ones. */
  close(graceMs?: number): Promise<void>;
}

const GRACE_MS = 5_000;
/** An access token carries the user's metadata, at most 16 KB, in base64. */
const MAX_HEADER_BYTES = 64 * 1024;
/**
 * ms for which an idle connection stays open. Clients drop it a second earlier; with Node's 5 seconds a busy client
 * sometimes sends a request just as the connection closes.
 */
const KEEP_ALIVE_MS = 75_000;
/** ms in which a request has to arrive: 7 MB at 2 KB/s, the slowest upload that devices wait for (D55). Node's default cuts 600 KB. */
const REQUEST_MS = 3_600_000;

const starting: RequestHandler = () =>
  new Response('Convoy is starting.\n', { status: 503, headers: { 'Retry-After': '1' } });

const misdirected = (port: number) =>
  new Response(
    `Convoy does not answer to this host name. Open http://localhost:${port}, or name the host with --host.\n`,
    { status: 421 },
  );

export async function listen(host: string, port: number): Promise<Result<Listener, StackError>> {
  let handler = starting;
  let answersTo: HostCheck = () => false;
  const server = createAdaptorServer({
    fetch: (request, env) =>
      answersTo(new URL(request.url).hostname)
        ? handler(request, env as HttpBindings)
        : misdirected(bound.port),
    serverOptions: {
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      requestTimeout: REQUEST_MS,
    },
  }) as Server;
  const sockets = trackSockets(server);
  // Failing to accept a connection also emits `error`, which without a listener would end the process.
  server.on('error', () => {});
  const problem = await bind(server, host, port);
  if (problem) return fail(explain(problem, host, port));
  const bound = server.address() as AddressInfo;
  answersTo = createHostCheck(host, bound.address);

  return ok({
    server,
    port: bound.port,
    answersTo,
    serve: (next) => {
      handler = next;
    },
    suspend: () => close(server, sockets, 0),
    resume: async () => {
      const failure = await bind(server, host, bound.port);
      if (failure) throw failure;
    },
    close: (graceMs = GRACE_MS) => close(server, sockets, graceMs),
  });
}

/** The HTTP server does not close connections that were upgraded to WebSockets, yet waits for their end. */
function trackSockets(server: Server): Set<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

function bind(server: Server, host: string, port: number): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => resolve(error);
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      resolve(null);
    });
  });
}

function close(server: Server, sockets: Set<Socket>, graceMs: number): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    // A kept-alive connection becomes idle only after its answer, so idle ones are closed repeatedly.
    const idle = setInterval(() => server.closeIdleConnections(), 25);
    const cut = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, graceMs);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): StackError {
  if (error.code === 'EADDRINUSE') {
    return {
      code: 'port_in_use',
      message: `Port ${port} is already in use. Stop the program that uses it, or choose another port with --port (0 takes any free port).`,
    };
  }
  return {
    code: 'cannot_listen',
    message: `Convoy cannot listen on ${host}, port ${port} (${error.message}). Choose another address with --host and --port.`,
  };
}
