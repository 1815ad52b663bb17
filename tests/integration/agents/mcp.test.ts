import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContextService } from '@/domain/contextService';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { Machine } from '../../support/builtConvoy';
import { type DemoStack, startDemoStack } from '../../support/demoStack';
import { McpHost } from '../../support/mcpHost';
import { SEED } from '../../support/seed';
import { structureOf, Transcript } from '../../support/transcript';

const PAGE = 'docs/agents-transcript.md';

let demo: DemoStack;
let machine: Machine;
let person: ContextService;
const hosts: McpHost[] = [];

beforeAll(async () => {
  [demo, machine] = await Promise.all([startDemoStack(), Machine.start()]);
  person = createRemoteContextService({ client: (await demo.signIn('editor')).client });
});
afterAll(async () => {
  await Promise.all(hosts.map((one) => one.close()));
  machine.remove();
  await demo.stack.close();
});

async function host(folder = machine.work) {
  const started = await McpHost.start(machine, { folder });
  hosts.push(started);
  return started;
}

describe('the MCP server', () => {
  it('lists few and tight tools before anybody has signed in, and a call says how to', async () => {
    const { client, call } = await host();
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      'next',
      'context',
      'move',
      'report',
      'ask',
      'create',
      'update',
      'depend',
      'request_review',
      'wait',
      'finish',
      'release',
      'list',
      'show',
    ]);
    const instructions = client.getInstructions() ?? '';
    expect(encode(JSON.stringify(tools)).length + encode(instructions).length).toBeLessThan(2_500);
    const longest = Math.max(
      instructions.length,
      ...tools.map(({ description }) => description?.length ?? 0),
    );
    expect(longest).toBeLessThan(2_048);
    const { text, isError } = await call('list');
    expect(isError).toBe(true);
    expect(text).toContain('convoy login');
  });

  it('answers what was asked before the host went, and sends what it wrote', async () => {
    await machine.signIn(demo.stack.url, 'agent@convoy.example', SEED.password);
    await machine.json(['sync']);
    const call = (id: number, method: string, params: unknown = {}) =>
      JSON.stringify({ jsonrpc: '2.0', id, method, params });
    const client = {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'pipe', version: '1' },
    };
    const report = { name: 'report', arguments: { task: 'FIELD-1', text: 'Said as the host went.' } };
    const lines = [
      call(1, 'initialize', client),
      JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }),
      call(2, 'tools/call', report),
    ];
    const { code, out } = await machine.run(['mcp'], `${lines.join('\n')}\n`);
    expect(code).toBe(0);
    const answers = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: number; result?: { isError?: boolean } });
    expect(answers.find(({ id }) => id === 2)?.result).toBeDefined();
    expect(answers.find(({ id }) => id === 2)?.result?.isError).toBeFalsy();
    expect(await machine.json(['status'])).toMatchObject({ unsynced: { total: 0 } });
  });

  it('says which argument is wrong, and in which form it is wanted, and writes nothing', async () => {
    const { call } = await host();
    const wrong: [string, Record<string, unknown>, string][] = [
      ['context', {}, 'task is required'],
      ['context', { task: 5 }, 'task has to be a text'],
      ['context', { task: 'A-1', max_tokens: '5' }, 'without quotes'],
      ['create', { request: 'x', tasks: '[{"title": "A"}]' }, 'a text that holds JSON'],
      ['create', { request: 'x', tasks: [{ titel: 'A' }] }, 'no argument "titel"'],
      [
        'create',
        { request: 'x', tasks: [{ title: 'A', priority: 'big' }] },
        'one of low, medium, high, urgent',
      ],
      ['update', { task: 'A-1', set: { title: 'B' }, was: {} }, 'was.title is required'],
      ['list', { filter: 'mine!' }, 'has to be one of'],
      ['nothing', {}, 'no tool'],
    ];
    for (const [name, args, said] of wrong) {
      const { text, isError } = await call(name, args);
      expect({ name, isError, text }).toEqual({ name, isError: true, text: expect.stringContaining(said) });
    }
  });

  it('names what is wrong with a change of a task as the argument that it came in', async () => {
    await machine.signIn(demo.stack.url, 'agent@convoy.example', SEED.password);
    await machine.json(['sync']);
    const { call } = await host();
    const wrong: [Record<string, unknown>, Record<string, unknown>, string][] = [
      [{ title: null }, { title: 'Any' }, 'set.title: '],
      [{ title: 'x'.repeat(3_000) }, { title: 'Any' }, 'set.title: '],
      [{ status: 'finished' }, { status: 'todo' }, 'set.status: '],
    ];
    for (const [set, was, said] of wrong) {
      const { text, isError } = await call('update', { task: 'FIELD-1', set, was });
      expect({ set, isError, text }).toEqual({ set, isError: true, text: expect.stringContaining(said) });
    }
  });

  it('lists the tasks of a member, of the agent itself, and of nobody', async () => {
    const { call } = await host();
    const of = async (assignee: string, filter = 'open') => (await call('list', { filter, assignee })).text;
    const [mine, nobodys] = [await of('me'), await of('nobody')];
    expect(mine).toContain('FIELD-1 ');
    expect(await of('Agent')).toBe(mine);
    expect(nobodys).not.toBe(mine);
    expect(nobodys).not.toContain('FIELD-1 ');
    const unknown = await call('list', { assignee: 'Eve' });
    expect(unknown).toMatchObject({ isError: true, text: expect.stringContaining('"Agent"') });
  });

  it('takes an agent from a plan to a finished task, past both reviews of a person', async () => {
    await machine.signIn(demo.stack.url, 'agent@convoy.example', SEED.password);
    await machine.json(['sync']);
    const project = await person.createProject({ workspace_id: SEED.workspace, name: 'Door' });
    const milestone = await person.createMilestone({
      project_id: project.id,
      name: 'First',
      status: 'active',
    });
    await machine.json(['sync']);
    const folder = join(machine.work, 'door');
    mkdirSync(folder);
    await machine.run(['link', project.id], '', folder);
    const { call } = await host(folder);

    const create = {
      request: 'plan-1',
      tasks: [
        { name: 'one', title: 'Lay the sill' },
        { title: 'Hang the door', depends_on: ['one'] },
      ],
    };
    const made = await call('create', create);
    expect(made).toMatchObject({ isError: false, text: expect.stringContaining('Lay the sill') });
    await call('create', create);
    await expect.poll(async () => (await person.getTasks(milestone.id)).length).toBe(2);

    const transcript = new Transcript();
    const say = transcript.of(call);
    const { text: taken } = await say('next');
    expect(taken).toContain('Lay the sill');
    const claim = /claim: (\w+)/.exec(taken)?.[1] ?? '';
    const first = (await person.getTasks(milestone.id)).find(({ title }) => title === 'Lay the sill');
    const task = first?.key ?? '';
    expect(first?.claim_id).toBe(claim);
    const { text: known } = await call('context', { task });
    const hash = /hash: (\w+)/.exec(known)?.[1] ?? '';
    expect((await call('context', { task, hash })).text).toContain('as it was');

    expect((await say('move', { task, stage: 'IMPLEMENT' })).text).toContain('checkpoint');
    expect((await say('request_review', { task, text: 'Oak, 4 cm.' })).isError).toBe(false);
    const waiting = call('wait', { task });
    await expect
      .poll(() => person.getReview(first?.id ?? ''))
      .toMatchObject({ state: 'open', text: 'Oak, 4 cm.' });
    const plan = await person.getReview(first?.id ?? '');
    await person.returnReview(first?.id ?? '', plan?.id ?? '', 'Say which oak.');
    expect((await waiting).text).toContain('Say which oak.');
    transcript.note('A person sends the plan back.');
    await say('wait', { task });
    await say('request_review', { task, text: 'White oak, 4 cm.' });
    await expect.poll(async () => (await person.getReview(first?.id ?? ''))?.text).toBe('White oak, 4 cm.');
    const again = await person.getReview(first?.id ?? '');
    await person.approveReview(first?.id ?? '', again?.id ?? '');
    transcript.note('A person approves the plan.');
    expect((await say('wait', { task })).text).toContain('Approved');

    // Another session goes on with the claim that it names.
    const later = await host(folder);
    const go = transcript.of(later.call);
    transcript.note('The agent is started anew, and goes on with its claim.');
    expect((await go('next', { claim })).text).toContain('Lay the sill');
    await go('report', { task, text: 'Laid.', branch: 'door', commit: 'abcdef1' });
    expect((await go('move', { task, claim })).text).toContain('VALIDATE');
    await go('request_review', { task, text: 'Laid and level.', commit: 'abcdef1' });
    await expect.poll(async () => (await person.getReview(first?.id ?? ''))?.stage).toBe('CODE_REVIEW');
    const code = await person.getReview(first?.id ?? '');
    await person.approveReview(first?.id ?? '', code?.id ?? '');
    transcript.note('A person approves what was done.');
    await go('wait', { task });
    expect((await go('finish', { task })).text).toContain('done');
    if (process.env.CONVOY_TRANSCRIPT === 'write') writeFileSync(PAGE, transcript.text);
    expect(structureOf(transcript.text)).toEqual(structureOf(readFileSync(PAGE, 'utf8')));
    await expect
      .poll(async () => (await person.getTasks(milestone.id)).map(({ status }) => status).sort())
      .toEqual(['done', 'todo']);
    expect((await later.call('list', { filter: 'all' })).text).toContain('done');
    expect((await later.call('next')).text).toContain('Hang the door');
  });
});
