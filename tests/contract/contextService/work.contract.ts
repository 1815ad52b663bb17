import { expect, it } from 'vitest';
import { STANDARD_STAGES } from '@/domain/vocabulary';
import type { ClaimResult } from '@/domain/work';
import { SEED } from '../../support/seed';
import { expectError, rejected, type Section, UNKNOWN_ID, validation } from './world';

export const workContract: Section = (world) => {
  const claimed = (by: string, claim_id: string) => ({
    state: 'claimed',
    provisional: false,
    claim: { claimed_by: by, claim_id, waits: false },
  });
  const minutesLeft = ({ claim }: ClaimResult) =>
    (Date.parse(claim.claimed_until ?? '') - Date.now()) / 60_000;

  it('one claims a task, and whoever comes second hears who has it, and until when (C2)', async () => {
    const { agent, editor, settle, task, userId } = world();
    const { id } = await task();
    const first = await agent.claimTask(id, { claim_id: 'one' });
    expect(first).toMatchObject(claimed(userId('agent'), 'one'));
    const second = await editor.claimTask(id, { claim_id: 'two' });
    expect(second).toEqual({ ...first, state: 'taken', claim: first.claim });
    await settle();
    expect((await editor.getTaskContext(id))?.task).toMatchObject({
      claimed_by: userId('agent'),
      claim_id: 'one',
      claimed_until: first.claim.claimed_until,
    });
  });

  it('the same claim is answered alike, and another session of the same user is not, unless it resumes (C2, C9)', async () => {
    const { agent, task, userId } = world();
    const { id } = await task();
    const first = await agent.claimTask(id, { claim_id: 'one' });
    expect(await agent.claimTask(id, { claim_id: 'one', minutes: 60 })).toEqual(first);
    expect(await agent.claimTask(id, { claim_id: 'two' })).toMatchObject({
      state: 'taken',
      claim: { claimed_by: userId('agent'), claim_id: 'one' },
    });
    const wrong = await agent.claimTask(id, { claim_id: 'two', resume: 'three' });
    expect(wrong.state).toBe('taken');
    const resumed = await agent.claimTask(id, { claim_id: 'two', resume: 'one' });
    expect(resumed).toMatchObject(claimed(userId('agent'), 'two'));
    expect(await agent.renewClaim(id, 'one')).toMatchObject({ state: 'lost', claim: { claim_id: 'two' } });
  });

  it('the lease is held between one and sixty minutes, and is fifteen where none is asked for (C3)', async () => {
    const { agent, task } = world();
    for (const [minutes, held] of [
      [undefined, 15],
      [30, 30],
      [0.01, 1],
      [1e9, 60],
    ] as const) {
      const { id } = await task();
      const left = minutesLeft(await agent.claimTask(id, { claim_id: 'c', ...(minutes && { minutes }) }));
      expect(left).toBeGreaterThan(held - 0.5);
      expect(left).toBeLessThanOrEqual(held + 0.1);
    }
  });

  it('a claim is renewed when a third of its lease is over, and not before (C8)', async () => {
    const { agent, backend, settle, task } = world();
    const { id } = await task();
    const first = await agent.claimTask(id, { claim_id: 'c' });
    expect(await agent.renewClaim(id, 'c')).toEqual(first);
    await backend.transaction((connection) =>
      connection.query(`update public.tasks set claimed_until = now() + interval '9 minutes' where id = $1`, [
        id,
      ]),
    );
    expect(minutesLeft(await agent.renewClaim(id, 'c'))).toBeGreaterThan(14);
    // It has run out, and nobody else has taken the task.
    await backend.transaction((connection) =>
      connection.query(`update public.tasks set claimed_until = now() - interval '9 minutes' where id = $1`, [
        id,
      ]),
    );
    expect(await agent.renewClaim(id, 'c')).toMatchObject({ state: 'claimed' });
    await settle();
  });

  it('a lease that has run out is anybody’s; a released task too (C4)', async () => {
    const { agent, editor, backend, task, userId } = world();
    const { id } = await task();
    await agent.claimTask(id, { claim_id: 'one' });
    await backend.transaction((connection) =>
      connection.query(`update public.tasks set claimed_until = now() - interval '1 s' where id = $1`, [id]),
    );
    expect(await editor.claimTask(id, { claim_id: 'two' })).toMatchObject(claimed(userId('editor'), 'two'));
    expect(await agent.renewClaim(id, 'one')).toMatchObject({
      state: 'lost',
      claim: { claimed_by: userId('editor') },
    });
    expect(await agent.releaseClaim(id, 'one')).toMatchObject({ released: false });
    expect(await editor.releaseClaim(id, 'two')).toMatchObject({ released: true });
    expect(await agent.claimTask(id, { claim_id: 'three' })).toMatchObject({ state: 'claimed' });
  });

  it('viewers and strangers claim nothing; nor is a task claimed that is done (C11)', async () => {
    const { owner, viewer, outsider, settle, task } = world();
    const { id } = await task();
    await expectError(viewer.claimTask(id, { claim_id: 'c' }), rejected('forbidden'));
    await expectError(outsider.claimTask(id, { claim_id: 'c' }), validation('not_found', 'task_id'));
    await expectError(outsider.releaseClaim(id, 'c'), validation('not_found', 'task_id'));
    await owner.updateTask(id, { status: 'done' });
    await settle();
    await expectError(owner.claimTask(id, { claim_id: 'c' }), rejected('closed'));
    await expectError(owner.claimTask(UNKNOWN_ID, { claim_id: 'c' }), validation('not_found', 'task_id'));
    await expectError(owner.claimTask('nothing', { claim_id: 'c' }), validation('bad_id', 'task_id'));
    await expectError(owner.claimTask(id, { claim_id: ' ' }), validation('required', 'claim_id'));
    await expectError(owner.claimTask(id, { claim_id: 'x'.repeat(65) }), validation('too_long', 'claim_id'));
    const minutes = Number.NaN;
    await expectError(owner.claimTask(id, { claim_id: 'x', minutes }), validation('bad_value', 'minutes'));
  });

  it('an agent that is paused is told so (C11)', async () => {
    const { agent, backend, settle, task, userId } = world();
    const { id } = await task();
    const pause = (at: string) =>
      backend.transaction((connection) =>
        connection.query(`update public.workspace_members set paused_at = ${at} where user_id = $1`, [
          userId('agent'),
        ]),
      );
    await pause('now()');
    await settle();
    await expectError(agent.claimTask(id, { claim_id: 'c' }), rejected('paused'));
    await pause('null');
    await settle();
    expect(await agent.claimTask(id, { claim_id: 'c' })).toMatchObject({ state: 'claimed' });
  });

  it('a claim is live as long as its task waits at a checkpoint, and has a full lease when it leaves (C4, C5)', async () => {
    const { owner, agent, editor, backend, settle, task, userId } = world();
    const { id } = await task();
    await agent.claimTask(id, { claim_id: 'c' });
    await agent.updateTaskStage(id, 'PLAN_REVIEW');
    await settle();
    await backend.transaction((connection) =>
      connection.query(`update public.tasks set claimed_until = now() - interval '2 days' where id = $1`, [
        id,
      ]),
    );
    expect(await editor.claimTask(id, { claim_id: 'd' })).toMatchObject({
      state: 'taken',
      claim: { claimed_by: userId('agent'), waits: true },
    });
    await owner.updateTaskStage(id, 'IMPLEMENT');
    await settle();
    const after = (await owner.getTaskContext(id))?.task;
    expect(after).toMatchObject({ claimed_by: userId('agent'), claim_id: 'c' });
    expect(Date.parse(after?.claimed_until ?? '') - Date.now()).toBeGreaterThan(14 * 60_000);
    expect(await editor.claimTask(id, { claim_id: 'd' })).toMatchObject({ state: 'taken' });
  });

  it.each([
    ['done', 'done'],
    ['cancelled', 'cancelled'],
  ] as const)(
    'a task that is %s is released, and whoever writes that sees it (C6)',
    async (_case, status) => {
      const { owner, agent, settle, task } = world();
      const { id } = await task();
      await agent.claimTask(id, { claim_id: 'c' });
      await settle();
      await owner.updateTask(id, { status });
      await settle();
      for (const service of [owner, agent]) {
        expect((await service.getTaskContext(id))?.task).toMatchObject({
          status,
          claimed_by: null,
          claimed_until: null,
          claim_id: null,
        });
      }
    },
  );

  it('claims are no news: who wrote a task last, when, and its feed stay as they were (C7)', async () => {
    const { owner, agent, feed, settle, task } = world();
    const before = await task();
    await agent.claimTask(before.id, { claim_id: 'c' });
    await settle();
    const after = (await owner.getTaskContext(before.id))?.task;
    expect(after).toMatchObject({ updated_at: before.updated_at, last_modified_by: before.last_modified_by });
    expect((await feed(owner, before.id)).map(({ activity_type }) => activity_type)).toEqual([
      'task_created',
    ]);
    await agent.releaseClaim(before.id, 'c');
    await settle();
    expect((await owner.getTaskContext(before.id))?.task).toEqual(before);
  });

  it('readiness names every reason against a task (N1, N2, N3, N4)', async () => {
    const { owner, agent, settle, task, milestone, userId } = world();
    const { id: milestone_id } = await milestone();
    const [parent, other] = [await task({ milestone_id }), await task({ milestone_id, title: 'Other' })];
    const child = await task({ milestone_id, parent_task_id: parent.id, title: 'Child' });
    await owner.addTaskDependency(parent.id, other.id);
    await settle();
    expect(await owner.getReadiness(other.id)).toEqual({
      task_id: other.id,
      title: 'Other',
      ready: true,
      reasons: [],
      passed: [],
    });
    const dependency = { code: 'dependency', of: parent.id, task_id: other.id, title: 'Other' };
    const { reasons } = (await owner.getReadiness(parent.id)) ?? {};
    expect(reasons).toEqual([{ code: 'subtask', task_id: child.id, title: 'Child' }, dependency]);
    expect(await owner.getReadiness(child.id)).toMatchObject({ reasons: [dependency] });
    await owner.updateTask(other.id, { status: 'cancelled' });
    await owner.updateTask(child.id, { assignee_id: userId('editor'), current_stage: 'PLAN_REVIEW' });
    await owner.updateMilestone(milestone_id, { status: 'completed' });
    await agent.claimTask(child.id, { claim_id: 'c' });
    await settle();
    expect(await owner.getReadiness(child.id)).toMatchObject({
      reasons: [
        { code: 'checkpoint' },
        { code: 'milestone', status: 'completed' },
        { code: 'claimed', by: userId('agent') },
        { code: 'assigned', to: userId('editor') },
      ],
      passed: [{ task_id: other.id, title: 'Other', status: 'cancelled' }],
    });
    expect(await owner.getReadiness(UNKNOWN_ID)).toBeNull();
  });

  it('next is what the user has, then the first by priority, target date, sort order and age (N6)', async () => {
    const { owner, agent, settle } = world();
    const { id: project_id } = await owner.createProject({ workspace_id: SEED.workspace, name: 'Next' });
    const soon = await owner.createMilestone({ project_id, name: 'Soon', target_date: '2027-01-01' });
    const later = await owner.createMilestone({ project_id, name: 'Later' });
    const make = (milestone_id: string, title: string, values = {}) =>
      owner.createTask({ milestone_id, title, ...values });
    await make(later.id, 'low', { priority: 'low' });
    await make(later.id, 'later');
    await make(soon.id, 'second', { sort_order: 2 });
    const first = await make(soon.id, 'first', { sort_order: 1 });
    const urgent = await make(later.id, 'urgent', { priority: 'urgent' });
    await owner.addTaskDependency(urgent.id, first.id);
    await settle();
    const next = async (service = agent) => {
      const found = await service.getNextTask({ project_id });
      return found.task === null ? found : found.task.title;
    };
    expect(await next()).toBe('first');
    await agent.claimTask(first.id, { claim_id: 'c' });
    await settle();
    // Whoever asks has it; others get the next one.
    expect(await next()).toBe('first');
    expect(await next(owner)).toBe('second');
    const session = await agent.getNextTask({ project_id, claim_id: 'd' });
    expect(session.task?.title).toBe('second');
    // It waits for a person: meanwhile there is other work, and then it comes first, whatever is urgent.
    await agent.updateTaskStage(first.id, 'PLAN_REVIEW');
    await settle();
    expect(await next()).toBe('second');
    await owner.updateTaskStage(first.id, 'IMPLEMENT');
    await settle();
    expect(await next()).toBe('first');
    await owner.updateTask(first.id, { status: 'done' });
    await settle();
    expect(await next()).toBe('urgent');
  });

  it('says why nothing is next (N7)', async () => {
    const { owner, settle } = world();
    const { id: project_id } = await owner.createProject({ workspace_id: SEED.workspace, name: 'Waiting' });
    const { id: milestone_id } = await owner.createMilestone({ project_id, name: 'All wait' });
    expect(await owner.getNextTask({ project_id })).toEqual({ task: null, open: 0, waiting: [] });
    const made = await owner.createTask({ milestone_id, title: 'At review', current_stage: 'PLAN_REVIEW' });
    await settle();
    expect(await owner.getNextTask({ project_id })).toMatchObject({
      task: null,
      open: 1,
      waiting: [{ task_id: made.id, reasons: [{ code: 'checkpoint' }] }],
    });
    await expectError(owner.getNextTask({ project_id: 'x' }), validation('bad_id', 'project_id'));
  });

  it('refuses that a task depends on one above or below it, and circles through both relations (N5)', async () => {
    const { owner, settle, task, milestone } = world();
    const { id: milestone_id } = await milestone();
    const above = await task({ milestone_id });
    const below = await task({ milestone_id, parent_task_id: above.id });
    const [other, under] = [await task({ milestone_id }), await task({ milestone_id })];
    const cycle = validation('cycle', 'depends_on_task_id');
    await expectError(owner.addTaskDependency(above.id, below.id), cycle);
    await expectError(owner.addTaskDependency(below.id, above.id), cycle);
    // What stands under a task waits for what that one depends on.
    await owner.addTaskDependency(other.id, below.id);
    await settle();
    await expectError(owner.addTaskDependency(above.id, other.id), cycle);
    await owner.addTaskDependency(under.id, other.id);
    await settle();
    await expectError(
      owner.updateTask(under.id, { parent_task_id: below.id }),
      validation('cycle', 'parent_task_id'),
    );
    expect(await owner.getReadiness(below.id)).toMatchObject({ ready: true });
  });

  it('the status follows a stage that is given without one, and no other (T1, T2, T4)', async () => {
    const { owner, milestone, feed } = world();
    const { id: milestone_id } = await milestone();
    const made = await owner.createTask({ milestone_id, title: 'In the middle', current_stage: 'VALIDATE' });
    expect(made).toMatchObject({ status: 'in_progress' });
    expect(await owner.updateTaskStage(made.id, 'PLAN')).toMatchObject({ status: 'todo' });
    expect(await owner.updateTask(made.id, { current_stage: 'IMPLEMENT' })).toMatchObject({
      status: 'in_progress',
    });
    const told = (await feed(owner, made.id)).map(({ activity_type }) => activity_type);
    expect(told).toEqual(['task_created', 'stage_changed', 'stage_changed']);
    await owner.updateTask(made.id, { status: 'blocked' });
    expect(await owner.updateTaskStage(made.id, 'VALIDATE')).toMatchObject({ status: 'blocked' });
    expect(await owner.updateTask(made.id, { current_stage: 'PLAN', status: 'in_progress' })).toMatchObject({
      current_stage: 'PLAN',
      status: 'in_progress',
    });
    await owner.updateTask(made.id, { status: 'done' });
    const reopened = await owner.updateTaskStage(made.id, 'IMPLEMENT');
    expect(reopened).toMatchObject({ status: 'in_progress', completion_date: null });
  });

  it('a task is finished from its last stage alone (T3)', async () => {
    const { owner, agent, settle, task } = world();
    const made = await task();
    await expectError(owner.finishTask(made.id), rejected('not_last_stage'));
    await owner.updateTaskStage(made.id, STANDARD_STAGES.at(-1) ?? '');
    await settle();
    const done = await agent.finishTask(made.id);
    expect(done).toMatchObject({ status: 'done', completion_date: expect.any(String) });
    expect((await agent.finishTask(made.id)).completion_date).toBe(done.completion_date);
    await expectError(owner.finishTask(UNKNOWN_ID), validation('not_found', 'task_id'));
  });
};
