/** The real local stack on a data folder, serving the app as it is built, for browser tests. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalStack, startLocalStack } from '@/server';
import { copyMigratedFolder } from './template';

export class AppServer {
  private constructor(
    private readonly folder: string,
    private running: LocalStack,
    private readonly isPlain: boolean,
  ) {}

  /** @param isPlain it answers to any name */
  static async start({ isPlain = false } = {}): Promise<AppServer> {
    const folder = mkdtempSync(join(tmpdir(), 'convoy-web-'));
    await copyMigratedFolder(folder);
    return new AppServer(folder, await startOn(folder, 0, isPlain), isPlain);
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
    this.running = await startOn(this.folder, Number(new URL(this.running.url).port), this.isPlain);
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

async function startOn(path: string, port: number, isPlain: boolean): Promise<LocalStack> {
  const host = isPlain ? '0.0.0.0' : undefined;
  const started = await startLocalStack({ data: { kind: 'folder', path }, port, host });
  if (!started.ok) throw new Error(started.error.message);
  return started.value;
}
