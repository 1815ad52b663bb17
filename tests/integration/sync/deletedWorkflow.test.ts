/** A task whose workflow was deleted: it is worked on like any other, here as on the server. */

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { SupabaseTransport } from '@/lib/supabase/transport';
import { openDevice, Quarantined } from '@/lib/watermelon';
import { openAdapter, temporaryFolder } from '../../support/localDatabase';
import { SEED } from '../../support/seed';
import { devicesForEachTest, here, there, world } from '../../support/twoDevices';
import { settle } from '../../support/world';

devicesForEachTest();

async function onServer(sql: string, ...values: string[]): Promise<void> {
  const done = await world.stack.backend.transaction((connection) => connection.query(sql, values));
  if (!done.ok) throw new Error(done.error.message);
}

const STAGES = JSON.stringify([
  { name: 'PLAN', description: '', order: 1, is_checkpoint: false },
  { name: 'SHIP', description: '', order: 2, is_checkpoint: false },
]);

/** A task that both devices have, and whose workflow has been deleted. */
async function taskWithoutWorkflow(): Promise<string> {
  const workflow = randomUUID();
  await onServer(
    `insert into public.workflows (id, workspace_id, name, stages) values ($1, $2, 'Doomed', $3::jsonb)`,
    workflow,
    SEED.workspace,
    STAGES,
  );
  await settle(here);
  const { id } = await here.contextService.createTask({
    milestone_id: SEED.offlineMilestone,
    title: 'left behind',
    workflow_id: workflow,
  });
  await settle(here);
  await onServer('update public.workflows set deleted_at = now() where id = $1', workflow);
  await settle(here, there);
  return id;
}

describe('a task whose workflow was deleted', () => {
  it('is edited, commented on and moved on a device as by the remote service, and the server takes it (R5)', async () => {
    const remote = createRemoteContextService({ client: here.client });
    for (const service of [here.contextService, remote]) {
      const id = await taskWithoutWorkflow();
      await service.updateTask(id, { title: 'renamed', status: 'in_progress' });
      await service.addTaskActivity(id, 'comment', { text: 'still here' });
      await service.updateTaskStage(id, 'SHIP');
      await service.updateTask(id, { status: 'done' });
      await settle(here, there);
      expect(await here.database.of(Quarantined).query().fetch()).toEqual([]);
      const task = await there.contextService.getLocalTask(id);
      expect(task).toMatchObject({ title: 'renamed', current_stage: 'SHIP', status: 'done' });
    }
  });

  it('has a context that is read without waiting for a server that does not answer, which is asked once (R5, D50)', async () => {
    const id = await taskWithoutWorkflow();
    const folder = temporaryFolder();
    const asked: string[] = [];
    let answer: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const remote = createRemoteContextService({ client: here.client });
    const opened = await openDevice({
      adapter: await openAdapter(folder.path),
      userId: here.userId,
      transport: new SupabaseTransport(here.client),
      remote: {
        ...remote,
        getTaskContext: async (...given) => {
          asked.push(given[0]);
          await held;
          return remote.getTaskContext(...given);
        },
      },
      autoSync: false,
    });
    if (!opened.ok) throw new Error(opened.error.message);
    const device = opened.value;
    await device.sync();
    const read = () => device.contextService.getTaskContext(id);
    for (let times = 0; times < 3; times += 1) {
      expect(await read()).toMatchObject({ workflow: null, missing: ['workflow'], task: { id } });
    }
    expect(asked).toEqual([id]);
    answer();
    // The server has no workflow either, so that nothing is missing.
    await expect.poll(read).toMatchObject({ workflow: null, missing: [], task: { id } });
    expect(asked).toEqual([id]);
    await device.close();
    folder.remove();
  });
});
