/** Circles through subtasks and dependencies: what SQL refuses, beside a search of its own over all that was written. */

import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { Random } from '../../simulation/random';
import { database, team, teamForEachTest } from '../../support/teamDatabase';

teamForEachTest();

interface Written {
  parents: Map<string, string>;
  dependencies: [task: string, needs: string][];
}

/** @returns whether some task waits for itself: as events, a task begins and is finished. */
function hasCircle({ parents, dependencies }: Written, tasks: readonly string[]): boolean {
  const before = new Map<string, string[]>();
  const add = (event: string, other: string) => before.set(event, [...(before.get(event) ?? []), other]);
  for (const task of tasks) add(`end ${task}`, `start ${task}`);
  for (const [child, parent] of parents) {
    add(`start ${child}`, `start ${parent}`);
    add(`end ${parent}`, `end ${child}`);
  }
  for (const [task, needs] of dependencies) add(`start ${task}`, `end ${needs}`);
  const state = new Map<string, 'open' | 'done'>();
  const visit = (event: string): boolean => {
    if (state.has(event)) return state.get(event) === 'open';
    state.set(event, 'open');
    const found = (before.get(event) ?? []).some(visit);
    state.set(event, 'done');
    return found;
  };
  return [...before.keys()].some(visit);
}

it.each([1, 2, 3, 4])(
  'random links and moves are refused where they close one, seed %i (N5)',
  async (seed) => {
    const random = new Random(seed);
    const inserts = Array.from({ length: 9 }, () =>
      team.make.insert('tasks', { title: 'x', milestone_id: team.milestone }),
    );
    await team.owner.push(inserts);
    const tasks = inserts.map(({ id }) => id);
    let written: Written = { parents: new Map(), dependencies: [] };
    let refused = 0;
    for (let n = 0; n < 60; n += 1) {
      const [one, other] = [random.pick(tasks), random.pick(tasks)];
      if (one === other) continue;
      const isMove = random.chance(0.5);
      const next: Written = {
        parents: new Map(written.parents),
        dependencies: [...written.dependencies],
      };
      if (isMove) next.parents.set(one, other);
      else if (written.dependencies.some(([task, needs]) => task === one && needs === other)) continue;
      else next.dependencies.push([one, other]);
      const outcome = await team.owner.pushOne(
        isMove
          ? team.make.update('tasks', one, null, { parent_task_id: other })
          : team.make.insert('task_dependencies', { task_id: one, depends_on_task_id: other }),
      );
      const closes = hasCircle(next, tasks);
      expect(outcome, JSON.stringify({ isMove, one, other })).toMatchObject(
        closes ? { outcome: 'rejected', code: 'cycle' } : { outcome: 'applied' },
      );
      if (closes) refused += 1;
      else written = next;
    }
    expect(refused).toBeGreaterThan(3);
  },
);

it('of a push that closes one by a link and a move together, one is refused (N5)', async () => {
  const [a, b, c] = Array.from({ length: 3 }, () =>
    team.make.insert('tasks', { title: 'x', milestone_id: team.milestone }),
  ) as [Change, Change, Change];
  await team.owner.push([a, b, c]);
  const { outcomes } = await team.owner.push([
    team.make.insert('task_dependencies', { task_id: a.id, depends_on_task_id: b.id }),
    team.make.update('tasks', c.id, null, { parent_task_id: b.id }),
    team.make.insert('task_dependencies', { task_id: c.id, depends_on_task_id: a.id }),
  ]);
  expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['applied', 'applied', 'rejected']);
});
type Change = ReturnType<typeof team.make.insert>;

it('a restore leaves out the dependency that would close one by now (N5, U27)', async () => {
  const [a, b] = Array.from({ length: 2 }, () =>
    team.make.insert('tasks', { title: 'x', milestone_id: team.milestone }),
  ) as [Change, Change];
  const link = team.make.insert('task_dependencies', { task_id: a.id, depends_on_task_id: b.id });
  await team.owner.push([a, b, link]);
  const deletion = randomUUID();
  await team.owner.push([team.make.delete('tasks', b.id, null, { values: { deletion_id: deletion } })]);
  // While it is away, the task is put under what waited for it.
  await database.query('update public.tasks set parent_task_id = $1 where id = $2', [a.id, b.id]);
  const restore = team.make.update('deletions', deletion, null, { restored_at: '2026-01-01T00:00:00Z' });
  expect(await team.owner.pushOne(restore)).toMatchObject({ outcome: 'applied' });
  const [row] = await database.query<{ is_gone: boolean }>(
    'select deleted_at is not null as is_gone from public.task_dependencies where id = $1',
    [link.id],
  );
  expect(row?.is_gone).toBe(true);
});

it('tasks on a circle of old data are edited, moved and linked as others are (N5)', async () => {
  const [above, below, other] = Array.from({ length: 3 }, () =>
    team.make.insert('tasks', { title: 'x', milestone_id: team.milestone }),
  ) as [Change, Change, Change];
  await team.owner.push([above, below, other]);
  await team.owner.push([team.make.update('tasks', below.id, null, { parent_task_id: above.id })]);
  await database.query('alter table public.task_dependencies disable trigger c_dependency_cycle_of_new');
  await database.query(
    'insert into public.task_dependencies (id, workspace_id, task_id, depends_on_task_id) values ($1, $2, $3, $4)',
    [randomUUID(), team.workspace, below.id, above.id],
  );
  await database.query('alter table public.task_dependencies enable trigger c_dependency_cycle_of_new');
  const edits: Record<string, string>[] = [
    { title: 'edited' },
    { status: 'in_progress' },
    { current_stage: 'IMPLEMENT' },
  ];
  for (const values of edits) {
    for (const { id } of [above, below]) {
      expect(await team.owner.pushOne(team.make.update('tasks', id, null, values))).toMatchObject({
        outcome: 'applied',
      });
    }
  }
  const link = team.make.insert('task_dependencies', { task_id: other.id, depends_on_task_id: above.id });
  expect(await team.owner.pushOne(link)).toMatchObject({ outcome: 'applied' });
  const away = team.make.update('tasks', below.id, null, { parent_task_id: null });
  expect(await team.owner.pushOne(away)).toMatchObject({ outcome: 'applied' });
});
