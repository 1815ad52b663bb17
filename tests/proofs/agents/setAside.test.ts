import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Task } from '@/domain/entities';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { Machine } from '../../support/builtConvoy';
import { type DemoStack, startDemoStack } from '../../support/demoStack';
import { SEED } from '../../support/seed';

let demo: DemoStack;
let machine: Machine;
let owner: ReturnType<typeof createRemoteContextService>;

beforeAll(async () => {
  [demo, machine] = await Promise.all([startDemoStack(), Machine.start()]);
  owner = createRemoteContextService({ client: (await demo.signIn('owner')).client });
  await machine.signIn(demo.stack.url, 'editor@convoy.example', SEED.password);
  await machine.json(['sync']);
});
afterAll(async () => {
  machine.remove();
  await demo.stack.close();
});

interface Conflict {
  number: number;
  short_id: string;
  conflict_id: string;
  key: string | null;
  title: string;
  open: boolean;
  fields: { name: string; mine: string; theirs: string; open: boolean }[];
}

interface Group {
  number: number;
  code: string;
  state: string;
  changes: { key: string | null; title: string; verb: string; fields: { name: string; wanted: unknown }[] }[];
}

const conflicts = () => machine.json<Conflict[]>(['conflicts']);
const refused = () => machine.json<Group[]>(['refused']);
const errorOf = (out: string) => (JSON.parse(out) as { error: { code: string } }).error;

/** Runs a command while the server cannot be reached. */
async function offline(args: readonly string[]): Promise<void> {
  await demo.stack.suspend();
  try {
    await machine.json(args);
  } finally {
    await demo.stack.resume();
  }
}

/** A task that both sides have edited. @returns its key */
async function collide(description: { mine: string; theirs: string }): Promise<{ id: string; key: string }> {
  const made = await owner.createTask({
    title: 'Both sides',
    description: 'red',
    milestone_id: SEED.offlineMilestone,
  });
  await machine.json(['sync']);
  const { task } = await machine.json<{ task: Task }>(['show', made.id]);
  await offline(['task', 'edit', made.id, '--description', description.mine]);
  await owner.updateTask(made.id, { description: description.theirs });
  await machine.json(['sync']);
  return { id: made.id, key: task.key ?? '' };
}

describe('convoy conflicts', () => {
  it('lists open conflicts by key with both values, and settles them by a side or another value (D10)', async () => {
    expect((await machine.run(['conflicts'])).out).toContain('Nothing contradicts.');
    const { id, key } = await collide({ mine: 'blue', theirs: 'green' });
    const [entry] = await conflicts();
    expect(entry).toMatchObject({ number: 1, key, title: 'Both sides', open: true });
    expect(entry?.fields).toMatchObject([{ name: 'description', mine: 'blue', theirs: 'green', open: true }]);

    const { out } = await machine.run(['conflicts']);
    expect(out).toContain(`task ${key} "Both sides"`);
    expect(out).toMatch(/before {2}red\n +mine {4}blue\n +theirs {2}green/);
    expect(out).not.toContain(id);
    expect(out).not.toContain(entry?.conflict_id);

    const undecided = await machine.run(['conflicts', 'settle', key, '--json']);
    expect(undecided.code).toBe(2);
    expect(errorOf(undecided.out).code).toBe('usage');
    const unknown = await machine.run(['conflicts', 'settle', key, '--mine', 'colour', '--json']);
    expect(unknown.code).toBe(2);
    expect((await machine.run(['conflicts', 'settle', '7', '--mine'])).code).toBe(4);
    expect(await conflicts()).toHaveLength(1);

    await machine.json(['conflicts', 'settle', key, '--mine']);
    expect(await conflicts()).toEqual([]);
    await machine.json(['sync']);
    expect((await owner.getTaskContext(id))?.task.description).toBe('blue');
  });

  it('takes a value of its own, or that of a side for a field (D10)', async () => {
    const first = await collide({ mine: 'one\ntwo\nmine', theirs: 'one\ntwo\ntheirs' });
    expect((await machine.run(['conflicts'])).out).toMatch(/- mine\n +\+ theirs/);
    await machine.json(['conflicts', 'settle', '1', '--value', 'description=neither']);
    await machine.json(['sync']);
    expect((await owner.getTaskContext(first.id))?.task.description).toBe('neither');
    const second = await collide({ mine: 'blue', theirs: 'green' });
    const [entry] = await conflicts();
    expect((await machine.run(['conflicts'])).out).toContain(`1  ${entry?.short_id}  `);
    expect((await machine.run(['inbox'])).out).toMatch(
      new RegExp(`^${second.key} +task +Both sides +description`, 'm'),
    );
    await machine.json(['conflicts', 'settle', entry?.short_id ?? '', '--theirs', 'description']);
    await machine.json(['sync']);
    expect((await owner.getTaskContext(second.id))?.task.description).toBe('green');
    expect(await conflicts()).toEqual([]);
  });
});

