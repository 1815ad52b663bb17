/** The process of one subject: runs the work that messages name, and measures it. */

import { existsSync, readFileSync } from 'node:fs';
import { Convoy } from './convoy';
import { Limit } from './limit';
import { Stock } from './stock';
import type { ContextIds, Edit, Setup, Subject } from './subject';
import { traffic } from './traffic';

export const SUBJECTS = { limit: Limit, stock: Stock, convoy: Convoy } as const;
export type SubjectName = keyof typeof SUBJECTS;

const STATUS = '/proc/self/status';
const name = process.env.BENCH_SUBJECT as SubjectName;
const setup = JSON.parse(process.env.BENCH_SETUP ?? '') as Setup;
const subject: Subject = new SUBJECTS[name](setup);

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; value: T; requests: number }> {
  const requests = traffic.requests;
  const from = performance.now();
  const value = await work();
  return { ms: performance.now() - from, value, requests: traffic.requests - requests };
}

async function contexts(ids: readonly string[], read: (id: string) => Promise<() => ContextIds>) {
  const before = traffic.requests;
  const ms: number[] = [];
  const found: ContextIds[] = [];
  for (const id of ids) {
    const { ms: took, value } = await timed(() => read(id));
    ms.push(took);
    found.push(value());
  }
  return { ms, found, requests: traffic.requests - before };
}

/** @returns the most memory that this process ever had, MB. `maxRSS` would count what its parent had when it forked. */
function mostMemory(): number {
  const known = existsSync(STATUS) ? /VmHWM:\s+(\d+) kB/.exec(readFileSync(STATUS, 'utf8'))?.[1] : undefined;
  return (known === undefined ? process.resourceUsage().maxRSS : Number(known)) / 1024;
}

const commands = {
  open: () => timed(() => subject.open()),
  sync: async () => {
    const done = await timed(() => subject.sync());
    return { ms: done.ms, requests: done.requests, ...done.value };
  },
  /** From the moment that the server has it until it can be read here. */
  syncAndRead: async (ids: string[]) => {
    let received = 0;
    const done = await timed(async () => {
      received = (await subject.sync()).received;
      return subject.titles(ids);
    });
    return { ms: done.ms, requests: done.requests, titles: done.value, received };
  },
  edit: async (edits: Edit[]) => {
    const edit = await subject.prepareEdits(edits);
    return (await timed(edit)).ms;
  },
  titles: (ids: string[]) => subject.titles(ids),
  contexts: (ids: string[]) => contexts(ids, (id) => subject.context(id)),
  remoteContexts: (ids: string[]) =>
    contexts(ids, (id) => subject.remoteContext?.(id) ?? subject.context(id)),
  sizedContext: async (taskId: string, reading: { isWhole: boolean; isRemote: boolean }) => {
    const { ms, value } = await timed(async () => subject.sizedContext?.(taskId, reading));
    return { ms, bytes: value?.() ?? 0 };
  },
  /** Each is done before the next one is asked for. */
  next: async (scopes: Record<string, string>[], isRemote: boolean) => {
    const ms: number[] = [];
    const found: (string | null)[] = [];
    for (const scope of scopes) {
      const { ms: took, value } = await timed(async () => subject.next?.(scope, isRemote));
      ms.push(took);
      found.push((await value?.()) ?? null);
    }
    return { ms, found };
  },
  renderedContext: async (taskId: string, maxTokens: number) => {
    const { ms, value } = await timed(async () => subject.renderedContext?.(taskId, maxTokens));
    return { ms, tokens: value ?? 0 };
  },
  /** In a process that has loaded its code and opened nothing yet. */
  openAndRead: async (taskId: string) => {
    const from = performance.now();
    await subject.open();
    const title = await subject.firstRow(taskId);
    const firstRow = performance.now() - from;
    const context = await subject.context(taskId);
    return { firstRow, context: performance.now() - from, title, found: context() };
  },
  idleHour: async () => (await subject.idleHour?.()) ?? null,
  emptyCalls: async (count: number) => {
    const ms: number[] = [];
    for (let n = 0; n < count; n += 1) ms.push((await timed(() => subject.emptyCall())).ms);
    return ms;
  },
  watch: async (milestoneId: string | null) => subject.watch?.(milestoneId),
  watched: async () => subject.watched?.() ?? { shown: 0, rowsRead: 0 },
  counts: () => subject.counts(),
  memory: async () => mostMemory(),
  close: () => subject.close(),
};
export type Commands = typeof commands;

process.on(
  'message',
  async ({ id, command, args }: { id: number; command: keyof Commands; args: unknown[] }) => {
    const run = commands[command] as (...given: unknown[]) => Promise<unknown>;
    const reply = await run(...args).then(
      (value) => ({ id, value }),
      (error: Error) => ({ id, error: error.stack ?? error.message }),
    );
    process.send?.(reply);
  },
);
process.on('disconnect', () => process.exit());
process.send?.({ ready: true });
