/** What the server keeps has a bound: deleted workspaces, devices of the ledger, purged tags. */

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Cursor, PushChange } from '@/core/protocol';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import { addMembers, Changes, createTeam, createUser, type SyncUser } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';

teamForEachTest();

const aYearPasses = () =>
  database.query(`update convoy.scope_revisions set created_at = created_at - interval '1 year'`);

/** Purges until nothing is left. */
async function purge(): Promise<void> {
  for (let calls = 0; calls < 20; calls += 1) {
    const [done] = await database.query<{ left: number }>('select convoy.purge()::int as left');
    if (done?.left === 0) return;
  }
  throw new Error('The purge does not come to an end.');
}

async function count(from: string): Promise<number> {
  const [found] = await database.query<{ n: number }>(`select count(*)::int as n from ${from}`);
  return found?.n ?? -1;
}

const scopesOf = async (user: SyncUser): Promise<string[]> => (await user.pull()).scopes.map(({ id }) => id);

describe('a deleted workspace', () => {
  const remove = (user: SyncUser, workspace: string): Promise<unknown> =>
    user.push([new Changes(workspace).delete('workspaces', workspace, null)]);

  it('is no scope once it was purged: of 120, the global scope is left (P3, P20)', async () => {
    const user = await createUser(database);
    const workspaces = Array.from({ length: 120 }, () => randomUUID());
    for (const id of workspaces) {
      const make = new Changes(id);
      await user.push([
        make.insert('workspaces', { name: 'short-lived' }, { id }),
        make.insert('projects', { name: 'p' }),
      ]);
      await remove(user, id);
    }
    expect(await scopesOf(user)).toHaveLength(121);
    await purge();
    expect(await scopesOf(user)).toHaveLength(121);
    await aYearPasses();
    await purge();
    expect(await scopesOf(user)).toEqual([GLOBAL_SCOPE_ID]);
    const heads = (await user.headsRaw()) as { heads: object };
    expect(Object.keys(heads.heads)).toEqual([GLOBAL_SCOPE_ID]);

    // When that is beyond the horizon too, the headstones are all that is left.
    await aYearPasses();
    await purge();
    const list = workspaces.map((id) => `'${id}'`).join(', ');
    for (const table of ['workspaces', 'workspace_members', 'projects', 'deletions']) {
      expect([table, await count(`public.${table} where workspace_id in (${list})`)]).toEqual([table, 0]);
    }
    expect(await count(`convoy.scope_clocks where scope_id in (${list})`)).toBe(120);
    expect(await count(`convoy.purged_tags where scope_id in (${list})`)).toBe(120);
    expect(await count(`convoy.scope_revisions where scope_id in (${list})`)).toBe(120);
  });

  it('is not taken for forgotten, and nobody creates it again (P19, P20, U11)', async () => {
    const { cursors } = await team.owner.pullAll();
    const invited = `insert into public.invitations (workspace_id, role, invited_by)
      values ('${team.workspace}', 'editor', '${team.owner.id}')`;
    await database.query(invited);
    await remove(team.owner, team.workspace);
    const asked = async (known: Record<string, Cursor>) => {
      const { scopes, forgotten } = await team.owner.pull(known);
      return { scopes: scopes.map(({ id }) => id), forgotten };
    };
    const gone = { scopes: [GLOBAL_SCOPE_ID], forgotten: [] };
    const again = (user: SyncUser) =>
      user.push([
        team.make.insert('workspaces', { name: 'again' }, { id: team.workspace }),
        team.make.insert('projects', { name: 'in it' }),
      ]);
    const refused = [
      { outcome: 'rejected', code: 'id_taken' },
      { outcome: 'blocked', by: team.workspace },
    ];
    for (const erased of [false, true]) {
      await aYearPasses();
      await purge();
      expect(await count(`public.workspaces where id = '${team.workspace}'`)).toBe(erased ? 0 : 1);
      expect(await asked(cursors)).toEqual(gone);
      for (const user of [team.owner, team.stranger]) {
        expect((await again(user)).outcomes).toMatchObject(refused);
      }
    }
    const unknown = { [team.workspace]: { revision: 3, tag: 'of another history' } };
    expect(await asked(unknown)).toEqual({ ...gone, forgotten: [team.workspace] });
    expect(await count(`public.invitations where workspace_id = '${team.workspace}'`)).toBe(0);
  });

  it('stays a scope while it can be restored, and when it was (P20, U24)', async () => {
    const deletion = randomUUID();
    const restore = () =>
      team.owner.push([
        team.make.update('deletions', deletion, null, { restored_at: new Date().toISOString() }),
      ]);
    const removal = team.make.delete('workspaces', team.workspace, null, {
      values: { deletion_id: deletion },
    });
    await aYearPasses();
    await team.owner.push([removal]);
    await purge();
    expect(await scopesOf(team.viewer)).toContain(team.workspace);
    expect((await restore()).outcomes).toMatchObject([{ outcome: 'applied' }]);
    await aYearPasses();
    await purge();
    expect(await scopesOf(team.viewer)).toContain(team.workspace);
    expect(
      await team.owner.pushOne(team.make.update('tasks', team.task, null, { title: 'on' })),
    ).toMatchObject({
      outcome: 'applied',
    });
  });

  it('of many members is buried in parts (P15, P20)', async () => {
    await database.query(
      `insert into auth.users (id, email) select gen_random_uuid(), gen_random_uuid() || '@convoy.example' from generate_series(1, 2500)`,
    );
    await database.query(
      `insert into public.workspace_members (id, workspace_id, user_id, role)
         select gen_random_uuid(), $1::uuid, p.id, 'viewer' from public.profiles p
         where not exists (select from public.workspace_members m where m.workspace_id = $1::uuid and m.user_id = p.id)`,
      [team.workspace],
    );
    await remove(team.owner, team.workspace);
    await aYearPasses();
    const live = () =>
      count(`public.workspace_members where workspace_id = '${team.workspace}' and deleted_at is null`);
    await database.query('select convoy.purge()');
    expect(await live()).toBeGreaterThan(500);
    await purge();
    expect(await live()).toBe(0);
  });
});

