import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Cursor, PROTOCOL_VERSION, type PullAnswer, SCHEMA_VERSION } from '@/core/protocol';
import { COMMON_COLUMNS, columnsOf } from '@/domain/schema';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import { addMembers, createTeam, createUser, SyncUser, type Team } from '../../support/syncUser';
import { database, databaseForFile } from '../../support/teamDatabase';

databaseForFile();

/** Ids by table, tombstones marked. */
function idsOf(pages: PullAnswer[]): string[] {
  return pages.flatMap((page) => [
    ...Object.entries(page.rows).flatMap(([table, rows]) => rows.id.map((id) => `${table} ${id}`)),
    ...Object.entries(page.deleted).flatMap(([table, ids]) => ids.map((id) => `${table} ${id} deleted`)),
  ]);
}

async function addTasks(team: Team, count: number, title = 'task'): Promise<string[]> {
  const inserts = Array.from({ length: count }, (_, n) =>
    team.make.insert('tasks', { title: `${title} ${n}`, milestone_id: team.milestone }),
  );
  await team.owner.push(inserts);
  return inserts.map((one) => one.id);
}

describe('requests', () => {
  it('the answer names the user; a request for another user is refused (P2)', async () => {
    const user = await createUser(database);
    expect((await user.pull()).user_id).toBe(user.id);
    expect(await user.pullRaw({ user_id: randomUUID() })).toEqual({ error: { code: 'wrong_user' } });
  });

  it('an anonymous request is answered with the demand to sign in (P2)', async () => {
    const request = JSON.stringify({ protocol: 1, schema: 1, user_id: randomUUID() });
    for (const name of ['sync_pull', 'sync_push']) {
      const [row] = await database.query<{ answer: unknown }>(`select public.${name}($1::jsonb) as answer`, [
        request,
      ]);
      expect(row?.answer).toEqual({ error: { code: 'signed_out' } });
    }
  });

  it('a client of another protocol version is told so (P2)', async () => {
    const user = await createUser(database);
    for (const protocol of [0, undefined, '1', null]) {
      expect(await user.pullRaw({ protocol })).toMatchObject({ error: { code: 'client_too_old' } });
      expect(await user.pushRaw([], { protocol })).toMatchObject({ error: { code: 'client_too_old' } });
    }
    expect(await user.pullRaw({ schema: SCHEMA_VERSION + 1 })).toMatchObject({
      error: { code: 'schema_mismatch' },
    });
    expect(await user.pushRaw([], { protocol: PROTOCOL_VERSION + 1 })).toMatchObject({
      error: { code: 'schema_mismatch' },
    });
  });

  it('a malformed request is answered with an error value, never an exception (P2)', async () => {
    const user = await createUser(database);
    const malformed: Record<string, unknown>[] = [
      { user_id: 'me' },
      { user_id: 7 },
      { schema: 'x' },
      { cursors: [] },
      { cursors: { nowhere: { revision: 1, tag: 'x' } } },
      { cursors: { [randomUUID()]: { revision: -1, tag: 'x' } } },
      { cursors: { [randomUUID()]: { revision: 1.5, tag: 'x' } } },
      { cursors: { [randomUUID()]: { revision: 1 } } },
      { cursors: { [randomUUID()]: { revision: 1, tag: 'x', after: 'y' } } },
      { cursors: { [randomUUID()]: 7 } },
      { skip: { [randomUUID()]: 7 } },
      { skip: { [randomUUID()]: ['x'] } },
      { limit: 0 },
    ];
    for (const request of malformed) {
      expect(await user.pullRaw(request), JSON.stringify(request)).toMatchObject({
        error: { code: 'malformed', message: expect.any(String) },
      });
    }
  });
});

describe('scopes', () => {
  it('lists the global scope and the workspaces of live memberships, sorted by id (P3)', async () => {
    const team = await createTeam(database);
    const answer = await team.viewer.pull();
    expect(answer.scopes.map(({ id, role }) => ({ id, role }))).toEqual([
      { id: GLOBAL_SCOPE_ID, role: 'reference' },
      { id: team.workspace, role: 'viewer' },
    ]);
    expect((await team.stranger.pull()).scopes.map((scope) => scope.id)).toEqual([GLOBAL_SCOPE_ID]);
  });

  it('a deleted workspace stays visible to its members, a lost membership does not (P3)', async () => {
    const team = await createTeam(database);
    const before = await team.viewer.pullAll();
    const members = before.pages[0]?.rows.workspace_members;
    const membership = members?.id[members.user_id?.indexOf(team.agent.id) ?? -1] ?? '';
    await team.owner.push([team.make.delete('workspace_members', membership, null)]);
    expect((await team.agent.pull()).scopes.map((scope) => scope.id)).toEqual([GLOBAL_SCOPE_ID]);

    await team.owner.push([team.make.delete('workspaces', team.workspace, null)]);
    const after = await team.viewer.pull(before.cursors);
    expect(after.scopes.map((scope) => scope.id)).toContain(team.workspace);
    expect(after.deleted.workspaces).toEqual([team.workspace]);
  });
});

