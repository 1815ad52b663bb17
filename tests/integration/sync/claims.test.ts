/** Claims of devices that are offline, and what becomes of them (C10). */

import { firstValueFrom } from 'rxjs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Task } from '@/domain/entities';
import { claimsFile } from '@/platform/node/claimsFile';
import { temporaryFolder } from '../../support/localDatabase';
import { SEED } from '../../support/seed';
import { settle, type TestDevice, World } from '../../support/world';

let world: World;
let machine: ReturnType<typeof temporaryFolder>;
let agent: TestDevice;
let editor: TestDevice;
/** On another machine. */
let far: TestDevice;
let task: Task;

beforeAll(async () => {
  world = await World.start();
  machine = temporaryFolder();
  // As two processes have it: nothing in memory is shared.
  agent = await world.device('agent', { claims: claimsFile(machine.path) });
  editor = await world.device('editor', { claims: claimsFile(machine.path) });
  far = await world.device('owner');
});
afterAll(async () => {
  await world.close();
  machine.remove();
});
beforeEach(async () => {
  for (const device of [agent, editor, far]) device.online(true);
  task = await far.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: 'Offline' });
  await settle(far, agent, editor);
});

const offline = () => {
  for (const device of [agent, editor]) device.online(false);
};
const read = async (device: TestDevice) => {
  await device.sync();
  return device.contextService.getLocalTask(task.id);
};
const waiting = (device: TestDevice) => firstValueFrom(device.contextService.observeClaims());

it('agents of one machine settle claims among themselves, and are told that they are provisional (C10)', async () => {
  offline();
  const mine = await agent.contextService.claimTask(task.id, { claim_id: 'a' });
  expect(mine).toMatchObject({ state: 'claimed', provisional: true, claim: { claimed_by: agent.userId } });
  const theirs = await editor.contextService.claimTask(task.id, { claim_id: 'b' });
  expect(theirs).toMatchObject({
    state: 'taken',
    provisional: true,
    claim: { claimed_by: agent.userId, claim_id: 'a' },
  });
  // Another session of the agent is told, too, and may resume.
  const second = await agent.contextService.claimTask(task.id, { claim_id: 'c' });
  expect(second.state).toBe('taken');
  const resumed = await agent.contextService.claimTask(task.id, { claim_id: 'c', resume: 'a' });
  expect(resumed).toMatchObject({ state: 'claimed', claim: { claim_id: 'c' } });
  expect(await agent.contextService.releaseClaim(task.id, 'c')).toMatchObject({ released: true });
  expect(await editor.contextService.claimTask(task.id, { claim_id: 'b' })).toMatchObject({
    state: 'claimed',
  });
  expect(await editor.contextService.releaseClaim(task.id, 'b')).toMatchObject({ released: true });
});

it('a provisional claim becomes one of the server with the next sync, without an edit of the task (C10)', async () => {
  offline();
  await agent.contextService.claimTask(task.id, { claim_id: 'a', minutes: 30 });
  expect(agent.syncStatus.pending).toBe(0);
  agent.online(true);
  expect(await read(agent)).toMatchObject({ claimed_by: agent.userId, claim_id: 'a' });
  expect(await waiting(agent)).toEqual([]);
  expect(agent.syncStatus.pending).toBe(0);
  expect(await read(far)).toMatchObject({ claimed_by: agent.userId, claim_id: 'a' });
});

it('whoever loses at the sync keeps the work, and is told (C10)', async () => {
  offline();
  await agent.contextService.claimTask(task.id, { claim_id: 'a' });
  await agent.contextService.updateTask(task.id, { description: 'What was found out' });
  await far.contextService.claimTask(task.id, { claim_id: 'far' });
  agent.online(true);
  await agent.sync();
  expect(await waiting(agent)).toMatchObject([
    { task_id: task.id, claim_id: 'a', state: 'lost', by: far.userId },
  ]);
  expect(await read(far)).toMatchObject({ description: 'What was found out', claimed_by: far.userId });
  expect(await agent.contextService.renewClaim(task.id, 'a')).toMatchObject({
    state: 'lost',
    claim: { claimed_by: far.userId },
  });
  await agent.contextService.dismissClaim(task.id, 'a');
  expect(await waiting(agent)).toEqual([]);
});

