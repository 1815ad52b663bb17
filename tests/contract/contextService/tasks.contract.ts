import { expect, it } from 'vitest';
import { SEED } from '../../support/seed';
import { expectError, ISO_TIME, rejected, type Section, UNKNOWN_ID, validation } from './world';

export const tasksContract: Section = (world) => {
  it('creates a task with the defaults of the schema, and says so in its feed', async () => {
    const { owner, milestone, feed, userId } = world();
    const { id: milestone_id } = await milestone();
    const task = await owner.createTask({ milestone_id, title: '  New Task ' });
    expect(task).toMatchObject({
      milestone_id,
      workspace_id: SEED.workspace,
      parent_task_id: null,
      workflow_id: null,
      title: 'New Task',
      description: null,
      current_stage: 'PLAN',
      status: 'todo',
      priority: 'medium',
      assignee_id: null,
      sort_order: expect.any(Number),
      claimed_by: null,
      claimed_until: null,
      completion_date: null,
    });
    expect(task.created_at).toMatch(ISO_TIME);
    expect((await owner.getTaskContext(task.id))?.task).toEqual(task);
    const [created, ...others] = await feed(owner, task.id);
    expect(others).toEqual([]);
    expect(created).toMatchObject({
      task_id: task.id,
      activity_type: 'task_created',
      details: { title: 'New Task', stage: 'PLAN' },
      actor_id: userId('owner'),
      entity_type: null,
      entity_id: null,
    });
  });

  it('keeps every value, times in canonical form', async () => {
    const { owner, milestone, task, userId } = world();
    const { id: milestone_id } = await milestone();
    const parent = await task({ milestone_id });
    const description = '  # As it is\n\n\tzażółć \u{1f980} "quotes" \\ end  ';
    const made = await owner.createTask({
      milestone_id,
      parent_task_id: parent.id,
      title: 'Ganz “neu” \u{1f680}',
      description,
      current_stage: 'IMPLEMENT',
      status: 'in_progress',
      priority: 'urgent',
      assignee_id: userId('agent'),
      sort_order: 0.1 + 0.2,
    });
    const completed = await owner.updateTask(made.id, {
      completion_date: '2026-03-01T10:00:00.123456+02:00',
    });
    expect(completed).toMatchObject({
      parent_task_id: parent.id,
      title: 'Ganz “neu” \u{1f680}',
      description,
      current_stage: 'IMPLEMENT',
      status: 'in_progress',
      priority: 'urgent',
      assignee_id: userId('agent'),
      sort_order: 0.1 + 0.2,
      completion_date: '2026-03-01T08:00:00.123Z',
    });
  });

  it.each([
    [{ title: ' ' }, 'required', 'title'],
    [{ title: undefined }, 'required', 'title'],
    [{ title: 'x'.repeat(501) }, 'too_long', 'title'],
    [{ title: 'a\0b' }, 'bad_character', 'title'],
    [{ title: 'x', description: '\ud800' }, 'bad_character', 'description'],
    [{ title: 'x', status: 'someday' }, 'bad_value', 'status'],
    [{ title: 'x', sort_order: Number.POSITIVE_INFINITY }, 'bad_value', 'sort_order'],
    [{ title: 'x', current_stage: 'SHIP' }, 'unknown_stage', 'current_stage'],
    [{ title: 'x', milestone_id: UNKNOWN_ID }, 'not_found', 'milestone_id'],
    [{ title: 'x', milestone_id: 'here' }, 'bad_id', 'milestone_id'],
    [{ title: '\u200b\u3164' }, 'required', 'title'],
    [{ title: 'x', assignee_id: UNKNOWN_ID }, 'not_found', 'assignee_id'],
    [{ title: 'x', assignee_id: 'aB3dE5gH7jK9mN1p' }, 'bad_id', 'assignee_id'],
    [{ title: 'x', workflow_id: UNKNOWN_ID, assignee_id: UNKNOWN_ID }, 'not_found', 'workflow_id'],
    [{ title: 'x', parent_task_id: UNKNOWN_ID }, 'not_found', 'parent_task_id'],
    [{ title: 'x', workflow_id: UNKNOWN_ID }, 'not_found', 'workflow_id'],
    [{ title: 'x', revision: 3 }, 'unknown_field', 'revision'],
    [{ title: 'x', colour: 'red' }, 'unknown_field', 'colour'],
  ])('refuses to create a task with %j: %s', async (values, code, field) => {
    const input = { milestone_id: SEED.offlineMilestone, ...values } as never;
    await expectError(world().owner.createTask(input), validation(code, field));
  });

  it('names members of the workspace alone, and says in which column another is named', async () => {
    const { owner, task, userId } = world();
    const { id } = await task();
    const field = 'assignee_id';
    const stranger = owner.updateTask(id, { title: 'x', [field]: userId('outsider') });
    await expectError(stranger, validation('not_found', field));
    await expectError(owner.updateTask(id, { [field]: 'aB3dE5gH7jK9mN1p' }), validation('bad_id', field));
    const member = userId('viewer').toUpperCase();
    expect(await owner.updateTask(id, { [field]: member })).toMatchObject({ [field]: userId('viewer') });
    expect(await owner.updateTask(id, { [field]: null })).toMatchObject({ [field]: null });
  });

  it('updates the given fields only, and says which in the feed', async () => {
    const { owner, task, feed } = world();
    const before = await task({ title: 'Before', description: 'long', priority: 'low' });
    const after = await owner.updateTask(before.id, {
      title: 'After',
      description: 'longer',
      priority: 'low',
      status: undefined,
    });
    expect(after).toEqual({ ...before, title: 'After', description: 'longer', updated_at: after.updated_at });
    const [, updated, ...others] = await feed(owner, before.id);
    expect(others).toEqual([]);
    expect(updated).toMatchObject({
      activity_type: 'task_updated',
      details: { fields: ['title', 'description'], changes: { title: ['Before', 'After'] } },
    });
  });

  it('writes nothing where nothing changes', async () => {
    const { owner, task, feed } = world();
    const before = await task();
    expect(await owner.updateTask(before.id, {})).toEqual(before);
    expect(await owner.updateTask(before.id, { title: ` ${before.title}`, status: before.status })).toEqual(
      before,
    );
    expect(await owner.updateTaskStage(before.id, 'PLAN')).toEqual(before);
    expect(await feed(owner, before.id)).toHaveLength(1);
  });

  it('tells a move and other changes of one update apart', async () => {
    const { owner, task, feed } = world();
    const { id } = await task({ priority: 'low' });
    await owner.updateTask(id, { current_stage: 'IMPLEMENT', priority: 'high' });
    const activities = (await feed(owner, id)).slice(1);
    expect(activities.map(({ activity_type, details }) => ({ activity_type, details }))).toEqual([
      {
        activity_type: 'stage_changed',
        details: { from: 'PLAN', to: 'IMPLEMENT', jumped: ['PLAN_REVIEW'], reason: null },
      },
      {
        activity_type: 'task_updated',
        details: { fields: ['priority'], changes: { priority: ['low', 'high'] } },
      },
    ]);
  });

  it('dates a task that becomes done, and undates one that is taken up again', async () => {
    const { owner, task } = world();
    const { id } = await task();
    expect((await owner.updateTask(id, { status: 'done' })).completion_date).toMatch(ISO_TIME);
    expect((await owner.updateTask(id, { status: 'in_progress' })).completion_date).toBeNull();
    const given = '2026-02-28T12:00:00.000Z';
    expect(await owner.updateTask(id, { status: 'done', completion_date: given })).toMatchObject({
      status: 'done',
      completion_date: given,
    });
  });

  it.each([
    [UNKNOWN_ID, { title: 'x' }, 'not_found', 'id'],
    ['nowhere', { title: 'x' }, 'bad_id', 'id'],
    [SEED.busyTask, { title: '' }, 'required', 'title'],
    [SEED.busyTask, { title: null }, 'required', 'title'],
    [SEED.busyTask, { completion_date: 'soon' }, 'bad_value', 'completion_date'],
    [SEED.busyTask, { milestone_id: UNKNOWN_ID }, 'not_found', 'milestone_id'],
    [SEED.busyTask, { current_stage: 'SHIP' }, 'unknown_stage', 'current_stage'],
    [SEED.busyTask, { workspace_id: UNKNOWN_ID }, 'unknown_field', 'workspace_id'],
    [SEED.busyTask, { id: UNKNOWN_ID }, 'unknown_field', 'id'],
  ])('refuses to update %s with %j: %s', async (id, changes, code, field) => {
    await expectError(world().owner.updateTask(id, changes as never), validation(code, field));
  });

  it('moves a task to another stage', async () => {
    const { owner, editor, settle, task, feed, userId } = world();
    const { id } = await task();
    const moved = await owner.updateTaskStage(id, 'IMPLEMENT');
    expect(moved).toMatchObject({ id, current_stage: 'IMPLEMENT', status: 'in_progress' });
    await settle();
    const activity = (await feed(editor, id)).at(-1);
    expect(activity).toMatchObject({
      activity_type: 'stage_changed',
      details: { from: 'PLAN', to: 'IMPLEMENT' },
      actor_id: userId('owner'),
    });
  });

  it('refuses a stage that the workflow does not have (R5)', async () => {
    const { owner, task } = world();
    const { id } = await task();
    await expectError(owner.updateTaskStage(id, 'SHIP'), validation('unknown_stage', 'current_stage'));
    await expectError(owner.updateTaskStage(id, ''), validation('required', 'current_stage'));
    await expectError(owner.updateTaskStage(UNKNOWN_ID, 'PLAN'), validation('not_found', 'task_id'));
    await expectError(owner.updateTaskStage('x', 'PLAN'), validation('bad_id', 'task_id'));
    expect((await owner.getTaskContext(id))?.task.current_stage).toBe('PLAN');
  });

  it('an agent comes up to a checkpoint and not past it; a person does (R4)', async () => {
    const { agent, editor, owner, settle, task, feed } = world();
    const { id, milestone_id } = await task();
    await agent.updateTaskStage(id, 'PLAN_REVIEW');
    await settle();
    await expectError(agent.updateTaskStage(id, 'IMPLEMENT'), rejected('checkpoint'));
    await expectError(agent.updateTask(id, { current_stage: 'COMMIT' }), rejected('checkpoint'));
    await expectError(agent.updateTask(id, { status: 'done' }), rejected('checkpoint'));
    await expectError(
      agent.createTask({ milestone_id, title: 'Born late', current_stage: 'IMPLEMENT' }),
      rejected('checkpoint'),
    );
    await settle();
    expect((await agent.getTaskContext(id))?.task).toMatchObject({
      current_stage: 'PLAN_REVIEW',
      status: 'in_progress',
      completion_date: null,
    });
    expect((await owner.getTasks(milestone_id)).map((each) => each.id)).toEqual([id]);
    expect(await feed(owner, id)).toHaveLength(2);

    await editor.updateTaskStage(id, 'IMPLEMENT');
    await settle();
    await agent.updateTaskStage(id, 'VALIDATE');
    await settle();
    expect((await feed(owner, id)).map(({ details }) => (details as { to?: string }).to)).toEqual([
      undefined,
      'PLAN_REVIEW',
      'IMPLEMENT',
      'VALIDATE',
    ]);
  });

  it('adds an activity', async () => {
    const { agent, task, userId } = world();
    const { id } = await task();
    const details = { text: 'Looks good', files: ['a.ts', { line: 3 }], done: true, left: null };
    const activity = await agent.addTaskActivity(id, 'code_reviewed', details);
    expect(activity).toMatchObject({
      task_id: id,
      workspace_id: SEED.workspace,
      activity_type: 'code_reviewed',
      details,
      actor_id: userId('agent'),
      entity_type: null,
      entity_id: null,
    });
    expect((await agent.getTaskContext(id))?.activities[0]).toEqual(activity);
    expect((await agent.addTaskActivity(id, 'comment')).details).toEqual({});
  });

  it('the actor is the caller, whoever is named (R6)', async () => {
    const { agent, owner, settle, task, feed, userId } = world();
    const { id } = await task();
    await agent.addTaskActivity(id, 'comment', { text: 'by the owner, honestly' }, userId('owner'));
    await agent.updateTaskStage(id, 'PLAN_REVIEW', userId('owner'));
    await settle();
    const actors = (await feed(owner, id)).map(({ actor_id }) => actor_id);
    expect(actors).toEqual([userId('owner'), userId('agent'), userId('agent')]);
  });

  it.each([
    [SEED.busyTask, 'Comment', {}, 'bad_value', 'activity_type'],
    [SEED.busyTask, '', {}, 'required', 'activity_type'],
    [SEED.busyTask, 'comment', { text: 'x'.repeat(65_536) }, 'too_long', 'details'],
    [SEED.busyTask, 'comment', { 'a\0': 1 }, 'bad_character', 'details'],
    [SEED.busyTask, 'comment', null, 'required', 'details'],
    [UNKNOWN_ID, 'comment', {}, 'not_found', 'task_id'],
    ['x', 'comment', {}, 'bad_id', 'task_id'],
  ])('refuses to add to %s the activity "%s"', async (id, type, details, code, field) => {
    await expectError(world().owner.addTaskActivity(id, type, details as never), validation(code, field));
  });
};
