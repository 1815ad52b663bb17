import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Milestone } from '@/domain/entities';
import { AgentMachine, expireToken } from '../../support/agentMachine';
import type { McpHost } from '../../support/mcpHost';
import { missingOf, mixedCalls } from '../../support/mixedCalls';
import { SEED } from '../../support/seed';

const REFRESH = /grant_type=refresh_token/;
/** `npm run prove:agents` makes 1,000. */
const CALLS = Number(process.env.CONVOY_AGENT_CALLS ?? 40);

let team: AgentMachine;
let profile: string;
let milestone: Milestone;
let folder: string;

beforeAll(async () => {
  team = await AgentMachine.start();
  ({ milestone, folder } = await team.project('Mill'));
  profile = await team.agent('Miller');
  await team.agent('Baker');
  for (const as of ['Miller', 'Baker']) await team.machine.json(['sync', '--as', as, '--url', team.link.url]);
});
afterAll(() => team.close());

/** @returns the answer of `next` once the server has confirmed the claim: under load it may answer late, and is asked again */
async function confirmed({ text }: McpHost, claim: string): Promise<string> {
  let taken = await text('next', { claim });
  while (!taken.includes(`Claimed. claim: ${claim}`) || taken.includes('The server was not reached'))
    taken = await text('next', { claim });
  return taken;
}

const miller = () => team.host({ folder, as: 'Miller' });

describe('processes of one user', () => {
  it('past the expiry of their token make one refresh, and all go on with it', async () => {
    await team.person.createTask({ milestone_id: milestone.id, title: 'Grind' });
    const hosts = [await miller(), await miller()];
    for (const { text } of hosts) await expect.poll(() => text('list', { find: 'grind' })).toContain('Grind');
    const before = team.link.count(REFRESH);
    expireToken(profile);
    const answers = await Promise.all([
      ...hosts.map((host) => confirmed(host, 'shared')),
      team.machine.json<{ error: unknown }>(['sync', '--as', 'Miller', '--url', team.link.url]),
    ]);
    expect(team.link.count(REFRESH) - before).toBe(1);
    expect(answers[2]).toMatchObject({ error: null });
    await hosts[0]?.text('release', { task: keyOf(String(answers[0])), claim: 'shared' });
    await Promise.all(hosts.map((host) => host.close()));
  });

  it('another one leads, with the session, when the leader is killed in the midst of a refresh', async () => {
    const leader = await miller();
    await leader.text('list');
    const other = await miller();
    await other.text('list');
    const { arrived, release } = team.link.holdNext(REFRESH);
    expireToken(profile);
    const asked = leader.call('next').catch(() => null);
    // The server has given out the next token, and nobody has it.
    await arrived;
    await leader.kill();
    release();
    await asked;
    const taken = await confirmed(other, 'after');
    // Whoever leads hears of what others write.
    await team.person.createTask({ milestone_id: milestone.id, title: 'Told to the new leader' });
    await expect.poll(() => other.text('list', { find: 'told to' })).toContain('Told to the new leader');
    await other.text('release', { task: keyOf(taken), claim: 'after' });
    await other.close();
  });

  it('killed in the midst of a call, has written all of it or nothing, and a retry under the request writes it once', async () => {
    const tasks = Array.from({ length: 50 }, (_, n) => ({
      name: `sack ${n}`,
      title: `Sack ${n}`,
      depends_on: n === 0 ? [] : [`sack ${n - 1}`],
    }));
    const create = { request: 'sacks', milestone: 'Sacks', tasks };
    const { project_id } = milestone;
    const sacks = await team.person.createMilestone({ project_id, name: 'Sacks', status: 'active' });
    const counted = async () => (await team.person.getTasks(sacks.id)).length;
    let host = await miller();
    await expect.poll(() => host.call('list', { milestone: 'Sacks' })).toMatchObject({ isError: false });
    for (const afterMs of [0, 5, 20, 60]) {
      const asked = host.call('create', create).catch(() => null);
      await new Promise((passed) => setTimeout(passed, afterMs));
      await host.kill();
      await asked;
      host = await miller();
      const listed = await host.text('list', { milestone: 'Sacks', filter: 'all' });
      expect([0, 50]).toContain(totalOf(listed));
    }
    await host.text('create', create);
    await host.text('create', create);
    await expect.poll(counted).toBe(50);
    expect(totalOf(await host.text('list', { milestone: 'Sacks', filter: 'all' }))).toBe(50);
    await host.close();
    await team.person.updateMilestone(sacks.id, { status: 'completed' });
  });

  it(`${CALLS} mixed calls from four clients of two agents end without an error or a lost write`, async () => {
    const project_id = milestone.project_id;
    await team.person.updateMilestone(milestone.id, { status: 'completed' });
    const mixed = await team.person.createMilestone({ project_id, name: 'Mixed', status: 'active' });
    const hosts = await Promise.all(
      ['Miller', 'Miller', 'Baker', 'Baker'].map((as) => team.host({ folder, as })),
    );
    for (const { call } of hosts)
      await expect.poll(() => call('list', { milestone: 'Mixed' })).toMatchObject({ isError: false });
    const written = await mixedCalls(hosts, CALLS / 4, 7);
    expect(written.calls).toBeGreaterThanOrEqual(CALLS);
    for (const as of ['Miller', 'Baker']) {
      await expect
        .poll(async () => {
          await team.machine.json(['sync', '--as', as, '--url', team.link.url]);
          return team.machine.json(['status', '--as', as, '--url', team.link.url]);
        })
        .toMatchObject({ unsynced: { total: 0 } });
    }
    expect(await missingOf(written, team.person, mixed.id)).toEqual([]);
  });

  it('of an agent whose session ended with its membership all say so, as commands do (A3)', async () => {
    const ended = await team.agent('Carter');
    const as = ['--as', 'Carter', '--url', team.link.url];
    await team.machine.json(['sync', ...as]);
    const members = await team.person.getMembers(SEED.workspace);
    await team.person.revokeAgent(members.find(({ display_name }) => display_name === 'Carter')?.id ?? '');
    // Its device has not heard of that, and learns from the refresh that is refused.
    expireToken(ended);
    expect(await team.machine.run(['sync', ...as])).toMatchObject({ code: 3 });
    const { err } = await team.machine.run(['next', '--json', ...as]);
    expect(JSON.parse(err)).toMatchObject({ warning: { kind: 'machine', code: 'not_signed_in' } });
    const { text } = await team.host({ folder, as: 'Carter', url: team.link.url });
    expect(await text('list')).toContain(`convoy login --url ${team.link.url} (machine/not_signed_in)`);
  });
});

const keyOf = (text: string) => /# Task (\S+)/.exec(text)?.[1] ?? '';

/** @returns how many tasks a list has, those of later pages included */
function totalOf(listed: string): number {
  const shown = [...listed.matchAll(/Sack \d+/g)].length;
  return shown + Number(/(\d+) more/.exec(listed)?.[1] ?? 0);
}
