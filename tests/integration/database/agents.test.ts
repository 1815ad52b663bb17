/** Agents that people make: who may, what they are, and what ends them. */

import { randomUUID } from 'node:crypto';
import { compare } from 'bcryptjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { call, invite, leave, membershipOf, sees } from '../../support/memberships';
import { addMembers, Changes, SyncUser } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';

teamForEachTest();

interface Made {
  member: { id: string; user_id: string; role: string; kind: string; made_by: string; display_name: string };
  email: string;
  secret: string;
}

const create = (who: SyncUser | null, name = 'Bot', workspace = team.workspace) =>
  call(who, 'create_agent', workspace, name);

async function made(who = team.editor): Promise<{ user: SyncUser; made: Made }> {
  const answer = (await create(who)) as Made;
  return { user: new SyncUser(database, answer.member.user_id), made: answer };
}

async function pause(who: SyncUser, member: string, paused: boolean): Promise<unknown> {
  const [row] = await database.as(who.id, (connection) =>
    connection.query<{ answer: unknown }>('select public.pause_agent($1::uuid, $2::boolean) as answer', [
      member,
      paused,
    ]),
  );
  return row?.answer;
}

const FORBIDDEN = { error: { code: 'forbidden' } };
const NOT_FOUND = { error: { code: 'not_found' } };
const task = () => team.make.insert('tasks', { title: 'By an agent', milestone_id: team.milestone });

