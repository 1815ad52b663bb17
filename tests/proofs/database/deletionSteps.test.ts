/** Deletions and restores of more records than one step writes (U44). */

import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { PushChange } from '@/core/protocol';
import type { SyncedTable } from '@/domain/schema';
import {
  APPLIED,
  deletions,
  isLive,
  link,
  remove,
  restore,
  task,
  wish,
} from '../../integration/database/deletions';
import { createUser, type SyncUser } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';
import { setStepRecords } from '../../support/work';

teamForEachTest();

const STEP = 5;
const TASKS = 12;
let milestone: PushChange;
let tasks: PushChange[];
let links: PushChange[];

const under = () => ({ milestone_id: milestone.id });

beforeEach(async () => {
  await setStepRecords(database, STEP);
  milestone = team.make.insert('milestones', { name: 'large', project_id: team.project });
  tasks = Array.from({ length: TASKS }, (_, n) => task(`large ${n}`, under()));
  links = tasks.slice(1).map(({ id }, n) => link(tasks[n]?.id ?? '', id));
  await team.owner.push([milestone, ...tasks, ...links]);
});

async function takeAll(who: SyncUser = team.owner): Promise<number> {
  let steps = 1;
  while (await who.step()) steps += 1;
  return steps;
}

/** How many live records a member reads over the table API. */
async function seen(table: SyncedTable, who: SyncUser = team.viewer): Promise<number> {
  const [row] = await database.as(who.id, (connection) =>
    connection.query<{ n: number }>(
      `select count(*)::integer as n from public.${table} where workspace_id = $1::uuid`,
      [team.workspace],
    ),
  );
  return row?.n ?? Number.NaN;
}

async function liveRows(table: SyncedTable): Promise<number> {
  const [row] = await database.query<{ n: number }>(
    `select count(*)::integer as n from public.${table} where workspace_id = $1::uuid and deleted_at is null`,
    [team.workspace],
  );
  return row?.n ?? Number.NaN;
}

async function revisions(): Promise<{ revision: number; author: string | null; rows: number }[]> {
  return database.query(
    `select r.revision::integer as revision, r.author::text as author, (
         (select count(*) from public.tasks t where t.workspace_id = r.scope_id and t.revision = r.revision)
         + (select count(*) from public.task_dependencies t where t.workspace_id = r.scope_id and t.revision = r.revision)
       )::integer as rows
     from convoy.scope_revisions r where r.scope_id = $1::uuid order by r.revision`,
    [team.workspace],
  );
}

