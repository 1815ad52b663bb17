/** The real local stack on a data folder, serving the app as it is built, for browser tests. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalStack, startLocalStack } from '@/server';
import { copyMigratedFolder } from './template';

export interface AppServerOptions {
  /** It answers to any name. */
  isPlain?: boolean;
  /** Folder of the built app. Default: that of the last build. */
  webRoot?: string;
}

export class AppServer {
  private constructor(
    private readonly folder: string,
    private running: LocalStack,
    private readonly options: AppServerOptions,
  ) {}

  static async start(options: AppServerOptions = {}): Promise<AppServer> {
    const folder = mkdtempSync(join(tmpdir(), 'convoy-web-'));
    await copyMigratedFolder(folder);
    return new AppServer(folder, await startOn(folder, 0, options), options);
  }

  get stack(): LocalStack {
    return this.running;
  }

  /** The server's process ends. */
  async stop(): Promise<void> {
    await this.running.close();
  }

  /** Another server takes over the same data, at the same address. */
  async startAgain(): Promise<void> {
    this.running = await startOn(this.folder, Number(new URL(this.running.url).port), this.options);
  }

  /** Reads as the server itself. */
  async query<Row>(text: string): Promise<Row[]> {
    const done = await this.running.backend.transaction((connection) => connection.query<Row>(text));
    if (!done.ok) throw new Error(done.error.message);
    return done.value;
  }

  async close(): Promise<void> {
    await this.running.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function startOn(
  path: string,
  port: number,
  { isPlain, webRoot }: AppServerOptions,
): Promise<LocalStack> {
  const host = isPlain ? '0.0.0.0' : undefined;
  const started = await startLocalStack({ data: { kind: 'folder', path }, port, host, webRoot });
  if (!started.ok) throw new Error(started.error.message);
  return started.value;
}
