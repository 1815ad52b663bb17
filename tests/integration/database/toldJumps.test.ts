/** Jumps past checkpoints by clients of before reviews: the server says in the feed what they were. */

import { describe, expect, it } from 'vitest';
import type { Json, PushAnswer, PushChange } from '@/core/protocol';
import type { SyncUser } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';

teamForEachTest();

/** Of the last release without reviews. */
const BEFORE = { protocol: 6 };

const move = (values: Record<string, Json>, group = 0) =>
  team.make.update('tasks', team.task, null, values, { group });

const told = (activity_type: string, details: Json, group = 0) =>
  team.make.insert('activity_feed', { task_id: team.task, activity_type, details }, { group });

const feed = (type: string) =>
  database.query<{ id: string; details: Json; actor: string }>(
    `select id::text as id, details, actor_id::text as actor from public.activity_feed
      where task_id = $1::uuid and activity_type = $2 and deleted_at is null order by revision, created_at, id`,
    [team.task, type],
  );

const pushed = async (
  user: SyncUser,
  changes: PushChange[],
  request: object = BEFORE,
): Promise<PushAnswer> => {
  const answer = await user.push(changes, request);
  expect(answer.outcomes.map(({ outcome }) => outcome)).toEqual(changes.map(() => 'applied'));
  return answer;
};

describe('a jump by a client of before reviews', () => {
  it('is marked in the activity that tells of the move, and its device hears of it (V6, U14)', async () => {
    const entry = told('stage_changed', { from: 'PLAN', to: 'COMMIT' });
    const { effects } = await pushed(team.editor, [move({ current_stage: 'COMMIT' }), entry]);
    const details = {
      from: 'PLAN',
      to: 'COMMIT',
      jumped: ['PLAN_REVIEW', 'CODE_REVIEW'],
      reason: null,
    };
    expect(await feed('stage_changed')).toEqual([{ id: entry.id, details, actor: team.editor.id }]);
    expect(effects.rows.activity_feed).toMatchObject({ id: [entry.id], details: [details] });
  });

  it('is told where the client tells of nothing, and its device hears of it (V6, U14)', async () => {
    const { effects, revisions } = await pushed(team.owner, [move({ current_stage: 'IMPLEMENT' })]);
    const [entry, ...others] = await feed('stage_changed');
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      actor: team.owner.id,
      details: { from: 'PLAN', to: 'IMPLEMENT', jumped: ['PLAN_REVIEW'], reason: null },
    });
    expect(effects.rows.activity_feed).toMatchObject({
      id: [entry?.id],
      revision: [revisions[team.workspace]?.revision],
    });
  });

  it('by which the task is finished ahead of its checkpoints is one too (V6, R4)', async () => {
    const changes = { fields: ['status'], changes: { status: ['todo', 'done'] } };
    await pushed(team.owner, [move({ status: 'done' }), told('task_updated', changes)]);
    const passed = { jumped: ['PLAN_REVIEW', 'CODE_REVIEW'], reason: null };
    expect(await feed('task_updated')).toMatchObject([{ details: { ...changes, ...passed } }]);
    // It is done already.
    await pushed(team.owner, [move({ completion_date: '2026-01-01T12:00:00.000Z' })]);
    expect(await feed('task_updated')).toHaveLength(1);
    await pushed(team.owner, [move({ status: 'todo', completion_date: null })]);
    await pushed(team.owner, [move({ status: 'done' })]);
    expect((await feed('task_updated')).at(-1)).toMatchObject({ details: { ...changes, ...passed } });
  });

  it('on a way of several moves is marked in those that pass a checkpoint (V6, U30)', async () => {
    const way = ['PLAN', 'PLAN_REVIEW', 'IMPLEMENT', 'CODE_REVIEW'];
    const tales = way.slice(1).map((to, at) => told('stage_changed', { from: way[at], to } as Json));
    await pushed(team.editor, [move({ current_stage: 'CODE_REVIEW' }), ...tales]);
    const details = await feed('stage_changed');
    const jumped = details.map((one) => [
      (one.details as { to: string }).to,
      (one.details as { jumped?: string[] }).jumped ?? [],
    ]);
    expect(Object.fromEntries(jumped)).toEqual({
      PLAN_REVIEW: [],
      IMPLEMENT: ['PLAN_REVIEW'],
      CODE_REVIEW: [],
    });
  });

  it('in a later group of a batch begins where the earlier one ends (V6)', async () => {
    await pushed(team.owner, [
      move({ current_stage: 'IMPLEMENT' }, 1),
      move({ priority: 'high', status: 'in_progress' }, 2),
      move({ current_stage: 'COMMIT' }, 3),
    ]);
    expect((await feed('stage_changed')).map(({ details }) => details)).toEqual(
      expect.arrayContaining([
        { from: 'PLAN', to: 'IMPLEMENT', jumped: ['PLAN_REVIEW'], reason: null },
        { from: 'IMPLEMENT', to: 'COMMIT', jumped: ['CODE_REVIEW'], reason: null },
      ]),
    );
  });

  it('that is refused is told of by nobody, and neither is a move that passes none (V6, P-CHECKPOINT)', async () => {
    const jump = move({ current_stage: 'IMPLEMENT' });
    expect(await team.agent.pushOne(jump, BEFORE)).toMatchObject({ code: 'checkpoint' });
    expect(await team.viewer.pushOne(jump, BEFORE)).toMatchObject({ code: 'forbidden' });
    const broken = [move({ current_stage: 'IMPLEMENT' }), move({ priority: 'none' })];
    expect((await team.owner.push(broken, BEFORE)).outcomes).toMatchObject([
      { outcome: 'rejected' },
      { outcome: 'rejected' },
    ]);
    await pushed(team.agent, [move({ current_stage: 'PLAN_REVIEW' })]);
    await pushed(team.owner, [move({ current_stage: 'PLAN' })]);
    expect(await feed('stage_changed')).toEqual([]);
  });

  it('that loses a conflict is told of by nobody (V6, U5)', async () => {
    await team.owner.push([move({ current_stage: 'PLAN_REVIEW' })]);
    const late = team.make.update('tasks', team.task, team.revision, {
      current_stage: 'COMMIT',
      priority: 'high',
    });
    expect(await team.editor.pushOne(late, BEFORE)).toMatchObject({ outcome: 'conflict' });
    expect(await feed('stage_changed')).toEqual([]);
  });
});

describe('a jump by a client that knows reviews', () => {
  it('is told as the client tells it (V6)', async () => {
    const reason = { from: 'PLAN', to: 'IMPLEMENT', jumped: ['PLAN_REVIEW'], reason: 'One line.' };
    await pushed(team.owner, [move({ current_stage: 'IMPLEMENT' }), told('stage_changed', reason)], {});
    expect((await feed('stage_changed')).map(({ details }) => details)).toEqual([reason]);
    // So is one that says it already, whatever its protocol.
    await pushed(team.owner, [move({ current_stage: 'PLAN' })]);
    await pushed(team.owner, [move({ current_stage: 'IMPLEMENT' }), told('stage_changed', reason)]);
    expect((await feed('stage_changed')).map(({ details }) => details)).toEqual([reason, reason]);
  });
});