describe('a deletion of many records', () => {
  it('deletes its record at once, and what stands under it is shown to nobody from then on (U44)', async () => {
    const before = { tasks: await seen('tasks'), links: await seen('task_dependencies') };
    await remove('milestones', milestone.id);
    expect(await isLive('milestones', milestone.id)).toBe(false);
    expect(await liveRows('tasks')).toBeGreaterThan(TASKS);
    expect(await seen('tasks')).toBe(before.tasks - TASKS);
    expect(await seen('task_dependencies')).toBe(before.links - links.length);
  });

  it('goes on in steps of so many rows, each a revision of its own that names who deleted (U44)', async () => {
    await remove('milestones', milestone.id, team.editor);
    const [last] = (await revisions()).slice(-1);
    // Anybody of the workspace takes them.
    const steps = await takeAll(team.viewer);
    expect(steps).toBeGreaterThanOrEqual((TASKS + links.length) / STEP);
    const made = (await revisions()).filter(({ revision }) => revision > (last?.revision ?? 0));
    expect(made.length).toBeGreaterThan(1);
    for (const { rows, author } of made) {
      expect(rows).toBeLessThanOrEqual(STEP);
      expect(author).toBe(team.editor.id);
    }
    expect(await liveRows('tasks')).toBe(await seen('tasks'));
    const [record] = await deletions();
    expect(record).toMatchObject({ entity: milestone.id, parts: TASKS + 1 });
  });

  it('is told of in the answer and in pulls until it is over (U44)', async () => {
    const deletion = team.make.delete('milestones', milestone.id, null);
    const { unfinished, effects } = await team.owner.push([deletion]);
    expect(unfinished).toHaveLength(1);
    expect(effects.deleted.tasks).toBeUndefined();
    const unsettled = async () =>
      (await team.viewer.pull()).scopes.find(({ id }) => id === team.workspace)?.unsettled;
    expect(await unsettled()).toBe(true);
    await takeAll();
    expect(await unsettled()).toBeUndefined();
    const quiet = await team.owner.push([task('afterwards')]);
    expect(quiet.unfinished).toBeUndefined();
  });

  it('makes what stands under it gone for everybody who writes it (U7, U44)', async () => {
    await remove('milestones', milestone.id);
    const [first, second] = tasks;
    const id = first?.id ?? '';
    const { outcomes } = await team.editor.push([
      team.make.update('tasks', id, null, { title: 'late' }),
      task('new', under()),
      task('subtask', { parent_task_id: id }),
      team.make.insert('activity_feed', { task_id: id, activity_type: 'comment', details: {} }),
      link(team.task, second?.id ?? ''),
      team.make.update('tasks', team.task, null, under()),
      team.make.delete('tasks', second?.id ?? '', null),
    ]);
    const parent = { outcome: 'gone', which: 'parent' };
    expect(outcomes).toEqual([
      { outcome: 'gone', which: 'record' },
      parent,
      parent,
      parent,
      parent,
      parent,
      expect.objectContaining({ outcome: 'applied' }),
    ]);
    await takeAll();
    expect(await isLive('tasks', id)).toBe(false);
  });

  it('leaves rows that others moved elsewhere by SQL where they are (U44)', async () => {
    await remove('milestones', milestone.id);
    await team.owner.step();
    const moved = (
      await database.query<{ id: string }>(
        `update public.tasks set milestone_id = $1::uuid where id = (
           select id from public.tasks where milestone_id = $2::uuid and deleted_at is null limit 1)
         returning id::text as id`,
        [team.milestone, milestone.id],
      )
    )[0]?.id;
    await takeAll();
    expect(await isLive('tasks', moved ?? '')).toBe(true);
  });

  it('of a workspace takes its rows, and not those of others (U44)', async () => {
    const stranger = await createUser(database);
    await remove('workspaces', team.workspace);
    expect(await seen('tasks')).toBe(0);
    expect(await stranger.step()).toBe(false);
    await takeAll();
    expect(await liveRows('tasks')).toBe(0);
    expect(await liveRows('projects')).toBe(0);
    expect(await liveRows('workspace_members')).toBeGreaterThan(0);
  });

  it('of a chain of subtasks goes to the bottom (U44)', async () => {
    const chain: PushChange[] = [];
    for (let n = 0; n < 3 * STEP; n += 1) {
      chain.push(task(`${n}`, { parent_task_id: chain.at(-1)?.id ?? null }));
    }
    await team.owner.push(chain);
    await remove('tasks', chain[0]?.id ?? '');
    await takeAll();
    for (const { id } of chain) expect(await isLive('tasks', id)).toBe(false);
  });

  it('of small size waits behind a large one, and takes only what that one has left (U23, U44)', async () => {
    const [first] = tasks;
    await remove('milestones', milestone.id);
    const project = await remove('projects', team.project);
    await takeAll();
    expect(await liveRows('tasks')).toBe(0);
    await restore(project);
    await takeAll();
    expect(await isLive('milestones', milestone.id)).toBe(false);
    expect(await isLive('tasks', first?.id ?? '')).toBe(false);
    expect(await isLive('tasks', team.task)).toBe(true);
  });
});

