/** Nobody is drawn into a workspace or held in it. */

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { call, invite, leave, membershipOf, sees } from '../../support/memberships';
import { addMembers, Changes, createUser, type SyncUser } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';

teamForEachTest();

const NOT_FOUND = { error: { code: 'not_found' } };
const FORBIDDEN = { outcome: 'rejected', code: 'forbidden' };
const LAST_OWNER = { outcome: 'rejected', code: 'last_owner' };

describe('joining', () => {
  it('an owner makes nobody a member, and is told nothing about the user (P-PRIVATE)', async () => {
    const nobody = randomUUID();
    for (const user_id of [team.stranger.id, nobody, team.editor.id, 'x']) {
      const insert = team.make.insert('workspace_members', { user_id, role: 'editor' });
      const expected =
        user_id === 'x' ? { code: 'invalid_value' } : { code: 'needs_invitation', column: null };
      expect(await team.owner.pushOne(insert), user_id).toMatchObject(expected);
    }
    for (const who of [team.editor, team.viewer, team.agent, team.stranger]) {
      const insert = team.make.insert('workspace_members', { user_id: who.id, role: 'owner' });
      expect(await who.pushOne(insert)).toMatchObject(FORBIDDEN);
    }
    expect(await sees(team.stranger)).toBe(false);
  });

  it('not even with the workspace, in one batch or one group (P-PRIVATE)', async () => {
    const make = new Changes(randomUUID());
    const workspace = make.insert('workspaces', { name: 'Own' }, { id: make.workspace, group: 0 });
    const drawn = make.insert('workspace_members', { user_id: team.viewer.id, role: 'viewer' }, { group: 1 });
    const { outcomes } = await team.stranger.push([workspace, drawn]);
    expect(outcomes).toMatchObject([{ outcome: 'applied' }, { code: 'needs_invitation' }]);
    expect(await membershipOf(team.viewer, make.workspace)).toBe('');
  });

  it('a link makes one user a member, and is used then (P-PRIVATE)', async () => {
    const link = await invite(null, 'viewer');
    const other = await createUser(database);
    expect(await call(team.stranger, 'get_invitation', link)).toMatchObject({
      workspace_id: team.workspace,
      workspace_name: 'Workspace',
      role: 'viewer',
      invited_by: 'Olga',
      is_member: false,
    });
    // Opened by somebody who is a member already, it stays open and changes no role.
    expect(await call(team.editor, 'accept_invitation', link)).toEqual({ workspace_id: team.workspace });
    expect(await call(team.stranger, 'accept_invitation', link)).toEqual({ workspace_id: team.workspace });
    expect(await call(other, 'accept_invitation', link)).toEqual(NOT_FOUND);
    expect(await call(other, 'get_invitation', link)).toEqual(NOT_FOUND);
    expect(await call(null, 'accept_invitation', link).catch(() => 'denied')).toBe('denied');
    expect(await sees(team.stranger)).toBe(true);
    expect(await sees(other)).toBe(false);
  });

  it('of two users who open a link at once, one becomes a member (P-PRIVATE)', async () => {
    const link = await invite(null);
    const users = [await createUser(database), await createUser(database), await createUser(database)];
    const answers = await Promise.all(users.map((user) => call(user, 'accept_invitation', link)));
    expect(answers.filter((answer) => JSON.stringify(answer) === JSON.stringify(NOT_FOUND))).toHaveLength(2);
  });

  it('an invitation to an address is shown to its user alone, who may decline it (P-PRIVATE)', async () => {
    const email = `${randomUUID()}@convoy.example`;
    const guest = await createUser(database, { email });
    const invitation = await invite(email.toUpperCase());
    expect(await call(guest, 'my_invitations')).toMatchObject([{ id: invitation, role: 'editor' }]);
    for (const user of [team.stranger, team.editor, team.agent]) {
      expect(await call(user, 'my_invitations')).toEqual([]);
      expect(await call(user, 'get_invitation', invitation)).toEqual(NOT_FOUND);
      expect(await call(user, 'decline_invitation', invitation)).toEqual(NOT_FOUND);
    }
    expect(await call(guest, 'decline_invitation', invitation)).toEqual({ invitation_id: invitation });
    expect(await call(guest, 'my_invitations')).toEqual([]);
    expect(await call(guest, 'accept_invitation', invitation)).toEqual(NOT_FOUND);
  });

  it('an invitation to an address waits until its user has confirmed the address; a link does not (U31, P-PRIVATE)', async () => {
    const email = `${randomUUID()}@convoy.example`;
    const claimant = await createUser(database, { email, isConfirmed: false });
    const invitation = await invite(email, 'owner');
    const unconfirmed = { error: { code: 'unconfirmed' } };
    expect(await call(claimant, 'my_invitations')).toEqual([]);
    for (const name of ['get_invitation', 'accept_invitation', 'decline_invitation']) {
      expect(await call(claimant, name, invitation), name).toEqual(unconfirmed);
      expect(await call(team.stranger, name, invitation), name).toEqual(NOT_FOUND);
      expect(await call(claimant, name, randomUUID()), name).toEqual(NOT_FOUND);
    }
    // Users write the metadata of their tokens themselves.
    await database.query(
      `update auth.users set raw_user_meta_data = raw_user_meta_data || '{"email_verified": true}' where id = $1::uuid`,
      [claimant.id],
    );
    expect(await call(claimant, 'accept_invitation', invitation)).toEqual(unconfirmed);
    expect(await sees(claimant)).toBe(false);
    await database.query('update auth.users set email_confirmed_at = now() where id = $1::uuid', [
      claimant.id,
    ]);
    expect(await call(claimant, 'my_invitations')).toMatchObject([{ id: invitation }]);
    expect(await call(claimant, 'accept_invitation', invitation)).toEqual({ workspace_id: team.workspace });

    const other = await createUser(database, { isConfirmed: false });
    const link = await invite(null, 'viewer');
    expect(await call(other, 'get_invitation', link)).toMatchObject({ id: link });
    expect(await call(other, 'accept_invitation', link)).toEqual({ workspace_id: team.workspace });
  });

  it('human owners alone see the invitations of a workspace, by function and by table (P-PRIVATE)', async () => {
    const robot = await createUser(database, { kind: 'agent' });
    await addMembers(database, team.workspace, [robot, 'owner']);
    const link = await invite(null);
    const seen = async (user: SyncUser) =>
      database.as(user.id, (connection) => connection.query('select id from public.invitations'));
    expect(await call(team.owner, 'get_invitations', team.workspace)).toMatchObject({
      invitations: [{ id: link, email: null }],
    });
    expect(await seen(team.owner)).toHaveLength(1);
    for (const user of [robot, team.editor, team.viewer, team.agent, team.stranger]) {
      expect(await call(user, 'get_invitations', team.workspace)).toEqual({ invitations: [] });
      expect(await seen(user)).toEqual([]);
      expect(await call(user, 'invite_member', team.workspace, null, 'owner')).toMatchObject({
        error: { code: 'forbidden' },
      });
    }
  });
});