describe('convoy refused', () => {
  it('lists what the server refused with the reason, retries it, and discards it after a word (D7)', async () => {
    expect((await machine.run(['refused'])).out).toContain('The server has refused nothing.');
    const task = await owner.createTask({ title: 'Wanted', milestone_id: SEED.offlineMilestone });
    await machine.json(['sync']);
    const { task: known } = await machine.json<{ task: Task }>(['show', task.id]);
    await offline(['task', 'edit', task.id, '--title', 'Wanted more']);
    const members = await owner.getMembers(SEED.workspace);
    const editor = members.find(({ role, kind }) => role === 'editor' && kind === 'human');
    await owner.updateMemberRole(editor?.id ?? '', 'viewer');
    await machine.run(['sync']);

    const [group] = await refused();
    expect(group).toMatchObject({
      number: 1,
      state: 'refused',
      code: 'forbidden',
      changes: expect.arrayContaining([
        expect.objectContaining({ key: known.key, title: 'Wanted', verb: 'change' }),
      ]),
    });
    const { out } = await machine.run(['refused']);
    expect(out).toContain(`change the task ${known.key} "Wanted"`);
    expect(out).toContain('title  Wanted → Wanted more');
    expect(out).not.toContain(task.id);

    // The server refuses it again: nothing has changed there.
    expect(await machine.json<{ retried: string[] }>(['refused', 'retry', '1'])).toMatchObject({ left: [] });
    await machine.run(['sync']);
    expect(await refused()).toHaveLength(1);
    const unasked = await machine.run(['refused', 'discard', '1', '--json']);
    expect(unasked.code).toBe(1);
    expect(errorOf(unasked.out).code).toBe('needs_terminal');
    expect(await refused()).toHaveLength(1);
    await machine.json(['refused', 'discard', known.key ?? '', '--yes']);
    expect(await refused()).toEqual([]);
    expect((await machine.run(['refused', 'retry'])).code).toBe(2);
    await owner.updateMemberRole(editor?.id ?? '', 'editor');
    await machine.json(['sync']);
  });
});

describe('what members write', () => {
  it('reaches no terminal as an order to it, whatever lists it', async () => {
    const evil = 'x\u001b]0;owned\u0007\u009b31m\u202ey\rz';
    const made = await owner.createTask({
      title: evil,
      description: evil,
      milestone_id: SEED.offlineMilestone,
    });
    const gone = await owner.createTask({ title: evil, milestone_id: SEED.offlineMilestone });
    await machine.json(['sync']);
    await offline(['task', 'edit', made.id, '--description', `mine ${evil}`]);
    await owner.updateTask(made.id, { description: `theirs ${evil}` });
    await machine.json(['sync']);
    await machine.json(['task', 'delete', gone.id]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are looked for
    const orders = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
    const commands = ['list', 'next', 'conflicts', 'refused', 'status', 'whoami', 'task restore']
      .map((command) => command.split(' '))
      .concat([
        ['show', made.id],
        ['context', made.id],
        ['task', 'edit', made.id, '--priority', 'high'],
      ]);
    let told = '';
    for (const command of commands) {
      const plain = await machine.run(command);
      expect(`${command.join(' ')}: ${plain.out}${plain.err}`).not.toMatch(orders);
      told += plain.out;
    }
    expect((await machine.run(['list', '--json'])).out).not.toMatch(orders);
    expect(told).toContain('owned');
  });
});