describe('a restore of many records', () => {
  let deletion: string;
  beforeEach(async () => {
    deletion = await remove('milestones', milestone.id);
    await takeAll();
  });

  it('brings its record back last, with everything, in steps (U24, U44)', async () => {
    const before = await seen('tasks');
    expect(await restore(deletion, team.editor)).toMatchObject({ outcome: 'applied' });
    const [last] = (await revisions()).slice(-1);
    while (await team.owner.step()) {
      if (await isLive('milestones', milestone.id)) throw new Error('Its record is back before the end.');
      expect(await seen('tasks')).toBe(before);
    }
    expect(await isLive('milestones', milestone.id)).toBe(true);
    expect(await seen('tasks')).toBe(before + TASKS);
    for (const { id } of links) expect(await isLive('task_dependencies', id)).toBe(true);
    const made = (await revisions()).filter(({ revision }) => revision > (last?.revision ?? 0));
    for (const { rows, author } of made) {
      expect(rows).toBeLessThanOrEqual(STEP);
      expect(author).toBe(team.editor.id);
    }
  });

  it('leaves changes to what comes back for a later push (U44)', async () => {
    await restore(deletion);
    await team.owner.step();
    const [row] = await database.query<{ id: string }>(
      `select id::text as id from public.tasks where milestone_id = $1::uuid and deleted_at is null limit 1`,
      [milestone.id],
    );
    const id = row?.id ?? '';
    const edit = team.make.update('tasks', id, null, { title: 'early' });
    expect(await team.owner.pushOne(edit)).toEqual({ outcome: 'blocked', by: id });
    await takeAll();
    expect(await team.owner.pushOne(edit)).toMatchObject({ outcome: 'applied' });
  });

  it('leaves a dependency deleted that would close a cycle by then (U27, U44)', async () => {
    await restore(deletion);
    await takeAll();
    const [x, y, inside] = [task('x'), task('y'), task('inside', under())];
    await team.owner.push([x, y, inside, link(x.id, inside.id), link(inside.id, y.id)]);
    const again = await remove('milestones', milestone.id);
    await takeAll();
    await team.owner.push([link(y.id, x.id)]);
    await restore(again);
    await takeAll();
    const [{ n } = { n: 0 }] = await database.query<{ n: number }>(
      `select count(*)::integer as n from public.task_dependencies
        where deleted_at is null and (task_id = $1::uuid or depends_on_task_id = $1::uuid)`,
      [inside.id],
    );
    expect(n).toBe(1);
  });

  it('that is wished for before the deletion is over follows it, and misses nothing (U24, U44)', async () => {
    await restore(deletion);
    await takeAll();
    const again = await remove('milestones', milestone.id);
    await team.owner.step();
    const { cursors } = await team.viewer.pullAll();
    expect(await restore(again)).toMatchObject({ outcome: 'applied' });
    await takeAll();
    expect(await isLive('milestones', milestone.id)).toBe(true);
    for (const { id } of [...tasks, ...links]) {
      expect((await isLive('tasks', id)) || (await isLive('task_dependencies', id))).toBe(true);
    }
    // All of them are news, also to a device that removed them itself when it was told they are gone.
    const { pages } = await team.viewer.pullAll(cursors);
    const told = new Set(pages.flatMap(({ rows }) => rows.tasks?.id ?? []));
    for (const { id } of tasks) expect(told).toContain(id);
  });

  it('of what stands under a record that others delete meanwhile becomes part of that deletion (U25, U44)', async () => {
    await restore(deletion);
    await team.owner.step();
    const above = await remove('projects', team.project);
    await takeAll();
    expect(await liveRows('tasks')).toBe(0);
    expect(await isLive('milestones', milestone.id)).toBe(false);
    await restore(above);
    await takeAll();
    expect(await isLive('milestones', milestone.id)).toBe(true);
    for (const { id } of tasks) expect(await isLive('tasks', id)).toBe(true);
  });

  it('brings back what stands under it by a deletion of its own, in any order (U25, U44)', async () => {
    await restore(deletion);
    await takeAll();
    const below = await remove('milestones', milestone.id);
    const above = await remove('projects', team.project);
    await takeAll();
    // Both at once, and one while the other is under way.
    const both = await team.owner.push([wish(below), wish(above)]);
    expect(both.outcomes).toEqual([APPLIED, APPLIED]);
    await takeAll();
    expect(await seen('tasks')).toBe(TASKS + 1);
    const again = [await remove('milestones', milestone.id), await remove('projects', team.project)];
    await takeAll();
    expect(await restore(again[1] ?? '')).toEqual(APPLIED);
    expect(await restore(again[0] ?? '')).toEqual(APPLIED);
    await takeAll();
    expect(await seen('tasks')).toBe(TASKS + 1);
  });

  it('is spared by a purge, which takes its steps where nobody else does (P15, U44)', async () => {
    await team.owner.push([team.make.update('projects', team.project, null, { name: 'later' })]);
    await database.query("update convoy.scope_revisions set created_at = created_at - interval '1 year'");
    await restore(deletion);
    for (let call = 0; call < 100; call += 1) {
      const [row] = await database.query<{ left: string }>('select convoy.purge() as left');
      if (Number(row?.left) === 0) break;
    }
    expect(await isLive('milestones', milestone.id)).toBe(true);
    for (const { id } of tasks) expect(await isLive('tasks', id)).toBe(true);
  });

  it('by an operator is done in one call (U24, U44)', async () => {
    const [row] = await database.query<{ n: string }>('select convoy.restore_deletion($1::uuid) as n', [
      deletion,
    ]);
    expect(Number(row?.n)).toBe(1 + TASKS + links.length);
    expect(await isLive('milestones', milestone.id)).toBe(true);
  });
});