describe('leaving', () => {
  it('every member may leave, and ends nobody else’s membership (P-PRIVATE)', async () => {
    for (const who of [team.viewer, team.agent, team.editor]) {
      const other = team.make.delete('workspace_members', await membershipOf(team.owner), null);
      expect(await who.pushOne(other)).toMatchObject(FORBIDDEN);
      expect(await leave(who)).toMatchObject({ outcome: 'applied' });
      expect(await sees(who)).toBe(false);
      expect(await who.pushOne(team.make.insert('projects', { name: 'late' }))).toMatchObject(FORBIDDEN);
    }
  });

  it('a membership that its member or an owner ended is not restored, by no user and no operator (U26, P-PRIVATE)', async () => {
    const [second, guest] = [await createUser(database), await createUser(database)];
    const [, alone = ''] = await addMembers(database, team.workspace, [second, 'owner'], [guest, 'editor']);
    const [left, removed, beside] = [randomUUID(), randomUUID(), randomUUID()];
    await leave(team.viewer, { deletion_id: left });
    const values = { deletion_id: beside };
    const editor = await membershipOf(team.editor);
    await team.owner.push([
      team.make.delete('workspace_members', editor, null, { group: 0, values }),
      team.make.delete('tasks', team.task, null, { group: 0, values }),
      team.make.delete('workspace_members', alone, null, { group: 1, values: { deletion_id: removed } }),
    ]);
    const restored_at = new Date().toISOString();
    const restore = (id: string) => team.make.update('deletions', id, null, { restored_at });
    expect(await second.pushOne(restore(beside))).toMatchObject({ outcome: 'applied' });
    // A name that is taken gives another deletion no hold on it.
    await second.push([
      team.make.delete('workspaces', team.workspace, null, { values: { deletion_id: removed } }),
    ]);
    expect((await second.pushOne(restore(removed))).outcome).not.toBe('applied');
    const [named] = await database.query<{ id: string }>(
      `select id::text as id from public.deletions where workspace_id = $1::uuid and entity_type = 'workspaces'`,
      [team.workspace],
    );
    expect(await second.pushOne(restore(named?.id ?? ''))).toMatchObject({ outcome: 'applied' });
    for (const id of [left, removed]) await database.query('select convoy.restore_deletion($1::uuid)', [id]);
    for (const who of [team.editor, team.viewer, guest]) {
      expect(await membershipOf(who)).toBe('');
      expect(await sees(who)).toBe(false);
    }
    expect(await membershipOf(team.agent)).not.toBe('');
  });

  it('memberships that went with their workspace come back with it, but for those that ended otherwise (U26)', async () => {
    const values = { deletion_id: randomUUID() };
    const [editor, agent] = [await membershipOf(team.editor), await membershipOf(team.agent)];
    await team.owner.push([team.make.delete('workspace_members', agent, null)]);
    await team.owner.push([
      team.make.delete('workspaces', team.workspace, null, { group: 0, values }),
      team.make.delete('workspace_members', editor, null, { group: 0, values }),
    ]);
    expect(await sees(team.editor)).toBe(false);
    const restored_at = new Date().toISOString();
    await team.owner.push([team.make.update('deletions', values.deletion_id, null, { restored_at })]);
    expect(await membershipOf(team.editor)).toBe(editor);
    expect(await membershipOf(team.viewer)).not.toBe('');
    expect(await membershipOf(team.agent)).toBe('');
  });

  it('who has left comes back by a new invitation, and not by one from before (P-PRIVATE)', async () => {
    const before = await invite(null);
    await leave(team.viewer);
    expect(await call(team.viewer, 'accept_invitation', before)).toEqual(NOT_FOUND);
    expect(await call(team.viewer, 'accept_invitation', await invite(null))).toMatchObject({
      workspace_id: team.workspace,
    });
  });
});

