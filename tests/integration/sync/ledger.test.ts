import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Task } from '@/domain/entities';
import { Conflict, Quarantined } from '@/lib/watermelon';
import { expectInStep } from '../../support/inStep';
import { SEED } from '../../support/seed';
import { settle, type TestDevice, World } from '../../support/world';

let world: World;
let here: TestDevice;
let there: TestDevice;
let agent: TestDevice;

beforeAll(async () => {
  world = await World.start();
  here = await world.device('owner');
  there = await world.device('editor');
  agent = await world.device('agent');
  await settle(here, there, agent);
});
afterAll(() => world.close());

async function sharedTask(values: Partial<Task> = {}): Promise<Task> {
  const task = await here.contextService.createTask({
    milestone_id: SEED.offlineMilestone,
    title: 'original',
    description: 'red',
    ...values,
  });
  await settle(here, there, agent);
  return task;
}

async function entryOf(device: TestDevice, recordId: string): Promise<Conflict> {
  const entries = await device.database.of(Conflict).query().fetch();
  const entry = entries.find((candidate) => candidate.recordId === recordId);
  if (!entry) throw new Error('no entry in the ledger');
  return entry;
}

async function settlements(device: TestDevice, taskId: string) {
  const context = await device.contextService.getTaskContext(taskId);
  return (context?.activities ?? []).filter((entry) => entry.activity_type === 'conflict_settled');
}

/** Both sides edit; `there` arrives second. */
async function collide(task: Task, mine: Partial<Task>, theirs: Partial<Task>): Promise<void> {
  await here.contextService.updateTask(task.id, mine);
  await there.contextService.updateTask(task.id, theirs);
  await here.sync();
  await settle(there, here);
}

