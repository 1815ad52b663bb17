/** Which dependencies a statement, a push and a restore let in: against what each link by itself would do. */

import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SqlConnection } from '@/server';
import { link, restore, task } from '../../integration/database/deletions';
import { Refused } from '../../support/database';
import { database, team, teamForFile } from '../../support/teamDatabase';
import { setPushLimits } from '../../support/work';

teamForFile();

/** The first task waits for the second; both are places in a list of tasks. */
type Edge = readonly [number, number];

const TASKS = 7;
const RUNS = { numRuns: 40 };
const edges = fc.uniqueArray(
  fc.tuple(fc.nat(TASKS - 1), fc.nat(TASKS - 1)).filter(([from, to]) => from !== to),
  { maxLength: 14, selector: String },
);

/** Whether a task waits for itself by way of this edge. */
function closes([from, to]: Edge, among: readonly Edge[]): boolean {
  const reached = new Set([to]);
  for (const task of reached) {
    for (const [waiting, awaited] of among) if (waiting === task) reached.add(awaited);
  }
  return reached.has(from);
}

/** @returns those that come in when they are made one by one. */
function oneByOne(wanted: readonly Edge[]): Edge[] {
  const made: Edge[] = [];
  for (const edge of wanted) if (!closes(edge, made)) made.push(edge);
  return made;
}

let ids: string[];
beforeAll(async () => {
  // A slow machine must not leave some of a batch to the next push (U18).
  await setPushLimits(database, '1 hour');
  const tasks = Array.from({ length: TASKS }, (_, n) => task(`${n}`));
  await team.owner.push(tasks);
  ids = tasks.map(({ id }) => id);
});

const without = async (connection: SqlConnection) => {
  await connection.query("select set_config('convoy.purge', 'on', true)", []);
  await connection.query('delete from public.task_dependencies where workspace_id = $1::uuid', [
    team.workspace,
  ]);
};

const insert = (connection: SqlConnection, made: readonly Edge[], deletion: string | null = null) =>
  connection.query(
    `insert into public.task_dependencies (id, workspace_id, task_id, depends_on_task_id, deleted_at, deletion_id)
     select gen_random_uuid(), $1::uuid, (e ->> 0)::uuid, (e ->> 1)::uuid, case when $3::uuid is not null then now() end, $3::uuid
     from jsonb_array_elements($2::jsonb) e`,
    [team.workspace, JSON.stringify(made.map(([from, to]) => [ids[from], ids[to]])), deletion],
  );

const liveEdges = async (): Promise<Edge[]> => {
  const rows = await database.query<{ from: string; to: string }>(
    `select task_id::text as from, depends_on_task_id::text as to from public.task_dependencies
     where workspace_id = $1::uuid and deleted_at is null`,
    [team.workspace],
  );
  return rows.map(({ from, to }) => [ids.indexOf(from), ids.indexOf(to)] as const);
};

/** Runs `work` after `live` alone are there, and undoes all of it. @returns whether it is refused as a cycle. */
async function isCycle(live: readonly Edge[], work: (connection: SqlConnection) => Promise<unknown>) {
  try {
    await database.transaction(async (connection) => {
      await without(connection);
      await insert(connection, live);
      await work(connection);
    });
    return false;
  } catch (error) {
    if (error instanceof Refused && error.sqlState === 'SN003') return true;
    throw error;
  }
}

const isNew = (live: readonly Edge[]) => (edge: Edge) => !live.some((one) => String(one) === String(edge));

describe('a statement of many dependencies', () => {
  it('is refused where one of its rows would be, after all of them (U12)', async () => {
    await fc.assert(
      fc.asyncProperty(edges, edges, async (before, wanted) => {
        const live = oneByOne(before);
        const made = wanted.filter(isNew(live));
        const expected = made.some((edge) => closes(edge, [...live, ...made]));
        expect(await isCycle(live, (connection) => insert(connection, made))).toBe(expected);
      }),
      RUNS,
    );
  });

  it('is refused for rows that it restores, not for those that it leaves deleted or as they are (U12)', async () => {
    await fc.assert(
      fc.asyncProperty(edges, edges, async (before, wanted) => {
        const live = oneByOne(before);
        const made = wanted.filter(isNew(live));
        const back = made.filter((_, n) => n % 3 > 0);
        const expected = back.some((edge) => closes(edge, [...live, ...back]));
        const refused = await isCycle(live, async (connection) => {
          await insert(connection, made, randomUUID());
          await connection.query(
            `update public.task_dependencies set deleted_at = case when array[task_id, depends_on_task_id]::text = any (
               select format('{%s,%s}', e ->> 0, e ->> 1) from jsonb_array_elements($2::jsonb) e) or deleted_at is null
               then null else deleted_at end
             where workspace_id = $1::uuid`,
            [team.workspace, JSON.stringify(back.map(([from, to]) => [ids[from], ids[to]]))],
          );
        });
        expect(refused).toBe(expected);
      }),
      RUNS,
    );
  });
});

describe('a push of many dependencies', () => {
  it('refuses those alone that close a circle with the ones it takes (U4, U12)', async () => {
    await fc.assert(
      fc.asyncProperty(edges, async (wanted) => {
        await database.transaction(without);
        const links = wanted.map(([from, to]) => link(ids[from] ?? '', ids[to] ?? ''));
        const { outcomes } = await team.owner.push(links);
        const taken = wanted.filter((_, n) => outcomes[n]?.outcome === 'applied');
        expect((await liveEdges()).map(String).sort()).toEqual(taken.map(String).sort());
        for (const edge of taken) expect(closes(edge, taken)).toBe(false);
        for (const [n, edge] of wanted.entries()) {
          if (outcomes[n]?.outcome === 'applied') continue;
          expect(outcomes[n]).toMatchObject({
            outcome: 'rejected',
            code: 'cycle',
            column: 'depends_on_task_id',
          });
          expect(closes(edge, taken)).toBe(true);
        }
      }),
      RUNS,
    );
  });
});

describe('a restore of many dependencies', () => {
  it('leaves those alone that are there anew or would close a circle with the ones that come back (U27)', async () => {
    await fc.assert(
      fc.asyncProperty(edges, edges, async (before, wanted) => {
        const live = oneByOne(before);
        const deletion = randomUUID();
        const one = task('its deletion takes them along');
        await team.owner.push([one]);
        await team.owner.push([
          team.make.delete('tasks', one.id, null, { values: { deletion_id: deletion } }),
        ]);
        await database.transaction(async (connection) => {
          await without(connection);
          await insert(connection, live);
          await insert(connection, [...wanted, ...wanted.slice(0, 2)], deletion);
        });
        expect(await restore(deletion)).toMatchObject({ outcome: 'applied' });
        const after = await liveEdges();
        expect(oneByOne(after)).toEqual(after);
        const names = after.map(String);
        expect(new Set(names).size).toBe(names.length);
        for (const edge of live) expect(names).toContain(String(edge));
        for (const edge of wanted) expect(names.includes(String(edge)) || closes(edge, after)).toBe(true);
        for (const edge of after) {
          expect([...live, ...wanted].map(String)).toContain(String(edge));
        }
      }),
      RUNS,
    );
  });
});
