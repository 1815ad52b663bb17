/** Invitations, restoring, purging, and what becomes of accounts. */

import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { Role } from '@/domain/vocabulary';
import { type SqlBackend, startLocalStack } from '@/server';
import { purgeDaily } from '@/server/database/purge';
import { refusalOf } from '../../support/database';
import { addMembers, createUser, type SyncUser } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';
import { openMigrated } from '../../support/template';

teamForEachTest();

describe('invitations', () => {
  async function call(user: SyncUser, name: string, ...values: string[]): Promise<Record<string, string>> {
    const places = values.map((_, n) => `$${n + 1}`).join(', ');
    const [row] = await database.as(user.id, (connection) =>
      connection.query<{ answer: Record<string, string> }>(
        `select public.${name}(${places}) as answer`,
        values,
      ),
    );
    return row?.answer ?? {};
  }

  it('owners invite, and the invited address alone may accept, once (P-PRIVATE)', async () => {
    const email = `${randomUUID()}@convoy.example`;
    const guest = await createUser(database, { email });
    const invited = await call(team.owner, 'invite_member', team.workspace, email.toUpperCase(), 'editor');
    const id = invited.invitation_id ?? '';
    const unknown = { error: { code: 'not_found' } };
    expect(await call(team.stranger, 'accept_invitation', id)).toEqual(unknown);
    expect(await call(guest, 'accept_invitation', randomUUID())).toEqual(unknown);
    expect(await call(guest, 'accept_invitation', id)).toEqual({ workspace_id: team.workspace });
    // The answer may have been lost.
    expect(await call(guest, 'accept_invitation', id)).toEqual({ workspace_id: team.workspace });
    expect(await call(team.stranger, 'accept_invitation', id)).toEqual(unknown);
    expect((await guest.pull()).scopes.at(-1)).toMatchObject({ id: team.workspace, role: 'editor' });
  });

  const NOT_FOUND = { error: { code: 'not_found' } };

  async function invite(email: string, role: string, who = team.owner): Promise<string> {
    const { invitation_id } = await call(who, 'invite_member', team.workspace, email, role);
    return invitation_id ?? '';
  }

  const accept = (user: SyncUser, invitation: string) => call(user, 'accept_invitation', invitation);

  async function membershipOf(user: SyncUser): Promise<string> {
    const [row] = await database.query<{ id: string }>(
      `select id::text as id from public.workspace_members
       where workspace_id = $1::uuid and user_id = $2::uuid and deleted_at is null`,
      [team.workspace, user.id],
    );
    return row?.id ?? '';
  }

  async function removeMember(user: SyncUser): Promise<void> {
    const change = team.make.delete('workspace_members', await membershipOf(user), null);
    expect(await team.owner.pushOne(change)).toMatchObject({ outcome: 'applied' });
  }

  /** Somebody with an address, made a member here by the owner. */
  async function newMember(role: Role): Promise<{ user: SyncUser; email: string }> {
    const email = `${randomUUID()}@convoy.example`;
    const user = await createUser(database, { email });
    await addMembers(database, team.workspace, [user, role]);
    return { user, email };
  }

  it('a removed member does not return by an earlier invitation, but by a new one (P-PRIVATE)', async () => {
    const { user, email } = await newMember('viewer');
    const before = await invite(email, 'owner');
    await removeMember(user);
    expect(await accept(user, before)).toEqual(NOT_FOUND);
    expect(await membershipOf(user)).toBe('');
    expect(await accept(user, await invite(email, 'viewer'))).toEqual({ workspace_id: team.workspace });
  });

  it('accepting one invitation uses up every other one to the same address (P-PRIVATE)', async () => {
    const email = `${randomUUID()}@convoy.example`;
    const first = await createUser(database, { email });
    const [one, other] = [await invite(email, 'editor'), await invite(email, 'owner')];
    expect(await accept(first, one)).toEqual({ workspace_id: team.workspace });
    await removeMember(first);
    await database.query('delete from auth.users where id = $1::uuid', [first.id]);
    const second = await createUser(database, { email });
    expect(await accept(second, other)).toEqual(NOT_FOUND);
  });

  it('an invitation of a former owner gives no access (P-PRIVATE)', async () => {
    const email = `${randomUUID()}@convoy.example`;
    const guest = await createUser(database, { email });
    const leaving = (await newMember('owner')).user;
    const byRemoved = await invite(email, 'owner', leaving);
    await removeMember(leaving);
    expect(await accept(guest, byRemoved)).toEqual(NOT_FOUND);

    const sinking = (await newMember('owner')).user;
    const byDemoted = await invite(email, 'owner', sinking);
    const role = (to: Role, membership: string) =>
      team.owner.push([team.make.update('workspace_members', membership, null, { role: to })]);
    const membership = await membershipOf(sinking);
    await role('editor', membership);
    expect(await accept(guest, byDemoted)).toEqual(NOT_FOUND);
    await role('owner', membership);
    expect(await accept(guest, byDemoted)).toEqual({ workspace_id: team.workspace });
  });

  it('any owner revokes an open invitation, and no other user does (P-PRIVATE)', async () => {
    const email = `${randomUUID()}@convoy.example`;
    const guest = await createUser(database, { email });
    const agentRole = await createUser(database, { kind: 'agent' });
    await addMembers(database, team.workspace, [agentRole, 'owner']);
    const invitation = await invite(email, 'editor', (await newMember('owner')).user);
    const revoke = (user: SyncUser, id: string) => call(user, 'revoke_invitation', id);
    for (const user of [team.editor, team.viewer, team.agent, team.stranger, guest, agentRole]) {
      expect(await revoke(user, invitation)).toEqual(NOT_FOUND);
    }
    expect(await revoke(team.owner, randomUUID())).toEqual(NOT_FOUND);
    expect(await revoke(team.owner, invitation)).toEqual({ invitation_id: invitation });
    expect(await accept(guest, invitation)).toEqual(NOT_FOUND);
    const accepted = await invite(email, 'editor');
    await accept(guest, accepted);
    expect(await revoke(team.owner, accepted)).toEqual(NOT_FOUND);
  });

  it('users who are not owners neither invite nor see invitations (P-PRIVATE)', async () => {
    const invite = (user: SyncUser) => call(user, 'invite_member', team.workspace, 'a@b.example', 'viewer');
    for (const user of [team.editor, team.viewer, team.agent, team.stranger]) {
      expect(await invite(user)).toEqual({ error: { code: 'forbidden' } });
    }
    await invite(team.owner);
    const seenBy = (user: SyncUser) =>
      database.as(user.id, (connection) => connection.query('select 1 from public.invitations'));
    expect(await seenBy(team.owner)).toHaveLength(1);
    expect(await seenBy(team.editor)).toHaveLength(0);
    expect(await call(team.owner, 'invite_member', team.workspace, 'nobody', 'viewer')).toMatchObject({
      error: { code: 'malformed' },
    });
    expect(await call(team.owner, 'invite_member', team.workspace, 'a@b.example', 'king')).toMatchObject({
      error: { code: 'malformed' },
    });
  });
});

