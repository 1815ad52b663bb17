/** Calls of all kinds to several MCP servers at once, and whether the server has all that they wrote. */

import type { ContextService } from '@/domain/contextService';
import { randomNumbers } from './flakyProxy';
import type { McpHost } from './mcpHost';

interface Written {
  /** Latest title by key. */
  titles: Map<string, string>;
  reports: string[];
  /** `<task> <on>`, by key. */
  dependencies: string[];
  calls: number;
}

/**
 * Each host makes so many calls, one after the other, while the others make theirs.
 * @returns what was written; rejects where a call fails
 */
export async function mixedCalls(
  hosts: readonly McpHost[],
  callsEach: number,
  seed: number,
): Promise<Written> {
  const all = await Promise.all(hosts.map((host, n) => callsOf(host, `client ${n}`, callsEach, seed + n)));
  return {
    titles: new Map(all.flatMap(({ titles }) => [...titles])),
    reports: all.flatMap(({ reports }) => reports),
    dependencies: all.flatMap(({ dependencies }) => dependencies),
    calls: all.reduce((sum, { calls }) => sum + calls, 0),
  };
}

async function callsOf({ text }: McpHost, name: string, most: number, seed: number): Promise<Written> {
  const random = randomNumbers(seed);
  const done: Written = { titles: new Map(), reports: [], dependencies: [], calls: 0 };
  /** Keys of its own tasks: each client changes its own, and reads all. */
  const keys: string[] = [];
  const one = () => keys[Math.floor(random() * keys.length)] ?? '';
  const call = (tool: string, args: Record<string, unknown> = {}) => {
    done.calls += 1;
    return text(tool, args);
  };
  const create = async () => {
    const titles = [1, 2].map((n) => `${name}, call ${done.calls}, ${n}`);
    const made = await call('create', {
      request: `${seed} ${name} ${done.calls}`,
      tasks: titles.map((title, n) => ({ name: String(n), title, depends_on: n === 0 ? [] : ['0'] })),
    });
    const made_ = made.split('\n').slice(1);
    for (const [n, title] of titles.entries()) {
      const key = made_[n]?.split(' ')[0] ?? '';
      keys.push(key);
      done.titles.set(key, title);
    }
    done.dependencies.push(`${keys.at(-1)} ${keys.at(-2)}`);
  };
  const kinds: (() => Promise<unknown>)[] = [
    create,
    async () => {
      const report = `${name} reports at ${done.calls}`;
      await call('report', { task: one(), text: report });
      done.reports.push(report);
    },
    async () => {
      const task = one();
      const title = `${name}, changed at ${done.calls}`;
      await call('update', { task, set: { title }, was: { title: done.titles.get(task) } });
      done.titles.set(task, title);
    },
    async () => {
      const [later, earlier] = [keys.length - 1, Math.floor(random() * (keys.length - 1))].map(
        (n) => keys[n],
      );
      if (done.dependencies.includes(`${later} ${earlier}`)) return;
      await call('depend', { task: later, on: earlier });
      done.dependencies.push(`${later} ${earlier}`);
    },
    () => call('list', { filter: 'all', find: name }),
    () => call('show', { task: one() }),
    () => call('context', { task: one(), max_tokens: 1_000 }),
    async () => {
      const taken = await call('next');
      const [claim, task] = [/claim: (\w+)/.exec(taken)?.[1], /# Task (\S+)/.exec(taken)?.[1]];
      if (claim && task) await call('release', { task, claim });
    },
  ];
  await create();
  while (done.calls < most) await kinds[Math.floor(random() * kinds.length)]?.();
  return done;
}

/** @returns what is wrong on the server with what was written, in words; empty where all of it is there once */
export async function missingOf(
  { titles, reports, dependencies }: Written,
  server: ContextService,
  milestoneId: string,
): Promise<string[]> {
  const wrong: string[] = [];
  const tasks = await server.getTasks(milestoneId);
  const idOf = async (name: string) => (await server.findTask(name))?.id ?? name;
  const expected = new Map<string, string>();
  for (const [name, title] of titles) expected.set(await idOf(name), title);
  if (tasks.length !== expected.size) wrong.push(`${tasks.length} tasks, not ${expected.size}`);
  const found: string[] = [];
  const waits = new Set<string>();
  for (const { id, title } of tasks) {
    if (expected.get(id) !== title) wrong.push(`"${title}", not "${expected.get(id)}"`);
    found.push(...(await server.getComments(id)).map(({ text }) => text));
    const context = await server.getTaskContext(id);
    for (const on of context?.dependencies ?? []) waits.add(`${id} ${on.id}`);
  }
  for (const report of reports) {
    const times = found.filter((text) => text === report).length;
    if (times !== 1) wrong.push(`"${report}" is there ${times} times`);
  }
  for (const dependency of dependencies) {
    const [later = '', earlier = ''] = dependency.split(' ');
    if (!waits.has(`${await idOf(later)} ${await idOf(earlier)}`)) wrong.push(`missing: ${dependency}`);
  }
  return wrong;
}