describe('deleted rows', () => {
  it('are not read over tables by members who joined after, or before (P-PRIVATE)', async () => {
    await team.owner.push([
      team.make.update('tasks', team.task, null, { description: 'a secret of before' }),
    ]);
    await team.owner.push([team.make.delete('tasks', team.task, null)]);
    await call(team.stranger, 'accept_invitation', await invite(null));
    for (const user of [team.stranger, team.owner]) {
      const rows = await database.as(user.id, (connection) =>
        connection.query('select id from public.tasks where workspace_id = $1::uuid', [team.workspace]),
      );
      expect(rows).toEqual([]);
    }
    const page = JSON.stringify((await team.stranger.pullAll()).pages);
    expect(page).toContain(team.milestone);
    expect(page).not.toContain('secret');
  });
});

describe('what others do meanwhile', () => {
  const base = async (user: SyncUser) =>
    (await user.pull()).scopes.find(({ id }) => id === team.workspace)?.head ?? 0;

  it('holds nobody in a workspace who leaves, and nobody whom an owner removes (U8, U31)', async () => {
    const mine = await membershipOf(team.viewer);
    const seen = await base(team.viewer);
    await team.owner.push([team.make.update('workspace_members', mine, null, { role: 'editor' })]);
    const left = await team.viewer.pushOne(team.make.delete('workspace_members', mine, seen));
    expect(left).toMatchObject({ outcome: 'applied' });
    expect(await sees(team.viewer)).toBe(false);

    const theirs = await membershipOf(team.editor);
    const known = await base(team.owner);
    await database.query(`update public.profiles set display_name = 'Renamed' where id = $1::uuid`, [
      team.editor.id,
    ]);
    const removed = await team.owner.pushOne(team.make.delete('workspace_members', theirs, known));
    expect(removed).toMatchObject({ outcome: 'applied' });
    expect(await sees(team.editor)).toBe(false);
  });

  it('a restored membership has the kind that its user has now; one of a deleted account stays gone (R2)', async () => {
    const [second, third] = [await createUser(database), await createUser(database)];
    const [one = '', two = ''] = await addMembers(
      database,
      team.workspace,
      [second, 'owner'],
      [third, 'owner'],
    );
    const deletion_id = randomUUID();
    const values = { deletion_id, along_with: team.workspace };
    await team.owner.push([
      team.make.delete('workspaces', team.workspace, null, { values: { deletion_id }, group: 0 }),
      team.make.delete('workspace_members', one, null, { values, group: 0 }),
      team.make.delete('workspace_members', two, null, { values, group: 0 }),
    ]);
    await database.query(`update public.profiles set kind = 'agent' where id = $1::uuid`, [second.id]);
    await database.query('delete from auth.users where id = $1::uuid', [third.id]);
    await team.owner.push([
      team.make.update('deletions', deletion_id, null, { restored_at: new Date().toISOString() }),
    ]);
    const back = await database.query(
      `select id::text as id, kind, deleted_at is null as here from public.workspace_members
        where id = any ($1::uuid[]) order by deleted_at is null desc`,
      [`{${one},${two}}`],
    );
    expect(back.filter(({ here }) => here)).toEqual(
      back.length > 0 && back.some(({ id, here }) => id === one && here)
        ? [{ id: one, kind: 'agent', here: true }]
        : [],
    );
    expect(await leave(team.owner)).toMatchObject(LAST_OWNER);
  });
});