describe('the ledger of devices', () => {
  const MOST = 200;

  /** New devices of the user, one push each. */
  async function useDevices(user: SyncUser, number: number, change: () => PushChange[]): Promise<void> {
    const { device, batch } = user;
    for (let n = 0; n < number; n += 1) {
      Object.assign(user, { device: randomUUID(), batch: 0 });
      await user.push(change());
    }
    Object.assign(user, { device, batch });
  }
  const rename = () => [team.make.update('projects', team.project, null, { name: `name ${Math.random()}` })];
  const knows = async ({ device }: SyncUser): Promise<boolean> =>
    (await count(`convoy.devices where device_id = '${device}'`)) === 1;
  const devicesOf = ({ id }: SyncUser) => count(`convoy.devices where user_id = '${id}'`);

  it('holds 200 of a user: a new one takes the place of the one silent for longest, and of nobody else’s (U2)', async () => {
    await team.editor.push([team.make.update('tasks', team.task, null, { title: 'first' })]);
    await useDevices(team.owner, MOST - 1, rename);
    expect(await knows(team.owner)).toBe(true);
    // It is heard of again, so another one is the most silent.
    await team.owner.push(rename());
    await useDevices(team.owner, 1, rename);
    expect(await knows(team.owner)).toBe(true);
    await useDevices(team.owner, MOST, rename);
    expect(await knows(team.owner)).toBe(false);
    expect(await devicesOf(team.owner)).toBe(MOST);
    expect(await knows(team.editor)).toBe(true);
    // A request that is refused takes nobody's place.
    const before = await count(`convoy.devices where user_id = '${team.owner.id}'`);
    const unknown = { cursors: { [team.workspace]: { revision: 1, tag: 'of another history' } } };
    expect(await team.owner.pushRaw(rename(), { ...unknown, device_id: randomUUID() })).toEqual({
      error: { code: 'history_changed' },
    });
    expect(await devicesOf(team.owner)).toBe(before);
  });

  it('a batch that was taken before its device lost its place is not taken twice (U2, U20, P-ONCE)', async () => {
    const { cursors } = await team.owner.pullAll();
    const cursor = cursors[team.workspace] as Cursor;
    const change = team.make.update('tasks', team.task, null, { title: 'once' });
    const batch = team.owner.batch + 1;
    const sent = { batch, cursors: { [team.workspace]: cursor }, key: randomUUID() };
    const answer = await team.owner.push([change], sent);
    await team.editor.push([team.make.update('tasks', team.task, null, { title: 'the editor’s' })]);
    await useDevices(team.owner, MOST, () => [team.make.insert('projects', { name: 'elsewhere' })]);
    expect(await knows(team.owner)).toBe(false);

    const inDoubt = { error: { code: 'history_changed' } };
    expect(await team.owner.pushRaw([change], sent)).toEqual(inDoubt);
    expect(await team.owner.pushRaw([], { ...sent, settle: true })).toEqual(inDoubt);
    const { rows } = await team.viewer.pull();
    expect(rows.tasks?.title).toEqual(['the editor’s']);

    // Once it has pulled, it goes on under its own id and number.
    const { revision, tag } = (await team.owner.pullAll()).cursors[team.workspace] as Cursor;
    const next = { batch: batch + 1, cursors: { [team.workspace]: { revision, tag } } };
    expect((await team.owner.push([change], next)).outcomes).toMatchObject([{ outcome: 'applied' }]);
    expect(answer.outcomes).toMatchObject([{ outcome: 'applied' }]);
    expect(await devicesOf(team.owner)).toBe(MOST);
  });

  it('a device that lost its place goes on as before where its user has done nothing since (U2)', async () => {
    const other = await createTeam(database);
    await addMembers(database, other.workspace, [team.owner, 'editor']);
    await team.owner.push(rename());
    const { cursors } = await team.owner.pullAll();
    await useDevices(team.owner, MOST, () => [other.make.insert('projects', { name: 'elsewhere' })]);
    expect(await knows(team.owner)).toBe(false);
    const answer = await team.owner.push(rename(), {
      cursors: { [team.workspace]: cursors[team.workspace] as Cursor },
    });
    expect(answer.outcomes).toMatchObject([{ outcome: 'applied' }]);
  });

  it('does not doubt the first batch of a new device, whatever its user does elsewhere (U2)', async () => {
    const { cursors } = await team.owner.pullAll();
    await useDevices(team.owner, 3, rename);
    const sent = {
      device_id: randomUUID(),
      batch: 1,
      cursors: { [team.workspace]: cursors[team.workspace] as Cursor },
    };
    expect((await team.owner.push(rename(), sent)).outcomes).toMatchObject([{ outcome: 'applied' }]);
  });
});

