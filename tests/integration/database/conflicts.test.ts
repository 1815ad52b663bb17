import { describe, expect, it } from 'vitest';
import type { Json, PushChange } from '@/core/protocol';
import { database, team, teamForEachTest } from '../../support/teamDatabase';
import { rowsRead } from '../../support/work';

teamForEachTest();

const update = (values: Record<string, Json>, more: Partial<PushChange> = {}) =>
  team.make.update('tasks', team.task, team.revision, values, more);

async function task(): Promise<Record<string, Json>> {
  const [row] = await database.query<{ row: Record<string, Json> }>(
    'select to_jsonb(t) as row from public.tasks t where id = $1::uuid',
    [team.task],
  );
  return row?.row ?? {};
}

describe('updates', () => {
  it('columns that no other device changed are written without conflict (U5)', async () => {
    expect(await team.owner.pushOne(update({ title: 'new' }))).toEqual({
      outcome: 'applied',
      revision: team.revision + 1,
    });
  });

  it('changes of other columns are merged, and the row is sent (U5)', async () => {
    await team.editor.push([update({ priority: 'high' })]);
    const answer = await team.owner.push([update({ title: 'new' })]);
    expect(answer.outcomes).toEqual([{ outcome: 'merged', revision: team.revision + 2 }]);
    expect(answer.effects.rows.tasks).toMatchObject({ id: [team.task], title: ['new'], priority: ['high'] });
  });

  it('columns changed by others are reported with the time of their edit, and the others are written (U5)', async () => {
    const time = new Date().toISOString();
    await team.editor.push([update({ title: 'theirs' }, { edited_at: { title: time } })]);
    const [entry] = Object.values((await task()).field_revisions as Record<string, [number, string]>);
    const answer = await team.owner.push([update({ title: 'mine', description: 'kept' })]);
    expect(answer.outcomes).toEqual([
      {
        outcome: 'conflict',
        revision: team.revision + 2,
        columns: { title: entry?.[1] },
        authors: { title: team.editor.id },
      },
    ]);
    expect(await task()).toMatchObject({ title: 'theirs', description: 'kept' });
    expect(answer.effects.rows.tasks).toMatchObject({ title: ['theirs'], description: ['kept'] });
  });

  it('an update with nothing left to write leaves the row unchanged, and the row is sent (U5)', async () => {
    await team.editor.push([update({ title: 'theirs' })]);
    const answer = await team.owner.push([update({ title: 'mine' })]);
    expect(answer.outcomes).toMatchObject([{ outcome: 'conflict', revision: team.revision + 1 }]);
    expect(answer.effects.rows.tasks).toMatchObject({ title: ['theirs'], revision: [team.revision + 1] });
    expect(answer.revisions).toEqual({});
  });

  it('an equal value is no conflict, in whatever form it was written (U5)', async () => {
    await team.editor.push([
      update({ title: 'same', completion_date: '2026-05-01T12:00:00+02:00', sort_order: 2 }),
    ]);
    const outcome = await team.owner.pushOne(
      update({ title: 'same', completion_date: '2026-05-01T10:00:00.000Z', sort_order: 2.0 }),
    );
    expect(outcome).toEqual({ outcome: 'merged', revision: team.revision + 1 });
  });

  it('an update with base null overwrites any value (U5)', async () => {
    await team.editor.push([update({ title: 'theirs' })]);
    const answer = await team.owner.push([update({ title: 'mine' }, { base: null })]);
    expect(answer.outcomes).toMatchObject([{ outcome: 'applied' }]);
    expect(answer.effects.rows.tasks?.title).toEqual(['mine']);
  });

  it('a change up to the base is no conflict (U5)', async () => {
    await team.editor.push([update({ title: 'theirs' })]);
    expect(await team.owner.pushOne(update({ title: 'mine' }, { base: team.revision + 1 }))).toMatchObject({
      outcome: 'applied',
    });
  });

  it('stage, status and completion date merge as one (U6)', async () => {
    await team.editor.push([update({ current_stage: 'PLAN_REVIEW' })]);
    const outcome = await team.owner.pushOne(update({ status: 'blocked', priority: 'low' }));
    expect(outcome).toMatchObject({ outcome: 'conflict', columns: { status: expect.any(String) } });
    expect(await task()).toMatchObject({ current_stage: 'PLAN_REVIEW', status: 'todo', priority: 'low' });
  });

  it('a unit of which every value is equal is no conflict (U6)', async () => {
    await team.editor.push([update({ current_stage: 'PLAN_REVIEW', status: 'in_progress' })]);
    const outcome = await team.owner.pushOne(update({ current_stage: 'PLAN_REVIEW', status: 'in_progress' }));
    expect(outcome).toMatchObject({ outcome: 'merged' });
    const half = await team.owner.pushOne(update({ current_stage: 'PLAN_REVIEW', status: 'blocked' }));
    expect(half).toMatchObject({
      outcome: 'conflict',
      columns: { current_stage: expect.any(String), status: expect.any(String) },
    });
  });

  it('milestone and parent merge as one (U6)', async () => {
    const parent = team.make.insert('tasks', { title: 'parent', milestone_id: team.milestone });
    const milestone = team.make.insert('milestones', { name: 'm', project_id: team.project });
    await team.editor.push([parent, milestone, update({ parent_task_id: parent.id })]);
    expect(await team.owner.pushOne(update({ milestone_id: milestone.id }))).toMatchObject({
      outcome: 'conflict',
      columns: { milestone_id: expect.any(String) },
    });
  });

  it('a change that lost in all columns holds its group back (U13)', async () => {
    await team.editor.push([update({ current_stage: 'PLAN_REVIEW' })]);
    const stage = update({ current_stage: 'IMPLEMENT' });
    const activity = team.make.insert(
      'activity_feed',
      { task_id: team.task, activity_type: 'stage_changed' },
      { group: stage.group },
    );
    const other = team.make.insert('activity_feed', { task_id: team.task, activity_type: 'comment' });
    const answer = await team.owner.push([stage, activity, other]);
    expect(answer.outcomes).toMatchObject([
      { outcome: 'conflict' },
      { outcome: 'blocked', by: team.task },
      { outcome: 'applied' },
    ]);
    const rows = await database.query('select 1 from public.activity_feed where id = $1::uuid', [
      activity.id,
    ]);
    expect(rows).toEqual([]);
  });

  it('a change that lost in some columns does not hold its group back (U13)', async () => {
    await team.editor.push([update({ title: 'theirs' })]);
    const mine = update({ title: 'mine', priority: 'high' });
    const activity = team.make.insert(
      'activity_feed',
      { task_id: team.task, activity_type: 'task_updated' },
      { group: mine.group },
    );
    const { outcomes } = await team.owner.push([mine, activity]);
    expect(outcomes).toMatchObject([{ outcome: 'conflict' }, { outcome: 'applied' }]);
  });
});

