/** A slow connection: an HTTP proxy that carries so many bytes a second, and may stop in the middle of an exchange. */

import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

export interface Carrying {
  /** Bytes a second that requests, and answers, share; absent: as fast as can be. */
  up?: number;
  down?: number;
  /** Bytes of a request's or an answer's body after which nothing more of it is carried; absent: all of it is. */
  upStallsAfter?: number;
  downStallsAfter?: number;
}

/** An exchange that was carried to its end. */
export interface Exchange {
  path: string;
  request: string;
  answer: string;
  /** Bytes of the answer's body as they were carried. */
  carried: number;
}

export class SlowProxy {
  /** In the order of their answers. */
  readonly exchanges: Exchange[] = [];
  /** Requests, by path, that began to arrive. */
  readonly begun: string[] = [];
  /** Called after each exchange. */
  onExchange: (exchange: Exchange) => void = () => {};
  private carrying: Carrying = {};
  /** When a direction has carried what it was given, ms. */
  private readonly freeAt = { up: 0, down: 0 };

  private constructor(
    private readonly server: Server,
    private readonly to: URL,
    private readonly isNamed: boolean,
  ) {
    server.on('request', (asked, answer) => {
      // A client that gives up ends the exchange.
      this.carry(asked, answer).catch(() => answer.destroy());
    });
  }

  /**
   * @param to the address of a server on this machine
   * @param isNamed the server is asked by the proxy's address, so that pages it gives out send all by way of the proxy
   */
  static async start(to: string, isNamed = false): Promise<SlowProxy> {
    const server = createServer({ requestTimeout: 0 });
    const proxy = new SlowProxy(server, new URL(to), isNamed);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** From now on, for bodies under way too. */
  become(carrying: Carrying): void {
    this.carrying = carrying;
  }

  /** @returns the exchanges with this function of the database. */
  of(name: string): Exchange[] {
    return this.exchanges.filter(({ path }) => path.endsWith(`/rpc/${name}`));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async carry(asked: IncomingMessage, answering: ServerResponse): Promise<void> {
    const path = asked.url ?? '';
    this.begun.push(path);
    const sent: Buffer[] = [];
    for await (const part of asked as AsyncIterable<Buffer>) {
      for (const slice of slicesOf(part, this.carrying.up)) {
        if (!(await this.pass('up', slice.length, lengthOf(sent)))) return;
        sent.push(slice);
      }
    }
    const body = Buffer.concat(sent);
    const answer = await this.forward(asked, body);
    const received: Buffer[] = [];
    for await (const part of answer as AsyncIterable<Buffer>) received.push(part);
    const whole = Buffer.concat(received);
    const { connection: _, 'transfer-encoding': __, ...headers } = answer.headers;
    answering.writeHead(answer.statusCode ?? 502, headers);
    answering.flushHeaders();
    let carried = 0;
    for (const slice of slicesOf(whole, this.carrying.down)) {
      if (!(await this.pass('down', slice.length, carried)) || answering.destroyed) return;
      answering.write(slice);
      carried += slice.length;
    }
    answering.end();
    const text = decoded(whole, answer.headers['content-encoding']);
    const exchange = { path, request: body.toString(), answer: text, carried };
    this.exchanges.push(exchange);
    this.onExchange(exchange);
  }

  private forward(asked: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    const { 'transfer-encoding': _, ...headers } = asked.headers;
    const { hostname, port, host } = this.to;
    const options = { hostname, port, path: asked.url, method: asked.method };
    return new Promise((resolve, reject) => {
      const forwarded = request({
        ...options,
        headers: { ...headers, ...(!this.isNamed && { host }), 'content-length': body.length },
      });
      forwarded.on('response', resolve).on('error', reject).end(body);
    });
  }

  /** Waits until a direction has carried so many bytes more. @returns false where it has stopped */
  private async pass(direction: 'up' | 'down', bytes: number, before: number): Promise<boolean> {
    const { [direction]: speed, upStallsAfter, downStallsAfter } = this.carrying;
    const stallsAfter = direction === 'up' ? upStallsAfter : downStallsAfter;
    if (stallsAfter !== undefined && before + bytes > stallsAfter) return false;
    if (speed === undefined) return true;
    const now = performance.now();
    this.freeAt[direction] = Math.max(now, this.freeAt[direction]) + (bytes / speed) * 1_000;
    await new Promise((resolve) => setTimeout(resolve, this.freeAt[direction] - now));
    return true;
  }
}

/** @returns parts that take a twentieth of a second each, so that exchanges at the same time share the connection. */
function slicesOf(whole: Buffer, speed = 1_000_000): Buffer[] {
  const size = Math.max(1, Math.round(speed / 20));
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, n) =>
    whole.subarray(n * size, (n + 1) * size),
  );
}

const lengthOf = (parts: Buffer[]) => parts.reduce((sum, { length }) => sum + length, 0);

function decoded(body: Buffer, encoding: string | undefined): string {
  if (encoding === 'br') return brotliDecompressSync(body).toString();
  return (encoding === 'gzip' ? gunzipSync(body) : body).toString();
}
