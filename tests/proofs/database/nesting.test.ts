/** Subtasks of subtasks, a thousand deep: what follows from a change comes at any depth. */

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PushChange } from '@/core/protocol';
import { openDatabase, refusalOf, type TestDatabase } from '../../support/database';
import { createTeam, type Team } from '../../support/syncUser';

const DEPTH = 1000;
const BATCH = 100;

let database: TestDatabase;
let team: Team;
let chain: PushChange[];
let root: string;
let revision: number;
beforeAll(async () => {
  database = await openDatabase();
  team = await createTeam(database);
  chain = [];
  for (let n = 0; n < DEPTH; n += 1) {
    const parent_task_id = chain.at(-1)?.id ?? null;
    chain.push(team.make.insert('tasks', { title: `${n}`, milestone_id: team.milestone, parent_task_id }));
  }
  root = chain[0]?.id ?? '';
  for (let n = 0; n < DEPTH; n += BATCH) {
    const { outcomes, revisions } = await team.owner.push(chain.slice(n, n + BATCH));
    expect(outcomes.filter(({ outcome }) => outcome !== 'applied')).toEqual([]);
    revision = revisions[team.workspace]?.revision ?? 0;
  }
});
afterAll(() => database.close());

const APPLIED = expect.objectContaining({ outcome: 'applied' });

/** How many of the chain are as the condition says, and how many revisions and deletions they have among them. */
async function those(condition: string) {
  const [row] = await database.query(
    `select count(*)::int as count, count(distinct revision)::int as revisions,
       count(distinct deletion_id)::int as deletions
     from public.tasks where id <> '${team.task}' and workspace_id = '${team.workspace}' and ${condition}`,
  );
  return row;
}

describe('a thousand nested subtasks', () => {
  it('are deleted with the first, under one deletion, and restored with it (U8, U23, U24)', async () => {
    // News of others, so that what goes is looked through for them.
    await team.editor.push([team.make.update('projects', team.project, null, { name: 'renamed' })]);
    const deletion_id = randomUUID();
    const deleted = await team.owner.push([
      team.make.delete('tasks', root, revision, { values: { deletion_id } }),
    ]);
    expect(deleted.outcomes).toEqual([APPLIED]);
    expect(deleted.effects.deleted.tasks).toHaveLength(DEPTH - 1);
    const gone = { count: DEPTH, revisions: 1, deletions: 1 };
    expect(await those(`deletion_id = '${deletion_id}'`)).toEqual(gone);
    const [record] = await database.query(
      'select entity_id::text as entity, parts::int as parts from public.deletions where id = $1::uuid',
      [deletion_id],
    );
    expect(record).toEqual({ entity: root, parts: DEPTH });

    const restored_at = '2026-01-05T10:00:00.000Z';
    const wish = team.make.update('deletions', deletion_id, null, { restored_at });
    expect(await team.owner.pushOne(wish)).toEqual(APPLIED);
    expect(await those('deleted_at is null')).toEqual({ count: DEPTH, revisions: 1, deletions: 0 });
  });

  it('follow the first to another milestone, and the mover is told (U29, S6)', async () => {
    const elsewhere = team.make.insert('milestones', { name: 'elsewhere', project_id: team.project });
    await team.owner.push([elsewhere]);
    const moved = await team.owner.push([
      team.make.update('tasks', root, null, { milestone_id: elsewhere.id }),
    ]);
    expect(moved.outcomes).toEqual([APPLIED]);
    expect(moved.effects.rows.tasks?.id).toHaveLength(DEPTH);
    const there = `milestone_id = '${elsewhere.id}' and (parent_task_id is null) = (id = '${root}')`;
    expect(await those(there)).toMatchObject({ count: DEPTH, revisions: 1 });
    const stamped = `(field_revisions -> 'milestone_id' ->> 0)::bigint = revision`;
    expect(await those(stamped)).toMatchObject({ count: DEPTH });
  });

  it('form no circle, and cannot be closed to one (U12)', async () => {
    const last = chain.at(-1)?.id ?? '';
    const circle = team.make.update('tasks', root, null, { parent_task_id: last });
    const apart = team.make.update('tasks', team.task, null, { parent_task_id: last });
    expect((await team.owner.push([circle, apart])).outcomes).toMatchObject([
      { outcome: 'rejected', code: 'cycle', column: 'parent_task_id' },
      { outcome: 'applied' },
    ]);
    const twins = chain.slice(1, 3).map(({ id }) => id) as [string, string];
    const crossed = database.query(
      `update public.tasks set parent_task_id = case id when $1::uuid then $2::uuid else $1::uuid end
       where id in ($1::uuid, $2::uuid)`,
      twins,
    );
    expect(await refusalOf(crossed)).toBe('SN003');
  });
});

describe('a thousand tasks that depend on each other in a chain', () => {
  it('are linked in one push, and cannot be closed to a circle (U12)', async () => {
    const apart = chain.map(() =>
      team.make.insert('tasks', { title: 'apart', milestone_id: team.milestone }),
    );
    await team.owner.push(apart);
    const tasks = apart.map(({ id }) => id);
    const link = (task_id: string, depends_on_task_id: string) =>
      team.make.insert('task_dependencies', { task_id, depends_on_task_id });
    const links = tasks.slice(1).map((id, n) => link(tasks[n] ?? '', id));
    const { outcomes } = await team.owner.push(links);
    expect(outcomes.filter(({ outcome }) => outcome !== 'applied')).toEqual([]);
    const circle = link(tasks.at(-1) ?? '', tasks[0] ?? '');
    expect(await team.owner.pushOne(circle)).toMatchObject({ outcome: 'rejected', code: 'cycle' });
  });
});

describe('a statement that nests too deep', () => {
  it('is refused, and the database goes on', async () => {
    await database.query(
      `create function public.deeper(n integer) returns integer language plpgsql as
       'begin return case when n = 0 then 0 else public.deeper(n - 1) end; end'`,
    );
    expect(await refusalOf(database.query('select public.deeper(100000)'))).toBe('54001');
    expect(await team.viewer.pullAll()).toMatchObject({ pages: expect.any(Array) });
    const task = team.make.insert('tasks', { title: 'after', milestone_id: team.milestone });
    expect(await team.owner.pushOne(task)).toEqual(APPLIED);
  });
});
