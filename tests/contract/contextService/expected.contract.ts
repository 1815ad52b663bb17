import { expect, it } from 'vitest';
import type { ContextService } from '@/domain/contextService';
import type { EntityOf } from '@/domain/entities';
import { expectedOf } from '@/domain/writes/expected';
import { SEED } from '../../support/seed';
import { expectError, rejected, type Section, UNKNOWN_ID, validation } from './world';

const stale = (columns: string[], present: Record<string, unknown>) =>
  ({ kind: 'conflict', code: 'stale', columns, present }) as const;

export const expectedContract: Section = (world) => {
  it('writes an update whose record is as expected (U45)', async () => {
    const { owner, task } = world();
    const before = await task({ title: 'As read', description: 'Long' });
    const expected = {
      title: 'As read',
      description: 'Long',
      status: 'todo',
      completion_date: null,
    } as const;
    expect(await owner.updateTask(before.id, { title: 'New' }, { expected })).toMatchObject({ title: 'New' });
    expect(await owner.updateTask(before.id, { title: 'Newer' }, {})).toMatchObject({ title: 'Newer' });
    expect(
      await owner.updateTask(before.id, { priority: 'high' }, { expected: {}, merges: true }),
    ).toMatchObject({
      priority: 'high',
    });
  });

  it('writes nothing of an update whose record is not as expected, and tells what it is (U45)', async () => {
    const { owner, editor, settle, task, feed } = world();
    const copy = await task({ title: 'As read' });
    await editor.updateTask(copy.id, { title: 'Theirs', priority: 'high' });
    await settle();
    const changes = { title: 'Mine', description: 'Mine', current_stage: 'IMPLEMENT' };
    const expected = { title: copy.title, priority: copy.priority, status: copy.status };
    await expectError(
      owner.updateTask(copy.id, changes, { expected }),
      stale(['title', 'priority'], { title: 'Theirs', priority: 'high' }),
    );
    await settle();
    for (const service of [owner, editor]) {
      expect(await service.getTaskContext(copy.id)).toMatchObject({
        task: { title: 'Theirs', priority: 'high', description: null, current_stage: copy.current_stage },
      });
      const types = (await feed(service, copy.id)).map(({ activity_type }) => activity_type);
      expect(types).toEqual(['task_created', 'task_updated']);
    }
  });

  it('expects columns that the update does not change: one takes what is assigned to nobody (U45)', async () => {
    const { owner, agent, settle, task, userId } = world();
    const { id } = await task();
    const take = (by: string) => ({ assignee_id: by, sort_order: 1 });
    const free = { expected: { assignee_id: null, status: 'todo' } } as const;
    await agent.updateTask(id, take(userId('agent')), free);
    await settle();
    await expectError(
      owner.updateTask(id, take(userId('owner')), free),
      stale(['assignee_id'], { assignee_id: userId('agent') }),
    );
    // Whoever has it already may say so again.
    await agent.updateTask(id, take(userId('agent')), free);
    await owner.updateTask(id, { status: 'in_progress' });
    await settle();
    await expectError(
      agent.updateTask(id, { ...take(userId('agent')), title: 'x' }, free),
      stale(['status'], { status: 'in_progress' }),
    );
  });

  it('takes a column that has its new value already for expected, and no other of its unit (U45)', async () => {
    const { owner, editor, settle, task } = world();
    const copy = await task();
    await editor.updateTask(copy.id, { status: 'blocked', title: 'Same' });
    await settle();
    const expected = { status: copy.status, title: copy.title };
    const done = await owner.updateTask(
      copy.id,
      { status: 'blocked', title: 'Same', priority: 'low' },
      { expected },
    );
    expect(done).toMatchObject({ status: 'blocked', title: 'Same', priority: 'low' });
    await expectError(
      owner.updateTask(copy.id, { status: 'blocked', current_stage: 'IMPLEMENT' }, { expected }),
      stale(['title', 'status'], { title: 'Same', status: 'blocked' }),
    );
  });

  it('moves a task from the stage and place that it is expected to have (U45)', async () => {
    const { owner, editor, settle, task, milestone } = world();
    const copy = await task();
    const options = { expected: expectedOf('tasks', copy, { current_stage: '' }) };
    expect(Object.keys(options.expected)).toEqual(['current_stage', 'status', 'completion_date']);
    await editor.updateTaskStage(copy.id, 'PLAN_REVIEW');
    await settle();
    const at = stale(['current_stage', 'status'], { current_stage: 'PLAN_REVIEW', status: 'in_progress' });
    await expectError(owner.updateTaskStage(copy.id, 'IMPLEMENT', undefined, options), at);
    const other = await milestone();
    const placed = { expected: { milestone_id: copy.milestone_id.toUpperCase(), parent_task_id: null } };
    const moved = await owner.updateTask(copy.id, { milestone_id: other.id }, placed);
    expect(moved.milestone_id).toBe(other.id);
    await expectError(
      owner.updateTask(copy.id, { title: 'x' }, placed),
      stale(['milestone_id'], { milestone_id: other.id }),
    );
  });

  it('is offered by every update (U45)', async () => {
    const { owner, settle } = world();
    const workspace = await owner.createWorkspace({ name: 'Expected' });
    const inWorkspace = { workspace_id: workspace.id, name: 'As read' };
    const project = await owner.createProject({ ...inWorkspace, tech_stack: [{ b: 1, a: [2.5] }] });
    const milestone = await owner.createMilestone({
      project_id: project.id,
      name: 'As read',
      target_date: '2026-05-01T12:00:00.000Z',
    });
    const pattern = await owner.createPattern({ ...inWorkspace, content: { a: 1, b: { c: [] } } });
    const practice = await owner.createBestPractice({ ...inWorkspace, category: 'design' });
    await settle();
    const [member] = await owner.getMembers(workspace.id);
    if (!member) throw new Error('The workspace has no member.');
    const updates: [string, { id: string }, (expected: object) => Promise<unknown>, object, object][] = [
      [
        'workspace',
        workspace,
        (expected) => owner.updateWorkspace(workspace.id, { name: 'New' }, { expected }),
        { name: 'Expected' },
        { name: 'x' },
      ],
      [
        'project',
        project,
        (expected) => owner.updateProject(project.id, { name: 'New' }, { expected }),
        { tech_stack: [{ a: [2.5], b: 1 }] },
        { tech_stack: [] },
      ],
      [
        'milestone',
        milestone,
        (expected) => owner.updateMilestone(milestone.id, { name: 'New' }, { expected }),
        { target_date: milestone.target_date },
        { target_date: null },
      ],
      [
        'pattern',
        pattern,
        (expected) => owner.updatePattern(pattern.id, { name: 'New' }, { expected }),
        { content: { b: { c: [] }, a: 1 }, project_id: null },
        { content: { a: 1 } },
      ],
      [
        'practice',
        practice,
        (expected) => owner.updateBestPractice(practice.id, { name: 'New' }, { expected }),
        { category: 'design' },
        { category: 'general' },
      ],
    ];
    for (const [name, record, update, asIs, other] of updates) {
      const [column = ''] = Object.keys(other);
      const present = { [column]: (record as unknown as Record<string, unknown>)[column] };
      await expectError(update(other), stale([column], present));
      expect(await update(asIs), name).toMatchObject({ name: 'New' });
    }
    const role = (expected: 'owner' | 'viewer') =>
      owner.updateMemberRole(member.id, 'owner', { expected: { role: expected } });
    expect(await role('viewer')).toMatchObject({ role: 'owner' });
    await expectError(
      owner.updateMemberRole(member.id, 'editor', { expected: { role: 'viewer' } }),
      stale(['role'], { role: 'owner' }),
    );
    await owner.deleteWorkspace(workspace.id);
  });

  it('does not expect values that a record cannot have, but those that it may have of old', async () => {
    const { owner, task } = world();
    const { id } = await task();
    const update = (options: object) => owner.updateTask(id, { title: 'x' }, options as never);
    await expectError(update({ expected: { title: 7 } }), validation('bad_value', 'expected.title'));
    await expectError(
      update({ expected: { completion_date: 'soon' } }),
      validation('bad_value', 'expected.completion_date'),
    );
    await expectError(
      update({ expected: { updated_at: '2026-01-01' } }),
      validation('unknown_field', 'expected.updated_at'),
    );
    await expectError(
      update({ expected: { revision: 1 } }),
      validation('unknown_field', 'expected.revision'),
    );
    await expectError(update({ expected: 7 }), validation('bad_value', 'expected'));
    await expectError(update({ merges: 1 }), validation('bad_value', 'merges'));
    await expectError(update({ force: true }), validation('unknown_field', 'force'));
    const longTitle = 'x'.repeat(501);
    await expectError(update({ expected: { title: longTitle } }), { kind: 'conflict', code: 'stale' });
    await expectError(update({ expected: { assignee_id: UNKNOWN_ID } }), { kind: 'conflict', code: 'stale' });
  });

  it('reports bad values first, then a record that does not exist, then one that is not as expected', async () => {
    const { owner, viewer, task } = world();
    const { id } = await task();
    const other = { expected: { title: 'Other' } };
    await expectError(owner.updateTask(id, { title: '' }, other), validation('required', 'title'));
    await expectError(owner.updateTask(UNKNOWN_ID, { title: 'x' }, other), validation('not_found', 'id'));
    const bad = { title: 'x', parent_task_id: UNKNOWN_ID };
    await expectError(owner.updateTask(id, bad, other), { kind: 'conflict', code: 'stale' });
    await expectError(viewer.updateTask(id, { title: 'x' }, other), { kind: 'conflict', code: 'stale' });
    const practice = await found(owner);
    const title = { expected: { name: practice.name } };
    await expectError(owner.updateBestPractice(practice.id, { name: 'x' }, title), rejected('forbidden'));
  });
};

async function found(service: ContextService): Promise<EntityOf['best_practices']> {
  const practice = (await service.getBestPractices()).find(({ id }) => id === SEED.globalPractice);
  if (!practice) throw new Error('The practice is not listed.');
  return practice;
}
