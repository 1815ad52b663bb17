/** Deletions as records, and restoring them through sync_push. */

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PushChange } from '@/core/protocol';
import type { SyncedTable } from '@/domain/schema';
import type { Role } from '@/domain/vocabulary';
import { createTeam, createUser, type SyncUser } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';

teamForEachTest();

interface Deletion {
  id: string;
  type: string;
  entity: string;
  name: string;
  parts: number;
  restored: boolean;
}

const deletions = () =>
  database.query<Deletion>(
    `select id::text as id, entity_type as type, entity_id::text as entity, name, parts::int as parts,
       restored_at is not null as restored
     from public.deletions where workspace_id = $1::uuid order by created_at, name`,
    [team.workspace],
  );

async function isLive(table: SyncedTable, id: string): Promise<boolean> {
  const [row] = await database.query<{ live: boolean }>(
    `select deleted_at is null as live from public.${table} where id = $1::uuid`,
    [id],
  );
  return row?.live ?? false;
}

const task = (title: string, more: object = {}) =>
  team.make.insert('tasks', { title, milestone_id: team.milestone, ...more });
const membership = (who: SyncUser, role: Role) =>
  team.make.insert('workspace_members', { user_id: who.id, role });
const link = (from: string, to: string) =>
  team.make.insert('task_dependencies', { task_id: from, depends_on_task_id: to });

/** Deletes under an id of the device's own making. @returns that id */
async function remove(table: SyncedTable, id: string, who: SyncUser = team.owner): Promise<string> {
  const deletion_id = randomUUID();
  const done = await who.pushOne(team.make.delete(table, id, null, { values: { deletion_id } }));
  expect(done.outcome).toBe('applied');
  return deletion_id;
}

const wish = (deletion: string, base: number | null = null): PushChange =>
  team.make.update('deletions', deletion, base, { restored_at: '2026-01-05T10:00:00.000Z' });
const restore = (deletion: string, who: SyncUser = team.owner) => who.pushOne(wish(deletion));

const APPLIED = expect.objectContaining({ outcome: 'applied' });

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
      const row = table === 'workspace_members' ? membership(removed, 'owner') : link(team.task, other.id);
      const tasks = [task('of the editor'), task('of the agent')];
      await team.owner.push([membership(agentRole, 'editor'), other, row, ...tasks]);
      const taken = await remove(table, row.id);
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
      expect(await isLive(table, row.id)).toBe(false);
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

