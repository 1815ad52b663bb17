import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OutboxBatch, Quarantined, type Task } from '@/lib/watermelon';
import { expectInStep } from '../../support/inStep';
import { deviceSnapshot } from '../../support/snapshot';
import { settle, type TestDevice, World } from '../../support/world';

let world: World;
let device: TestDevice;
let milestoneId: string;

beforeAll(async () => {
  world = await World.start();
  device = await world.device('owner');
  await settle(device);
  const [workspace] = await device.contextService.getWorkspaces();
  const [project] = await device.contextService.getProjects(workspace?.id ?? '');
  const milestone = await device.contextService.createMilestone({
    project_id: project?.id ?? '',
    name: 'Resilience',
  });
  milestoneId = milestone.id;
  await settle(device);
});
afterAll(() => world.close());

const newTask = (title: string, on = device) =>
  on.contextService.createTask({ milestone_id: milestoneId, title });
const quarantine = (on: TestDevice) => on.database.of(Quarantined).query().fetch();

async function activityCount(taskId: string): Promise<number> {
  const rows = await world.stack.backend.transaction((connection) =>
    connection.query<{ n: string }>(
      'select count(*)::text as n from public.activity_feed where task_id = $1::uuid',
      [taskId],
    ),
  );
  if (!rows.ok) throw new Error(rows.error.message);
  return Number(rows.value[0]?.n);
}

describe('a network that fails', () => {
  it('a push whose answer was lost is resent unchanged and applied once (P-ONCE)', async () => {
    const task = await newTask('lost response');
    device.transport.loseNextResponse('push');
    expect(await device.sync()).toMatchObject({ status: 'offline', reaction: 'wait' });
    expect(device.syncStatus.pending).toBe(2);
    expect(await device.sync()).toMatchObject({ status: 'ok', pushed: 2 });
    const pushes = device.transport.requests.filter((made) => made.direction === 'push').slice(-2);
    expect(pushes[1]?.request).toEqual(pushes[0]?.request);
    expect(await activityCount(task.id)).toBe(1);
    await expectInStep(world, device);
  });

  it('a push that is delivered twice counts once (P-ONCE)', async () => {
    const task = await newTask('twice');
    device.transport.deliverNextTwice('push');
    expect(await device.sync()).toMatchObject({ status: 'ok', pushed: 2 });
    expect(await activityCount(task.id)).toBe(1);
    await expectInStep(world, device);
  });

  it('a batch in flight survives a restart, with the edits made after it (U1, P-DURABLE)', async () => {
    const task = await newTask('in flight');
    device.transport.loseNextResponse('push');
    await device.sync();
    await device.contextService.updateTask(task.id, { title: 'edited after sending' });
    const folderless = device;
    device = await device.restart();
    expect(await device.database.get<OutboxBatch>('sync_outbox').query().fetchCount()).toBe(1);
    await settle(device);
    expect((await device.contextService.getTaskContext(task.id))?.task.title).toBe('edited after sending');
    expect(folderless).not.toBe(device);
    await expectInStep(world, device);
  });

  it('a sync without a network answers offline and keeps unsynced changes (D5)', async () => {
    await newTask('offline');
    device.online(false);
    expect(await device.sync()).toMatchObject({ status: 'offline', error: null });
    device.online(true);
    await world.stack.suspend();
    expect(await device.sync()).toMatchObject({ status: 'offline', error: { code: 'offline' } });
    expect(device.syncStatus).toMatchObject({ kind: 'offline', pending: 2 });
    await world.stack.resume();
    expect(await device.sync()).toMatchObject({ status: 'ok', pushed: 2 });
  });

  it('a first sync that broke off between pages is resumed (P10)', async () => {
    const fresh = await world.device('editor', { pageRows: 40 });
    fresh.transport.next('pull', { what: 'delay', ms: 0 }).loseNextResponse('pull');
    expect(await fresh.sync()).toMatchObject({ status: 'offline', reaction: 'wait' });
    const applied = Object.keys(await deviceSnapshot(fresh.database)).length;
    expect(applied).toBe(40);
    const again = await fresh.restart();
    const rest = await again.sync();
    expect(rest).toMatchObject({ status: 'ok' });
    expect(rest.pulled).toBe(Object.keys(await deviceSnapshot(again.database)).length - applied);
    await expectInStep(world, again);
  });

  it('calls made while a sync runs get the same result (D5)', async () => {
    const [one, other] = await Promise.all([device.sync(), device.sync()]);
    expect(one).toBe(other);
  });

  it('a batch refused as a whole is halved until the culprit stands alone, which is set aside (D9)', async () => {
    const tasks = await Promise.all(['a', 'b', 'c', 'd'].map((title) => newTask(title)));
    const bad = tasks[2]?.id;
    const push = device.transport.push;
    device.transport.push = (request, signal) =>
      request.changes.some((change) => change.id === bad)
        ? Promise.resolve({
            ok: false,
            error: { kind: 'transport', code: 'http', status: 413, sqlState: null, message: 'too large' },
          })
        : push(request, signal);
    const result = await device.sync();
    device.transport.push = push;
    expect(result).toMatchObject({ pushed: 6, rejected: 2 });
    const entries = await quarantine(device);
    expect(entries.map((entry) => entry.recordTable).sort()).toEqual(['activity_feed', 'tasks']);
    await device.retryQuarantined(entries[0]?.id ?? '');
    expect(await device.sync()).toMatchObject({ pushed: 2, rejected: 0 });
    await expectInStep(world, device);
  });
});