describe('clients that know no steps', () => {
  it('delete and restore at once, whatever the size (U19, U44)', async () => {
    const old = { protocol: 4 };
    const deletion_id = randomUUID();
    const deleted = team.make.delete('milestones', milestone.id, null, { values: { deletion_id } });
    const { effects } = await team.owner.push([deleted], old);
    expect(effects.deleted.tasks).toHaveLength(TASKS);
    await team.owner.push([wish(deletion_id)], old);
    expect(await seen('tasks')).toBe(TASKS + 1);
    expect(await team.owner.step()).toBe(false);
  });
});

it('what is told of a deletion that came to nothing is not taken (U30, U44)', async () => {
  await remove('milestones', milestone.id);
  const [{ id } = { id: '' }] = tasks;
  const told = team.make.insert('activity_feed', {
    activity_type: 'task_deleted',
    entity_type: 'tasks',
    entity_id: id,
    details: { title: 'large 0' },
  });
  const { outcomes } = await team.editor.push([
    { ...team.make.delete('tasks', id, null), group: 1 },
    { ...told, group: 1 },
  ]);
  expect(outcomes[0]).toEqual(APPLIED);
  expect((await team.viewer.pull()).rows.activity_feed?.id ?? []).not.toContain(told.id);
});

it('a workspace that is being restored keeps its last owner who is a person (R2, U44)', async () => {
  const deletion = await remove('workspaces', team.workspace);
  await takeAll();
  await restore(deletion);
  const [{ id } = { id: '' }] = await database.query<{ id: string }>(
    `select id::text as id from public.workspace_members where workspace_id = $1::uuid and user_id = $2::uuid`,
    [team.workspace, team.owner.id],
  );
  expect(await team.owner.pushOne(team.make.delete('workspace_members', id, null))).toMatchObject({
    outcome: 'rejected',
    code: 'last_owner',
  });
  await takeAll();
  expect(await seen('tasks', team.owner)).toBe(TASKS + 1);
});

it('a workspace that lost its owners is not restored, however large it is (R2, U44)', async () => {
  const deletion = await remove('workspaces', team.workspace);
  await takeAll();
  await database.query(
    `update public.workspace_members set deleted_at = now() where workspace_id = $1::uuid and role = 'owner'`,
    [team.workspace],
  );
  expect(await restore(deletion, team.editor)).toMatchObject({ outcome: 'rejected' });
});
