/** The feed says what happened: Convoy's own activities come with the change that they tell of, or not at all. */

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Json } from '@/core/protocol';
import { RESERVED_ACTIVITIES } from '@/domain/activities';
import { addMembers, Changes } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';

teamForEachTest();

const RESERVED = { outcome: 'rejected', code: 'reserved_activity', column: 'activity_type' };

const activity = (activity_type: string, values: Record<string, Json> = {}, group = 0) =>
  team.make.insert('activity_feed', { task_id: team.task, activity_type, ...values }, { group });

const settled = (record_id: string, columns: Record<string, Json>, table = 'tasks') =>
  ({ table, record_id, columns }) as unknown as Json;

const JUMP = {
  current_stage: { base: 'PLAN', local: 'COMMIT', remote: 'PLAN', chosen: 'PLAN', by: 'remote' },
};

describe('activities of Convoy’s own', () => {
  it('are refused alone, from every role, and leave nothing (U30, P-CHECKPOINT)', async () => {
    for (const who of [team.owner, team.editor, team.agent]) {
      for (const type of RESERVED_ACTIVITIES.filter((one) => one !== 'agent_ended')) {
        const details = settled(team.task, JUMP);
        expect(await who.pushOne(activity(type, { details })), type).toMatchObject(RESERVED);
        expect(
          await who.pushOne(activity(type, { task_id: null, entity_type: 'task', entity_id: team.task })),
          type,
        ).toMatchObject(RESERVED);
      }
    }
    const rows = await database.query('select id from public.activity_feed where workspace_id = $1::uuid', [
      team.workspace,
    ]);
    expect(rows).toEqual([]);
  });

  it('that tell of ended agents are the server’s alone: what a device brings back is passed over (U30, A4)', async () => {
    const { make } = team;
    const member = make.update('workspaces', team.workspace, null, { name: 'Other' }, { group: 0 });
    const values = { task_id: null, entity_type: 'workspace_members', entity_id: team.workspace };
    for (const who of [team.owner, team.agent]) {
      const told = activity('agent_ended', { ...values, details: { name: 'Bot', why: 'left' } }, 0);
      const answer = await who.push(who === team.owner ? [member, told] : [told]);
      expect(answer.outcomes.at(-1)).toMatchObject({ outcome: 'applied' });
      expect(answer.effects.deleted.activity_feed).toEqual([told.id]);
    }
    expect(await team.viewer.pushOne(activity('agent_ended', values))).toMatchObject({ code: 'forbidden' });
  });

  it('are refused beside a change of another record, or of another group, which stand as they would (U30)', async () => {
    const other = team.make.insert('tasks', { title: 'other', milestone_id: team.milestone }, { group: 0 });
    const { outcomes } = await team.agent.push([other, activity('task_created', {}, 0)]);
    expect(outcomes).toMatchObject([{ code: 'group' }, RESERVED]);
    const update = team.make.update('tasks', team.task, null, { title: 'new' }, { group: 0 });
    const apart = await team.agent.push([update, activity('task_updated', {}, 1)]);
    expect(apart.outcomes).toMatchObject([{ outcome: 'applied' }, RESERVED]);
  });

  it('are taken with their change (U30)', async () => {
    const { make } = team;
    const task = make.insert('tasks', { title: 't', milestone_id: team.milestone }, { group: 0 });
    const needs = { task_id: team.task, depends_on_task_id: task.id };
    const dependency = make.insert('task_dependencies', needs, { group: 2 });
    const first = await team.agent.push([
      task,
      activity('task_created', { task_id: task.id }, 0),
      make.update('tasks', team.task, null, { title: 'x', current_stage: 'PLAN_REVIEW' }, { group: 1 }),
      activity('task_updated', {}, 1),
      activity('stage_changed', { details: { from: 'PLAN', to: 'PLAN_REVIEW' } }, 1),
      dependency,
      activity('dependency_added', {}, 2),
    ]);
    expect(first.outcomes.map(({ outcome }) => outcome)).toEqual(Array(7).fill('applied'));
    const second = await team.owner.push([
      make.delete('task_dependencies', dependency.id, null, { group: 0 }),
      activity('dependency_removed', {}, 0),
      make.delete('tasks', task.id, null, { group: 1 }),
      activity('task_deleted', { task_id: null, entity_type: 'task', entity_id: task.id }, 1),
    ]);
    expect(second.outcomes.map(({ outcome }) => outcome)).toEqual(Array(4).fill('applied'));
  });

  it('that tell of a settled conflict are taken from the user who met it, on its record (U30, D10)', async () => {
    await team.owner.push([team.make.update('tasks', team.task, null, { title: 'theirs' })]);
    const mine = team.make.update('tasks', team.task, team.revision, { title: 'mine' });
    expect(await team.editor.pushOne(mine)).toMatchObject({ outcome: 'conflict' });
    const columns = {
      title: { base: 'Task', local: 'mine', remote: 'theirs', chosen: 'theirs', by: 'later' },
    };
    const details = settled(team.task, columns);
    expect(await team.agent.pushOne(activity('conflict_settled', { details }))).toMatchObject(RESERVED);
    for (const wrong of [
      settled(team.milestone, columns),
      settled(team.task, columns, 'milestones'),
      settled(team.task, columns, 'workspace_members'),
      null,
      'x',
    ]) {
      const entry = activity('conflict_settled', { details: wrong });
      expect((await team.editor.pushOne(entry)).outcome, JSON.stringify(wrong)).toBe('rejected');
    }
    expect(await team.editor.pushOne(activity('conflict_settled', { details }))).toMatchObject({
      outcome: 'applied',
    });
  });

  it('name no device, whatever an older client sends, and it is told (U14, P-PRIVATE)', async () => {
    const details = { ...(settled(team.task, JUMP) as object), device_id: randomUUID() };
    const change = team.make.update('tasks', team.task, null, { title: 'chosen' }, { group: 0 });
    const answer = await team.editor.push([change, activity('conflict_settled', { details }, 0)]);
    expect(answer.outcomes.map(({ outcome }) => outcome)).toEqual(['applied', 'applied']);
    expect(answer.effects.rows.activity_feed?.details).toEqual([settled(team.task, JUMP)]);
  });

  it('leave other types to everybody who may write (U30)', async () => {
    expect(await team.agent.pushOne(activity('comment', { details: { text: 'hello' } }))).toMatchObject({
      outcome: 'applied',
    });
    expect(await team.viewer.pushOne(activity('comment'))).toMatchObject({ code: 'forbidden' });
  });
});