describe('changes the server refuses', () => {
  /** A replica that does not know yet that its user was made a viewer. */
  async function staleEditor() {
    const account = await world.signIn(`editor-${Math.random().toString(36).slice(2)}`);
    const owner = device;
    const workspace = await owner.contextService.createWorkspace({ name: 'Shared' });
    const project = await owner.contextService.createProject({ workspace_id: workspace.id, name: 'P' });
    const milestone = await owner.contextService.createMilestone({ project_id: project.id, name: 'M' });
    const task = await owner.contextService.createTask({ milestone_id: milestone.id, title: 'original' });
    await settle(owner);
    await run(
      `insert into public.workspace_members (id, workspace_id, user_id, role) values (gen_random_uuid(), $1::uuid, $2::uuid, 'editor')`,
      [workspace.id, account.userId],
    );
    const editor = await world.device(account);
    await settle(editor);
    const setRole = (role: string) =>
      run(
        'update public.workspace_members set role = $3 where workspace_id = $1::uuid and user_id = $2::uuid',
        [workspace.id, account.userId, role],
      );
    return { editor, workspace, milestone, task, setRole };
  }

  async function run(sql: string, values: string[]): Promise<void> {
    const done = await world.stack.backend.transaction((connection) => connection.query(sql, values));
    if (!done.ok) throw new Error(done.error.message);
  }

  it('a refused update is set aside, the server’s value is shown, and the rest is applied (U4, D7)', async () => {
    const { editor, task, setRole } = await staleEditor();
    await setRole('viewer');
    await editor.contextService.updateTask(task.id, { title: 'not allowed' });
    const own = await editor.contextService.createWorkspace({ name: 'My own' });
    const result = await editor.sync();
    expect(result).toMatchObject({ status: 'ok', pushed: 1, rejected: 2 });
    expect((await editor.contextService.getLocalTask(task.id))?.title).toBe('original');
    const [entry] = (await quarantine(editor)).filter((candidate) => candidate.recordTable === 'tasks');
    expect(entry).toMatchObject({ code: 'forbidden', operation: 'update', recordId: task.id });
    expect(entry?.change.values).toEqual({ title: 'not allowed' });
    expect((await editor.contextService.getWorkspaces()).map(({ id }) => id)).toContain(own.id);
    await settle(editor);
    await expectInStep(world, editor);

    expect(await editor.retryQuarantined(entry?.id ?? '')).toBe(true);
    expect(await editor.sync()).toMatchObject({ rejected: 2, pushed: 0 });
    expect((await editor.contextService.getLocalTask(task.id))?.title).toBe('original');

    await setRole('editor');
    await settle(editor);
    expect((await editor.contextService.getLocalTask(task.id))?.title).toBe('not allowed');
    expect(editor.syncStatus.quarantined).toBe(0);
    await expectInStep(world, editor);
  });

  it('a refused new record is set aside with the records created under it, and both can be retried (U11, D7)', async () => {
    const { editor, milestone, setRole } = await staleEditor();
    await setRole('viewer');
    const parent = await editor.contextService.createTask({
      milestone_id: milestone.id,
      title: 'refused parent',
    });
    const child = await editor.contextService.createTask({
      milestone_id: milestone.id,
      title: 'its child',
      parent_task_id: parent.id,
    });
    await editor.sync();
    expect(await editor.contextService.getLocalTask(parent.id)).toBeNull();
    expect(await editor.contextService.getLocalTask(child.id)).toBeNull();
    expect(editor.syncStatus).toMatchObject({ pending: 0, quarantined: 4 });
    await setRole('editor');
    await settle(editor);
    for (const entry of await quarantine(editor)) await editor.retryQuarantined(entry.id);
    await settle(editor);
    expect((await editor.contextService.getLocalTask(child.id))?.parent_task_id).toBe(parent.id);
    expect(editor.syncStatus.quarantined).toBe(0);
    await expectInStep(world, editor);
  });

  it('a task whose deletion was refused comes back, subtasks and unsynced ones included (D7)', async () => {
    const { editor, milestone, task, setRole } = await staleEditor();
    const child = await editor.contextService.createTask({
      milestone_id: milestone.id,
      title: 'child',
      parent_task_id: task.id,
    });
    await settle(editor);
    await setRole('agent');
    const unsynced = await editor.contextService.createTask({
      milestone_id: milestone.id,
      title: 'unsynced',
      parent_task_id: task.id,
    });
    await editor.contextService.deleteTask(task.id);
    expect(await editor.contextService.getLocalTask(child.id)).toBeNull();
    await settle(editor);
    for (const id of [task.id, child.id, unsynced.id]) {
      expect(await editor.contextService.getLocalTask(id)).not.toBeNull();
    }
    expect((await quarantine(editor)).some((entry) => entry.operation === 'delete')).toBe(true);
    await expectInStep(world, editor);
  });

  it('a record whose id is taken out of sight gets a new one, and so do the references to it (U9)', async () => {
    const other = await world.device('somebody-else');
    await settle(other);
    const hidden = await other.contextService.createWorkspace({ name: 'Hidden' });
    const project = await other.contextService.createProject({ workspace_id: hidden.id, name: 'P' });
    const place = await other.contextService.createMilestone({ project_id: project.id, name: 'M' });
    const theirs = await other.contextService.createTask({ milestone_id: place.id, title: 'Theirs' });
    await settle(other);
    const { editor, milestone } = await staleEditor();
    await editor.database.write(async () => {
      const tasks = editor.database.get<Task>('tasks');
      const values = (draft: Task, title: string) => {
        draft.workspaceId = milestone.workspace_id;
        draft.milestoneId = milestone.id;
        Object.assign(draft, { title, currentStage: 'PLAN', status: 'todo', priority: 'medium' });
      };
      const taken = tasks.prepareCreate((draft) => {
        values(draft, 'id taken');
        (draft as unknown as { _raw: { id: string } })._raw.id = theirs.id;
      });
      const child = tasks.prepareCreate((draft) => {
        values(draft, 'its child');
        draft.parentTaskId = theirs.id;
      });
      await editor.database.batch(taken, child);
    });
    await editor.sync();
    const entry = (await quarantine(editor)).find((candidate) => candidate.recordId === theirs.id);
    expect(entry?.code).toBe('id_taken');
    expect(await editor.retryQuarantined(entry?.id ?? '')).toBe(true);
    expect(await editor.sync()).toMatchObject({ rejected: 0, pushed: 2 });
    const [child] = (await editor.contextService.getTasks(milestone.id)).filter(
      ({ title }) => title === 'its child',
    );
    expect((await editor.contextService.getLocalTask(child?.parent_task_id ?? ''))?.title).toBe('id taken');
    await expectInStep(world, editor);
  });

  it('a refused change is discarded', async () => {
    const { editor, task, setRole } = await staleEditor();
    await setRole('viewer');
    await editor.contextService.updateTask(task.id, { title: 'not allowed' });
    await editor.sync();
    const [entry] = await quarantine(editor);
    expect(await editor.discardQuarantined(entry?.id ?? '')).toBe(true);
    expect(await editor.discardQuarantined(entry?.id ?? '')).toBe(false);
    await settle(editor);
    expect(editor.syncStatus).toMatchObject({ pending: 0, quarantined: 0 });
    await expectInStep(world, editor);
  });

  it('an agent cannot pass a checkpoint, even from a replica that permits it (P-CHECKPOINT)', async () => {
    const { editor, task, setRole } = await staleEditor();
    await setRole('agent');
    await editor.contextService.updateTaskStage(task.id, 'IMPLEMENT');
    await editor.sync();
    const [entry] = (await quarantine(editor)).filter((candidate) => candidate.recordTable === 'tasks');
    expect(entry?.code).toBe('checkpoint');
    const context = await editor.contextService.getTaskContext(task.id);
    expect(context?.task.current_stage).toBe('PLAN');
    expect(context?.activities.map((activity) => activity.activity_type)).toEqual(['task_created']);
    await settle(editor);
    await expect(editor.contextService.updateTaskStage(task.id, 'IMPLEMENT')).rejects.toMatchObject({
      code: 'checkpoint',
    });
    await editor.contextService.updateTaskStage(task.id, 'PLAN_REVIEW');
    expect(await editor.sync()).toMatchObject({ rejected: 0, pushed: 2 });
    await expectInStep(world, editor);
  });

  it('a lost workspace leaves the device, and its unsynced edits stay in the archive (P12, P-NOLOSS)', async () => {
    const { editor, workspace, task } = await staleEditor();
    await editor.contextService.updateTask(task.id, { title: 'never synced' });
    editor.transport.loseNextRequest('push');
    await run(
      'update public.workspace_members set deleted_at = now() where workspace_id = $1::uuid and user_id = $2::uuid',
      [workspace.id, editor.userId],
    );
    await editor.sync();
    await settle(editor);
    expect(await editor.contextService.getLocalTask(task.id)).toBeNull();
    const archived = await editor.database.get('sync_archive').query().fetch();
    const refused = await quarantine(editor);
    const kept = JSON.stringify([...archived.map(({ _raw }) => _raw), ...refused.map(({ _raw }) => _raw)]);
    expect(kept).toContain('never synced');
    await expectInStep(world, editor);
  });

  it('a stranger is sent nothing of a workspace, and cannot write in it (P-PRIVATE)', async () => {
    const stranger = await world.device('stranger');
    await settle(stranger);
    expect(await stranger.contextService.getWorkspaces()).toEqual([]);
    await expect(newTask('intrusion', stranger)).rejects.toMatchObject({ code: 'not_found' });
  });
});
