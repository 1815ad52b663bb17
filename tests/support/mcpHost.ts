/** A host of agents, by the protocol's own client library: it runs `convoy mcp` as a process of its own. */

import { Client, type ClientOptions } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { Machine } from './builtConvoy';

export interface Answer {
  text: string;
  isError: boolean;
}

export interface HostOptions {
  /** The folder in which the host works. */
  folder?: string;
  /** Who the server acts as. */
  as?: string;
  /** The address of the backend, where it is not that of the folder. */
  url?: string;
  /** CommonJS that the server's process loads before its program. */
  preload?: string;
  environment?: Record<string, string>;
  client?: ClientOptions;
}

export class McpHost {
  /** What the server printed to standard error. */
  printed = '';
  private readonly closed: Promise<void>;

  private constructor(
    readonly client: Client,
    private readonly transport: StdioClientTransport,
    /** Whatever is no protocol on the server's standard output. */
    private readonly broken: Error[],
  ) {
    transport.stderr?.on('data', (chunk) => {
      this.printed += String(chunk);
    });
    this.closed = new Promise((resolve) => {
      client.onclose = resolve;
    });
  }

  static async start(machine: Machine, options: HostOptions = {}): Promise<McpHost> {
    const { folder = machine.work, as, url, preload, environment } = options;
    const chosen = [...(as ? ['--as', as] : []), ...(url ? ['--url', url] : [])];
    const client = new Client({ name: 'host', version: '1.0.0' }, options.client);
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [...(preload ? ['--require', preload] : []), machine.program, 'mcp', ...chosen],
      env: { ...machine.environment, ...environment },
      cwd: folder,
      stderr: 'pipe',
    });
    const broken: Error[] = [];
    const host = new McpHost(client, transport, broken);
    await client.connect(transport);
    client.onerror = (error) => broken.push(error);
    return host;
  }

  get pid(): number {
    const { pid } = this.transport;
    if (pid === null) throw new Error(`The server has ended: ${this.printed}`);
    return pid;
  }

  /** @returns the text of the answer; a failure is one too */
  readonly call = async (
    name: string,
    args: Record<string, unknown> = {},
    signal?: AbortSignal,
  ): Promise<Answer> => {
    const { content, isError } = await this.client.callTool({ name, arguments: args }, { signal });
    this.expectProtocol();
    const [first] = content;
    return { text: first?.type === 'text' ? first.text : '', isError: isError === true };
  };

  /** @returns the text of an answer that is no failure */
  readonly text = async (name: string, args: Record<string, unknown> = {}): Promise<string> => {
    const { text, isError } = await this.call(name, args);
    if (isError) throw new Error(`${name} ${JSON.stringify(args)}: ${text}`);
    return text;
  };

  expectProtocol(): void {
    if (this.broken.length > 0) throw new Error(`Not protocol: ${this.broken.join('; ')}`);
  }

  /** As a power cut would: nothing of the server runs any more. */
  async kill(): Promise<void> {
    process.kill(this.pid, 'SIGKILL');
    await this.closed;
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}