describe('rows', () => {
  it('a scope without a cursor is sent whole, in columns (P4, P6)', async () => {
    const team = await createTeam(database);
    const answer = await team.viewer.pull();
    const tasks = answer.rows.tasks;
    expect(Object.keys(tasks ?? {}).sort()).toEqual(
      ['id', 'workspace_id', ...Object.keys(columnsOf('tasks')), ...Object.keys(COMMON_COLUMNS)].sort(),
    );
    expect(tasks).toMatchObject({
      id: [team.task],
      workspace_id: [team.workspace],
      title: ['Task'],
      sort_order: [0],
      completion_date: [null],
      revision: [team.revision],
      last_modified_by: [team.owner.id],
    });
    expect(tasks?.created_at?.[0]).toMatch(/^2026-01-05T10:00:00\+00:00$/);
    expect(answer.rows.projects?.tech_stack).toEqual([[]]);
    expect(answer.deleted).toEqual({});
    expect(answer).toMatchObject({ more: false, total: null });
  });

  it('a pull at the head sends nothing, and later only changed rows (P4)', async () => {
    const team = await createTeam(database);
    const { cursors } = await team.viewer.pullAll();
    expect(await team.viewer.pull(cursors)).toMatchObject({
      rows: {},
      deleted: {},
      cursors: {},
      more: false,
    });

    const [added] = await addTasks(team, 1);
    await team.owner.push([team.make.delete('tasks', team.task, null)]);
    const changed = await team.viewer.pullAll(cursors);
    const ids = idsOf(changed.pages).filter((id) => !id.startsWith('deletions '));
    expect(ids.sort()).toEqual([`tasks ${added}`, `tasks ${team.task} deleted`].sort());
    expect(await team.viewer.pull(changed.cursors)).toMatchObject({ rows: {}, deleted: {}, cursors: {} });
  });

  it('revisions named in skip are left out (P7)', async () => {
    const team = await createTeam(database);
    const { cursors } = await team.owner.pullAll();
    const mine = await team.owner.push([team.make.update('tasks', team.task, null, { title: 'mine' })]);
    const [added] = await addTasks(team, 1);
    const skip = { [team.workspace]: [mine.revisions[team.workspace]?.revision ?? 0] };
    const pulled = await team.owner.pullAll(cursors, { skip });
    expect(idsOf(pulled.pages)).toEqual([`tasks ${added}`]);
    expect(pulled.cursors[team.workspace]?.revision).toBe(team.revision + 2);
  });
});

describe('pages', () => {
  it('pages of any size bring every row once (P5)', async () => {
    const team = await createTeam(database);
    await addTasks(team, 20);
    await addTasks(team, 7);
    const whole = idsOf((await team.viewer.pullAll()).pages).sort();
    for (const limit of [1, 2, 3, 7, 28]) {
      const { pages, cursors } = await team.viewer.pullAll({}, { limit });
      expect(idsOf(pages).sort(), `pages of ${limit}`).toEqual(whole);
      expect(cursors).toEqual((await team.viewer.pullAll()).cursors);
      expect(pages[0]?.total, `total of pages of ${limit}`).toBe(whole.length);
      expect(pages.slice(1).every((page) => page.total === null)).toBe(true);
    }
  });

  it('the target is frozen when paging starts (P5)', async () => {
    const team = await createTeam(database);
    await addTasks(team, 10);
    const first = await team.viewer.pull({}, { limit: 5 });
    const cursor = first.cursors[team.workspace];
    expect(cursor?.target).toBe(team.revision + 1);

    await addTasks(team, 3, 'later');
    await team.owner.push([team.make.update('tasks', team.task, null, { title: 'moved on' })]);
    const rest = await team.viewer.pullAll(first.cursors, { limit: 5 });
    const run = idsOf([first, ...rest.pages]);
    expect(rest.cursors[team.workspace]?.revision).toBe(team.revision + 1);

    const next = await team.viewer.pullAll(rest.cursors);
    const all = [...run, ...idsOf(next.pages)];
    expect(new Set(all).size).toBe(
      all.length + (all.filter((one) => one === `tasks ${team.task}`).length > 1 ? -1 : 0),
    );
    expect(new Set(all)).toEqual(new Set(idsOf((await team.viewer.pullAll()).pages)));
  });

  it('two tables that hold the same id lose nothing between two pages (P5)', async () => {
    const team = await createTeam(database);
    const shared = randomUUID();
    await team.owner.push([
      team.make.insert('patterns', { name: 'p' }, { id: shared }),
      team.make.insert('best_practices', { name: 'b' }, { id: shared }),
      team.make.insert('workflows', { name: 'w', stages: [{ name: 'A', order: 1 }] }, { id: shared }),
    ]);
    const { pages } = await team.viewer.pullAll({}, { limit: 1 });
    const shares = idsOf(pages).filter((one) => one.endsWith(shared));
    expect(shares.sort()).toEqual([`best_practices ${shared}`, `patterns ${shared}`, `workflows ${shared}`]);
  });

  it('a page is capped by bytes, and one huge row is still sent (P6)', async () => {
    const team = await createTeam(database);
    const text = 'x'.repeat(100_000);
    await team.owner.push(
      Array.from({ length: 25 }, (_, n) =>
        team.make.insert('projects', { name: `big ${n}`, description: text, overview: text }),
      ),
    );
    const { pages } = await team.viewer.pullAll();
    expect(pages.length).toBeGreaterThan(4);
    for (const page of pages) {
      expect(JSON.stringify(page).length).toBeLessThan(1_300_000);
      expect(page.rows.projects?.id.length ?? 1).toBeGreaterThan(0);
    }
    expect(idsOf(pages).filter((one) => one.startsWith('projects'))).toHaveLength(26);
  });

  it('a user of several workspaces gets all of them, whatever the page (P5)', async () => {
    const one = await createTeam(database);
    const other = await createTeam(database);
    await addMembers(database, other.workspace, [one.viewer, 'viewer']);
    await addTasks(other, 5);
    const whole = await one.viewer.pullAll();
    for (const limit of [1, 3, 8]) {
      const paged = await one.viewer.pullAll({}, { limit });
      expect(idsOf(paged.pages).sort()).toEqual(idsOf(whole.pages).sort());
      expect(paged.cursors).toEqual(whole.cursors);
    }
  });
});

