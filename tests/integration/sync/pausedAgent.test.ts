/** The device of an agent that a person pauses and revokes. */

import { afterEach, beforeEach, expect, it } from 'vitest';
import { createConvoyClient } from '@/lib/supabase/client';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { Quarantined } from '@/lib/watermelon';
import { SEED } from '../../support/seed';
import { settle, type TestDevice, World } from '../../support/world';

let world: World;
let owner: TestDevice;
let agent: TestDevice;
let member: string;
let credentials: { email: string; password: string };

const client = () =>
  createConvoyClient(world.stack.url, world.stack.anonKey, {
    persistSession: false,
    autoRefreshToken: false,
  });

beforeEach(async () => {
  world = await World.start();
  owner = await world.device('owner');
  await settle(owner);
  const made = await owner.contextService.createAgent(SEED.workspace, 'Bot');
  member = made.member.id;
  credentials = { email: made.email, password: made.secret };
  const own = client();
  const { data } = await own.auth.signInWithPassword(credentials);
  agent = await world.device({ client: own, userId: data.user?.id ?? '' }, { kind: 'agent' });
  await settle(agent, owner);
});
afterEach(() => world.close());

const newTask = (title: string) =>
  agent.contextService.createTask({ milestone_id: SEED.offlineMilestone, title });
const pushes = () => agent.transport.requests.filter(({ direction }) => direction === 'push').length;
const pending = async () => (await agent.countUnsynced()).pending;

it('an agent that was made signs in, works, and stops at checkpoints (A1, A2, P-CHECKPOINT)', async () => {
  const task = await newTask('by the agent');
  await settle(agent, owner);
  expect((await owner.contextService.getLocalTask(task.id))?.last_modified_by).toBe(agent.userId);
  await expect(agent.contextService.updateTaskStage(task.id, 'IMPLEMENT')).rejects.toMatchObject({
    code: 'checkpoint',
  });
});

it('what it wrote before it knew of the pause stays on its device, and arrives after it (A7, P-NOLOSS)', async () => {
  await owner.contextService.pauseAgent(member, true);
  const task = await newTask('written before it knew');
  const first = await agent.sync();
  expect(first).toMatchObject({ status: 'ok', pushed: 0, rejected: 0 });
  expect(await pending()).toBeGreaterThan(0);
  expect(await agent.database.of(Quarantined).query().fetchCount()).toBe(0);
  // By now it knows.
  await expect(newTask('no more')).rejects.toMatchObject({ code: 'paused' });
  await expect(agent.contextService.updateTask(task.id, { title: 'no' })).rejects.toMatchObject({
    code: 'paused',
  });
  const before = pushes();
  await agent.sync();
  await agent.sync();
  expect(pushes()).toBe(before);

  await owner.contextService.pauseAgent(member, false);
  expect(await agent.sync()).toMatchObject({ status: 'ok' });
  expect(await pending()).toBe(0);
  await settle(owner);
  expect((await owner.contextService.getLocalTask(task.id))?.title).toBe('written before it knew');
});

it('its work elsewhere goes on (A7)', async () => {
  await owner.contextService.pauseAgent(member, true);
  await agent.sync();
  const elsewhere = await owner.contextService.createWorkspace({ name: 'Elsewhere' });
  await settle(owner);
  const done = await world.stack.backend.transaction((connection) =>
    connection.query(
      `insert into public.workspace_members (id, workspace_id, user_id, role)
         values (gen_random_uuid(), $1::uuid, $2::uuid, 'agent')`,
      [elsewhere.id, agent.userId],
    ),
  );
  expect(done.ok).toBe(true);
  await agent.sync();
  await agent.contextService.createPattern({ workspace_id: elsewhere.id, name: 'Learnt' });
  expect(await agent.sync()).toMatchObject({ status: 'ok', rejected: 0 });
  expect(await pending()).toBe(0);
});

it('one that is revoked loses the workspace with its next sync, and what it had not sent is kept (A3, P12, P-NOLOSS)', async () => {
  await newTask('not sent');
  const remote = createRemoteContextService({ client: agent.client });
  expect(await remote.getProjects(SEED.workspace)).not.toEqual([]);
  await owner.contextService.revokeAgent(member);
  // Its token is still valid.
  expect(await remote.getProjects(SEED.workspace)).toEqual([]);
  expect(await agent.sync()).toMatchObject({ error: null });
  expect(await agent.contextService.getProjects(SEED.workspace)).toEqual([]);
  expect(await agent.countUnsynced()).toMatchObject({ pending: 0 });
  const { archive, quarantine } = await agent.exportUnsynced();
  expect(archive.length + quarantine.length).toBeGreaterThan(0);
  expect((await agent.client.auth.refreshSession()).error).not.toBeNull();
});

it('one that Auth does not sign in is revoked at once, with the break by its name (A2)', async () => {
  const service = (agentSignIn: () => Promise<string | null>) =>
    createRemoteContextService({ client: owner.client, agentSignIn });
  const members = async () => (await service(async () => null).getMembers(SEED.workspace)).length;
  const before = await members();
  await expect(
    service(async () => 'sign-in answers 500').createAgent(SEED.workspace, 'Broken'),
  ).rejects.toMatchObject({ code: 'auth_changed', detail: { kind: 'rejected' } });
  expect(await members()).toBe(before);
  // As the device of a person.
  const done = await world.stack.backend.transaction((connection) =>
    connection.execute(`create function public.as_person() returns trigger language plpgsql as $$
      begin new.raw_app_meta_data := new.raw_app_meta_data - 'kind'; return new; end $$;
      create trigger as_person before insert on auth.users for each row execute function public.as_person();`),
  );
  expect(done.ok).toBe(true);
  await expect(owner.contextService.createAgent(SEED.workspace, 'Person')).rejects.toMatchObject({
    code: 'auth_changed',
  });
  expect(await members()).toBe(before);
});

it('without a network none is made, paused or revoked, and the caller is told so (A1)', async () => {
  owner.online(false);
  const { contextService: service } = owner;
  for (const call of [
    () => service.createAgent(SEED.workspace, 'Bot'),
    () => service.pauseAgent(member, true),
    () => service.revokeAgent(member),
  ]) {
    await expect(call()).rejects.toMatchObject({ code: 'offline' });
  }
});