describe('restoring', () => {
  const deletionOf = async (table: string, id: string) => {
    const [row] = await database.query<{ deletion: string }>(
      `select deletion_id::text as deletion from public.${table} where id = $1::uuid`,
      [id],
    );
    return row?.deletion ?? '';
  };
  const restore = (deletion: string) =>
    database.query<{ count: number }>('select convoy.restore_deletion($1::uuid)::int as count', [deletion]);

  it('a restored record brings back the rows of its deletion, and no others (U8)', async () => {
    const before = team.make.insert('tasks', { title: 'deleted before', milestone_id: team.milestone });
    await team.owner.push([before]);
    await team.owner.push([team.make.delete('tasks', before.id, null)]);
    const { cursors } = await team.viewer.pullAll();
    await team.owner.push([team.make.delete('projects', team.project, null)]);

    expect(await restore(await deletionOf('projects', team.project))).toEqual([{ count: 3 }]);
    const { pages } = await team.viewer.pullAll(cursors);
    expect(pages[0]?.rows.tasks?.id).toEqual([team.task]);
    expect(pages[0]?.rows.projects?.id).toEqual([team.project]);
    expect(pages[0]?.deleted).toEqual({});
  });

  it('a record is not restored under a deleted parent (U8)', async () => {
    await team.owner.push([team.make.delete('tasks', team.task, null)]);
    const deletion = await deletionOf('tasks', team.task);
    await team.owner.push([team.make.delete('projects', team.project, null)]);
    expect(await refusalOf(restore(deletion))).toBe('SN008');
    await restore(await deletionOf('projects', team.project));
    expect(await restore(deletion)).toEqual([{ count: 1 }]);
  });
});

