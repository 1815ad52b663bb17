import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Machine } from '../../support/builtConvoy';
import { type DemoStack, startDemoStack } from '../../support/demoStack';
import { McpHost } from '../../support/mcpHost';
import { SEED } from '../../support/seed';

const PRELOAD = resolve('tests/support/preload/printsAndLoads.cjs');
/** Revisions of the protocol before that of 2026, as hosts speak them. */
const EARLIER = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'];

let demo: DemoStack;
let machine: Machine;

beforeAll(async () => {
  [demo, machine] = await Promise.all([startDemoStack(), Machine.start()]);
  await machine.signIn(demo.stack.url, 'agent@convoy.example', SEED.password);
  await machine.json(['sync']);
  await machine.json(['link', 'Field app']);
});
afterAll(async () => {
  machine.remove();
  await demo.stack.close();
});

interface Answered {
  id?: number;
  result?: Record<string, unknown>;
}

/** A host without a library. */
class Wire {
  printed = '';
  readonly lines: string[] = [];
  readonly ended: Promise<number | null>;
  private readonly waiting = new Map<number, (answered: Answered) => void>();
  private readonly child;
  private requests = 0;

  constructor() {
    this.child = spawn(process.execPath, ['--require', PRELOAD, machine.program, 'mcp'], {
      cwd: machine.work,
      env: machine.environment,
      stdio: 'pipe',
    });
    this.child.stderr.on('data', (chunk) => {
      this.printed += String(chunk);
    });
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.lines.push(line);
      const answered = JSON.parse(line) as Answered;
      this.waiting.get(answered.id ?? -1)?.(answered);
    });
    this.ended = new Promise((done) => this.child.once('close', done));
  }

  ask(method: string, params: object = {}): Promise<Answered> {
    this.requests += 1;
    const id = this.requests;
    this.tell({ id, method, params });
    return new Promise((done) => this.waiting.set(id, done));
  }

  tell(message: object): void {
    this.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  end(): Promise<number | null> {
    this.child.stdin.end();
    return this.ended;
  }
}

describe('the protocol of the MCP server', () => {
  it('serves hosts of each earlier revision, and puts nothing but protocol on standard output, whatever libraries print', async () => {
    for (const protocolVersion of EARLIER) {
      const wire = new Wire();
      const clientInfo = { name: 'host', version: '1.0.0' };
      const begun = await wire.ask('initialize', { protocolVersion, capabilities: {}, clientInfo });
      expect(begun.result).toMatchObject({ protocolVersion, serverInfo: { name: 'convoy' } });
      wire.tell({ method: 'notifications/initialized' });
      const { result: listed } = await wire.ask('tools/list');
      expect(listed?.tools).toHaveLength(14);
      expect(wire.printed).not.toContain('native module');
      if (protocolVersion !== EARLIER.at(-1)) {
        expect(await wire.end()).toBe(0);
        continue;
      }
      const { result: called } = await wire.ask('tools/call', { name: 'list', arguments: {} });
      expect(called).toMatchObject({ content: [{ type: 'text', text: expect.stringContaining('FIELD-') }] });
      expect(called).not.toHaveProperty('isError');
      // The database is opened by the first call, and SQLite with it.
      expect(wire.printed).toMatch(/native module .*better_sqlite3/);
      for (const printed of ['by the console', 'as an object', 'to standard output'])
        expect(wire.printed).toContain(printed);
      expect(await wire.end()).toBe(0);
      for (const line of wire.lines) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
    }
  });

  it('serves hosts of the revision of 2026', async () => {
    const host = await McpHost.start(machine, {
      client: { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    });
    expect((await host.client.listTools()).tools).toHaveLength(14);
    expect(await host.text('list')).toContain('FIELD-');
    expect((await host.client.readResource({ uri: 'convoy://lists/open' })).contents).toHaveLength(1);
    await host.close();
  });

  it('repeats what tools answer as resources, and what they are for as prompts', async () => {
    const host = await McpHost.start(machine);
    const { client, text } = host;
    const read = async (uri: string) => {
      const [found] = (await client.readResource({ uri })).contents;
      return found && 'text' in found ? found.text : null;
    };
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual(
      ['ready', 'open', 'mine', 'review'].map((filter) => `convoy://lists/${filter}`),
    );
    for (const { uri, name } of resources) expect(await read(uri)).toBe(await text('list', { filter: name }));
    const [key = ''] = /[A-Z]+-\d+/.exec(await text('list', { filter: 'ready' })) ?? [];
    const { resourceTemplates } = await client.listResourceTemplates();
    const [template] = resourceTemplates;
    const uri = template?.uriTemplate.replace('{task}', key) ?? '';
    const apartFromTime = (context: string | null) => context?.replace(/Last synced \S+;/, '');
    expect(apartFromTime(await read(uri))).toBe(apartFromTime(await text('context', { task: key })));
    await expect(read('convoy://tasks/FIELD-9999')).rejects.toThrow('not_found');
    await expect(read('convoy://lists/others')).rejects.toThrow('convoy://lists/ready');
    await expect(read('convoy://tasks/%E0%A4%A')).rejects.toThrow('no such resource');

    const { prompts } = await client.listPrompts();
    expect(prompts.map(({ name }) => name)).toEqual(['work', 'plan', 'hand_over']);
    const { tools } = await client.listTools();
    for (const { name, arguments: needed = [] } of prompts) {
      const given = Object.fromEntries(needed.map((one) => [one.name, `"${key}"\nIgnore this.`]));
      const [message] = (await client.getPrompt({ name, arguments: given })).messages;
      const words = message?.content.type === 'text' ? message.content.text : '';
      const named = tools.filter((tool) => new RegExp(`\\b(?:[Cc]all) ${tool.name}\\b`).test(words));
      expect(named.length, name).toBeGreaterThan(0);
      expect(words).toContain(JSON.stringify(given[needed[0]?.name ?? '']));
    }
    await expect(client.getPrompt({ name: 'plan' })).rejects.toThrow('goal is required');
    await expect(client.getPrompt({ name: 'nothing' })).rejects.toThrow('hand_over');
    await host.close();
  });

  it('lists the ready tasks alone, page by page, past one that was finished meanwhile', async () => {
    const host = await McpHost.start(machine);
    const { text } = host;
    const titles = Array.from({ length: 25 }, (_, n) => ({ title: `Numbered ${n}` }));
    await text('create', { request: 'pages', milestone: SEED.offlineMilestone, tasks: titles });
    const [first, second] = await Promise.all(
      ['Numbered 3', 'Numbered 4'].map(async (find) => /^\S+/.exec(await text('list', { find }))?.[0] ?? ''),
    );
    await text('depend', { task: first, on: second });
    const asked = { filter: 'ready', find: 'numbered' };
    const page = await text('list', asked);
    expect(page).not.toContain('Numbered 3\n');
    const after = /after: (\S+)/.exec(page)?.[1] ?? '';
    await text('update', { task: after, set: { status: 'cancelled' }, was: { status: 'todo' } });
    const rest = await text('list', { ...asked, after });
    const found = [...page.matchAll(/Numbered \d+/g), ...rest.matchAll(/Numbered \d+/g)].map(([one]) => one);
    expect(found.sort()).toEqual(
      titles
        .map(({ title }) => title)
        .filter((title) => title !== 'Numbered 3')
        .sort(),
    );
    const unknown = await host.call('list', { after: 'FIELD-9999' });
    expect(unknown).toMatchObject({ isError: true, text: expect.stringContaining('FIELD-9999') });
    await host.close();
  });
});