it('a claim whose answer is lost is the same one when it is asked for again (C2, C10)', async () => {
  const remote = far.contextService;
  await remote.claimTask(task.id, { claim_id: 'far', minutes: 1 });
  await remote.releaseClaim(task.id, 'far');
  offline();
  await agent.contextService.claimTask(task.id, { claim_id: 'a' });
  agent.online(true);
  await agent.sync();
  const again = await agent.contextService.claimTask(task.id, { claim_id: 'a' });
  expect(again).toMatchObject({ state: 'claimed', provisional: false, claim: { claim_id: 'a' } });
});

it('a provisional claim that has run out is not made by a later sync (C10)', async () => {
  offline();
  await agent.contextService.claimTask(task.id, { claim_id: 'late', minutes: 1 });
  const stored = await waiting(agent);
  const before = stored.map((one) => ({ ...one, until: new Date(Date.now() - 1_000).toISOString() }));
  await agent.database.write(() => agent.database.localStorage.set('provisional_claims', before));
  agent.online(true);
  await agent.sync();
  expect(await read(far)).toMatchObject({ claimed_by: null });
  expect(await waiting(agent)).toEqual([]);
});

it('a task that is new here is claimed on the server once it is there (C10)', async () => {
  offline();
  const made = await agent.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: 'New' });
  const claimed = await agent.contextService.claimTask(made.id, { claim_id: 'a' });
  expect(claimed).toMatchObject({ state: 'claimed', provisional: true });
  agent.online(true);
  await agent.sync();
  await far.sync();
  expect(await far.contextService.getLocalTask(made.id)).toMatchObject({ claimed_by: agent.userId });
});

it('a release that the server did not hear of is said by the next sync (C10)', async () => {
  await agent.contextService.claimTask(task.id, { claim_id: 'a' });
  agent.online(false);
  expect(await agent.contextService.releaseClaim(task.id, 'a')).toMatchObject({ released: true });
  expect(await agent.contextService.getLocalTask(task.id)).toMatchObject({ claimed_by: null });
  agent.online(true);
  await agent.sync();
  expect(await read(far)).toMatchObject({ claimed_by: null, claim_id: null });
});

it('what is known here of the claim of somebody else stands in the way offline, for as long as it is live (C4, C10)', async () => {
  await far.contextService.claimTask(task.id, { claim_id: 'far' });
  await agent.sync();
  offline();
  expect(await agent.contextService.claimTask(task.id, { claim_id: 'a' })).toMatchObject({
    state: 'taken',
    provisional: true,
    claim: { claimed_by: far.userId },
  });
  await expect(
    (await world.device('viewer')).contextService.claimTask(task.id, { claim_id: 'v' }),
  ).rejects.toMatchObject({ code: 'forbidden' });
});

it('whoever may claim no more when the server hears of it is told so (C10, C11)', async () => {
  offline();
  await agent.contextService.claimTask(task.id, { claim_id: 'a' });
  const pause = (at: string) =>
    world.stack.backend.transaction((connection) =>
      connection.query(`update public.workspace_members set paused_at = ${at} where user_id = $1`, [
        agent.userId,
      ]),
    );
  await pause('now()');
  agent.online(true);
  await agent.sync();
  expect(await waiting(agent)).toMatchObject([{ state: 'refused', code: 'paused' }]);
  await agent.contextService.dismissClaim(task.id, 'a');
  await pause('null');
  await agent.sync();
});

it('processes that claim at once on one machine agree on one (C10)', async () => {
  offline();
  const stores = Array.from({ length: 8 }, () => claimsFile(machine.path));
  const answers = await Promise.all(
    stores.map((store, n) =>
      store.change((claims) => {
        const standing = claims.find(({ task_id }) => task_id === 'race');
        const mine = {
          task_id: 'race',
          user_id: `user ${n}`,
          claim_id: 'c',
          until: '2999-01-01T00:00:00.000Z',
        };
        return standing ? { claims, answer: standing } : { claims: [...claims, mine], answer: mine };
      }),
    ),
  );
  expect(new Set(answers.map(({ user_id }) => user_id)).size).toBe(1);
});
