/** Processes that work on a database, started and killed by a test or a proof. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { builtScript } from './builtScript';

/** @typeParam Says the messages that it prints on standard output, one JSON value on each line */
export class Killable<Says> {
  readonly said: Says[] = [];
  readonly exited: Promise<number | null>;
  errors = '';
  private readonly child: ChildProcess;
  private readonly listeners = new Set<() => void>();

  /**
   * @param script TypeScript; it finds the task as JSON in the environment's `CONVOY_CHILD`
   * @param within a command that runs another one, if any
   */
  static async start<Says>(
    script: string,
    task: unknown,
    within: readonly string[] = [],
  ): Promise<Killable<Says>> {
    return new Killable<Says>([...within, process.execPath, await builtScript(script)], task);
  }

  private constructor([command, ...args]: readonly string[], task: unknown) {
    this.child = spawn(command as string, args, {
      env: { ...process.env, CONVOY_CHILD: JSON.stringify(task) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => {
      this.said.push(JSON.parse(line) as Says);
      for (const listener of this.listeners) listener();
    });
    this.child.stderr?.on('data', (chunk) => {
      this.errors += String(chunk);
    });
    const closed = new Promise<void>((resolve) => lines.on('close', resolve));
    this.exited = new Promise((resolve) => {
      this.child.on('exit', (code) => void closed.then(() => resolve(code)));
    });
  }

  /** Resolves when its messages meet the condition; rejects when it ended before. */
  async until(fits: (said: Says[]) => boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (fits(this.said)) resolve();
      };
      this.listeners.add(look);
      look();
      void this.exited.then(() =>
        fits(this.said) ? resolve() : reject(new Error(`It ended early. ${this.errors}`)),
      );
    });
  }

  /** As a power cut would: nothing of it runs any more. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}
