/** Pushed records that the server has already, or no longer has. */

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PushChange } from '@/core/protocol';
import { addMembers, createTeam, SyncUser } from '../../support/syncUser';
import { database, team, teamForFile } from '../../support/teamDatabase';

teamForFile();

const tasksTitled = (title: string) =>
  database.query<{ id: string }>('select id::text as id from public.tasks where title = $1', [title]);
const newTask = (title: string, more: Partial<PushChange> = {}, of = team) =>
  of.make.insert('tasks', { title, milestone_id: of.milestone }, more);

describe('records that exist already, or no longer', () => {
  it('an update of a deleted or unknown record is answered with gone (U7)', async () => {
    const task = newTask('to be deleted');
    await team.owner.push([task]);
    await team.owner.push([team.make.delete('tasks', task.id, null)]);
    const gone = { outcome: 'gone', which: 'record' };
    expect(await team.owner.pushOne(team.make.update('tasks', task.id, 1, { title: 'x' }))).toEqual(gone);
    expect(await team.owner.pushOne(team.make.update('tasks', randomUUID(), 1, { title: 'x' }))).toEqual(
      gone,
    );
  });

  it('an insert or update under a deleted parent is answered with gone (U7)', async () => {
    const own = await createTeam(database);
    const milestone = own.make.insert('milestones', { name: 'm', project_id: own.project });
    await own.owner.push([milestone]);
    await own.owner.push([own.make.delete('milestones', milestone.id, null)]);
    const gone = { outcome: 'gone', which: 'parent' };
    const insert = own.make.insert('tasks', { title: 'x', milestone_id: milestone.id });
    const activity = own.make.insert('activity_feed', { task_id: insert.id, activity_type: 'comment' });
    const move = own.make.update('tasks', own.task, null, { milestone_id: milestone.id });
    const { outcomes } = await own.owner.push([insert, activity, move]);
    expect(outcomes).toEqual([gone, gone, gone]);
    await own.owner.push([own.make.delete('workspaces', own.workspace, null)]);
    expect(await own.owner.pushOne(own.make.insert('projects', { name: 'x' }))).toEqual(gone);
  });

  it('an update names the workspace of its record, also when the batch inserts it (U7)', async () => {
    const other = await createTeam(database);
    await addMembers(database, other.workspace, [team.owner, 'editor']);
    const task = newTask('here');
    const { outcomes } = await team.owner.push([
      task,
      other.make.update('tasks', task.id, null, { title: 'there' }),
    ]);
    expect(outcomes).toMatchObject([{ outcome: 'applied' }, { outcome: 'gone', which: 'record' }]);
  });

  it('an insert that was sent before is applied where equal, and a conflict where not (U9)', async () => {
    const insert = team.make.insert('tasks', {
      title: 'again',
      milestone_id: team.milestone,
      completion_date: '2026-01-02T03:04:05.000Z',
      sort_order: 1.5,
    });
    const [first] = (await team.owner.push([insert])).outcomes;
    const other = new SyncUser(database, team.owner.id);
    expect(await other.pushOne(insert)).toEqual(first);
    const changed = { ...insert, values: { ...insert.values, title: 'else', sort_order: 2 } };
    expect(await other.pushOne(changed)).toMatchObject({
      outcome: 'conflict',
      columns: { title: null, sort_order: null },
    });
    expect(await tasksTitled('else')).toHaveLength(0);
  });

  it('an id of another workspace is answered with id_taken, visible or not (U9, R7)', async () => {
    const elsewhere = await createTeam(database);
    const taken = { outcome: 'rejected', code: 'id_taken', column: 'id', message: expect.any(String) };
    expect(await team.owner.pushOne(newTask('x', { id: elsewhere.task }))).toEqual(taken);
    const workspace = team.make.insert(
      'workspaces',
      { name: 'mine now' },
      { id: elsewhere.workspace, workspace_id: elsewhere.workspace },
    );
    const inside = elsewhere.make.insert('projects', { name: 'inside' });
    const { outcomes } = await team.owner.push([workspace, inside]);
    expect(outcomes).toEqual([taken, { outcome: 'blocked', by: elsewhere.workspace }]);
  });

  it('the same dependency under another id is a duplicate (U10)', async () => {
    const [one, other] = [newTask('one'), newTask('other')];
    const pair = { task_id: one.id, depends_on_task_id: other.id };
    const first = team.make.insert('task_dependencies', pair);
    await team.owner.push([one, other, first]);
    const second = team.make.insert('task_dependencies', pair);
    const mate = team.make.insert(
      'activity_feed',
      { activity_type: 'dependency_added', task_id: one.id },
      { group: second.group },
    );
    const answer = await team.editor.push([second, mate]);
    expect(answer.outcomes).toMatchObject([{ outcome: 'duplicate', of: first.id }, { outcome: 'applied' }]);
    expect(answer.effects.rows.task_dependencies?.id).toEqual([first.id]);

    await team.owner.push([team.make.delete('task_dependencies', first.id, null)]);
    expect(await team.owner.pushOne(team.make.insert('task_dependencies', pair))).toMatchObject({
      outcome: 'applied',
    });
  });

  it('a dependency that is removed and added again in one batch stays (U10)', async () => {
    const [one, other] = [newTask('one'), newTask('other')];
    const pair = { task_id: one.id, depends_on_task_id: other.id };
    const first = team.make.insert('task_dependencies', pair);
    await team.owner.push([one, other, first]);
    const second = team.make.insert('task_dependencies', pair);
    const { outcomes } = await team.owner.push([
      second,
      team.make.delete('task_dependencies', first.id, null),
    ]);
    expect(outcomes.map((outcome) => outcome.outcome)).toEqual(['applied', 'applied']);
    const rows = await database.query<{ id: string }>(
      'select id::text as id from public.task_dependencies where task_id = $1::uuid and deleted_at is null',
      [one.id],
    );
    expect(rows).toEqual([{ id: second.id }]);
  });

  it('a duplicate of a record that the same push deletes is gone (U10)', async () => {
    const own = await createTeam(database);
    const other = newTask('other', {}, own);
    const pair = { task_id: own.task, depends_on_task_id: other.id };
    await own.owner.push([other, own.make.insert('task_dependencies', pair)]);
    const { outcomes } = await own.owner.push([
      own.make.insert('task_dependencies', pair),
      own.make.delete('tasks', other.id, null),
    ]);
    expect(outcomes).toEqual([
      { outcome: 'gone', which: 'record' },
      { outcome: 'applied', revision: expect.any(Number) },
    ]);
  });
});
