/** A network that breaks off: a TCP proxy that cuts connections in the middle of what they carry. */

import { type AddressInfo, createServer, connect as openSocket, type Server, type Socket } from 'node:net';

export interface FlakyOptions {
  /** Where to; its port is that of a server on this machine. */
  to: string;
  seed: number;
}

/** What becomes of connections that are opened while these hold. */
export interface Limits {
  /** Bytes that a connection carries in a direction before it is cut, drawn between these for each. */
  request: readonly [number, number];
  answer: readonly [number, number];
}

export class FlakyProxy {
  /** Connections cut while they carried a request, or an answer. */
  readonly cuts = { request: 0, answer: 0 };
  private limits: Limits | null = null;
  private readonly open = new Set<Socket>();
  private to: string;

  private constructor(
    private readonly server: Server,
    options: FlakyOptions,
    private readonly random: () => number,
  ) {
    this.to = options.to;
    server.on('connection', (client) => this.carry(client));
  }

  static async start(options: FlakyOptions): Promise<FlakyProxy> {
    const server = createServer();
    const proxy = new FlakyProxy(server, options, randomNumbers(options.seed));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Cuts connections from now on, open ones included; with null, no longer. */
  become(limits: Limits | null): void {
    this.limits = limits;
    this.cutAll();
  }

  /** Leads somewhere else from now on. */
  redirect(to: string): void {
    this.to = to;
    this.cutAll();
  }

  /** Cuts every open connection. */
  cutAll(): void {
    for (const socket of this.open) socket.destroy();
  }

  async close(): Promise<void> {
    this.cutAll();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private carry(client: Socket): void {
    const upstream = openSocket(Number(new URL(this.to).port), '127.0.0.1');
    const both = [client, upstream];
    for (const socket of both) {
      this.open.add(socket);
      // Resets are what this is for; `close` follows.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.open.delete(socket);
        for (const other of both) other.destroy();
      });
    }
    if (!this.limits) {
      client.pipe(upstream).pipe(client);
      return;
    }
    this.limit('request', this.limits.request, client, upstream);
    this.limit('answer', this.limits.answer, upstream, client);
  }

  private limit(
    direction: 'request' | 'answer',
    [least, most]: readonly [number, number],
    from: Socket,
    to: Socket,
  ): void {
    let left = Math.round(least + this.random() * (most - least));
    from.on('end', () => to.end());
    from.on('data', (chunk: Buffer) => {
      if (chunk.length < left) {
        left -= chunk.length;
        to.write(chunk);
        return;
      }
      this.cuts[direction] += 1;
      from.pause();
      // Bytes received before the cut arrive.
      to.write(chunk.subarray(0, left), () => {
        from.destroy();
        to.destroy();
      });
    });
  }
}

/** Park and Miller's generator: the same numbers for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
