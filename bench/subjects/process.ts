/** Drives a subject in a process of its own. `main.ts` is the other end. */

import { type ChildProcess, fork } from 'node:child_process';
import { ENTRIES } from '../bundle';
import type { Commands, SubjectName } from './main';
import type { Setup } from './subject';

type Answer<Name extends keyof Commands> = Awaited<ReturnType<Commands[Name]>>;

export class SubjectProcess {
  private last = 0;
  private readonly waiting = new Map<
    number,
    { done: (value: unknown) => void; failed: (error: Error) => void }
  >();

  private constructor(
    private readonly child: ChildProcess,
    readonly name: SubjectName,
  ) {
    child.on('message', (reply: { id: number; value?: unknown; error?: string }) => {
      const waiting = this.waiting.get(reply.id);
      this.waiting.delete(reply.id);
      if (reply.error === undefined) waiting?.done(reply.value);
      else waiting?.failed(new Error(`${name}: ${reply.error}`));
    });
    child.once('exit', () => {
      for (const { failed } of this.waiting.values()) failed(new Error(`The process of ${name} ended.`));
    });
  }

  /**
   * @param profile folder for CPU profiles of the process
   * @param heapMb most that its heap may take, MB
   */
  static async start(
    name: SubjectName,
    setup: Setup,
    profile: string | null = null,
    heapMb?: number,
  ): Promise<SubjectProcess> {
    const child = fork(ENTRIES.subject, [], {
      env: {
        ...process.env,
        NODE_ENV: 'production',
        BENCH_SUBJECT: name,
        BENCH_SETUP: JSON.stringify(setup),
      },
      execArgv: [
        ...(profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}/${name}`] : []),
        ...(heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`]),
      ],
    });
    const subject = new SubjectProcess(child, name);
    await new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', () => reject(new Error(`The process of ${name} did not start.`)));
    });
    return subject;
  }

  tell<Name extends keyof Commands>(
    command: Name,
    ...args: Parameters<Commands[Name]>
  ): Promise<Answer<Name>> {
    this.last += 1;
    const id = this.last;
    return new Promise((resolve, failed) => {
      this.waiting.set(id, { done: (value) => resolve(value as Answer<Name>), failed });
      this.child.send({ id, command, args });
    });
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null) return;
    await this.tell('close');
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.disconnect();
    await ended;
  }
}