describe('purging', () => {
  /** A call. @returns how much is left. */
  const purgeOnce = async (): Promise<number> => {
    const [done] = await database.query<{ left: number }>('select convoy.purge()::int as left');
    return done?.left ?? -1;
  };
  /** Purges until nothing is left. */
  const purge = async (): Promise<void> => {
    for (let calls = 0; calls < 20; calls += 1) if ((await purgeOnce()) === 0) return;
    throw new Error('The purge does not come to an end.');
  };
  const count = async (from: string): Promise<number> => {
    const [found] = await database.query<{ n: number }>(`select count(*)::int as n from ${from}`, [
      team.workspace,
    ]);
    return found?.n ?? -1;
  };
  const tombstones = async (): Promise<number> =>
    (await count('public.tasks where deleted_at is not null and workspace_id = $1::uuid')) +
    (await count('public.milestones where deleted_at is not null and workspace_id = $1::uuid'));
  const aYearPasses = () =>
    database.query("update convoy.scope_revisions set created_at = created_at - interval '1 year'");

  it('is cut into calls that say whether something is left: the first takes the clock, and others erase (P15)', async () => {
    const [{ id: milestone } = { id: '' }] = await database.query<{ id: string }>(
      `insert into public.milestones (id, workspace_id, project_id, name) values (gen_random_uuid(), $1::uuid, $2::uuid, 'large') returning id::text as id`,
      [team.workspace, team.project],
    );
    await database.query(
      `insert into public.tasks (id, workspace_id, milestone_id, title)
         select gen_random_uuid(), $1::uuid, $2::uuid, 'task ' || n from generate_series(1, 6000) n`,
      [team.workspace, milestone],
    );
    await team.owner.push([team.make.delete('milestones', milestone, null)]);
    while (await team.owner.step());
    await team.owner.push([team.make.update('projects', team.project, null, { name: 'later' })]);
    await aYearPasses();
    const revisions = () => count('convoy.scope_revisions where scope_id = $1::uuid');
    const before = await tombstones();
    expect(await purgeOnce()).toBeGreaterThan(0);
    expect(await tombstones()).toBe(before);
    // The head at the horizon, and the revision that takes the deletion from the list.
    expect(await revisions()).toBe(2);
    await purge();
    expect(await tombstones()).toBe(0);
    // The workspace's own rows are there, and it goes on.
    expect(
      await team.owner.push([team.make.update('projects', team.project, null, { name: 'on' })]),
    ).toBeDefined();
  });

  it('erases subtasks before their parents (P15)', async () => {
    let parent = team.task;
    for (let depth = 0; depth < 5; depth += 1) {
      const child = team.make.insert('tasks', {
        title: `depth ${depth}`,
        milestone_id: team.milestone,
        parent_task_id: parent,
      });
      await team.owner.push([child]);
      parent = child.id;
    }
    await team.owner.push([team.make.delete('tasks', team.task, null)]);
    await team.owner.push([team.make.update('projects', team.project, null, { name: 'later' })]);
    await aYearPasses();
    await purge();
    expect(await tombstones()).toBe(0);
  });

  it('tombstones beyond the horizon are purged, and a device from before it starts over (P15)', async () => {
    const old = (await team.viewer.pullAll()).cursors;
    await team.owner.push([team.make.delete('milestones', team.milestone, null)]);
    const deleted = (await team.viewer.pullAll()).cursors;
    await team.owner.push([team.make.update('projects', team.project, null, { name: 'later' })]);
    const head = (await team.viewer.pullAll()).cursors;
    await database.query(
      "update convoy.scope_revisions set created_at = created_at - interval '1 year' where scope_id = $1::uuid and revision <= $2",
      [team.workspace, team.revision + 1],
    );
    expect(await tombstones()).toBe(2);
    await purge();
    expect(await tombstones()).toBe(0);

    const reset = async (cursors: typeof old) => {
      const answer = await team.viewer.pull(cursors);
      const { reset, expired } = answer.scopes.find((scope) => scope.id === team.workspace) ?? {};
      return { reset, expired };
    };
    expect(await reset(old)).toEqual({ reset: true, expired: true });
    // It has seen the deletion: nothing is missing there.
    expect(await reset(deleted)).toEqual({});
    expect(await reset(head)).toEqual({});
    const { pages } = await team.viewer.pullAll();
    // What cannot be restored any more is taken from the list by a tombstone.
    expect(pages[0]?.deleted).toEqual({ deletions: [expect.any(String)] });
    expect(pages[0]?.rows).not.toHaveProperty('deletions');
    expect(pages[0]?.rows.projects?.name).toEqual(['later']);
  });

  it('a cursor whose own last push was purged is expired, though its revision is kept (P16)', async () => {
    const own = await team.owner.push([team.make.update('tasks', team.task, null, { title: 'own' })]);
    await team.editor.push([team.make.update('tasks', team.task, null, { title: 'theirs' })]);
    const { cursors } = await team.owner.pullAll();
    const cursor = { revision: 0, tag: '', ...cursors[team.workspace], own: own.revisions[team.workspace] };
    const asked = async () =>
      (await team.owner.pull({ [team.workspace]: cursor })).scopes.find(({ id }) => id === team.workspace);
    expect(await asked()).not.toHaveProperty('reset');
    await database.query("update convoy.scope_revisions set created_at = created_at - interval '1 year'");
    await database.query('select convoy.purge()');
    expect(await asked()).toMatchObject({ reset: true, expired: true });
    Object.assign(cursor.own ?? {}, { tag: 'of another history' });
    expect(await asked()).toMatchObject({ reset: true });
    expect(await asked()).not.toHaveProperty('expired');
  });

  it('younger tombstones are kept (P15)', async () => {
    await team.owner.push([team.make.delete('tasks', team.task, null)]);
    await purge();
    expect(await tombstones()).toBe(1);
  });
});

