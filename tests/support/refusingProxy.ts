/** An HTTP proxy that answers some requests in place of the server, as busy servers, proxies and captive portals do. */

import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect as openSocket, type Socket } from 'node:net';

export interface InPlace {
  status: number;
  headers?: Record<string, string>;
  body: string;
}

export class RefusingProxy {
  /** Paths of all requests, in their order. */
  readonly asked: string[] = [];
  /** Called after each answer in place of the server. */
  onRefused: () => void = () => {};
  private refused: { path: RegExp; answer: InPlace } | null = null;
  private held: { path: RegExp; arrived: () => void; until: Promise<void> } | null = null;
  private isCut = false;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly to: URL,
  ) {
    server.on('request', (asked, answer) => this.carry(asked, answer));
    server.on('upgrade', (asked: IncomingMessage, socket: Socket) => this.carryChannel(asked, socket));
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  /** @param to the address of a server on this machine */
  static async start(to: string): Promise<RefusingProxy> {
    const server = createServer();
    const proxy = new RefusingProxy(server, new URL(to));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Answers requests whose path matches, until `letThrough`. */
  refuse(path: RegExp, answer: InPlace): void {
    this.refused = { path, answer };
  }

  letThrough(): void {
    this.refused = null;
  }

  /** Every connection breaks off, and none is taken, until `restore`. */
  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  restore(): void {
    this.isCut = false;
  }

  /** Keeps back what the server answers to the next request whose path matches. */
  holdNext(path: RegExp): { arrived: Promise<void>; release: () => void } {
    let [arrive, release] = [() => {}, () => {}];
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.held = { path, arrived: () => arrive(), until };
    return { arrived, release: () => release() };
  }

  /** @returns how many requests there were whose path matches */
  count(path: RegExp): number {
    return this.asked.filter((asked) => path.test(asked)).length;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private carry(asked: IncomingMessage, answering: ServerResponse): void {
    const path = asked.url ?? '';
    if (this.isCut) {
      asked.socket.destroy();
      return;
    }
    this.asked.push(path);
    if (this.refused?.path.test(path)) {
      const { status, headers, body } = this.refused.answer;
      asked.resume();
      answering.writeHead(status, headers).end(body, () => this.onRefused());
      return;
    }
    const { hostname, port, host } = this.to;
    const options = { hostname, port, path, method: asked.method, headers: { ...asked.headers, host } };
    const held = this.held?.path.test(path) ? this.held : null;
    if (held) this.held = null;
    const forwarded = request(options, async (answer) => {
      held?.arrived();
      await held?.until;
      answering.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(answering);
    });
    forwarded.on('error', () => answering.destroy());
    asked.pipe(forwarded);
  }

  /** A WebSocket: bytes go both ways. */
  private carryChannel(asked: IncomingMessage, socket: Socket): void {
    if (this.isCut) {
      socket.destroy();
      return;
    }
    const { hostname, port, host } = this.to;
    const upstream = openSocket(Number(port), hostname);
    const headers = Object.entries({ ...asked.headers, host }).map(([name, value]) => `${name}: ${value}`);
    upstream.write([`GET ${asked.url} HTTP/1.1`, ...headers, '', ''].join('\r\n'));
    const both = [socket, upstream];
    for (const one of both) {
      one.on('error', () => undefined);
      one.on('close', () => {
        for (const other of both) other.destroy();
      });
    }
    socket.pipe(upstream).pipe(socket);
  }
}
