/** Two devices on the same workspace. Run on every database the stack can have. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Task } from '@/domain/entities';
import { Conflict, type Device } from '@/lib/watermelon';
import { expectConverged } from '../../support/inStep';
import { settle, type TestDevice, type World } from '../../support/world';

/** @param start starts the server */
export function convergenceSuite(start: () => Promise<World>): void {
  let world: World;
  let here: TestDevice;
  let there: TestDevice;
  let milestoneId: string;

  beforeAll(async () => {
    world = await start();
    here = await world.device('owner');
    there = await world.device('editor');
    await settle(here, there);
    const [workspace] = await here.contextService.getWorkspaces();
    const [project] = await here.contextService.getProjects(workspace?.id ?? '');
    const milestone = await here.contextService.createMilestone({
      project_id: project?.id ?? '',
      name: 'Convergence',
    });
    milestoneId = milestone.id;
    await settle(here, there);
  });
  afterAll(() => world.close());

  async function sharedTask(title: string): Promise<Task> {
    const task = await here.contextService.createTask({
      milestone_id: milestoneId,
      title,
      description: 'one\ntwo\nthree',
    });
    await settle(here, there);
    return task;
  }

  const ledger = (device: Device) => device.database.of(Conflict).query().fetch();

  describe('two devices that were offline converge (P-CONVERGE)', () => {
    it('after creating on both sides', async () => {
      const mine = await here.contextService.createTask({ milestone_id: milestoneId, title: 'mine' });
      const theirs = await there.contextService.createTask({ milestone_id: milestoneId, title: 'theirs' });
      await expectConverged(world, here, there);
      expect((await here.contextService.getTaskContext(theirs.id))?.task.title).toBe('theirs');
      expect((await there.contextService.getTaskContext(mine.id))?.activities[0]?.activity_type).toBe(
        'task_created',
      );
    });

    it('after editing different columns of one record: both edits stand (U5)', async () => {
      const task = await sharedTask('fields');
      await here.contextService.updateTask(task.id, { title: 'renamed' });
      await there.contextService.updateTask(task.id, { priority: 'urgent' });
      await expectConverged(world, here, there);
      const merged = await here.contextService.getTaskContext(task.id);
      expect(merged?.task).toMatchObject({ title: 'renamed', priority: 'urgent' });
    });

    it('after editing the same column: the later edit stands, the other is in the ledger (D6)', async () => {
      const task = await sharedTask('same field');
      await here.contextService.updateTask(task.id, { title: 'earlier' });
      await new Promise((resolve) => setTimeout(resolve, 20));
      await there.contextService.updateTask(task.id, { title: 'later' });
      await there.sync();
      await expectConverged(world, here, there);
      expect((await here.contextService.getTaskContext(task.id))?.task.title).toBe('later');
      const entry = (await ledger(here)).find((conflict) => conflict.recordId === task.id);
      expect(entry?.columns.title).toEqual({
        base: 'same field',
        local: 'earlier',
        remote: 'later',
        chosen: 'later',
        by: 'later',
      });
    });

    it('after editing the same column, the earlier edit pushed first: the later one is pushed again (D6)', async () => {
      const task = await sharedTask('order');
      await here.contextService.updateTask(task.id, { title: 'earlier' });
      await new Promise((resolve) => setTimeout(resolve, 20));
      await there.contextService.updateTask(task.id, { title: 'later' });
      await here.sync();
      await expectConverged(world, here, there);
      expect((await here.contextService.getTaskContext(task.id))?.task.title).toBe('later');
      expect((await ledger(there)).some((conflict) => conflict.recordId === task.id)).toBe(true);
    });

    it('after editing different lines of a long text: both edits stand', async () => {
      const task = await sharedTask('prose');
      await here.contextService.updateTask(task.id, { description: 'ONE\ntwo\nthree' });
      await there.contextService.updateTask(task.id, { description: 'one\ntwo\nTHREE' });
      await expectConverged(world, here, there);
      expect((await there.contextService.getTaskContext(task.id))?.task.description).toBe('ONE\ntwo\nTHREE');
    });

    it('after moving the stage on both sides: the first move stands, the lost one leaves no activity (U13)', async () => {
      const task = await sharedTask('stages');
      await here.contextService.updateTaskStage(task.id, 'IMPLEMENT');
      await there.contextService.updateTaskStage(task.id, 'PLAN_REVIEW');
      await here.sync();
      await expectConverged(world, here, there);
      const context = await there.contextService.getTaskContext(task.id);
      expect(context?.task.current_stage).toBe('IMPLEMENT');
      const moves = context?.activities.filter((entry) => entry.activity_type === 'stage_changed');
      expect(moves?.map((entry) => entry.details)).toEqual([
        { from: 'PLAN', to: 'IMPLEMENT', jumped: ['PLAN_REVIEW'], reason: null },
      ]);
      const kinds = (await ledger(there)).filter(
        (entry) => entry.recordId === task.id || entry.kind === 'withdrawn',
      );
      expect(kinds.map((entry) => entry.kind).sort()).toEqual(['columns', 'withdrawn']);
    });

    it('after deleting a task that the other side edited meanwhile, the edit first: the task stays (U8)', async () => {
      const task = await sharedTask('deleted under an edit');
      await there.contextService.updateTask(task.id, { title: 'still needed' });
      await here.contextService.deleteTask(task.id);
      await there.sync();
      await expectConverged(world, here, there);
      expect((await here.contextService.getTaskContext(task.id))?.task.title).toBe('still needed');
      expect((await ledger(here)).find((entry) => entry.recordId === task.id)?.kind).toBe('deletion');
    });

    it('after deleting a subtree in which the other side edits and creates: it is gone, and the lost edits are in the ledger (U7, D8)', async () => {
      const parent = await sharedTask('parent');
      const child = await here.contextService.createTask({
        milestone_id: milestoneId,
        title: 'child',
        parent_task_id: parent.id,
      });
      await settle(here, there);
      await here.contextService.deleteTask(parent.id);
      expect(await here.contextService.getLocalTask(child.id)).toBeNull();
      await there.contextService.updateTask(child.id, { title: 'edited inside' });
      const born = await there.contextService.createTask({
        milestone_id: milestoneId,
        title: 'born inside',
        parent_task_id: child.id,
      });
      await here.sync();
      await expectConverged(world, here, there);
      for (const id of [parent.id, child.id, born.id])
        expect(await there.contextService.getLocalTask(id)).toBeNull();
      const lost = (await ledger(there)).filter((entry) => entry.kind === 'gone');
      expect(lost.find((entry) => entry.recordId === child.id)?.columns.title?.local).toBe('edited inside');
      expect(lost.find((entry) => entry.recordId === born.id)?.columns.title?.local).toBe('born inside');
    });

    it('after adding the same dependency on both sides: there is one (U10)', async () => {
      const [task, needed] = [await sharedTask('dependent'), await sharedTask('needed')];
      await here.contextService.addTaskDependency(task.id, needed.id);
      await there.contextService.addTaskDependency(task.id, needed.id);
      await expectConverged(world, here, there);
      const context = await there.contextService.getTaskContext(task.id);
      expect(context?.dependencies.map(({ id }) => id)).toEqual([needed.id]);
      const links = await there.database.get('task_dependencies').query().fetch();
      expect(links.filter((link) => (link._raw as { task_id?: string }).task_id === task.id)).toHaveLength(1);
    });

    it('after closing a dependency cycle from both sides: one link is refused and set aside', async () => {
      const [one, other] = [await sharedTask('one'), await sharedTask('other')];
      await here.contextService.addTaskDependency(one.id, other.id);
      await there.contextService.addTaskDependency(other.id, one.id);
      await here.sync();
      await expectConverged(world, here, there);
      expect(there.syncStatus.quarantined).toBe(2);
      expect((await there.contextService.getTaskContext(other.id))?.dependencies).toEqual([]);
    });
  });

  describe('local work', () => {
    it('needs no request: a thousand reads and a write offline (P-LOCAL)', async () => {
      const task = await sharedTask('local');
      const before = here.transport.requests.length;
      for (let index = 0; index < 1000; index += 1) await here.contextService.getTaskContext(task.id);
      await here.contextService.updateTask(task.id, { title: 'local edit' });
      expect(here.transport.requests.length).toBe(before);
    });

    it('a device does not pull its own push (U14, P7)', async () => {
      await settle(here, there);
      await here.contextService.createTask({ milestone_id: milestoneId, title: 'no echo' });
      expect(await here.sync()).toMatchObject({ pushed: 2, pulled: 0 });
      expect(await here.sync()).toMatchObject({ pushed: 0, pulled: 0 });
      expect(await there.sync()).toMatchObject({ pulled: 2 });
    });

    it('an edit made while the push is in flight is kept (D4)', async () => {
      const task = await sharedTask('in flight');
      await here.contextService.updateTask(task.id, { title: 'sent', priority: 'high' });
      const release = here.transport.holdNext('push');
      const syncing = here.sync();
      while (
        here.transport.count('push') === 0 ||
        !(await here.database.get('sync_outbox').query().fetchCount())
      ) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await here.contextService.updateTask(task.id, { title: 'in flight' });
      release();
      await syncing;
      await expectConverged(world, here, there);
      expect((await there.contextService.getTaskContext(task.id))?.task).toMatchObject({
        title: 'in flight',
        priority: 'high',
      });
    });
  });
}
