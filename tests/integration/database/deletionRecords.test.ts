/** Deletions as records. */

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PushChange } from '@/core/protocol';
import { addMembers, createTeam, createUser } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';
import { APPLIED, deletions, isLive, link, remove, restore, task, wish } from './deletions';

teamForEachTest();

describe('the record of a deletion', () => {
  it('every path that deletes records one deletion for each act of a user, and it reaches all members (U23)', async () => {
    const [one, two] = [task('one'), task('two')];
    const child = task('child', { parent_task_id: one.id });
    await team.owner.push([one, two, child]);
    // Two deletions in one group: a device joins groups that touch the same record.
    const named = [randomUUID(), randomUUID()];
    await team.owner.push([
      team.make.delete('tasks', one.id, null, { group: 0, values: { deletion_id: named[0] ?? '' } }),
      team.make.delete('tasks', two.id, null, { group: 0, values: { deletion_id: named[1] ?? '' } }),
    ]);
    await database.query('update public.milestones set deleted_at = now() where id = $1::uuid', [
      team.milestone,
    ]);
    expect(await deletions()).toEqual([
      { id: named[0], type: 'tasks', entity: one.id, name: 'one', parts: 2, restored: false },
      { id: named[1], type: 'tasks', entity: two.id, name: 'two', parts: 1, restored: false },
      {
        id: expect.any(String),
        type: 'milestones',
        entity: team.milestone,
        name: 'Milestone',
        parts: 2,
        restored: false,
      },
    ]);
    const [page] = (await team.viewer.pullAll()).pages;
    expect(page?.rows.deletions?.entity_id).toHaveLength(3);
    const strangers = await team.stranger.pullAll();
    expect(strangers.pages[0]?.rows.deletions).toBeUndefined();
  });

  it('a record deleted by itself is not part of its parent’s deletion in the same push (U23)', async () => {
    const child = randomUUID();
    const parent = randomUUID();
    await team.owner.push([
      team.make.delete('milestones', team.milestone, null, { values: { deletion_id: parent } }),
      team.make.delete('tasks', team.task, null, { values: { deletion_id: child } }),
    ]);
    expect(await restore(parent)).toEqual(APPLIED);
    expect(await isLive('tasks', team.task)).toBe(false);
    expect(await restore(child)).toEqual(APPLIED);
    expect(await isLive('tasks', team.task)).toBe(true);
  });

  it('a record moved there and deleted along with it by one device is a part (U23)', async () => {
    const moved = task('moved there');
    await team.owner.push([moved]);
    const deletion_id = randomUUID();
    await team.owner.push([
      team.make.delete('tasks', moved.id, null, { group: 0, values: { deletion_id, along_with: team.task } }),
      team.make.delete('tasks', team.task, null, { group: 0, values: { deletion_id } }),
    ]);
    expect(await deletions()).toMatchObject([{ id: deletion_id, entity: team.task, parts: 2 }]);
  });

  it('a taken deletion id, in this workspace or another, is not used (U23, P-PRIVATE)', async () => {
    const other = await createTeam(database);
    const taken = randomUUID();
    const values = { deletion_id: taken };
    await other.owner.push([other.make.delete('tasks', other.task, null, { values })]);
    await team.owner.push([team.make.delete('tasks', team.task, null, { values })]);
    const [mine] = await deletions();
    expect(mine).toMatchObject({ entity: team.task });
    expect(mine?.id).not.toBe(taken);
    expect(await restore(taken)).toEqual({ outcome: 'gone', which: 'record' });
  });

  it.each(['workspace_members', 'task_dependencies'] as const)(
    'a deletion id that tombstones in %s have without a record is not used (U23, P-PRIVATE)',
    async (table) => {
      const agentRole = await createUser(database, { name: 'Agent who edits', kind: 'agent' });
      const removed = await createUser(database);
      const other = task('other');
      const [, membership = ''] = await addMembers(
        database,
        team.workspace,
        [agentRole, 'editor'],
        [removed, 'owner'],
      );
      const dependency = link(team.task, other.id);
      const tasks = [task('of the editor'), task('of the agent')];
      await team.owner.push([other, dependency, ...tasks]);
      const row = table === 'workspace_members' ? membership : dependency.id;
      const taken = await remove(table, row);
      const elsewhere = await createTeam(database);
      const values = { deletion_id: taken };
      for (const [who, change] of [
        [team.editor, team.make.delete('tasks', tasks[0]?.id ?? '', null, { values })],
        [agentRole, team.make.delete('tasks', tasks[1]?.id ?? '', null, { values })],
        [elsewhere.owner, elsewhere.make.delete('tasks', elsewhere.task, null, { values })],
      ] as const) {
        expect(await who.pushOne(change)).toEqual(APPLIED);
        const wanted = { ...wish(taken), workspace_id: change.workspace_id };
        expect(await who.pushOne(wanted)).toEqual({ outcome: 'gone', which: 'record' });
      }
      expect(await deletions()).toHaveLength(2);
      expect(await isLive(table, row)).toBe(false);
    },
  );

  it('clients insert and delete no deletions, and write only their restored_at (U24)', async () => {
    const id = await remove('tasks', team.task);
    const code = (change: PushChange) => team.owner.pushOne(change);
    const forbidden = expect.objectContaining({ outcome: 'rejected', code: 'forbidden' });
    expect(await code(team.make.insert('deletions', { restored_at: null }))).toEqual(forbidden);
    expect(await code(team.make.delete('deletions', id, null))).toEqual(forbidden);
    expect(await code(team.make.update('deletions', id, null, { name: 'x' }))).toMatchObject({
      code: 'unknown_column',
    });
  });
});
