/** A person always owns a workspace. */

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../support/database';
import { leave, membershipOf, sees } from '../../support/memberships';
import { addMembers, Changes, createTeam, createUser, type SyncUser } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';

teamForEachTest();

const _NOT_FOUND = { error: { code: 'not_found' } };
const FORBIDDEN = { outcome: 'rejected', code: 'forbidden' };
const LAST_OWNER = { outcome: 'rejected', code: 'last_owner' };

describe('the owner who is a person', () => {
  async function withRobotOwner() {
    const robot = await createUser(database, { name: 'Robot', kind: 'agent' });
    const [membership = ''] = await addMembers(database, team.workspace, [robot, 'owner']);
    return { robot, membership };
  }

  it('stays, also where an agent is an owner too (R2)', async () => {
    await withRobotOwner();
    expect(await leave(team.owner)).toMatchObject(LAST_OWNER);
    const lowered = team.make.update('workspace_members', await membershipOf(team.owner), null, {
      role: 'editor',
    });
    expect(await team.owner.pushOne(lowered)).toMatchObject(LAST_OWNER);
    const becomesAgent = database.query(
      `update auth.users set raw_app_meta_data = '{"kind": "agent"}' where id = $1::uuid`,
      [team.owner.id],
    );
    expect(await refusalOf(becomesAgent)).toBe('SN004');
    expect(
      await refusalOf(database.query('delete from auth.users where id = $1::uuid', [team.owner.id])),
    ).toBe('SN004');
  });

  it('may become an agent where another person owns the workspace (R2)', async () => {
    await addMembers(database, team.workspace, [team.stranger, 'owner']);
    await database.query(
      `update auth.users set raw_app_meta_data = '{"kind": "agent"}' where id = $1::uuid`,
      [team.owner.id],
    );
    const [row] = await database.query<{ kind: string }>(
      'select kind from public.workspace_members where id = $1::uuid',
      [await membershipOf(team.owner)],
    );
    expect(row?.kind).toBe('agent');
  });

  it('is needed to restore a workspace that the last one left while it was deleted (R2)', async () => {
    const { robot } = await withRobotOwner();
    const values = { deletion_id: randomUUID() };
    await team.owner.push([team.make.delete('workspaces', team.workspace, null, { values })]);
    expect(await leave(team.owner)).toMatchObject({ outcome: 'applied' });
    const restore = team.make.update('deletions', values.deletion_id, null, {
      restored_at: new Date().toISOString(),
    });
    expect(await robot.pushOne(restore)).toMatchObject(LAST_OWNER);
  });

  it('makes workspaces; agents make none, in whatever batch (R1, R2)', async () => {
    const robot = await createUser(database, { kind: 'agent' });
    const make = new Changes(randomUUID());
    const { outcomes } = await robot.push([
      make.insert('workspaces', { name: 'Own' }, { id: make.workspace }),
      make.insert('projects', { name: 'in it' }),
    ]);
    expect(outcomes).toMatchObject([FORBIDDEN, { outcome: 'blocked', by: make.workspace }]);
  });

  it('is not asked of workspaces that agents alone owned before: they keep an owner (R2)', async () => {
    const old = await createTeam(database);
    const { robot } = await withRobotOwner();
    await database.query(`alter table public.workspace_members disable trigger user`);
    await database.query(
      `update public.workspace_members set kind = 'agent' where workspace_id = $1::uuid and role = 'owner'`,
      [old.workspace],
    );
    await database.query(`alter table public.workspace_members enable trigger user`);
    const [second = ''] = await addMembers(database, old.workspace, [robot, 'owner']);
    const end = (id: string) =>
      database.query('update public.workspace_members set deleted_at = now() where id = $1::uuid', [id]);
    await end(second);
    expect(await refusalOf(end(await membershipOf(old.owner, old.workspace)))).toBe('SN004');
  });
});

describe('a workspace that agents alone own', () => {
  /** The workspace of the team, as it may be since before its owner had to be a person. */
  async function ofAgents() {
    const robot = await createUser(database, { name: 'Robot', kind: 'agent' });
    await addMembers(database, team.workspace, [robot, 'owner']);
    await database.query(`alter table public.workspace_members disable trigger c_last_owner`);
    await database.query(
      `update public.workspace_members set role = 'editor' where workspace_id = $1::uuid and user_id = $2::uuid`,
      [team.workspace, team.owner.id],
    );
    await database.query(`alter table public.workspace_members enable trigger c_last_owner`);
    return robot;
  }
  const remove = async (who: SyncUser) => {
    const deletion_id = randomUUID();
    const removed = team.make.delete('workspaces', team.workspace, null, { values: { deletion_id } });
    expect(await who.pushOne(removed)).toMatchObject({ outcome: 'applied' });
    return deletion_id;
  };
  const restore = (id: string) =>
    team.make.update('deletions', id, null, { restored_at: new Date().toISOString() });

  it('and that one of them deleted is restored by an agent that owns it, and by nobody else (R2, U26)', async () => {
    const robot = await ofAgents();
    const deletion = await remove(robot);
    for (const who of [team.owner, team.editor, team.viewer, team.agent, team.stranger]) {
      expect(await who.pushOne(restore(deletion))).toMatchObject(FORBIDDEN);
    }
    // A name is no reason to keep it.
    await database.query(`update public.profiles set display_name = 'R2' where id = $1::uuid`, [robot.id]);
    expect(await robot.pushOne(restore(deletion))).toMatchObject({ outcome: 'applied' });
    expect((await team.editor.pullAll()).pages[0]?.rows.workspaces?.id).toEqual([team.workspace]);
  });

  it('only since its last person was lowered, or became an agent, while it was deleted, is not (R2)', async () => {
    const robot = await createUser(database, { name: 'Robot', kind: 'agent' });
    await addMembers(database, team.workspace, [robot, 'owner']);
    const own = await membershipOf(team.owner);
    const set = (column: string, value: string) =>
      database.query(`update public.workspace_members set ${column} = $2 where id = $1::uuid`, [own, value]);
    for (const [column, lost, kept] of [
      ['role', 'editor', 'owner'],
      ['kind', 'agent', 'human'],
    ] as const) {
      const deletion = await remove(team.owner);
      await set(column, lost);
      expect(await robot.pushOne(restore(deletion)), column).toMatchObject(LAST_OWNER);
      await set(column, kept);
      expect(await robot.pushOne(restore(deletion)), column).toMatchObject({ outcome: 'applied' });
    }
  });
});

describe('a member who was made the only owner', () => {
  const promote = async (who: SyncUser, by: SyncUser) =>
    by.pushOne(team.make.update('workspace_members', await membershipOf(who), null, { role: 'owner' }));

  it('hands the workspace on, or deletes it, and leaves (U31, R2)', async () => {
    expect(await promote(team.editor, team.owner)).toMatchObject({ outcome: 'applied' });
    expect(await leave(team.owner)).toMatchObject({ outcome: 'applied' });
    expect(await leave(team.editor)).toMatchObject(LAST_OWNER);
    expect(await promote(team.viewer, team.editor)).toMatchObject({ outcome: 'applied' });
    expect(await leave(team.editor)).toMatchObject({ outcome: 'applied' });
    expect(await team.viewer.pushOne(team.make.delete('workspaces', team.workspace, null))).toMatchObject({
      outcome: 'applied',
    });
    expect(await leave(team.viewer)).toMatchObject({ outcome: 'applied' });
    for (const who of [team.owner, team.editor, team.viewer]) expect(await sees(who)).toBe(false);
  });
});
