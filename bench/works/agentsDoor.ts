/** W10: what agents get, by the protocol and as processes: tokens of tools, `next` and `context` over stdio, a cold `convoy list`. */

import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { Machine } from '../../tests/support/builtConvoy';
import { McpHost } from '../../tests/support/mcpHost';
import { EMPTY, quantile } from '../measure';
import type { Bench } from './bench';

const CALLS = 40;
const STARTS = 5;
const BARE = resolve('bench/subjects/bareServer.mjs');

export async function agentsDoor(bench: Bench): Promise<void> {
  const { world, size, checks } = bench;
  const { serverUrl } = world.setup(size);
  const machine = await Machine.start();
  try {
    await machine.signIn(serverUrl, `bench-${size.name.toLowerCase()}@convoy.example`, 'convoy-bench');
    await machine.json(['sync']);
    const project = await world.admin.query<{ id: string; workspace_id: string }>(
      'select id, workspace_id from public.projects where workspace_id = any ($1::uuid[]) order by id limit 1',
      [size.workspaceIds],
    );
    const [{ id: project_id = '', workspace_id = '' } = {}] = project.rows;
    writeFileSync(
      join(machine.work, 'convoy.json'),
      JSON.stringify({ url: serverUrl, workspace_id, project_id }),
    );
    const host = await McpHost.start(machine);
    const { tools } = await host.client.listTools();
    const tokens = encode(JSON.stringify(tools)).length + encode(host.client.getInstructions() ?? '').length;
    if (tokens > 2_500) checks.broken.push(`W10 ${size.name}: tools take ${tokens} tokens`);
    add(bench, 'W10 tokens of tools', 0.5, [], [], tokens);

    const nexts: number[] = [];
    let taken = '';
    for (let n = 0; n < CALLS; n += 1) {
      const { ms, value } = await timed(() => host.text('next'));
      nexts.push(ms);
      taken = value;
      const [task, claim] = [/# Task (\S+)/.exec(taken)?.[1], /claim: (\w+)/.exec(taken)?.[1]];
      if (!task || !claim) checks.broken.push(`W10 ${size.name}: no task is next`);
      else await host.text('release', { task, claim });
    }
    add(bench, 'W10 next, stdio', 0.5, nexts, await bareCalls(machine, taken));
    const contexts: number[] = [];
    let text = '';
    for (const task of bench.tasks(CALLS)) {
      const { ms, value } = await timed(() => host.text('context', { task }));
      contexts.push(ms);
      text = value;
    }
    const bare = await bareCalls(machine, text);
    add(bench, 'W10 context, stdio', 0.5, contexts, bare);
    add(bench, 'W10 context, p95', 0.95, contexts, bare);
    await host.close();

    const starts = { convoy: [] as number[], limit: [] as number[] };
    for (let n = 0; n < STARTS; n += 1) {
      const { ms, value } = await timed(() => machine.run(['list']));
      const { out } = value;
      starts.convoy.push(ms);
      if (!out.includes('\n')) checks.broken.push(`W10 ${size.name}: convoy list printed nothing`);
      const path = kept(machine, out);
      const bareStart = await timed(async () => spawnSync(process.execPath, [BARE, path, '--once']));
      starts.limit.push(bareStart.ms);
    }
    add(bench, 'W10 cold convoy list', 0.5, starts.convoy, starts.limit);
  } finally {
    machine.remove();
  }
}

/** Rows of the table for Convoy and for the bare process, the limit. */
function add(
  { results, size }: Bench,
  work: string,
  share: number,
  convoy: readonly number[],
  limit: readonly number[],
  requests: number | null = null,
): void {
  const row = { ...EMPTY, work, size: size.name };
  if (convoy.length === 0) {
    results.push({ ...row, subject: 'convoy', requests });
    return;
  }
  const [ms, limitMs] = [quantile(convoy, share), quantile(limit, share)];
  results.push({ ...row, subject: 'limit', ms: limitMs, ratio: 1 });
  results.push({ ...row, subject: 'convoy', ms, ratio: ms / limitMs });
}

/** @returns ms of calls to a process that answers this text */
async function bareCalls(machine: Machine, text: string): Promise<number[]> {
  const child = spawn(process.execPath, [BARE, kept(machine, text)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const taken: number[] = [];
  for (let id = 0; id < CALLS; id += 1) {
    const request = { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'context', arguments: {} } };
    const { ms } = await timed(async () => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      JSON.parse((await lines.next()).value ?? '');
    });
    taken.push(ms);
  }
  child.stdin.end();
  // The first one waits for the process to start.
  return taken.slice(1);
}

function kept(machine: Machine, text: string): string {
  const path = join(machine.work, 'bare.txt');
  writeFileSync(path, text);
  return path;
}

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const from = performance.now();
  const value = await work();
  return { ms: performance.now() - from, value };
}