describe('the ledger', () => {
  it('a settled conflict appears in the feed of every device (D10)', async () => {
    const task = await sharedTask();
    await collide(task, { title: 'mine' }, { title: 'theirs' });
    const [told] = await settlements(here, task.id);
    expect(told?.details).toMatchObject({
      table: 'tasks',
      record_id: task.id,
      columns: {
        title: { base: 'original', local: 'theirs', remote: 'mine', chosen: 'theirs', by: 'later' },
      },
    });
    await expectInStep(world, here, there);
  });

  it('a settled conflict is reversed from a device that had no part in it (D10)', async () => {
    const task = await sharedTask();
    await collide(task, { title: 'mine' }, { title: 'theirs' });
    const third = await world.device('owner');
    await settle(third);
    const [told] = await settlements(third, task.id);
    await third.reverseSettlement(told?.id ?? '');
    await settle(third, here, there);
    expect((await there.contextService.getLocalTask(task.id))?.title).toBe('mine');
    expect(await settlements(there, task.id)).toHaveLength(2);
    const [latest] = await settlements(there, task.id);
    await there.reverseSettlement(latest?.id ?? '');
    await settle(there, here);
    expect((await here.contextService.getLocalTask(task.id))?.title).toBe('theirs');
    await expectInStep(world, here, there);
  });

  it('overlapping texts stay open through a restart until a person settles them', async () => {
    const task = await sharedTask();
    await collide(task, { description: 'green' }, { description: 'blue' });
    expect((await entryOf(there, task.id)).state).toBe('open');
    expect(await settlements(here, task.id)).toEqual([]);
    there = await there.restart();
    const open = await entryOf(there, task.id);
    expect(open.columns.description).toMatchObject({
      base: 'red',
      local: 'blue',
      remote: 'green',
      by: 'open',
    });
    expect(await there.settleConflict(open.id, { values: { description: 'blue-green' } })).toBe(true);
    await settle(there, here);
    expect((await here.contextService.getLocalTask(task.id))?.description).toBe('blue-green');
    expect((await entryOf(there, task.id)).state).toBe('settled');
    expect((await settlements(here, task.id))[0]?.details).toMatchObject({
      columns: { description: { chosen: 'blue-green', by: 'person' } },
    });
    await expectInStep(world, here, there);
  });

  it('a conflict is settled with the local or remote value, and invalid values are refused', async () => {
    const task = await sharedTask();
    await collide(task, { description: 'green' }, { description: 'blue' });
    const { id } = await entryOf(there, task.id);
    await expect(there.settleConflict(id, { values: { title: 'x' } })).rejects.toMatchObject({
      code: 'unknown_field',
    });
    await expect(there.settleConflict(id, { values: { description: '\u0000' } })).rejects.toMatchObject({
      code: 'bad_character',
    });
    await there.settleConflict(id, 'mine');
    expect((await there.contextService.getLocalTask(task.id))?.description).toBe('blue');
    await there.settleConflict(id, 'theirs');
    expect((await there.contextService.getLocalTask(task.id))?.description).toBe('green');
    expect(await there.settleConflict('no such entry', 'mine')).toBe(false);
    await settle(there, here);
    await expectInStep(world, here, there);
  });

  it('an entry that cannot be settled any more is discarded, and counts as unsynced no more (D24)', async () => {
    const task = await sharedTask();
    await collide(task, { description: 'green' }, { description: 'blue' });
    const { id } = await entryOf(there, task.id);
    expect(await there.discardLost(id)).toBe(false);
    await here.contextService.deleteTask(task.id);
    await settle(here, there);
    expect(await there.settleConflict(id, 'mine')).toBe(false);
    expect(JSON.stringify((await there.exportUnsynced()).ledger)).toContain('blue');
    const before = await there.countUnsynced();
    expect(await there.discardLost(id)).toBe(true);
    expect(await there.discardLost(id)).toBe(false);
    const after = await there.countUnsynced();
    expect([before.conflicts - after.conflicts, before.total - after.total]).toEqual([1, 1]);
  });

  it('an activity that is no settlement is not reversed, and Convoy’s own types are not written by hand', async () => {
    const task = await sharedTask();
    const comment = await here.contextService.addTaskActivity(task.id, 'comment', { text: 'x' });
    await expect(here.reverseSettlement(comment.id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(here.reverseSettlement('nothing')).rejects.toMatchObject({ code: 'not_found' });
    const settled = here.contextService.addTaskActivity(task.id, 'conflict_settled', {});
    await expect(settled).rejects.toMatchObject({ code: 'bad_value', detail: { field: 'activity_type' } });
  });

  it('a device whose clock is hours ahead does not win by it (D12)', async () => {
    const ahead = await world.device('editor', { now: () => Date.now() + 5 * 3_600_000 });
    const task = await sharedTask();
    await settle(ahead);
    await ahead.contextService.updateTask(task.id, { title: 'earlier, by a wrong clock' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await here.contextService.updateTask(task.id, { title: 'later' });
    await here.sync();
    await settle(ahead, here);
    expect((await here.contextService.getLocalTask(task.id))?.title).toBe('later');
  });

  it('an edit time after a clock jump offline is held between the base and the server’s now (D12)', async () => {
    let jump = 0;
    const jumping = await world.device('editor', { now: () => Date.now() + jump });
    const task = await sharedTask();
    await settle(jumping);
    jump = -48 * 3_600_000;
    await jumping.contextService.updateTask(task.id, { title: 'by a clock of the day before yesterday' });
    jump = 0;
    await here.contextService.updateTask(task.id, { priority: 'high' });
    await here.sync();
    await settle(jumping, here);
    expect((await here.contextService.getLocalTask(task.id))?.title).toBe(
      'by a clock of the day before yesterday',
    );
  });
});

describe('an approval and an agent’s edit', () => {
  it('the approval stands where the agent changed only the status (D12)', async () => {
    const task = await sharedTask({ current_stage: 'PLAN_REVIEW' });
    await here.contextService.updateTaskStage(task.id, 'IMPLEMENT');
    await agent.contextService.updateTask(task.id, { status: 'blocked' });
    await agent.sync();
    await settle(here, there);
    expect((await there.contextService.getLocalTask(task.id))?.current_stage).toBe('IMPLEMENT');
    expect((await entryOf(here, task.id)).columns.current_stage?.by).toBe('approval');
  });

  it('the person is asked where the agent has moved the stage meanwhile (D12)', async () => {
    const task = await sharedTask({ current_stage: 'PLAN_REVIEW' });
    await here.contextService.updateTaskStage(task.id, 'IMPLEMENT');
    await agent.contextService.updateTaskStage(task.id, 'PLAN');
    await agent.sync();
    await settle(here, there);
    expect((await there.contextService.getLocalTask(task.id))?.current_stage).toBe('PLAN');
    expect((await entryOf(here, task.id)).state).toBe('open');
  });
});

describe('the quarantine', () => {
  const refused = (device: TestDevice) => device.database.of(Quarantined).query().fetch();

  async function setRole(userId: string, role: string): Promise<void> {
    const done = await world.stack.backend.transaction((connection) =>
      connection.query(
        'update public.workspace_members set role = $2 where workspace_id = $3::uuid and user_id = $1::uuid',
        [userId, role, SEED.workspace],
      ),
    );
    if (!done.ok) throw new Error(done.error.message);
  }

  it('a refused change is retried once it is permitted, and can be edited and exported before (D11)', async () => {
    const task = await sharedTask();
    await setRole(there.userId, 'viewer');
    await there.contextService.updateTask(task.id, { title: 'refused' });
    await there.sync();
    const entry = (await refused(there)).find(({ recordTable }) => recordTable === 'tasks');
    expect(entry?.code).toBe('forbidden');
    expect(JSON.stringify((await there.exportUnsynced()).quarantine)).toContain('refused');
    await expect(there.editQuarantined(entry?.id ?? '', { title: '' })).rejects.toMatchObject({
      code: 'required',
    });
    expect(await there.editQuarantined(entry?.id ?? '', { title: 'refused, then edited' })).toBe(true);
    await setRole(there.userId, 'editor');
    await settle(there, here);
    expect((await here.contextService.getLocalTask(task.id))?.title).toBe('refused, then edited');
    expect(await refused(there)).toEqual([]);
    await expectInStep(world, here, there);
  });

  it('a refused new record overwrites one that appeared meanwhile only when a person retries it (D11, P-NOLOSS)', async () => {
    await setRole(there.userId, 'viewer');
    const wanted = { milestone_id: SEED.offlineMilestone, title: 'refused', description: 'refused too' };
    const { id, current_stage, status, priority } = await there.contextService.createTask(wanted);
    await there.sync();
    // As on another device that goes on from a backup of this one.
    await here.database.write(() =>
      here.database.records('tasks').create((draft) => {
        const values = { ...wanted, title: 'there already', current_stage, status, priority };
        draft.raw.workspace_id = SEED.workspace;
        for (const [name, value] of Object.entries(values)) draft.setColumn(name, value);
        draft.raw.id = id;
      }),
    );
    await settle(here, there);
    await setRole(there.userId, 'editor');
    await settle(there);
    expect((await there.contextService.getLocalTask(id))?.title).toBe('there already');
    const entry = (await refused(there)).find(({ recordId }) => recordId === id);
    expect(entry?.change.values).toMatchObject({ title: 'refused' });

    expect(await there.retryQuarantined(entry?.id ?? '')).toBe(true);
    await settle(there, here);
    expect(await here.contextService.getLocalTask(id)).toMatchObject(wanted);
    expect(await refused(there)).toEqual([]);
    await expectInStep(world, here, there);
  });
});