describe('making an agent', () => {
  it('is for people who own or edit the workspace (A1)', async () => {
    for (const who of [team.owner, team.editor]) {
      const { made: answer } = await made(who);
      expect(answer.member).toMatchObject({
        role: 'agent',
        kind: 'agent',
        made_by: who.id,
        display_name: 'Bot',
      });
    }
    for (const who of [team.viewer, team.agent, team.stranger]) {
      expect(await create(who)).toEqual(FORBIDDEN);
    }
    expect(await create(team.owner, 'Bot', randomUUID())).toEqual(FORBIDDEN);
    expect(await create(null).catch(() => 'denied')).toBe('denied');
    // Not for an agent, whatever its role.
    await database.query(`update public.workspace_members set role = 'editor' where user_id = $1::uuid`, [
      team.agent.id,
    ]);
    expect(await create(team.agent)).toEqual(FORBIDDEN);
    await team.owner.pushOne(team.make.delete('workspaces', team.workspace, 9_999));
    expect(await create(team.owner)).toEqual(FORBIDDEN);
  });

  it('refuses names of which nothing can be seen, and long ones (A1)', async () => {
    for (const name of ['', '  ', '\u200b', 'x'.repeat(201)]) {
      expect(await create(team.owner, name)).toMatchObject({ error: { code: 'malformed' } });
    }
    expect(await create(team.owner, ' x ')).toMatchObject({ member: { display_name: 'x' } });
  });

  it('makes a user who is an agent from the first moment, and keeps the hash of its secret alone (A1, A2)', async () => {
    const { made: answer } = await made();
    expect(answer.secret).toMatch(/^Convoy-[0-9a-f]{48}$/);
    expect(answer.email).toBe(`agent-${answer.member.user_id}@agents.convoy.invalid`);
    const [user] = await database.query<Record<string, unknown>>(
      `select raw_app_meta_data as app, raw_user_meta_data as own, encrypted_password as hash, aud, role,
         email_confirmed_at is not null as confirmed, to_jsonb(u)::text as whole
       from auth.users u where id = $1::uuid`,
      [answer.member.user_id],
    );
    expect(user).toMatchObject({
      app: { kind: 'agent', provider: 'email', providers: ['email'] },
      own: { display_name: 'Bot' },
      aud: 'authenticated',
      role: 'authenticated',
      confirmed: true,
    });
    expect(await compare(answer.secret, String(user?.hash))).toBe(true);
    expect(user?.whole).not.toContain(answer.secret);
  });

  it('fills the tables of a Supabase project as its Auth expects them (A2)', async () => {
    await database.transaction(async (connection) => {
      // What Supabase's Auth has, and the local stack has not.
      await connection.execute(`
        alter table auth.users
          add column confirmation_token varchar(255), add column recovery_token varchar(255),
          add column email_change varchar(255), add column email_change_token_new varchar(255),
          add column email_change_token_current varchar(255) default '', add column phone text unique,
          add column phone_change text default '', add column phone_change_token varchar(255) default '',
          add column reauthentication_token varchar(255) default '', add column confirmed_at timestamptz
            generated always as (least(email_confirmed_at, null::timestamptz)) stored,
          add column is_sso_user boolean not null default false, add column is_anonymous boolean not null default false;
        create table auth.identities (
          provider_id text not null, user_id uuid not null references auth.users, identity_data jsonb not null,
          provider text not null, last_sign_in_at timestamptz, created_at timestamptz, updated_at timestamptz,
          email text generated always as (lower(identity_data ->> 'email')) stored,
          id uuid not null default gen_random_uuid() primary key, unique (provider_id, provider));`);
    });
    const { made: answer } = await made();
    const [row] = await database.query<{ user: Record<string, unknown>; identity: Record<string, unknown> }>(
      `select to_jsonb(u) as "user", to_jsonb(i) as identity from auth.users u join auth.identities i on i.user_id = u.id
        where u.id = $1::uuid`,
      [answer.member.user_id],
    );
    for (const column of [
      'confirmation_token',
      'recovery_token',
      'email_change',
      'email_change_token_new',
      'phone_change_token',
    ]) {
      expect(row?.user[column], column).toBe('');
    }
    expect(row?.user).toMatchObject({ phone: null, is_sso_user: false });
    expect(row?.identity).toMatchObject({
      provider: 'email',
      provider_id: answer.member.user_id,
      email: answer.email,
    });
    // A column that nobody knows yet, and that has to have a value, is a break with a name.
    await database.query('alter table auth.identities add column proof text');
    await database.query(
      `alter table auth.identities add constraint proof_given check (proof is not null) not valid`,
    );
    expect(await create(team.editor)).toEqual({ error: { code: 'auth_changed', message: '23514' } });
    await database.transaction((connection) =>
      connection.execute(`drop table auth.identities;
        alter table auth.users drop column confirmed_at, drop column confirmation_token, drop column recovery_token,
          drop column email_change, drop column email_change_token_new, drop column email_change_token_current,
          drop column phone, drop column phone_change, drop column phone_change_token, drop column reauthentication_token,
          drop column is_sso_user, drop column is_anonymous;`),
    );
  });

  it('stops at 200 of a workspace (A1)', async () => {
    const { made: answer } = await made();
    await database.query(
      `insert into auth.users (id, email, raw_app_meta_data)
         select gen_random_uuid(), 'many-' || n || '-' || $1::text, '{"kind": "agent"}' from generate_series(2, 200) n`,
      [team.workspace],
    );
    await database.query(
      `insert into public.workspace_members (id, workspace_id, user_id, role, made_by)
         select gen_random_uuid(), $1::uuid, u.id, 'agent', $2::uuid from auth.users u where u.email like 'many-%-' || $1::text`,
      [team.workspace, team.editor.id],
    );
    expect(await create(team.owner)).toMatchObject({ error: { code: 'too_many' } });
    await call(team.owner, 'revoke_agent', answer.member.id);
    expect(await create(team.owner)).toHaveProperty('secret');
  });
});

describe('what an agent is', () => {
  it('cannot be pushed by anybody (A6)', async () => {
    const { made: answer } = await made();
    const forged: Record<string, string | null>[] = [
      { made_by: team.owner.id },
      { paused_at: null },
      { kind: 'human' },
    ];
    for (const values of forged) {
      const update = team.make.update('workspace_members', answer.member.id, null, values);
      expect(await team.owner.pushOne(update)).toMatchObject({ code: 'unknown_column' });
    }
  });

  it('is not changed by what it says of itself (A1, P-CHECKPOINT)', async () => {
    const { user } = await made();
    await database.query(
      `update auth.users set raw_user_meta_data = '{"kind": "human", "display_name": "Person"}' where id = $1::uuid`,
      [user.id],
    );
    const move = team.make.update('tasks', team.task, null, { current_stage: 'IMPLEMENT' });
    expect(await user.pushOne(move)).toMatchObject({ code: 'checkpoint' });
  });
});

