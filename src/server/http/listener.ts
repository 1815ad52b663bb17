/** The listening socket: opened before the database, so that a busy port is told at once. */

import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { fail, ok, type Result } from '@/core/result';
import type { StackError } from '../errors';
import { createHostCheck, type HostCheck } from './hosts';

export type RequestHandler = (request: Request, env: HttpBindings) => Response | Promise<Response>;

export interface Listener {
  /** For what is no request: upgrades to WebSockets. */
  readonly server: Server;
  readonly port: number;
  /** Requests for other hosts are refused; for upgrades, whoever answers them sees to it. */
  readonly answersTo: HostCheck;
  /** Answers requests from now on; until then they are told to come back. */
  serve(handler: RequestHandler): void;
  /** Refuses connections and cuts the open ones, as a network that went away would. */
  suspend(): Promise<void>;
  /** Listens again, on the same port. */
  resume(): Promise<void>;
  /** Accepts nothing new, lets running requests finish within the grace time, then cuts what is left. */
  close(graceMs?: number): Promise<void>;
}

const GRACE_MS = 5_000;
/** An access token carries the user's metadata, 16 KB at most, and that in base64. */
const MAX_HEADER_BYTES = 64 * 1024;
/**
 * How long an idle connection stays open, ms. Clients give it up a second earlier; with Node's 5 seconds a
 * busy one now and then sends a request just when the connection is closed.
 */
const KEEP_ALIVE_MS = 75_000;

const starting: RequestHandler = () =>
  new Response('Convoy is starting.\n', { status: 503, headers: { 'Retry-After': '1' } });

const misdirected = (port: number) =>
  new Response(
    `Convoy does not answer to this name. Open http://localhost:${port}, or name the host with --host.\n`,
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
    serverOptions: { maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: KEEP_ALIVE_MS },
  }) as Server;
  const sockets = trackSockets(server);
  // A connection that could not be accepted is an error of the server too, and unheard it would end the process.
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

/** The HTTP server forgets a connection that was upgraded to a WebSocket, and would wait for it for ever. */
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
    // A kept-alive connection is idle only once its answer has been sent, so it is looked for again and again.
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
      message: `Port ${port} is already in use. Stop the program that uses it, or choose another one with --port (0 takes any free port).`,
    };
  }
  return {
    code: 'cannot_listen',
    message: `Convoy cannot listen on ${host}, port ${port} (${error.message}). Choose others with --host and --port.`,
  };
}
