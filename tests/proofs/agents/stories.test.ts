import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentMachine } from '../../support/agentMachine';
import type { McpHost } from '../../support/mcpHost';

let team: AgentMachine;

beforeAll(async () => {
  team = await AgentMachine.start();
});
afterAll(() => team.close());

const until = (ask: () => Promise<unknown>) => expect.poll(ask).toBe(true);
const claimOf = (text: string) => /claim: (\w+)/.exec(text)?.[1] ?? '';
const keyOf = (text: string) => /# Task (\S+)/.exec(text)?.[1] ?? '';

function git(folder: string, ...args: string[]): void {
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@convoy.example'];
  const { status, stderr } = spawnSync('git', [...identity, ...args], { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

describe('agents at work', () => {
  it('an agent takes a task past both reviews while its server comes and goes, and all of it arrives (C10)', async () => {
    const { person, link } = team;
    const { milestone, folder } = await team.project('Offline');
    const task = await person.createTask({ milestone_id: milestone.id, title: 'Dig the well' });
    await team.agent('Digger');
    await team.machine.json(['sync', '--as', 'Digger', '--url', link.url]);
    const { text, call } = await team.host({ folder, as: 'Digger' });
    const feed = async () =>
      (await person.getComments(task.id)).map((one) => one.text.split('\n')[0]).filter(Boolean);
    expect(await text('list')).toContain('Dig the well');

    link.cut();
    const taken = await text('next');
    expect(taken).toContain('Dig the well');
    expect(taken).toContain('the claim holds on this machine');
    const claim = claimOf(taken);
    const key = keyOf(taken);
    await text('report', { task: key, text: 'Clay at two metres.' });
    await text('request_review', { task: key, text: 'By hand, four metres.' });
    // No agent passes a checkpoint, with a server or without.
    expect(await call('move', { task: key })).toMatchObject({ isError: true });
    expect(await text('wait', { task: key, seconds: 0 })).toContain('Still waiting');
    expect(await person.getReview(task.id)).toBeNull();

    link.restore();
    await team.approve(task.id, 'By hand, four metres.', until);
    expect((await person.getReview(task.id))?.state).toBe('approved');
    expect((await person.getTasks(milestone.id))[0]?.claim_id).toBe(claim);
    expect(await text('wait', { task: key })).toContain('Approved');

    link.cut();
    expect(await text('next', { claim })).toContain('Dig the well');
    await text('report', { task: key, text: 'Water.', branch: 'well', commit: 'abcdef1' });
    expect(await text('move', { task: key, claim })).toContain('VALIDATE');
    await text('request_review', { task: key, text: 'Four metres, lined.', commit: 'abcdef1' });
    expect(await feed()).toEqual(['Clay at two metres.']);

    link.restore();
    await team.approve(task.id, 'Four metres, lined.', until);
    expect(await text('wait', { task: key })).toContain('Approved');

    link.cut();
    expect(await text('finish', { task: key })).toContain('done');
    expect(await text('list', { filter: 'done' })).toContain('Dig the well');
    link.restore();
    await expect
      .poll(async () => (await person.getTasks(milestone.id))[0])
      .toMatchObject({ status: 'done', claim_id: null });
    expect(await feed()).toEqual(expect.arrayContaining(['Clay at two metres.', 'Water.']));
  });

  it('five agents and a person share tasks from two worktrees; one that was offline for an hour has lost its claim, and nothing that it wrote (C2, C10)', async () => {
    const { person, demo } = team;
    const { milestone, folder } = await team.project('Bridge');
    git(folder, 'init', '--quiet');
    git(folder, 'add', 'convoy.json');
    git(folder, 'commit', '--quiet', '-m', 'Link');
    const worktree = join(team.machine.work, 'bridge-2');
    git(folder, 'worktree', 'add', '--quiet', worktree);
    expect(readFileSync(join(worktree, 'convoy.json'), 'utf8')).toContain(milestone.project_id);
    const below = join(worktree, 'src');
    mkdirSync(below);

    const away = await team.newLink();
    const names = ['Ada', 'Bea', 'Cleo', 'Dora', 'Eve'];
    for (const name of names) await team.agent(name, name === 'Eve' ? away : team.link);
    const titles = Array.from({ length: 8 }, (_, n) => `Span ${n}`);
    for (const title of titles) await person.createTask({ milestone_id: milestone.id, title });
    const hosts = await Promise.all(
      names.map((as, n) =>
        team.host({ as, folder: n % 2 === 0 ? folder : below, ...(as === 'Eve' && { url: away.url }) }),
      ),
    );
    await Promise.all(
      hosts.map(({ text }) => expect.poll(() => text('list', { find: 'span' })).toContain('Span 7')),
    );

    const work = await Promise.all(
      hosts.map(async ({ text }) => {
        let taken = await text('next');
        // A server under load may answer late: then the claim is the machine's alone until it is asked for again.
        while (taken.includes('The server was not reached'))
          taken = await text('next', { claim: claimOf(taken) });
        return { key: keyOf(taken), claim: claimOf(taken) };
      }),
    );
    expect(new Set(work.map(({ key }) => key)).size).toBe(5);
    const [ada, , , , eve] = hosts as [McpHost, McpHost, McpHost, McpHost, McpHost];
    const evesTask = work[4] as { key: string; claim: string };
    const tasks = await person.getTasks(milestone.id);
    const idOf = (key: string) => tasks.find((task) => task.key === key)?.id ?? '';

    away.cut();
    await eve.text('report', { task: evesTask.key, text: 'Measured offline.' });
    // An hour passes for the server, which counts leases.
    await demo.stack.backend.transaction((connection) =>
      connection.query(
        `update public.tasks set claimed_until = claimed_until - interval '1 hour' where id = $1`,
        [idOf(evesTask.key)],
      ),
    );
    const others = hosts.slice(0, 4).map(async ({ text }, n) => {
      const { key, claim } = work[n] as { key: string; claim: string };
      await text('report', { task: key, text: `Plan of ${names[n]}.` });
      await text('request_review', { task: key, text: `Steel, by ${names[n]}.` });
      await team.approve(idOf(key), `Steel, by ${names[n]}.`, until);
      expect(await text('wait', { task: key })).toContain('Approved');
      expect(await text('move', { task: key, claim })).toContain('VALIDATE');
    });
    await Promise.all(others);
    const taken = await ada.text('next', { task: evesTask.key });
    expect(taken).toMatch(/^Claimed/);
    await eve.text('report', { task: evesTask.key, text: 'Drawn offline.' });

    away.restore();
    await expect
      .poll(async () => (await person.getComments(idOf(evesTask.key))).map((one) => one.text).sort())
      .toEqual(['Drawn offline.', 'Measured offline.']);
    const told = await eve.text('move', { task: evesTask.key, claim: evesTask.claim });
    expect(told).toContain('lost your claim');
    expect(told).toContain('"Ada" has the task');
    const again = await eve.text('next');
    expect(again).toMatch(/^Claimed/);
    expect(work.map(({ key }) => key)).not.toContain(keyOf(again));
    const [left] = (await person.getTasks(milestone.id)).filter(({ key }) => key === evesTask.key);
    expect(left?.claim_id).toBe(claimOf(taken));
  });
});
