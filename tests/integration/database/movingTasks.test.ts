/** Moves of tasks, and groups whose change came to nothing. */

import { describe, expect, it } from 'vitest';
import type { PushChange } from '@/core/protocol';
import { database, team, teamForEachTest } from '../../support/teamDatabase';
import { APPLIED, link, remove, restore, task } from './deletions';

teamForEachTest();

describe('the group of a change that is gone', () => {
  it('a move under a deleted record, and a link to a deleted task, leave no activity (U13)', async () => {
    const [elsewhere, other] = [
      team.make.insert('milestones', { name: 'm', project_id: team.project }),
      task('o'),
    ];
    await team.owner.push([elsewhere, other]);
    await remove('milestones', elsewhere.id);
    await remove('tasks', other.id);
    const told = (type: string, group: number) =>
      team.make.insert('activity_feed', { task_id: team.task, activity_type: type }, { group });
    const dependency = { ...link(team.task, other.id), group: 1 };
    const { outcomes, effects } = await team.owner.push([
      team.make.update('tasks', team.task, team.revision, { milestone_id: elsewhere.id }, { group: 0 }),
      told('task_updated', 0),
      dependency,
      told('dependency_added', 1),
    ]);
    const gone = { outcome: 'gone', which: 'parent' };
    expect(outcomes).toEqual([
      gone,
      { outcome: 'blocked', by: team.task },
      gone,
      { outcome: 'blocked', by: dependency.id },
    ]);
    expect(effects.rows).toEqual({});
  });
});

describe('moving a task', () => {
  it('its subtasks follow, deleted ones included; a parent that stays behind is left (U29)', async () => {
    const target = team.make.insert('milestones', { name: 'target', project_id: team.project });
    const child = task('child', { parent_task_id: team.task });
    const grandchild = task('grandchild', { parent_task_id: child.id });
    const deleted = task('deleted', { parent_task_id: team.task });
    await team.owner.push([target, child, grandchild, deleted]);
    const deletion = await remove('tasks', deleted.id);
    const placeOf = async (id: string) => {
      const [row] = await database.query<{ milestone: string; parent: string | null }>(
        'select milestone_id::text as milestone, parent_task_id::text as parent from public.tasks where id = $1::uuid',
        [id],
      );
      return row;
    };
    const move = (id: string, milestone_id: string) =>
      team.owner.push([team.make.update('tasks', id, null, { milestone_id })]);
    const answer = await move(team.task, target.id);
    expect([...(answer.effects.rows.tasks?.id ?? [])].sort()).toEqual(
      [team.task, child.id, grandchild.id].sort(),
    );
    expect(await restore(deletion)).toEqual(APPLIED);
    for (const id of [child.id, deleted.id]) {
      expect(await placeOf(id)).toEqual({ milestone: target.id, parent: team.task });
    }
    await move(child.id, team.milestone);
    expect(await placeOf(child.id)).toEqual({ milestone: team.milestone, parent: null });
    expect(await placeOf(grandchild.id)).toEqual({ milestone: team.milestone, parent: child.id });
  });

  it('a move that conflicts moves none of its subtasks (U28)', async () => {
    const [here, there] = ['here', 'there'].map((name) =>
      team.make.insert('milestones', { name, project_id: team.project }),
    ) as [PushChange, PushChange];
    const child = task('child', { parent_task_id: team.task });
    await team.owner.push([here, there]);
    const made = await team.owner.push([child]);
    const base = made.revisions[team.workspace]?.revision ?? 0;
    await team.editor.push([team.make.update('tasks', team.task, null, { milestone_id: there.id })]);
    const stale = { base: team.revision };
    const { outcomes } = await team.owner.push([
      team.make.update(
        'tasks',
        team.task,
        stale.base,
        { milestone_id: here.id, title: 'renamed' },
        { group: 0 },
      ),
      team.make.update('tasks', child.id, base + 1, { milestone_id: here.id }, { group: 0 }),
    ]);
    expect(outcomes).toMatchObject([
      { outcome: 'conflict', columns: { title: null, milestone_id: expect.any(String) } },
      { outcome: 'blocked', by: team.task },
    ]);
  });
});