describe('edit times', () => {
  const timeOf = async (column: string) =>
    new Date(
      ((await task()).field_revisions as Record<string, [number, string]>)[column]?.[1] ?? 0,
    ).getTime();

  it('the edit time is kept, to the millisecond (S6)', async () => {
    const made = new Date(Date.now() + 50).getTime();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await team.owner.push([update({ title: 'x' }, { edited_at: { title: new Date(made).toISOString() } })]);
    expect(await timeOf('title')).toBe(made);
  });

  it('the edit time is held between the base and now (S6)', async () => {
    const edited_at = {
      title: '2999-01-01T00:00:00Z',
      description: '2001-01-01T00:00:00Z',
      priority: 'soon',
    };
    await team.owner.push([update({ title: 'x', description: 'y', priority: 'low' }, { edited_at })]);
    const now = new Date((await task()).updated_at as string).getTime();
    const created = await database.query<{ time: string }>(
      'select created_at::text as time from convoy.scope_revisions where scope_id = $1::uuid and revision = $2',
      [team.workspace, team.revision],
    );
    expect(await timeOf('title')).toBe(now);
    expect(await timeOf('priority')).toBe(now);
    expect(await timeOf('description')).toBe(new Date(created[0]?.time ?? 0).getTime());
  });
});

describe('deletes', () => {
  const remove = (base: number | null) => team.make.delete('projects', team.project, base);

  it('a record unchanged since the device saw it is deleted with all under it (U8)', async () => {
    const answer = await team.owner.push([remove(team.revision)]);
    expect(answer.outcomes).toEqual([{ outcome: 'applied', revision: team.revision + 1 }]);
    expect(answer.effects).toEqual({
      rows: { deletions: expect.objectContaining({ entity_id: [team.project], parts: [3] }) },
      deleted: { milestones: [team.milestone], tasks: [team.task] },
    });
  });

  it('a deletion conflicts with unseen changes of the row or of a live descendant (U8)', async () => {
    await team.editor.push([update({ title: 'news' })]);
    const answer = await team.owner.push([remove(team.revision)]);
    expect(answer.outcomes).toEqual([{ outcome: 'conflict', revision: team.revision, columns: {} }]);
    expect(answer.effects.rows.projects?.id).toEqual([team.project]);
    expect(answer.revisions).toEqual({});
    expect(await team.owner.pushOne(remove(team.revision + 1))).toMatchObject({ outcome: 'applied' });
  });

  it('a conflict holds the group back (U8)', async () => {
    await team.editor.push([update({ title: 'news' })]);
    const deletion = remove(team.revision);
    const note = team.make.insert('activity_feed', { activity_type: 'comment' }, { group: deletion.group });
    expect((await team.owner.push([deletion, note])).outcomes).toMatchObject([
      { outcome: 'conflict' },
      { outcome: 'blocked', by: team.project },
    ]);
  });

  it('a deletion conflicts with unseen changes of records that the same push moves under it (U40)', async () => {
    const other = team.make.insert('projects', { name: 'other' });
    const target = team.make.insert('milestones', { project_id: other.id, name: 'target' });
    const known = (await team.owner.push([other, target])).revisions[team.workspace]?.revision ?? 0;
    await team.editor.push([update({ title: 'news' })]);
    const move = () => team.make.update('tasks', team.task, known, { milestone_id: target.id });
    const deletion = team.make.delete('projects', other.id, known);
    expect((await team.owner.push([move(), deletion])).outcomes).toMatchObject([
      { outcome: 'merged' },
      { outcome: 'conflict', columns: {} },
    ]);
    expect(await task()).toMatchObject({ title: 'news', deleted_at: null, milestone_id: target.id });
  });

  it('unseen changes in another branch are no conflict (U8)', async () => {
    const other = team.make.insert('projects', { name: 'other' });
    await team.editor.push([other]);
    await team.editor.push([team.make.update('projects', other.id, null, { name: 'news' })]);
    expect(await team.owner.pushOne(remove(team.revision))).toMatchObject({ outcome: 'applied' });
  });

  it('own revisions in skip count as seen (U8)', async () => {
    const mine = await team.owner.push([update({ title: 'mine' })]);
    const skip = { [team.workspace]: [mine.revisions[team.workspace]?.revision ?? 0] };
    expect(await team.owner.pushOne(remove(team.revision), { skip })).toMatchObject({ outcome: 'applied' });
  });

  it('a deletion with base null deletes any revision (U8)', async () => {
    await team.editor.push([update({ title: 'news' })]);
    expect(await team.owner.pushOne(remove(null))).toMatchObject({ outcome: 'applied' });
  });

  it('deleting a workspace conflicts with any unseen change in it (U8)', async () => {
    await team.editor.push([team.make.insert('patterns', { name: 'news' })]);
    const deletion = team.make.delete('workspaces', team.workspace, team.revision);
    expect(await team.owner.pushOne(deletion)).toMatchObject({ outcome: 'conflict' });
    expect(await team.owner.pushOne({ ...deletion, base: team.revision + 1 })).toMatchObject({
      outcome: 'applied',
    });
  });

  it('deleting a deleted record is applied (U8)', async () => {
    const deletion = remove(null);
    const first = await team.owner.pushOne(deletion);
    expect(await team.editor.pushOne(deletion)).toEqual(first);
    expect(await team.editor.pushOne(team.make.delete('tasks', team.task, null))).toEqual(first);
  });

  it('parent and child deleted in one group share a deletion (U8)', async () => {
    const deletion = remove(null);
    const child = team.make.delete('tasks', team.task, null, { group: deletion.group });
    const { outcomes } = await team.owner.push([child, deletion]);
    expect(outcomes.map((one) => one.outcome)).toEqual(['applied', 'applied']);
    const rows = await database.query<{ deletion: string }>(
      `select deletion_id::text as deletion from public.tasks where workspace_id = $1::uuid
       union select deletion_id::text from public.projects where workspace_id = $1::uuid
       union select deletion_id::text from public.milestones where workspace_id = $1::uuid`,
      [team.workspace],
    );
    expect(rows).toHaveLength(1);
  });
});

