/** Deletions restored through sync_push. */

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { addMembers, createUser } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';
import { APPLIED, deletions, isLive, link, remove, restore, task, wish } from './deletions';

teamForEachTest();

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
    await addMembers(database, team.workspace, [agentRole, 'editor']);
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

  it('a membership of the same group is restored with a workspace, by a human owner alone (U26, P-PRIVATE)', async () => {
    const agentRole = await createUser(database, { name: 'Agent who owns', kind: 'agent' });
    await addMembers(database, team.workspace, [agentRole, 'owner']);
    const restorers = [
      [agentRole, false],
      [team.owner, true],
    ] as const;
    for (const [who, isBack] of restorers) {
      const [member = ''] = await addMembers(database, team.workspace, [
        await createUser(database),
        'editor',
      ]);
      const values = { deletion_id: randomUUID() };
      await team.owner.push([
        team.make.delete('workspace_members', member, null, { group: 0, values }),
        team.make.delete('workspaces', team.workspace, null, { group: 0, values }),
      ]);
      expect(await restore(values.deletion_id, who)).toEqual(APPLIED);
      expect(await isLive('workspaces', team.workspace)).toBe(true);
      expect(await isLive('workspace_members', member)).toBe(isBack);
    }
  });

  it('a membership that was ended beside a task stays ended, whoever restores the task (U26, P-PRIVATE)', async () => {
    for (const who of [team.editor, team.agent, team.owner]) {
      const [member = ''] = await addMembers(database, team.workspace, [
        await createUser(database),
        'editor',
      ]);
      const one = task('one');
      await team.owner.push([one]);
      const values = { deletion_id: randomUUID() };
      await team.owner.push([
        team.make.delete('workspace_members', member, null, { group: 0, values }),
        team.make.delete('tasks', one.id, null, { group: 0, values }),
      ]);
      expect(await restore(values.deletion_id, who)).toEqual(APPLIED);
      expect(await isLive('tasks', one.id)).toBe(true);
      expect(await isLive('workspace_members', member)).toBe(false);
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