describe('invitations', () => {
  it('of one address to one workspace are one, which the last one changes; all have a bound and an end', async () => {
    const guest = await createUser(database, { email: 'guest@convoy.example' });
    const first = await invite('guest@convoy.example', 'editor');
    expect(await invite(' Guest@Convoy.example ', 'viewer')).toBe(first);
    expect(await call(guest, 'my_invitations')).toMatchObject([{ id: first, role: 'viewer' }]);
    await database.query(
      `insert into public.invitations (workspace_id, email, role, invited_by)
        select $1::uuid, n || '@example.com', 'viewer', $2::uuid from generate_series(1, 199) n`,
      [team.workspace, team.owner.id],
    );
    expect(
      await call(team.owner, 'invite_member', team.workspace, 'one@more.example', 'viewer'),
    ).toMatchObject({ error: { code: 'too_many' } });
    await database.query(`update public.invitations set expires_at = now() - interval '200 days'
      where email like '%@example.com'`);
    expect(await invite('one@more.example', 'viewer')).not.toBe('');
    await database.query(`select convoy.purge()`);
    const left = await database.query('select 1 from public.invitations where workspace_id = $1::uuid', [
      team.workspace,
    ]);
    expect(left).toHaveLength(2);
  });

  it('of an owner who was removed stay dead when that owner is back', async () => {
    const second = await createUser(database);
    await addMembers(database, team.workspace, [second, 'owner']);
    const link = await invite(null, 'editor', second);
    await team.owner.push([team.make.delete('workspace_members', await membershipOf(second), null)]);
    const back = await invite(null, 'owner');
    expect(await call(second, 'accept_invitation', back)).toMatchObject({ workspace_id: team.workspace });
    expect(await call(team.stranger, 'accept_invitation', link)).toEqual(NOT_FOUND);
  });

  it('are not accepted as somebody else than who is signed in', async () => {
    const link = await invite(null, 'editor');
    const text = `select public.accept_invitation($1::uuid, $2::uuid) as answer`;
    const accept = async (who: SyncUser, as: SyncUser) => {
      const [row] = await database.as(who.id, (connection) =>
        connection.query<{ answer: unknown }>(text, [link, as.id]),
      );
      return row?.answer;
    };
    expect(await accept(team.stranger, team.viewer)).toEqual({ error: { code: 'wrong_user' } });
    expect(await sees(team.stranger)).toBe(false);
    expect(await accept(team.stranger, team.stranger)).toMatchObject({ workspace_id: team.workspace });
  });
});

it('a refused request takes no device id', async () => {
  const cursors = { [team.workspace]: { revision: 1, tag: 'other' } };
  const device = randomUUID();
  expect(await team.stranger.pushRaw([], { device_id: device, cursors })).toMatchObject({
    error: { code: 'history_changed' },
  });
  expect(await team.owner.pushRaw([], { device_id: device })).toMatchObject({ outcomes: [] });
});
