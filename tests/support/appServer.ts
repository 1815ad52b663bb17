/** The real local stack on a database in memory, serving the app as it is built, for browser tests. */

import { type LocalStack, startLocalStack } from '@/server';
import { migratedTemplate } from './template';

export interface AppServerOptions {
  /** It answers to any name. */
  isPlain?: boolean;
  /** Folder of the built app. Default: that of the last build. */
  webRoot?: string;
}

export class AppServer {
  private constructor(
    /** It keeps its database while no browser can reach it. */
    readonly stack: LocalStack,
  ) {}

  static async start({ isPlain, webRoot }: AppServerOptions = {}): Promise<AppServer> {
    const started = await startLocalStack({
      data: { kind: 'memory', template: await migratedTemplate(true) },
      host: isPlain ? '0.0.0.0' : undefined,
      webRoot,
    });
    if (!started.ok) throw new Error(started.error.message);
    return new AppServer(started.value);
  }

  /** Browsers find nothing at its address, as when its process has ended. */
  stop(): Promise<void> {
    return this.stack.suspend();
  }

  /** It answers at the same address, with the same data. */
  startAgain(): Promise<void> {
    return this.stack.resume();
  }

  /** Reads as the server itself. */
  async query<Row>(text: string): Promise<Row[]> {
    const done = await this.stack.backend.transaction((connection) => connection.query<Row>(text));
    if (!done.ok) throw new Error(done.error.message);
    return done.value;
  }

  close(): Promise<void> {
    return this.stack.close();
  }
}