describe('the authors of a conflict', () => {
  it('are named by column, whoever wrote the row last (U5, D12)', async () => {
    await team.owner.push([team.make.update('tasks', team.task, null, { status: 'cancelled' })]);
    await team.agent.push([team.make.update('tasks', team.task, null, { description: 'by the agent' })]);
    const approval = team.make.update('tasks', team.task, team.revision, { current_stage: 'IMPLEMENT' });
    expect(await team.editor.pushOne(approval)).toMatchObject({
      outcome: 'conflict',
      authors: { status: team.owner.id },
    });
  });

  it('are unknown where the service wrote (U5)', async () => {
    await database.query(`update public.tasks set title = 'by the service' where id = $1::uuid`, [team.task]);
    const mine = team.make.update('tasks', team.task, team.revision, { title: 'mine' });
    expect(await team.editor.pushOne(mine)).toMatchObject({ outcome: 'conflict', authors: { title: null } });
  });
});

describe('activities beside changes that do nothing', () => {
  const open = async () =>
    database.query(`select activity_type from public.activity_feed where workspace_id = $1::uuid`, [
      team.workspace,
    ]);

  it('wait: an insert of what is there, an update of nothing, a record that is gone (U30)', async () => {
    const { make } = team;
    const empty = await team.agent.push([
      make.update('tasks', team.task, null, {}, { group: 0 }),
      activity('conflict_settled', { details: settled(team.task, JUMP) }, 0),
    ]);
    expect(empty.outcomes[1]).toMatchObject(RESERVED);
    const values = { title: 'other values', milestone_id: team.milestone };
    const again = make.insert('tasks', values, { id: team.task, group: 0 });
    const conflicting = await team.agent.push([
      again,
      activity('task_created', {}, 0),
      activity('stage_changed', { details: { from: 'PLAN', to: 'COMMIT' } }, 0),
    ]);
    expect(conflicting.outcomes).toMatchObject([
      { outcome: 'conflict' },
      { outcome: 'blocked', by: team.task },
      { outcome: 'blocked', by: team.task },
    ]);
    await team.owner.push([make.delete('tasks', team.task, null)]);
    const gone = await team.agent.push([
      make.update('tasks', team.task, null, { title: 'x' }, { group: 0 }),
      activity('task_deleted', { task_id: null, entity_type: 'task', entity_id: team.task }, 0),
    ]);
    expect(gone.outcomes).toMatchObject([{ outcome: 'gone' }, RESERVED]);
    expect(await open()).toEqual([]);
  });

  it('do not take a change in one workspace for one in another (U30, P-PRIVATE)', async () => {
    const { agent, make } = team;
    const own = new Changes(randomUUID());
    const human = team.stranger;
    await human.push([own.insert('workspaces', { name: 'Own' }, { id: own.workspace })]);
    await addMembers(database, own.workspace, [agent, 'editor']);
    const elsewhere = own.delete('tasks', team.task, null, { group: 0 });
    const told = make.insert(
      'activity_feed',
      { task_id: null, entity_type: 'task', entity_id: team.task, activity_type: 'task_deleted' },
      { group: 0 },
    );
    const { outcomes } = await agent.push([elsewhere, told]);
    expect(outcomes[1]).toMatchObject(RESERVED);
    expect(await open()).toEqual([]);
  });

  it('of settled conflicts are taken for the record of the table that the conflict was on (U30)', async () => {
    const { agent, owner, make } = team;
    const pattern = make.insert('patterns', { name: 'one' }, { id: team.task });
    await owner.push([pattern]);
    const conflict = await agent.pushOne({ ...pattern, values: { name: 'two' } });
    expect(conflict).toMatchObject({ outcome: 'conflict' });
    const claim = activity('conflict_settled', { details: settled(team.task, JUMP) });
    expect(await agent.pushOne(claim)).toMatchObject(RESERVED);
    const true_ = activity('conflict_settled', {
      task_id: null,
      entity_type: 'patterns',
      entity_id: team.task,
      details: settled(team.task, {}, 'patterns'),
    });
    expect(await agent.pushOne(true_)).toMatchObject({ outcome: 'applied' });
  });
});