describe('another history', () => {
  const strangeCursors: [string, (cursor: Cursor) => Cursor][] = [
    ['an unknown tag', (cursor) => ({ ...cursor, tag: 'of another history' })],
    ['the tag of another revision', (cursor) => ({ ...cursor, revision: cursor.revision - 1 })],
    ['a revision above the head', (cursor) => ({ ...cursor, revision: cursor.revision + 5 })],
    ['a strange target', (cursor) => ({ ...cursor, revision: 0, target: cursor.revision + 3 })],
  ];

  it.each(strangeCursors)('a cursor with %s is answered with a reset and all rows (P8)', async (_, spoil) => {
    const team = await createTeam(database);
    await addTasks(team, 2);
    const { pages, cursors } = await team.viewer.pullAll();
    const cursor = cursors[team.workspace];
    if (!cursor) throw new Error('no cursor');
    const reset = await team.viewer.pull({ ...cursors, [team.workspace]: spoil(cursor) });
    expect(reset.scopes.find((scope) => scope.id === team.workspace)?.reset).toBe(true);
    expect(reset.scopes.find((scope) => scope.id === GLOBAL_SCOPE_ID)?.reset).toBeUndefined();
    const own = idsOf(pages).filter((id) => !id.includes('00000000-0000-7000-8000'));
    expect(idsOf([reset]).sort()).toEqual(own.sort());
    expect(reset.cursors[team.workspace]).toEqual(cursor);
  });

  it('an older cursor of this history is not reset (S4)', async () => {
    const team = await createTeam(database);
    const { cursors } = await team.viewer.pullAll();
    await addTasks(team, 2);
    const answer = await team.viewer.pull(cursors);
    expect(answer.scopes.some((scope) => scope.reset)).toBe(false);
  });

  it('a push with a cursor of another history writes nothing (U3)', async () => {
    const team = await createTeam(database);
    const change = team.make.update('tasks', team.task, null, { title: 'x' });
    for (const cursor of [
      { revision: team.revision, tag: 'of another history' },
      { revision: team.revision + 9, tag: 'x' },
    ]) {
      expect(await team.owner.pushRaw([change], { cursors: { [team.workspace]: cursor } })).toEqual({
        error: { code: 'history_changed' },
      });
    }
    const { pages } = await team.viewer.pullAll();
    expect(pages[0]?.rows.tasks?.title).toEqual(['Task']);
  });

  it('existing and missing scopes answer alike to a stranger (R7, U3, P19)', async () => {
    const team = await createTeam(database);
    const stranger = new SyncUser(database, team.stranger.id);
    for (const scope of [team.workspace, randomUUID()]) {
      const cursors = { [scope]: { revision: 1, tag: 'x' } };
      expect(await stranger.pushRaw([], { cursors })).toEqual({ error: { code: 'history_changed' } });
      expect(await stranger.pull(cursors)).toMatchObject({ forgotten: [scope] });
    }
  });
});
