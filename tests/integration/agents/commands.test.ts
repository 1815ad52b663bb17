import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Task } from '@/domain/entities';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { Machine } from '../../support/builtConvoy';
import { type DemoStack, startDemoStack } from '../../support/demoStack';
import { SEED } from '../../support/seed';

let demo: DemoStack;
let machine: Machine;

beforeAll(async () => {
  [demo, machine] = await Promise.all([startDemoStack(), Machine.start()]);
});
afterAll(async () => {
  machine.remove();
  await demo.stack.close();
});

const errorOf = (out: string) => (JSON.parse(out) as { error: { kind: string; code: string } }).error;

describe('the command line', () => {
  it('says how to sign in where nobody has, with a code of its own', async () => {
    const { code, out, err } = await machine.run(['list']);
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toContain('convoy login');
    const asked = await machine.run(['list', '--json']);
    expect(errorOf(asked.out)).toMatchObject({ kind: 'machine', code: 'not_signed_in' });
  });

  it('ends with 2 for wrong usage, and with 3 for a wrong password', async () => {
    expect(await machine.run(['lisst'])).toMatchObject({ code: 2, out: '' });
    for (const wrong of [
      ['list', '--nothing'],
      ['task'],
      ['task', 'create'],
      ['conflicts', 'settle'],
      ['mcp', 'install', '--nothing'],
      ['logout', '--sync', '--discard'],
    ]) {
      expect(await machine.run(wrong), wrong.join(' ')).toMatchObject({ code: 2, out: '' });
    }
    for (const wrong of [['lisst'], ['list', '--nothing'], ['task'], ['return', 'FIELD-1']]) {
      const { code, out, err } = await machine.run([...wrong, '--json']);
      expect({ code, err, error: errorOf(out) }, wrong.join(' ')).toMatchObject({
        code: 2,
        err: '',
        error: { kind: 'machine', code: 'usage' },
      });
    }
    const wrong = ['login', '--url', demo.stack.url, '--email', 'owner@convoy.example', '--password-stdin'];
    expect(await machine.run(wrong, 'wrong')).toMatchObject({ code: 3 });
    const nobody = await machine.run(['login', '--url', demo.stack.url]);
    expect(nobody).toMatchObject({ code: 1 });
    expect(nobody.err).toContain('no terminal');
  });

  it('keeps sessions where only their owner can read them, one for each user', async () => {
    await machine.signIn(demo.stack.url, 'editor@convoy.example', SEED.password);
    await machine.signIn(demo.stack.url, 'agent@convoy.example', SEED.password);
    const known = await machine.json<{ name: string; kind: string; current: boolean }[]>(['whoami']);
    expect(known).toMatchObject([
      { name: 'Agent', kind: 'agent', current: false },
      { name: 'editor@convoy.example', kind: 'human', current: true },
    ]);
    expect(statSync(join(machine.data, 'profiles')).mode & 0o077).toBe(0);
    const agent = await machine.json<{ user: string }>(['status', '--as', 'agent']);
    expect(agent.user).toBe('Agent');
    // People too, by the name that others see.
    expect(await machine.json(['status', '--as', 'Editor'])).toMatchObject({ user: 'editor@convoy.example' });
    expect(errorOf((await machine.run(['status', '--as', 'somebody', '--json'])).out).code).toBe(
      'not_signed_in',
    );
  });

  it('links a folder by ids alone, found from folders below it', async () => {
    await machine.json(['sync']);
    const below = join(machine.work, 'src', 'deep');
    mkdirSync(below, { recursive: true });
    await machine.json(['link', 'Field app']);
    const file = join(machine.work, 'convoy.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      url: demo.stack.url,
      workspace_id: SEED.workspace,
      project_id: SEED.fieldApp,
    });
    expect((await machine.run(['status'], '', below)).out).toContain('convoy.json');
    writeFileSync(join(below, 'convoy.json'), '{"url": "file:///etc/passwd", "workspace_id": "x"}');
    expect(errorOf((await machine.run(['status', '--json'], '', below)).out).code).toBe('bad_link');
    // A backend that a folder names gets no credential of another one.
    writeFileSync(
      join(below, 'convoy.json'),
      JSON.stringify({ url: 'https://elsewhere.example', workspace_id: SEED.workspace }),
    );
    expect(await machine.run(['status'], '', below)).toMatchObject({ code: 3 });
  });

  it('creates, changes, finds, deletes and restores tasks, and the server has them when it ends', async () => {
    const made = await machine.json<Task>(
      ['task', 'create', 'From a terminal', '--milestone', SEED.offlineMilestone, '--description', '-'],
      'As **piped** in.\n',
    );
    expect(made).toMatchObject({ title: 'From a terminal', description: 'As **piped** in.' });
    const [listed] = (await machine.json<Task[]>(['list'])).filter(({ id }) => id === made.id);
    expect(made).toMatchObject({ key: listed?.key, name: listed?.key });
    expect(listed?.key).toMatch(/^[A-Z]+-\d+$/);
    const key = listed?.key ?? '';
    expect(await machine.json(['task', 'edit', key.toLowerCase(), '--priority', 'high'])).toMatchObject({
      priority: 'high',
    });
    expect(await machine.json(['task', 'move', key])).toMatchObject({ current_stage: 'PLAN_REVIEW' });
    const other = await machine.json<Task>([
      'task',
      'create',
      'Another',
      '--milestone',
      SEED.offlineMilestone,
    ]);
    await machine.json(['depend', other.id, key]);
    const said = await machine.run(['comment', key, 'A word.']);
    expect(said.out).toBe(`Written on ${key} From a terminal.\n`);
    expect(await machine.json(['show', other.id])).toMatchObject({
      readiness: { ready: false, reasons: [{ code: 'dependency', task_id: made.id }] },
    });
    expect((await machine.json<{ markdown: string }>(['context', key])).markdown).toContain(
      'From a terminal',
    );
    await machine.json(['task', 'delete', other.id]);
    expect(await machine.run(['show', other.id])).toMatchObject({ code: 4 });
    const [deletion] = await machine.json<{ id: string; entity_id: string }[]>(['task', 'restore']);
    expect(deletion?.entity_id).toBe(other.id);
    await machine.json(['task', 'restore', deletion?.id ?? '']);
    // By its key, which the task itself is not there to tell any more.
    await machine.json(['task', 'delete', key]);
    await machine.json(['sync']);
    expect(await machine.run(['show', key])).toMatchObject({ code: 4 });
    await machine.json(['task', 'restore', key]);
    expect((await machine.run(['task', 'restore', 'FIELD-99999'])).code).toBe(4);
    const shown = await machine.run(['show', key]);
    expect(shown.out).toMatch(/^claimed by +nobody$/m);
    const { client } = await demo.signIn('viewer');
    const there = await createRemoteContextService({ client }).getTasks(SEED.offlineMilestone);
    expect(there.filter(({ id }) => id === made.id || id === other.id)).toHaveLength(2);
    const bad = await machine.run(['task', 'edit', key, '--priority', 'highest', '--json']);
    expect({ code: bad.code, error: errorOf(bad.out) }).toMatchObject({
      code: 2,
      error: { kind: 'validation', code: 'bad_value', field: 'priority' },
    });
  });

  it('takes the title of a new task as an argument or by --title, and puts each after those before', async () => {
    const create = (...args: string[]) =>
      machine.json<Task>(['task', 'create', ...args, '--milestone', SEED.offlineMilestone]);
    const made = [
      await create('First new'),
      await create('--title', 'Second new'),
      await create('Third new'),
    ];
    const listed = await machine.json<Task[]>(['list', '--milestone', SEED.offlineMilestone]);
    expect(listed.slice(-3).map(({ id }) => id)).toEqual(made.map(({ id }) => id));
    const { code, err } = await machine.run(['task', 'create', 'One', '--title', 'Two']);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('"One" and "Two"') });
  });

  it('lists tasks with their assignees, and those of one alone', async () => {
    const all = await machine.json<Task[]>(['list', '--all']);
    const { userId } = (await machine.json<{ name: string; userId: string }[]>(['whoami'])).find(
      ({ name }) => name === 'Agent',
    ) ?? { userId: '' };
    const mine = await machine.json<Task[]>(['list', '--all', '--assignee', 'me', '--as', 'Agent']);
    expect(mine.map(({ id }) => id)).toEqual(
      all.filter(({ assignee_id }) => assignee_id === userId).map(({ id }) => id),
    );
    expect(mine.length).toBeGreaterThan(0);
    expect(await machine.json(['list', '--all', '--assignee', 'agent'])).toHaveLength(mine.length);
    const nobody = await machine.json<Task[]>(['list', '--assignee', 'nobody']);
    expect(nobody.length).toBeGreaterThan(0);
    expect(nobody.every(({ assignee_id }) => assignee_id === null)).toBe(true);
    expect((await machine.run(['list', '--assignee', 'nobody'])).out).toMatch(/ {2}nobody {2}/);
  });

  it.each([
    // The command line itself is wrong, whatever is there.
    [2, ['task', 'edit', 'FIELD-1', '--priority', 'highest']],
    [2, ['task', 'edit', 'FIELD-1', '--status', 'someday']],
    [2, ['task', 'edit', 'FIELD-1', '--title', ' ']],
    [2, ['task', 'move', 'FIELD-1', 'NOWHERE']],
    [2, ['task', 'create', 'Two', '--title', 'Titles']],
    [2, ['task', 'create']],
    [2, ['task', 'create', 'Without a milestone']],
    [2, ['show', 'nonsense']],
    [2, ['context', 'FIELD-1', '--max-tokens', 'many']],
    [2, ['refused', 'retry']],
    [2, ['status', '--url', 'nonsense']],
    [2, ['login', '--url', 'nonsense']],
    [2, ['mcp', 'install', '--host', 'emacs', '--yes']],
    [2, ['mcp', 'install', '--host', 'vscode', '--user', '--yes']],
    // Well-formed references that name nothing here.
    [4, ['show', 'FIELD-99999']],
    [4, ['show', '01900000-dead-7000-8000-00000000beef']],
    [4, ['list', '--milestone', 'Nowhere']],
    [4, ['list', '--assignee', 'Nobody at all']],
    [4, ['conflicts', 'settle', '7', '--mine']],
    [4, ['refused', 'retry', '7']],
    [4, ['answer', 'FIELD-1', 'Yes.']],
    [3, ['status', '--as', 'somebody']],
    [3, ['status', '--url', 'https://elsewhere.example']],
    [5, ['approve', 'FIELD-1']],
    // It is refused for what is there.
    [1, ['depend', 'FIELD-1', 'FIELD-1']],
    [1, ['task', 'finish', 'FIELD-6']],
  ])('ends with %i, and a failure in JSON: convoy %j', async (expected, args) => {
    const { code, out, err } = await machine.run([...args, '--json']);
    expect({ code, err, error: errorOf(out) }).toEqual({
      code: expected,
      err: '',
      error: expect.objectContaining({ kind: expect.any(String), message: expect.stringMatching(/./) }),
    });
  });

  it('tells people nothing in colours or tables where its output is piped away', async () => {
    const { out } = await machine.run(['list']);
    expect(out).not.toContain('\u001b');
    const reader = await machine.run(['list', '--help']);
    expect(reader).toMatchObject({ code: 0, err: '' });
  });

  it('signs out once nothing waits, and the next command asks to sign in', async () => {
    expect(await machine.json(['logout', '--as', 'Agent'])).toEqual({ signedOut: true });
    expect(await machine.run(['status', '--as', 'Agent'])).toMatchObject({ code: 3 });
    expect(await machine.run(['status'])).toMatchObject({ code: 0 });
  });
});
