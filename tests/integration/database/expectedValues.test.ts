import { describe, expect, it } from 'vitest';
import type { Json, PushChange } from '@/core/protocol';
import { database, team, teamForEachTest } from '../../support/teamDatabase';

teamForEachTest();

const update = (
  values: Record<string, Json>,
  expected: unknown,
  more: Partial<PushChange> = {},
  base: number | null = null,
) =>
  team.make.update('tasks', team.task, base, values, {
    expected: expected as Record<string, Json>,
    ...more,
  });

async function task(): Promise<Record<string, Json>> {
  const [row] = await database.query<{ row: Record<string, Json> }>(
    'select to_jsonb(t) as row from public.tasks t where id = $1::uuid',
    [team.task],
  );
  return row?.row ?? {};
}

describe('an update with expected values', () => {
  it('is written where all are as expected, whatever else others have changed since (U45)', async () => {
    await team.editor.push([update({ priority: 'high' }, { title: 'Task' }, {}, team.revision)]);
    const outcome = await team.owner.pushOne(update({ title: 'new' }, { title: 'Task' }, {}, team.revision));
    expect(outcome).toMatchObject({ outcome: 'merged' });
    expect(await task()).toMatchObject({ title: 'new', priority: 'high' });
  });

  it('is a conflict in all of its columns where one is not, and nothing is written (U45)', async () => {
    await team.editor.push([update({ title: 'theirs' }, undefined)]);
    const before = await task();
    const [entry] = Object.values(before.field_revisions as Record<string, [number, string]>);
    const answer = await team.owner.push([
      update({ title: 'mine', description: 'mine' }, { title: 'Task', priority: 'medium' }),
    ]);
    expect(answer.outcomes).toEqual([
      {
        outcome: 'conflict',
        revision: team.revision + 1,
        columns: { title: entry?.[1], description: null },
        authors: { title: team.editor.id },
        stale: ['title'],
      },
    ]);
    expect(answer.effects.rows.tasks).toMatchObject({ id: [team.task], title: ['theirs'] });
    expect(answer.revisions).toEqual({});
    expect(await task()).toEqual(before);
  });

  it('holds its whole group back, and no other one (U13, U45)', async () => {
    await team.editor.push([update({ priority: 'high' }, undefined)]);
    const stage = update({ current_stage: 'PLAN_REVIEW' }, { priority: 'medium' });
    const tell = {
      task_id: team.task,
      activity_type: 'stage_changed',
      details: { from: 'PLAN', to: 'PLAN_REVIEW' },
    };
    const told = team.make.insert('activity_feed', tell, { group: stage.group });
    const sibling = team.make.insert(
      'tasks',
      { title: 'beside', milestone_id: team.milestone },
      { group: stage.group },
    );
    const project = team.make.update('projects', team.project, null, { name: 'mine' });
    const { outcomes } = await team.owner.push([stage, told, sibling, project]);
    expect(outcomes).toMatchObject([
      { outcome: 'conflict', stale: ['priority'] },
      { outcome: 'blocked', by: team.task },
      { outcome: 'blocked', by: team.task },
      { outcome: 'applied' },
    ]);
    const [{ count } = { count: 1 }] = await database.query<{ count: number }>(
      'select count(*)::int as count from public.tasks where id = $1::uuid',
      [sibling.id],
    );
    expect(count).toBe(0);
  });

  it('is judged before what its batch does, and one that takes what another has taken loses (U45)', async () => {
    const claim = (by: string) => update({ assignee_id: by, sort_order: 1 }, { assignee_id: null });
    expect(await team.agent.pushOne(claim(team.agent.id))).toMatchObject({ outcome: 'applied' });
    expect(await team.editor.pushOne(claim(team.editor.id))).toMatchObject({ stale: ['assignee_id'] });
    // Once more, from a device that did not hear the answer.
    expect(await team.agent.pushOne(claim(team.agent.id))).toMatchObject({ outcome: 'applied' });
    const both = await team.owner.push([
      update({ title: 'first' }, { title: 'Task' }),
      update({ title: 'second' }, { title: 'Task' }),
    ]);
    expect(both.outcomes).toMatchObject([{ outcome: 'applied' }, { outcome: 'applied' }]);
    expect(await task()).toMatchObject({ title: 'second' });
  });

  it('finds a unit that has its values already as expected, and one that has half of them not (U6, U45)', async () => {
    await team.editor.push([update({ current_stage: 'PLAN_REVIEW', status: 'in_progress' }, undefined)]);
    const expected = { current_stage: 'PLAN', status: 'todo' };
    const same = { current_stage: 'PLAN_REVIEW', status: 'in_progress', priority: 'low' };
    expect(await team.owner.pushOne(update(same, expected))).toMatchObject({ outcome: 'applied' });
    const half = await team.owner.pushOne(
      update({ current_stage: 'PLAN_REVIEW', status: 'blocked' }, expected),
    );
    expect(half).toMatchObject({ stale: ['current_stage', 'status'] });
    const none = await team.owner.pushOne(update({ status: 'in_progress' }, expected));
    expect(none).toMatchObject({ stale: ['current_stage', 'status'] });
  });

  it('compares values and not how they are written; times to the millisecond (U45)', async () => {
    await team.editor.push([
      update(
        { completion_date: '2026-05-01T10:00:00.123456Z', assignee_id: team.editor.id, sort_order: 2 },
        undefined,
      ),
    ]);
    const expected = {
      completion_date: '2026-05-01T12:00:00.123+02:00',
      assignee_id: team.editor.id.toUpperCase(),
      sort_order: 2.0,
      description: null,
    };
    expect(await team.owner.pushOne(update({ title: 'new' }, expected))).toMatchObject({
      outcome: 'applied',
    });
    const other = { completion_date: '2026-05-01T10:00:00.124Z' };
    expect(await team.owner.pushOne(update({ title: 'newer' }, other))).toMatchObject({
      stale: ['completion_date'],
    });
    const none = { completion_date: 'soon', title: 'new' };
    expect(await team.owner.pushOne(update({ title: 'newer' }, none))).toMatchObject({
      stale: ['completion_date', 'title'],
    });
  });

  it('is malformed where what it expects is no object of columns, and so are inserts and deletes with one (U45)', async () => {
    for (const expected of [7, 'x', [], true]) {
      expect(await team.owner.pushOne(update({ title: 'x' }, expected))).toMatchObject({ code: 'malformed' });
    }
    expect(await team.owner.pushOne(update({ title: 'x' }, { revision: 1 }))).toMatchObject({
      code: 'unknown_column',
    });
    expect(await team.owner.pushOne(update({ title: 'x' }, null))).toMatchObject({ outcome: 'applied' });
    const expected = { title: 'x' };
    const remove = team.make.delete('tasks', team.task, null, { expected });
    const insert = team.make.insert('tasks', { title: 'x', milestone_id: team.milestone }, { expected });
    expect((await team.owner.push([insert, remove])).outcomes).toMatchObject([
      { code: 'malformed' },
      { code: 'malformed' },
    ]);
  });

  it('tells nobody what they may not see or not change', async () => {
    const expected = { title: 'no such' };
    for (const user of [team.viewer, team.stranger]) {
      const { outcomes, effects } = await user.push([update({ title: 'x' }, expected)]);
      expect(outcomes).toMatchObject([{ outcome: 'rejected', code: 'forbidden' }]);
      expect(effects.rows).toEqual({});
    }
  });

  it('is answered alike when it is sent again, with the row as it is by then (U2, U45)', async () => {
    await team.editor.push([update({ title: 'theirs' }, undefined)]);
    const change = update({ title: 'mine' }, { title: 'Task' });
    const batch = { batch: 50 };
    const first = await team.owner.push([change], batch);
    await team.editor.push([update({ title: 'later' }, undefined)]);
    const again = await team.owner.push([change], batch);
    expect(again.outcomes).toEqual(first.outcomes);
    expect(again.effects.rows.tasks).toMatchObject({ title: ['later'] });
  });

  it('is refused with its whole batch by a server of before, which would not look at what it expects (U16, U45)', async () => {
    await team.owner.push([update({ title: 'old' }, undefined)], { protocol: 5 });
    await database.query('update convoy.served_versions set protocol = 5');
    const answer = await team.owner.pushRaw([update({ title: 'new' }, { title: 'old' })]);
    await database.query('update convoy.served_versions set protocol = 6');
    expect(answer).toMatchObject({ error: { code: 'schema_mismatch' } });
    expect(await task()).toMatchObject({ title: 'old' });
  });
});