describe('effects', () => {
  it('rows that the device sent itself are answered with their revision alone (U14)', async () => {
    const insert = team.make.insert('tasks', {
      title: 'all given',
      milestone_id: team.milestone,
      current_stage: 'PLAN',
      status: 'todo',
      priority: 'low',
      sort_order: 3,
    });
    const answer = await team.owner.push([insert, update({ title: 'plain' })]);
    expect(answer.effects).toEqual({ rows: {}, deleted: {} });
    const [row] = await database.query<{ updated: boolean; created: string; by: string }>(
      `select updated_at = $2::timestamptz as updated, created_at::text as created, last_modified_by::text as by
       from public.tasks where id = $1::uuid`,
      [insert.id, answer.server_time],
    );
    expect(row).toMatchObject({ updated: true, by: team.owner.id });
    expect(new Date(row?.created ?? 0).toISOString()).toBe('2026-01-05T10:00:00.000Z');
    expect(answer.revisions[team.workspace]).toMatchObject({
      revision: team.revision + 1,
      tag: expect.any(String),
    });
  });

  it('rows filled with defaults or dated by the server are sent (U14)', async () => {
    const bare = team.make.insert('projects', { name: 'bare' });
    const values = { name: 'future', tech_stack: ['x'], status: 'active' };
    const future = team.make.insert('projects', values, {
      edited_at: { created_at: '2999-01-01T00:00:00Z' },
    });
    const answer = await team.owner.push([bare, future]);
    expect([...(answer.effects.rows.projects?.id ?? [])].sort()).toEqual([bare.id, future.id].sort());
    const at = answer.effects.rows.projects?.id?.indexOf(future.id) ?? -1;
    expect(answer.effects.rows.projects?.created_at?.[at]).toBe(answer.server_time);
  });

  it('a row deleted by a cascade of the same batch is sent, though it was just inserted (U14)', async () => {
    const insert = team.make.insert('tasks', { title: 'short-lived', milestone_id: team.milestone });
    const answer = await team.owner.push([
      insert,
      team.make.delete('milestones', team.milestone, team.revision),
    ]);
    expect(answer.outcomes.map((one) => one.outcome)).toEqual(['applied', 'applied']);
    expect([...(answer.effects.deleted.tasks ?? [])].sort()).toEqual([insert.id, team.task].sort());
    expect(answer.effects.deleted.milestones).toBeUndefined();
  });

  it('effects and a pull without the push’s own revision leave the device complete (U14)', async () => {
    const { cursors } = await team.owner.pullAll();
    const answer = await team.owner.push([update({ title: 'x' })]);
    const skip = { [team.workspace]: [answer.revisions[team.workspace]?.revision ?? 0] };
    const pulled = await team.owner.pull(cursors, { skip });
    expect(pulled).toMatchObject({ rows: {}, deleted: {}, more: false });
    expect(pulled.cursors[team.workspace]).toEqual(answer.revisions[team.workspace]);
  });
});