describe('purged tags', () => {
  it('are kept up to a bound; a cursor of before is expired for members, and tells strangers nothing (P16, R7)', async () => {
    await database.query(
      'create or replace function convoy.most_tags() returns integer language sql immutable return 3',
    );
    const standings: Record<string, Cursor>[] = [];
    for (let n = 0; n < 12; n += 1) {
      await team.owner.push([team.make.update('projects', team.project, null, { name: `at ${n}` })]);
      standings.push((await team.viewer.pullAll()).cursors);
      if (n === 5 || n === 10) {
        await aYearPasses();
        await purge();
      }
    }
    const tags = await database.query<{ bytes: number }>(
      'select octet_length(tags) as bytes from convoy.purged_tags where scope_id = $1::uuid',
      [team.workspace],
    );
    expect(tags).toEqual([{ bytes: 12 }]);
    const asked = async (cursor: Cursor) => {
      const { scopes } = await team.viewer.pull({ [team.workspace]: cursor });
      const { reset = false, expired = false } = scopes.find(({ id }) => id === team.workspace) ?? {};
      return { reset, expired };
    };
    const at = (n: number) => standings[n]?.[team.workspace] as Cursor;
    const expired = { reset: true, expired: true };
    expect(await asked(at(9))).toEqual(expired);
    expect(await asked({ ...at(9), tag: 'other' })).toEqual({ reset: true, expired: false });
    expect(await asked(at(0))).toEqual(expired);
    expect(await asked(at(11))).toEqual({ reset: false, expired: false });
    const { forgotten } = await team.stranger.pull({ [team.workspace]: { ...at(0), tag: 'guessed' } });
    expect(forgotten).toEqual([team.workspace]);
    await database.query(
      'create or replace function convoy.most_tags() returns integer language sql immutable return 1000000',
    );
  });
});