describe('restoring', () => {
  it('exactly the rows of the deletion come back, in one revision, on its own device and on others (U24)', async () => {
    const before = task('deleted before');
    const [parent, child] = [task('parent'), randomUUID()];
    await team.owner.push([
      before,
      parent,
      team.make.insert(
        'tasks',
        { title: 'child', milestone_id: team.milestone, parent_task_id: parent.id },
        { id: child },
      ),
      link(child, team.task),
      team.make.insert('activity_feed', { task_id: child, activity_type: 'comment' }),
    ]);
    await remove('tasks', before.id);
    const id = await remove('projects', team.project);
    const { cursors } = await team.viewer.pullAll();
    const answer = await team.owner.push([wish(id)]);
    expect(answer.outcomes).toEqual([APPLIED]);
    const ids = (rows: { id?: string[] } | undefined) => [...(rows?.id ?? [])].sort();
    const back = [team.task, parent.id, child].sort();
    expect(ids(answer.effects.rows.tasks)).toEqual(back);
    expect(answer.effects.rows.deletions?.restored_at).toEqual([expect.any(String)]);
    const { pages } = await team.viewer.pullAll(cursors);
    expect(ids(pages[0]?.rows.tasks)).toEqual(back);
    for (const table of ['projects', 'milestones', 'task_dependencies', 'activity_feed'] as const) {
      expect(pages[0]?.rows[table]?.id, table).toHaveLength(1);
    }
    expect(new Set(pages[0]?.rows.tasks?.revision).size).toBe(1);
  });

  it('restoring a restored deletion changes nothing, from an old base too (U24)', async () => {
    const id = await remove('tasks', team.task);
    expect(await restore(id)).toEqual(APPLIED);
    await team.owner.push([team.make.update('tasks', team.task, null, { title: 'lives on' })]);
    const answer = await team.editor.push([wish(id, team.revision)]);
    expect(answer.outcomes[0]?.outcome).toMatch(/applied|merged/);
    expect(answer.revisions).toEqual({});
  });

  it('a deletion under a deleted parent is refused with the parent’s name; several in one push restore in any order (U25)', async () => {
    const first = await remove('tasks', team.task);
    const second = await remove('milestones', team.milestone);
    const third = await remove('projects', team.project);
    expect(await restore(first)).toMatchObject({
      outcome: 'rejected',
      code: 'missing_parent',
      column: 'milestone_id',
      message: expect.stringContaining('"Milestone"'),
    });
    const { outcomes } = await team.owner.push([wish(first), wish(third), wish(second)]);
    expect(outcomes).toEqual([APPLIED, APPLIED, APPLIED]);
    expect(await isLive('tasks', team.task)).toBe(true);
  });

  it('a purged deletion restores nothing (U25)', async () => {
    const id = await remove('tasks', team.task);
    await database.transaction(async (connection) => {
      await connection.query("select set_config('convoy.purge', 'on', true)", []);
      await connection.query('delete from public.tasks where id = $1::uuid', [team.task]);
    });
    expect(await restore(id)).toMatchObject({ outcome: 'rejected', code: 'nothing_to_restore' });
  });

  it('owners and editors restore everything, agents what agents write, and other users nothing (U26)', async () => {
    const agentRole = await createUser(database, { name: 'Agent who edits', kind: 'agent' });
    await team.owner.push([team.make.insert('workspace_members', { user_id: agentRole.id, role: 'editor' })]);
    const stages = [{ name: 'A', order: 1, description: '', is_checkpoint: false }];
    const workflow = team.make.insert('workflows', { name: 'w', stages });
    const pattern = team.make.insert('patterns', { name: 'p' });
    await team.owner.push([workflow, pattern]);
    const refused = expect.objectContaining({ outcome: 'rejected', code: 'forbidden' });
    const ofWorkflow = await remove('workflows', workflow.id);
    expect(await restore(ofWorkflow, agentRole)).toEqual(refused);
    expect(await restore(ofWorkflow, team.editor)).toEqual(APPLIED);
    const ofPattern = await remove('patterns', pattern.id);
    expect(await restore(ofPattern, team.viewer)).toEqual(refused);
    expect(await restore(ofPattern, team.stranger)).toEqual(refused);
    expect(await restore(ofPattern, team.agent)).toEqual(APPLIED);
    const ofMilestone = await remove('milestones', team.milestone);
    expect(await restore(ofMilestone, team.agent)).toEqual(refused);
    expect(await restore(ofMilestone)).toEqual(APPLIED);
    const ofWorkspace = await remove('workspaces', team.workspace);
    expect(await restore(ofWorkspace, team.editor)).toEqual(refused);
    expect(await restore(ofWorkspace)).toEqual(APPLIED);
    expect(await isLive('tasks', team.task)).toBe(true);
  });

  it('a membership of the same group is restored by a human owner alone (U26, P-PRIVATE)', async () => {
    const agentRole = await createUser(database, { name: 'Agent who owns', kind: 'agent' });
    await team.owner.push([membership(agentRole, 'owner')]);
    const restorers = [
      [team.editor, false],
      [team.agent, false],
      [agentRole, false],
      [team.owner, true],
    ] as const;
    for (const [who, isBack] of restorers) {
      const member = membership(await createUser(database), 'editor');
      const one = task('one');
      await team.owner.push([member, one]);
      const values = { deletion_id: randomUUID() };
      await team.owner.push([
        team.make.delete('workspace_members', member.id, null, { group: 0, values }),
        team.make.delete('tasks', one.id, null, { group: 0, values }),
      ]);
      expect(await restore(values.deletion_id, who)).toEqual(APPLIED);
      expect(await isLive('tasks', one.id)).toBe(true);
      expect(await isLive('workspace_members', member.id)).toBe(isBack);
    }
  });

  it('a user who may not restore all of it restores none of it, whatever its record names (U26)', async () => {
    const stages = [{ name: 'A', order: 1, description: '', is_checkpoint: false }];
    const workflow = team.make.insert('workflows', { name: 'w', stages });
    await team.owner.push([workflow]);
    const values = { deletion_id: randomUUID() };
    await team.owner.push([
      team.make.delete('workflows', workflow.id, null, { group: 0, values }),
      team.make.delete('tasks', team.task, null, { group: 0, values }),
    ]);
    expect(await deletions()).toMatchObject([{ type: 'tasks', parts: 2 }]);
    expect(await restore(values.deletion_id, team.agent)).toMatchObject({ code: 'forbidden' });
    expect(await restore(values.deletion_id, team.editor)).toEqual(APPLIED);
    expect(await isLive('workflows', workflow.id)).toBe(true);
  });

  it('an agent restores a task at its stage, and creates none there (U26, P-CHECKPOINT)', async () => {
    const approved = task('approved', { current_stage: 'IMPLEMENT' });
    await team.owner.push([approved]);
    const id = await remove('tasks', approved.id);
    const anew = task('anew', { current_stage: 'IMPLEMENT' });
    expect(await team.agent.pushOne(anew)).toMatchObject({ outcome: 'rejected', code: 'checkpoint' });
    expect(await restore(id, team.agent)).toEqual(APPLIED);
    const [row] = await database.query<{ stage: string }>(
      'select current_stage as stage from public.tasks where id = $1::uuid',
      [approved.id],
    );
    expect(row?.stage).toBe('IMPLEMENT');
  });

  it('a dependency is restored with the second of its two tasks (U27)', async () => {
    const other = task('other');
    const dependency = link(team.task, other.id);
    await team.owner.push([other, dependency]);
    const one = await remove('tasks', team.task);
    const two = await remove('tasks', other.id);
    expect(await restore(one)).toEqual(APPLIED);
    expect(await isLive('task_dependencies', dependency.id)).toBe(false);
    expect(await restore(two)).toEqual(APPLIED);
    expect(await isLive('task_dependencies', dependency.id)).toBe(true);
  });

  it('a link that was created anew, or would close a circle, stays deleted, and the rest is restored (U27)', async () => {
    const [a, b] = [task('a'), task('b')];
    const [again, circle, sound] = [link(a.id, b.id), link(b.id, a.id), link(team.task, a.id)];
    await team.owner.push([a, b, again, sound]);
    const deletion = await remove('tasks', a.id);
    // As after an outage: the pair was made anew, and a circle would be closed, while it was away.
    await database.transaction(async (connection) => {
      await connection.query('update public.tasks set deleted_at = null where id = $1::uuid', [a.id]);
    });
    await database.query(
      `insert into public.task_dependencies (id, workspace_id, task_id, depends_on_task_id, deleted_at, deletion_id)
       values ($1::uuid, $2::uuid, $3::uuid, $4::uuid, now(), $5::uuid)`,
      [circle.id, team.workspace, b.id, a.id, deletion],
    );
    const twin = link(a.id, b.id);
    expect(await team.owner.pushOne(twin)).toEqual(APPLIED);
    expect(await restore(deletion)).toEqual(APPLIED);
    expect(await isLive('task_dependencies', sound.id)).toBe(true);
    expect(await isLive('task_dependencies', twin.id)).toBe(true);
    expect(await isLive('task_dependencies', again.id)).toBe(false);
    expect(await isLive('task_dependencies', circle.id)).toBe(false);
  });
});

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
