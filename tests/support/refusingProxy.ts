/** An HTTP proxy that answers some requests in place of the server, as busy servers, proxies and captive portals do. */

import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

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

  private constructor(
    private readonly server: Server,
    private readonly to: URL,
  ) {
    server.on('request', (asked, answer) => this.carry(asked, answer));
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

  /** @returns how many requests there were whose path matches */
  count(path: RegExp): number {
    return this.asked.filter((asked) => path.test(asked)).length;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private carry(asked: IncomingMessage, answering: ServerResponse): void {
    const path = asked.url ?? '';
    this.asked.push(path);
    if (this.refused?.path.test(path)) {
      const { status, headers, body } = this.refused.answer;
      asked.resume();
      answering.writeHead(status, headers).end(body, () => this.onRefused());
      return;
    }
    const { hostname, port, host } = this.to;
    const options = { hostname, port, path, method: asked.method, headers: { ...asked.headers, host } };
    const forwarded = request(options, (answer) => {
      answering.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(answering);
    });
    forwarded.on('error', () => answering.destroy());
    asked.pipe(forwarded);
  }
}
