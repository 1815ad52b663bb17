/** Drives a device of another version of the project, which runs in a process of its own (`deviceProcess.ts`). */

import type { ChildProcess } from 'node:child_process';
import type { PullRequest, PushRequest } from '@/core/protocol';
import type { SyncResult, SyncStatus } from '@/lib/watermelon';
import type { UnsyncedExport } from '@/lib/watermelon/sync';
import type { Variant } from './variant';

export interface Opening {
  url: string;
  anonKey: string;
  email: string;
  password: string;
  folder: string;
  /** Name of the database in the folder. */
  database?: string;
  pageRows?: number;
}
export interface Command {
  id: number;
  name: string;
  args: unknown[];
}
export type Reply = { id: number; value: unknown } | { id: number; error: string };
export type Row = Record<string, string | number | boolean | null>;

export class ProcessDevice {
  private last = 0;
  private readonly waiting = new Map<
    number,
    { done: (value: unknown) => void; failed: (error: Error) => void }
  >();

  private constructor(private readonly child: ChildProcess) {
    let output = '';
    child.stderr?.on('data', (chunk) => {
      output += chunk;
    });
    child.on('message', (reply: Reply) => {
      const waiting = this.waiting.get(reply.id);
      this.waiting.delete(reply.id);
      if ('error' in reply) waiting?.failed(new Error(reply.error));
      else waiting?.done(reply.value);
    });
    child.once('exit', () => {
      for (const { failed } of this.waiting.values())
        failed(new Error(`The device's process ended. ${output}`));
      this.waiting.clear();
    });
  }

  static async open(code: Pick<Variant, 'start'>, opening: Opening): Promise<ProcessDevice> {
    const device = new ProcessDevice(code.start('tests/support/deviceProcess.ts'));
    await device.tell('open', opening);
    return device;
  }

  sync = () => this.tell<SyncResult>('sync');
  status = () => this.tell<SyncStatus>('status');
  export = () => this.tell<UnsyncedExport>('export');
  rows = (table: string) => this.tell<Row[]>('rows', table);
  edit = (table: string, id: string, values: Row) => this.tell<null>('edit', table, id, values);
  call = <T>(method: string, ...args: unknown[]) => this.tell<T>('call', method, ...args);
  retryQuarantined = (id: string) => this.tell<boolean>('retryQuarantined', id);
  editQuarantined = (id: string, values: Row) => this.tell<boolean>('editQuarantined', id, values);
  requests = () =>
    this.tell<{ direction: 'push' | 'pull'; request: PullRequest & PushRequest }[]>('requests');
  /** @param after requests of this direction that get through before */
  loseNextResponse = (direction: 'push' | 'pull', after = 0) =>
    this.tell<null>('loseNextResponse', direction, after);

  async row(table: string, id: string): Promise<Row | undefined> {
    return (await this.rows(table)).find((row) => row.id === id);
  }

  /** Ends the process after the device was closed. */
  async close(): Promise<void> {
    if (this.child.exitCode !== null) return;
    await this.tell('close');
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.disconnect();
    await ended;
  }

  private tell<T>(name: string, ...args: unknown[]): Promise<T> {
    this.last += 1;
    const command: Command = { id: this.last, name, args };
    return new Promise<T>((resolve, failed) => {
      this.waiting.set(command.id, { done: (value) => resolve(value as T), failed });
      this.child.send(command);
    });
  }
}
