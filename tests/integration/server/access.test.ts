/** Who may do what with members, invitations and deleted rows, over functions and tables of the real PostgREST. */

import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROTOCOL_VERSION, SCHEMA_VERSION } from '@/core/protocol';
import { postgresBinaries, startPostgres, type TestPostgres } from '../../support/postgres';
import { postgrestInstalled, startPostgrest, type TestPostgrest } from '../../support/postgrest';
import { SEED, seedId } from '../../support/seed';
import { World } from '../../support/world';

const CALLERS = ['owner', 'editor', 'viewer', 'agent', 'stranger', 'nobody'] as const;
type Caller = (typeof CALLERS)[number];

interface Answer {
  status: number;
  body: unknown;
}

describe.skipIf(!postgrestInstalled() || postgresBinaries() === null)('access over PostgREST', () => {
  let cluster: TestPostgres;
  let world: World;
  let postgrest: TestPostgrest;
  let users: Record<Exclude<Caller, 'nobody'>, string>;
  let deleted: string;

  beforeAll(async () => {
    cluster = await startPostgres();
    const url = await cluster.createDatabase();
    world = await World.start({ kind: 'postgres', url });
    users = { ...SEED.users, stranger: (await world.signIn('stella')).userId };
    postgrest = await startPostgrest(url, world.stack.jwtSecret);
    const owner = await world.device('owner');
    const task = await owner.contextService.createTask({
      milestone_id: SEED.offlineMilestone,
      title: 'a secret of before',
    });
    await owner.sync();
    await owner.contextService.deleteTask(task.id);
    await owner.sync();
    deleted = task.id;
  });
  afterAll(async () => {
    await postgrest?.stop();
    await world?.close();
    await cluster?.stop();
  });

  async function bearer(who: Caller): Promise<string> {
    if (who === 'nobody') return world.stack.anonKey;
    return new SignJWT({ role: 'authenticated', sub: users[who], exp: Math.floor(Date.now() / 1000) + 600 })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(world.stack.jwtSecret));
  }

  async function ask(
    base: string,
    who: Caller,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Answer> {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: {
        apikey: world.stack.anonKey,
        Authorization: `Bearer ${await bearer(who)}`,
        'Content-Type': 'application/json',
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
  }

  const onTable = (who: Caller, method: string, path: string, body?: unknown) =>
    ask(postgrest.url, who, method, path, body);

  /** Calls a function over PostgREST and over the local stack. @returns both answers */
  const call = (who: Caller, name: string, body: unknown) =>
    Promise.all(
      [postgrest.url, `${world.stack.url}/rest/v1`].map((base) =>
        ask(base, who, 'POST', `/rpc/${name}`, body),
      ),
    );

  const push = (who: Exclude<Caller, 'nobody'>, change: object) => ({
    request: {
      protocol: PROTOCOL_VERSION,
      schema: SCHEMA_VERSION,
      user_id: users[who],
      device_id: randomUUID(),
      batch: 1,
      cursors: {},
      skip: {},
      changes: [{ workspace_id: SEED.workspace, base: null, group: 0, ...change }],
    },
  });

  it.each(CALLERS)('%s writes no table, of members and invitations neither (S7, P-PRIVATE)', async (who) => {
    const row = { id: randomUUID(), workspace_id: SEED.workspace, user_id: users.stranger, role: 'owner' };
    const invitation = { workspace_id: SEED.workspace, email: null, role: 'owner', invited_by: users.owner };
    for (const [method, path, body] of [
      ['POST', '/workspace_members', row],
      ['PATCH', `/workspace_members?user_id=eq.${users.editor}`, { role: 'owner' }],
      ['DELETE', `/workspace_members?user_id=eq.${users.editor}`, undefined],
      ['POST', '/invitations', invitation],
      ['PATCH', '/invitations', { role: 'owner' }],
      ['POST', '/activity_feed', { workspace_id: SEED.workspace, activity_type: 'conflict_settled' }],
    ] as const) {
      const { status } = await onTable(who, method, path, body);
      expect([401, 403], `${method} ${path}`).toContain(status);
    }
  });

  it.each(CALLERS)('%s reads no deleted row over a table (P-PRIVATE)', async (who) => {
    const { status, body } = await onTable(who, 'GET', `/tasks?id=eq.${deleted}`);
    if (who === 'nobody') expect(status).toBe(401);
    else expect(body).toEqual([]);
    const live = await onTable(who, 'GET', `/milestones?id=eq.${SEED.offlineMilestone}`);
    if (who !== 'nobody') expect(live.body).toHaveLength(who === 'stranger' ? 0 : 1);
  });

  it.each(CALLERS)('%s sees and makes invitations only as a human owner (P-PRIVATE)', async (who) => {
    const invited = await call(who, 'invite_member', {
      workspace_id: SEED.workspace,
      email: null,
      role: 'viewer',
    });
    const seen = await onTable(who, 'GET', '/invitations');
    if (who === 'owner') {
      for (const { body } of invited) expect(body).toHaveProperty('invitation_id');
      expect((seen.body as unknown[]).length).toBeGreaterThan(0);
    } else if (who === 'nobody') {
      for (const { status } of [...invited, seen]) expect(status).toBe(401);
    } else {
      for (const { body } of invited) expect(body).toMatchObject({ error: { code: 'forbidden' } });
      expect(seen.body).toEqual([]);
    }
  });

  it.each(['owner', 'editor', 'viewer', 'agent', 'stranger'] as const)(
    'a membership that %s pushes makes nobody a member (U31, P-PRIVATE)',
    async (who) => {
      const values = { user_id: users.stranger, role: 'editor' };
      const insert = push(who, { table: 'workspace_members', op: 'insert', id: randomUUID(), values });
      for (const { body } of await call(who, 'sync_push', insert)) {
        const code = who === 'owner' ? 'needs_invitation' : 'forbidden';
        expect(body).toMatchObject({ outcomes: [{ outcome: 'rejected', code }] });
      }
    },
  );

  it.each(['owner', 'editor', 'agent'] as const)(
    'a settlement that %s has invented is not taken (U30, P-CHECKPOINT)',
    async (who) => {
      const task_id = seedId('task', 1);
      const columns = { current_stage: { base: 'PLAN', local: 'COMMIT', remote: 'PLAN', chosen: 'PLAN' } };
      const details = { table: 'tasks', record_id: task_id, columns };
      const values = { task_id, activity_type: 'conflict_settled', details };
      const insert = push(who, { table: 'activity_feed', op: 'insert', id: randomUUID(), values });
      for (const { body } of await call(who, 'sync_push', insert)) {
        expect(body).toMatchObject({ outcomes: [{ outcome: 'rejected', code: 'reserved_activity' }] });
      }
    },
  );

  it('a stranger joins by a link, once, and leaves (U31, P-PRIVATE)', async () => {
    const [made] = await call('owner', 'invite_member', {
      workspace_id: SEED.workspace,
      email: null,
      role: 'viewer',
    });
    const { invitation_id } = (made as Answer).body as { invitation_id: string };
    for (const { body } of await call('stranger', 'accept_invitation', { invitation_id })) {
      expect(body).toEqual({ workspace_id: SEED.workspace });
    }
    const { body: rows } = await onTable(
      'stranger',
      'GET',
      `/workspace_members?user_id=eq.${users.stranger}`,
    );
    const [{ id = '' } = {}] = rows as { id: string }[];
    const leave = push('stranger', { table: 'workspace_members', op: 'delete', id });
    const { body } = await ask(postgrest.url, 'stranger', 'POST', '/rpc/sync_push', leave);
    expect(body).toMatchObject({ outcomes: [{ outcome: 'applied' }] });
    const after = await onTable('stranger', 'GET', '/workspace_members');
    expect(after.body).toEqual([]);
  });
});