describe('the local stack', () => {
  it('purges by itself, soon after its start and again (P15)', async () => {
    const backend = await openMigrated(false);
    const first = await startLocalStack({ data: { kind: 'backend', backend }, demo: false });
    if (!first.ok) throw new Error(first.error.message);
    const calls: string[] = [];
    const stop = purgeDaily(
      {
        ...backend,
        transaction: (work) =>
          backend.transaction((connection) => {
            calls.push('purge');
            return work(connection);
          }),
      } as typeof backend,
      (message) => calls.push(message),
      { firstMs: 0, everyMs: 5 },
    );
    while (calls.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
    await stop();
    expect(new Set(calls)).toEqual(new Set(['purge']));
    await first.value.close();
  });

  it('calls on while one call leaves as much as the one before, though not for ever (P15)', async () => {
    /** @returns how often it is called where `left` tells what is left after so many calls */
    const callsOf = async (left: (calls: number) => number): Promise<number> => {
      let calls = 0;
      const query = async (text: string) => {
        if (!text.includes('convoy.purge')) return [];
        calls += 1;
        return [{ left: String(left(calls)) }];
      };
      const backend = {
        transaction: async (work: (connection: unknown) => unknown) => {
          return { ok: true, value: await work({ query }) };
        },
      } as unknown as SqlBackend;
      const stop = purgeDaily(backend, () => {}, { firstMs: 0, everyMs: 3_600_000 });
      let before = -1;
      await vi.waitFor(() => {
        const waited = calls > 0 && calls === before;
        before = calls;
        expect(waited).toBe(true);
      });
      await stop();
      return calls;
    };
    expect(await callsOf((calls) => (calls < 5 ? 1 : 0))).toBe(5);
    expect(await callsOf(() => 1)).toBeLessThanOrEqual(1_000);
  });

  it('ends sessions that nobody has used for a year', async () => {
    const backend = await openMigrated(false);
    const stack = await startLocalStack({ data: { kind: 'backend', backend }, demo: false });
    if (!stack.ok) throw new Error(stack.error.message);
    const user = randomUUID();
    const sessions = [randomUUID(), randomUUID()];
    const sql = async (text: string) => {
      const done = await backend.transaction((connection) => connection.query<{ id: string }>(text));
      if (!done.ok) throw new Error(done.error.message);
      return done.value.map(({ id }) => id);
    };
    await sql(`insert into auth.users (id, email) values ('${user}', 'rare@convoy.example')`);
    await sql(`insert into local_stack.sessions (id, user_id, refreshed_at) values
      ('${sessions[0]}', '${user}', now() - interval '366 days'), ('${sessions[1]}', '${user}', now() - interval '364 days')`);
    const stop = purgeDaily(backend, () => {}, { firstMs: 0 });
    await vi.waitFor(async () =>
      expect(await sql('select id::text from local_stack.sessions')).toEqual([sessions[1]]),
    );
    await stop();
    await stack.value.close();
  });
});

describe('accounts', () => {
  it('an account can be deleted unless it is the only owner of a workspace (R2)', async () => {
    const remove = (user: SyncUser) =>
      database.query('delete from auth.users where id = $1::uuid', [user.id]);
    expect(await refusalOf(remove(team.owner))).toBe('SN004');
    const { cursors } = await team.owner.pullAll();
    await remove(team.viewer);
    const page = await team.owner.pull(cursors);
    expect(page.deleted.workspace_members).toHaveLength(1);
  });
});
