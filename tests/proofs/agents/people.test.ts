import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PAUSED_MESSAGE } from '@/domain/agents';
import type { ContextService } from '@/domain/contextService';
import type { WorkspaceMember } from '@/domain/entities';
import type { Inbox } from '@/domain/inbox';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { Machine } from '../../support/builtConvoy';
import { type DemoStack, startDemoStack } from '../../support/demoStack';
import { SEED } from '../../support/seed';
import { atTerminal, hasTerminal, KEYS } from '../../support/terminal';

let demo: DemoStack;
let machine: Machine;
let agent: ContextService;
let owner: ContextService;

beforeAll(async () => {
  [demo, machine] = await Promise.all([startDemoStack(), Machine.start()]);
  const serviceOf = async (account: string) =>
    createRemoteContextService({ client: (await demo.signIn(account)).client });
  [agent, owner] = await Promise.all([serviceOf('agent'), serviceOf('owner')]);
  for (const account of ['editor', 'viewer', 'agent', 'owner', 'outsider']) {
    if (account === 'outsider') await demo.signIn(account);
    await machine.signIn(demo.stack.url, `${account}@convoy.example`, SEED.password);
  }
});
afterAll(async () => {
  machine.remove();
  await demo.stack.close();
});

/** A task that waits at the first checkpoint. */
async function waiting(text = 'The plan is ready.') {
  const { id } = await owner.createTask({ milestone_id: SEED.offlineMilestone, title: 'For people' });
  const { id: request } = await agent.requestReview(id, { text, branch: 'plan', stage: 'PLAN_REVIEW' });
  return { id, request };
}

const stageOf = async (id: string) => (await owner.getTaskContext(id))?.task.current_stage;
const yes = (after: string) => [{ after, keys: KEYS.yes }];
const errorIn = (out: string) => (JSON.parse(out) as { error: { kind: string; code: string } }).error;

describe('convoy inbox', () => {
  it('tells each role what waits for it, as JSON and in words', async () => {
    const { id } = await waiting();
    const placed = async (as: string) => {
      const { reviews, team } = await machine.json<Inbox>(['inbox', '--as', as]);
      const has = (list: Inbox['team']) => list.some(({ task }) => task.id === id);
      return has(reviews) ? 'own' : has(team) ? 'team' : 'none';
    };
    for (const [as, place] of [
      ['owner@convoy.example', 'own'],
      ['editor@convoy.example', 'own'],
      ['viewer@convoy.example', 'team'],
      ['Agent', 'team'],
      ['outsider@convoy.example', 'none'],
    ] as const) {
      expect(await placed(as), as).toBe(place);
    }
    const { out, code } = await machine.run(['inbox']);
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('For people') });
    expect(out).not.toContain('\u001b');
    const nothing = await machine.run(['inbox', '--as', 'outsider@convoy.example']);
    expect(nothing.out).toContain('Nothing waits for you.');
  });
});

describe('convoy answer', () => {
  it('answers the question that waits for an agent, without a network too (I3)', async () => {
    const { id } = await owner.createTask({ milestone_id: SEED.offlineMilestone, title: 'Asked about' });
    const members = await owner.getMembers(SEED.workspace);
    const to = members.find(({ display_name }) => display_name === 'Agent')?.user_id ?? '';
    const asked = await owner.askQuestion(id, 'By hand?', { to });
    const as = ['--as', 'Agent'];
    await machine.json(['sync', ...as]);
    const inbox = await machine.run(['inbox', ...as]);
    expect(inbox.err).toContain('convoy answer');
    await demo.stack.suspend();
    await machine.json(['answer', id, 'With a spade.', ...as]).finally(() => demo.stack.resume());
    await machine.json(['sync', ...as]);
    expect((await owner.getComments(id)).find(({ kind }) => kind === 'answer')).toMatchObject({
      question_id: asked.id,
      author_id: to,
      text: 'With a spade.',
    });
    expect((await machine.run(['answer', id, 'Again.', ...as])).code).toBe(4);
  });
});

describe('what people alone do', () => {
  it('is refused without a terminal, with a code of its own, and changes nothing', async () => {
    const { id, request } = await waiting();
    const commands = [
      ['approve', id],
      ['approve', id, '--as-of', request],
      ['return', id, '--reason', 'No.'],
      ['agent', 'add', 'Bot'],
      ['agent', 'list'],
      ['agent', 'pause', 'Agent'],
      ['agent', 'resume', 'Agent'],
      ['agent', 'revoke', 'Agent'],
    ];
    for (const command of commands) {
      const ran = await machine.run(command, 'y\n');
      expect(ran, command.join(' ')).toMatchObject({ code: 5, out: '' });
      expect(ran.err).toContain('at a terminal');
    }
    const asked = await machine.run(['approve', id, '--json']);
    expect({ code: asked.code, error: errorIn(asked.out) }).toMatchObject({
      code: 5,
      error: { kind: 'machine', code: 'needs_person' },
    });
    expect(await stageOf(id)).toBe('PLAN_REVIEW');
  });
});