it('the authors of conflicts are looked up, not searched for among all revisions of the scope', async () => {
  const COUNT = 40;
  const tasks = Array.from({ length: COUNT }, (_, n) =>
    team.make.insert('tasks', { title: `t${n}`, milestone_id: team.milestone }),
  );
  await team.owner.push(tasks);
  const { cursors } = await team.owner.pullAll();
  const base = cursors[team.workspace]?.revision ?? 0;
  // A scope with a long history, most of it older than what is in conflict.
  await database.query(
    `update convoy.scope_clocks set revision = revision + 5000 where scope_id = $1::uuid`,
    [team.workspace],
  );
  await database.query(
    `insert into convoy.scope_revisions (scope_id, revision, tag)
      select $1::uuid, n, md5(n::text) from generate_series($2::bigint + 1, $2::bigint + 4999) n on conflict do nothing`,
    [team.workspace, base],
  );
  await database.query('analyze convoy.scope_revisions');
  await team.editor.push(tasks.map(({ id }) => team.make.update('tasks', id, null, { title: 'theirs' })));
  const [touched, outcomes] = await database.as(team.owner.id, async (connection) => {
    const before = await rowsRead(connection, 'convoy', 'scope_revisions');
    // Something of each is written, so that the conflicts are found out last.
    const values = { title: 'mine', description: 'mine too' };
    const mine = tasks.map(({ id }) => team.make.update('tasks', id, base, values));
    const answer = await team.owner.pushWithin(connection, mine);
    const after = await rowsRead(connection, 'convoy', 'scope_revisions');
    return [after - before, answer.outcomes] as const;
  });
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array(COUNT).fill('conflict'));
  expect(touched).toBeLessThan(5_000);
});