describe('revoking an agent', () => {
  it('is for owners, and for the editor who made it (A3)', async () => {
    const byOwner = await made(team.owner);
    for (const who of [team.editor, team.viewer, team.agent, team.stranger, byOwner.user]) {
      expect(await call(who, 'revoke_agent', byOwner.made.member.id)).toEqual(NOT_FOUND);
    }
    const byEditor = await made(team.editor);
    for (const member of [byOwner.made.member.id, byEditor.made.member.id, await membershipOf(team.agent)]) {
      expect(await call(team.owner, 'revoke_agent', member)).toEqual({ member_id: member });
      expect(await call(team.owner, 'revoke_agent', member)).toEqual(NOT_FOUND);
    }
    const own = await made(team.editor);
    expect(await call(team.editor, 'revoke_agent', own.made.member.id)).toHaveProperty('member_id');
    // People are removed in other ways.
    expect(await call(team.owner, 'revoke_agent', await membershipOf(team.viewer))).toEqual(NOT_FOUND);
  });

  it('holds for a token that is still valid, and ends its sessions (A3, P-PRIVATE)', async () => {
    const { user, made: answer } = await made();
    await database.query(
      'insert into local_stack.sessions (id, user_id) values (gen_random_uuid(), $1::uuid)',
      [user.id],
    );
    expect(await sees(user)).toBe(true);
    expect(await user.pushOne(task())).toMatchObject({ outcome: 'applied' });
    await call(team.editor, 'revoke_agent', answer.member.id);
    expect(await sees(user)).toBe(false);
    expect(await user.pushOne(task())).toMatchObject({ outcome: 'rejected', code: 'forbidden' });
    expect(
      await database.query('select 1 from local_stack.sessions where user_id = $1::uuid', [user.id]),
    ).toEqual([]);
  });

  it('leaves the sessions of one that is a member elsewhere (A3)', async () => {
    const { user, made: answer } = await made();
    const other = new Changes(randomUUID());
    await team.stranger.push([other.insert('workspaces', { name: 'W' }, { id: other.workspace })]);
    await addMembers(database, other.workspace, [user, 'agent']);
    await database.query(
      'insert into local_stack.sessions (id, user_id) values (gen_random_uuid(), $1::uuid)',
      [user.id],
    );
    await call(team.editor, 'revoke_agent', answer.member.id);
    expect(
      await database.query('select 1 from local_stack.sessions where user_id = $1::uuid', [user.id]),
    ).toHaveLength(1);
  });
});

describe('who makes agents no more', () => {
  const live = async (user: SyncUser) => (await membershipOf(user)) !== '';

  it('takes them along when leaving, and the answer lists them (A4)', async () => {
    const [one, two, other] = [await made(team.editor), await made(team.editor), await made(team.owner)];
    const left = team.make.delete('workspace_members', await membershipOf(team.editor), null);
    const { effects } = await team.editor.push([left]);
    expect([...(effects.deleted.workspace_members ?? [])].sort()).toEqual(
      expect.arrayContaining([one.made.member.id, two.made.member.id].sort()),
    );
    expect([await live(one.user), await live(two.user), await live(other.user)]).toEqual([
      false,
      false,
      true,
    ]);
    const former = (await call(team.owner, 'get_former_members', team.workspace)) as {
      id: string;
      made_by: string;
    }[];
    expect(former.filter(({ made_by }) => made_by === team.editor.id)).toHaveLength(2);
  });

  it.each(['viewer', 'agent'])(
    'takes them along when made %s, and keeps them as editor or owner (A4)',
    async (role) => {
      const { user } = await made(team.editor);
      const give = async (to: string) =>
        team.owner.pushOne(
          team.make.update('workspace_members', await membershipOf(team.editor), 9_999, { role: to }),
        );
      await give('owner');
      await give('editor');
      expect(await live(user)).toBe(true);
      await give(role);
      expect(await live(user)).toBe(false);
      // The role alone does not bring them back.
      await give('editor');
      expect(await live(user)).toBe(false);
    },
  );

  it('takes them along when removed, when the account is deleted, and when it becomes an agent (A4)', async () => {
    const removed = await made(team.editor);
    await team.owner.pushOne(team.make.delete('workspace_members', await membershipOf(team.editor), null));
    expect(await live(removed.user)).toBe(false);

    await addMembers(database, team.workspace, [team.stranger, 'editor']);
    const byStranger = await made(team.stranger);
    await database.query(
      `update auth.users set raw_app_meta_data = '{"kind": "agent"}' where id = $1::uuid`,
      [team.stranger.id],
    );
    expect(await live(byStranger.user)).toBe(false);

    const link = await invite(null, 'editor');
    await call(team.editor, 'accept_invitation', link);
    const byEditor = await made(team.editor);
    await database.query('delete from auth.users where id = $1::uuid', [team.editor.id]);
    expect(await live(byEditor.user)).toBe(false);
  });

  it('gets none of them back with the workspace (A5)', async () => {
    const { user, made: answer } = await made(team.owner);
    const deletion_id = randomUUID();
    const { outcomes } = await team.owner.push([
      team.make.delete('workspaces', team.workspace, 9_999, { values: { deletion_id }, group: 1 }),
      team.make.delete('workspace_members', answer.member.id, 9_999, {
        values: { deletion_id, along_with: team.workspace },
        group: 1,
      }),
    ]);
    expect(outcomes).toMatchObject([{ outcome: 'applied' }, { outcome: 'applied' }]);
    await team.owner.pushOne(
      team.make.update('deletions', deletion_id, null, { restored_at: '2026-01-01T00:00:00Z' }),
    );
    expect(await sees(team.owner)).toBe(true);
    expect(await live(user)).toBe(false);
  });
});