describe.skipIf(!hasTerminal)('at a terminal', () => {
  it('what people alone do is refused to an agent, and under the host of one', async () => {
    const { id } = await waiting();
    for (const variable of ['CLAUDECODE', 'CODEX_SANDBOX', 'AI_AGENT']) {
      const under = await atTerminal(machine, ['approve', id], yes('Approve it?'), { [variable]: '1' });
      expect(under.code, under.shown).toBe(5);
      expect(under.shown).toContain(variable);
    }
    const asAgent = await atTerminal(machine, ['approve', id, '--as', 'Agent'], yes('Approve it?'));
    expect(asAgent.code).toBe(5);
    expect(asAgent.shown).toContain('Agent is an agent.');
    expect(await stageOf(id)).toBe('PLAN_REVIEW');
  });

  it('a person approves what was shown, with its difference to the request before (V2)', async () => {
    const { id } = await waiting('Plan:\n# Tests: none\nDone.');
    const { id: request } = await agent.requestReview(id, {
      text: 'Plan:\n# Tests: all\nDone.',
      branch: 'plan',
      commit: '0a1b2c3d',
    });
    const { code, shown } = await atTerminal(
      machine,
      ['approve', id, '--as-of', request],
      yes('Approve it?'),
    );
    expect(code, shown).toBe(0);
    for (const part of [
      'PLAN_REVIEW',
      'branch plan',
      'commit 0a1b2c3d',
      '> # Tests: all',
      '- # Tests: none',
      '+ # Tests: all',
    ])
      expect(shown).toContain(part);
    expect(await stageOf(id)).toBe('IMPLEMENT');
    expect(await owner.getReview(id)).toMatchObject({ id: request, state: 'approved' });
    const again = await atTerminal(machine, ['approve', id], yes('Approve it?'));
    expect(again.code).toBe(4);
  });

  it('a person sends a task back with a reason (V5)', async () => {
    const { id, request } = await waiting();
    const sent = await atTerminal(machine, ['return', id, '--reason', 'Say how.'], yes('Send it back?'));
    expect(sent.code, sent.shown).toBe(0);
    expect(await stageOf(id)).toBe('PLAN');
    expect(await owner.getReview(id)).toMatchObject({ id: request, state: 'returned', reason: 'Say how.' });
    expect((await atTerminal(machine, ['return', id])).code).toBe(2);
  });

  it('nothing is changed by Ctrl-C, nor by Enter alone, also where the screen was cleared before', async () => {
    const { id } = await waiting();
    for (const keys of [KEYS.interrupt, KEYS.enter, `${KEYS.clear}${KEYS.enter}`]) {
      const left = await atTerminal(machine, ['approve', id], [{ after: 'Approve it?', keys }]);
      expect(left.code, left.shown).toBe(1);
      expect(left.shown).toContain('Nothing was changed.');
    }
    const left = await atTerminal(
      machine,
      ['agent', 'revoke', 'Agent'],
      [{ after: 'Revoke Agent?', keys: KEYS.interrupt }],
    );
    expect(left.code, left.shown).toBe(1);
    expect(await stageOf(id)).toBe('PLAN_REVIEW');
    const members = await owner.getMembers(SEED.workspace);
    expect(members.some(({ display_name }) => display_name === 'Agent')).toBe(true);
    const hosts = ['mcp', 'install', '--as', 'Agent'];
    for (const [args, after, keys] of [
      [hosts, 'Hosts to write', KEYS.interrupt],
      [[...hosts, '--host', 'claude-code'], '.mcp.json?', KEYS.interrupt],
      [[...hosts, '--host', 'vscode', '--no-instructions'], 'mcp.json?', KEYS.enter],
    ] as const) {
      const unwritten = await atTerminal(machine, args, [{ after, keys }]);
      expect(unwritten.code, unwritten.shown).toBe(1);
      expect(unwritten.shown).toContain('Nothing was changed.');
      // After Ctrl-C nothing else is asked.
      expect(unwritten.shown).not.toContain('AGENTS.md?');
    }
    expect(existsSync(join(machine.work, '.mcp.json'))).toBe(false);
  });

  it('an approval is refused where another request is newer, also one that came while the person read (V3)', async () => {
    const { id, request } = await waiting();
    const newer = await agent.requestReview(id, { text: 'Another one.' });
    const old = await atTerminal(machine, ['approve', id, '--as-of', request, '--json'], yes('Approve it?'));
    expect(old.code, old.shown).toBe(1);
    expect(old.shown).toContain('review_outdated');
    expect(old.shown).toContain(newer.id);
    const seen = await atTerminal(
      machine,
      ['approve', id],
      [
        {
          after: 'Approve it?',
          keys: KEYS.yes,
          // It comes between what is shown and the answer.
          first: () => agent.requestReview(id, { text: 'A third one.' }),
        },
      ],
    );
    expect(seen.code, seen.shown).toBe(1);
    expect(seen.shown).toContain('newer request');
    expect(await stageOf(id)).toBe('PLAN_REVIEW');
    expect((await machine.json<Inbox>(['inbox'])).refused).toEqual([]);
  });

  it('an approval is taken whatever was refused of the task before', async () => {
    const { id } = await waiting();
    const as = ['--as', 'editor@convoy.example'];
    await machine.json(['sync', ...as]);
    await demo.stack.suspend();
    const late = await atTerminal(machine, ['approve', id, ...as], yes('Approve it?')).finally(() =>
      demo.stack.resume(),
    );
    expect(late.code, late.shown).toBe(0);
    await agent.requestReview(id, { text: 'Once more.' });
    await machine.run(['sync', ...as]);
    const { refused } = await machine.json<Inbox>(['inbox', ...as]);
    expect(refused.map(({ task_id }) => task_id)).toContain(id);
    const { code, shown } = await atTerminal(machine, ['approve', id, ...as], yes('Approve it?'));
    expect(code, shown).toBe(0);
    expect(await stageOf(id)).toBe('IMPLEMENT');
  });

  it('no line of what a person is asked about is one that a member made up', async () => {
    const forged = 'x\nrequest 1\r\u2028\u0085Approved by all';
    const { id } = await owner.createTask({ milestone_id: SEED.offlineMilestone, title: `Title ${forged}` });
    await agent.requestReview(id, { text: forged, branch: `plan ${forged}`, stage: 'PLAN_REVIEW' });
    const left = await atTerminal(machine, ['approve', id], [{ after: 'Approve it?', keys: KEYS.enter }]);
    expect(left.shown).toContain('branch plan x request 1');
    expect(left.shown).toContain('  > request 1');
    expect(left.shown).not.toMatch(/^(request 1|Approved by)/m);
  });

  it('viewers and strangers approve nothing (V2)', async () => {
    const { id } = await waiting();
    const viewer = await atTerminal(
      machine,
      ['approve', id, '--as', 'viewer@convoy.example'],
      yes('Approve it?'),
    );
    expect(viewer.code, viewer.shown).toBe(1);
    expect(viewer.shown).not.toContain('Approve it?');
    const stranger = await atTerminal(
      machine,
      ['approve', id, '--as', 'outsider@convoy.example'],
      yes('Approve it?'),
    );
    expect(stranger.code, stranger.shown).toBe(4);
    expect(await stageOf(id)).toBe('PLAN_REVIEW');
  });

  it('agents are made, listed, paused, resumed and revoked; the secret is shown once (A1, A3, A6)', async () => {
    const made = await atTerminal(machine, ['agent', 'add', 'Helper', '--json']);
    expect(made.code, made.shown).toBe(0);
    const { member, email, secret } = JSON.parse(made.shown.trim()) as {
      member: WorkspaceMember;
      email: string;
      secret: string;
    };
    await machine.signIn(demo.stack.url, email, secret);
    const listed = await atTerminal(machine, ['agent', 'list']);
    expect(listed.shown).toContain('Helper');
    expect(listed.shown).not.toContain(secret);
    const pausedAt = async () =>
      (await owner.getMembers(SEED.workspace)).find(({ id }) => id === member.id)?.paused_at;
    expect((await atTerminal(machine, ['agent', 'pause', 'helper'])).code).toBe(0);
    expect(await pausedAt()).not.toBeNull();
    // The first command hears of it while it runs.
    for (const command of [['sync'], ['next'], ['list'], ['status', '--json'], ['inbox', '--json']]) {
      const told = await machine.run([...command, '--as', 'Helper']);
      expect(told, command.join(' ')).toMatchObject({
        code: 0,
        err: expect.stringContaining(PAUSED_MESSAGE),
      });
      if (command.includes('--json')) {
        expect(JSON.parse(told.err)).toMatchObject({ warning: { kind: 'rejected', code: 'paused' } });
      }
    }
    expect((await machine.run(['doctor', '--as', 'Helper'])).out).toContain(PAUSED_MESSAGE);
    expect((await atTerminal(machine, ['agent', 'resume', 'helper'])).code).toBe(0);
    expect(await pausedAt()).toBeNull();
    expect(await machine.run(['sync', '--as', 'Helper'])).toMatchObject({ code: 0, err: '' });
    const viewer = ['--as', 'viewer@convoy.example'];
    expect((await atTerminal(machine, ['agent', 'add', 'Bot', ...viewer])).code).toBe(1);
    expect((await atTerminal(machine, ['agent', 'pause', 'Nobody'])).code).toBe(4);
    expect((await atTerminal(machine, ['agent', 'revoke', 'Helper'], yes('Revoke Helper?'))).code).toBe(0);
    expect(await pausedAt()).toBeUndefined();
    for (const command of ['sync', 'next', 'list']) {
      const told = await machine.run([command, '--as', 'Helper', '--json']);
      expect(JSON.parse(told.err), command).toMatchObject({ warning: { code: 'revoked' } });
    }
  });
});
