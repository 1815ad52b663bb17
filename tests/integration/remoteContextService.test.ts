import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConvoyError } from '@/core/errors';
import { PROTOCOL_VERSION, type PushRequest, SCHEMA_VERSION } from '@/core/protocol';
import type { ContextService } from '@/domain/contextService';
import type { ConvoyClient } from '@/lib/supabase/client';
import * as contextService from '@/lib/supabase/contextService';
import { SupabaseTransport } from '@/lib/supabase/transport';
import { type DemoStack, startDemoStack } from '../support/demoStack';
import { FaultyTransport } from '../support/faultyTransport';
import { SEED } from '../support/seed';

let demo: DemoStack;
let client: ConvoyClient;
let transport: FaultyTransport;
let service: ContextService;

beforeAll(async () => {
  demo = await startDemoStack();
  client = (await demo.signIn('owner')).client;
  transport = new FaultyTransport(new SupabaseTransport(client));
  service = contextService.createRemoteContextService({ client, transport, retryDelaysMs: [0] });
});
afterAll(() => demo.stack.close());

async function detailOf(promise: Promise<unknown>) {
  const error = await promise.catch((reason: unknown) => reason);
  if (!(error instanceof ConvoyError)) throw new Error('It did not fail as expected.');
  return error.detail;
}

describe('the remote Context Service', () => {
  it('a write whose answer was lost is applied once, its activity too (U2)', async () => {
    const milestone = await service.createMilestone({ project_id: SEED.fieldApp, name: 'Lost answer' });
    transport.loseNextResponse('push');
    const task = await service.createTask({ milestone_id: milestone.id, title: 'Once' });
    transport.deliverNextTwice('push');
    await service.updateTaskStage(task.id, 'IMPLEMENT');
    expect(await service.getTasks(milestone.id)).toHaveLength(1);
    expect((await service.getTaskContext(task.id))?.activities).toHaveLength(2);
  });

  it('simultaneous writes are all applied', async () => {
    const comments = Array.from({ length: 10 }, (_, n) =>
      service.addTaskActivity(SEED.busyTask, 'comment', { n }),
    );
    const ids = (await Promise.all(comments)).map(({ id }) => id);
    const shown = (await service.getTaskContext(SEED.busyTask))?.activities.map(({ id }) => id);
    expect(shown?.slice(0, 10)).toEqual(ids.toReversed());
  });

  it('reports an unreachable server, and works again when it can be reached', async () => {
    await demo.stack.suspend();
    const reading = await detailOf(service.getTaskContext(SEED.busyTask));
    const writing = await detailOf(service.updateTaskStage(SEED.busyTask, 'IMPLEMENT'));
    await demo.stack.resume();
    expect(reading).toMatchObject({ kind: 'transport', code: 'offline' });
    expect(writing).toMatchObject({ kind: 'transport', code: 'offline' });
    expect(await service.getTaskContext(SEED.busyTask)).not.toBeNull();
  });

  it('asks a signed-out caller to sign in', async () => {
    const nobody = contextService.createRemoteContextService({ client: demo.newClient() });
    const signedOut = { kind: 'auth', code: 'signed_out' };
    expect(await detailOf(nobody.getTaskContext(SEED.busyTask))).toMatchObject(signedOut);
    expect(await detailOf(nobody.createWorkspace({ name: 'x' }))).toMatchObject(signedOut);
  });

  it('begins a task at the first stage of its own workflow', async () => {
    const id = uuidv7();
    const stages = [
      { name: 'SHIP', description: '', order: 2, is_checkpoint: false },
      { name: 'DRAFT', description: '', order: 1, is_checkpoint: false },
    ];
    const request: PushRequest = {
      protocol: PROTOCOL_VERSION,
      schema: SCHEMA_VERSION,
      user_id: SEED.users.owner,
      device_id: uuidv7(),
      batch: 1,
      cursors: {},
      skip: {},
      changes: [
        {
          table: 'workflows',
          op: 'insert',
          id,
          workspace_id: SEED.workspace,
          base: null,
          group: 0,
          values: { name: 'Short', stages },
        },
      ],
    };
    const pushed = await transport.push(request, new AbortController().signal);
    expect(pushed).toMatchObject({ ok: true, value: { outcomes: [{ outcome: 'applied' }] } });

    const workflows = await service.getWorkflows();
    expect(workflows.map(({ name }) => name)).toEqual(['Short', 'Standard']);
    const task = await service.createTask({
      milestone_id: SEED.offlineMilestone,
      title: 'Short way',
      workflow_id: id,
    });
    expect(task.current_stage).toBe('DRAFT');
    expect((await service.getTaskContext(task.id))?.workflow).toMatchObject({ id, stages });
    expect(await detailOf(service.updateTaskStage(task.id, 'PLAN'))).toMatchObject({ code: 'unknown_stage' });
    expect(await detailOf(service.updateTask(task.id, { workflow_id: null }))).toMatchObject({
      code: 'unknown_stage',
    });
  });

  it('its module functions use the client that was set', async () => {
    contextService.useSupabaseClient(null);
    expect(await detailOf(contextService.getWorkspaces())).toMatchObject({ kind: 'unavailable' });
    contextService.useSupabaseClient(client);
    expect((await contextService.getTaskContext(SEED.busyTask))?.task.id).toBe(SEED.busyTask);
    const comment = await contextService.addTaskActivity(SEED.busyTask, 'comment', { text: 'Hello' });
    expect(comment.actor_id).toBe(SEED.users.owner);
    contextService.useSupabaseClient(null);
  });
});

describe('the demo', () => {
  it('is inserted again without a change', async () => {
    const seed = (await import('@/server')).readStackSql().seed ?? '';
    const count = async () => {
      const counted = await demo.stack.backend.transaction((connection) =>
        connection.query(`select (select count(*)::int from public.tasks) as tasks,
          (select count(*)::int from public.activity_feed) as activities,
          (select max(revision)::int from public.tasks) as revision`),
      );
      return counted.ok ? counted.value[0] : counted.error;
    };
    const before = await count();
    expect(before).toMatchObject({ tasks: expect.any(Number) });
    expect((await demo.stack.backend.transaction((connection) => connection.execute(seed))).ok).toBe(true);
    expect(await count()).toEqual(before);
  });

  it('refuses its functions to signed-out callers', async () => {
    const anonymous = demo.newClient();
    const { status } = await anonymous.rpc('get_workspaces', {});
    expect(status).toBe(401);
  });
});