describe('a paused agent', () => {
  let agent: SyncUser;
  let member: string;
  beforeEach(async () => {
    const { user, made: answer } = await made(team.editor);
    agent = user;
    member = answer.member.id;
  });
  const PAUSED = { outcome: 'blocked', code: 'paused' };

  it('is paused and released by owners and by its maker (A6)', async () => {
    for (const who of [team.viewer, team.agent, team.stranger, agent]) {
      expect(await pause(who, member, true)).toEqual(NOT_FOUND);
    }
    for (const who of [team.owner, team.editor]) {
      expect(await pause(who, member, true)).toMatchObject({
        member: { id: member, paused_at: expect.any(String) },
      });
      expect(await pause(who, member, false)).toMatchObject({ member: { id: member, paused_at: null } });
    }
    const before = await team.owner.pull();
    await pause(team.owner, member, false);
    expect((await team.owner.pull()).scopes).toEqual(before.scopes);
  });

  it('is told so by each push, and nothing is written (A7)', async () => {
    await pause(team.editor, member, true);
    const tasks = [task(), task()];
    const { outcomes, revisions } = await agent.push([
      ...tasks,
      team.make.update('tasks', team.task, null, { title: 'x' }),
      team.make.insert('activity_feed', { task_id: tasks[0]?.id ?? '', activity_type: 'note' }),
    ]);
    expect(outcomes).toMatchObject([PAUSED, PAUSED, PAUSED, PAUSED]);
    expect(outcomes[0]).toMatchObject({ by: team.workspace });
    expect(revisions).toEqual({});
    // Clients of earlier versions too.
    for (const protocol of [1, 3, 6]) {
      expect((await agent.push([task()], { protocol, schema: 1 })).outcomes).toMatchObject([PAUSED]);
    }
    expect(await sees(agent)).toBe(true);
    await pause(team.editor, member, false);
    expect(await agent.pushOne(task())).toMatchObject({ outcome: 'applied' });
  });

  it('works in its other workspaces, and may leave (A7)', async () => {
    const other = new Changes(randomUUID());
    const project = other.insert('patterns', { name: 'P' });
    await team.stranger.push([other.insert('workspaces', { name: 'W' }, { id: other.workspace })]);
    await addMembers(database, other.workspace, [agent, 'agent']);
    await pause(team.editor, member, true);
    const { outcomes } = await agent.push([task(), project]);
    expect(outcomes).toMatchObject([PAUSED, { outcome: 'applied' }]);
    expect(await leave(agent)).toMatchObject({ outcome: 'applied' });
  });
});
