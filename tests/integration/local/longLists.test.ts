/** Long lists of tasks: what stands first is told before the rest, and the rest is read in slices. */

import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ConvoyDatabase } from '@/lib/watermelon';
import { observeTaskLines, readFirstLines } from '@/lib/watermelon/lists';
import { trackedColumns } from '@/lib/watermelon/models/tracking';
import { firstRows, type ListFacts, listRows } from '@/web/tasks/list/rows';
import { firstBy, type Grouping, PLAIN_VIEW } from '@/web/tasks/list/view';
import { openLocalDatabase, temporaryFolder } from '../../support/localDatabase';

let folder: ReturnType<typeof temporaryFolder>;
let database: ConvoyDatabase;
beforeAll(async () => {
  folder = temporaryFolder();
  database = await openLocalDatabase(folder.path);
});
afterAll(async () => {
  await database.close();
  folder.remove();
});

interface Row {
  id: string;
  milestone: string;
  stage: string;
  assignee: string | null;
  place: number;
  parent: string | null;
  isDeleted: boolean;
}

/** Writes rows as a sync does, in place of those of before. */
async function writeRows(rows: readonly Row[]): Promise<void> {
  const written = [
    'id',
    'milestone_id',
    'current_stage',
    'assignee_id',
    'sort_order',
    'parent_task_id',
    '_status',
  ];
  const others = trackedColumns('tasks').filter((name) => !written.includes(name) && name !== 'title');
  const same = {
    ...Object.fromEntries(others.map((name) => [name, null])),
    ...{ _changed: '', workspace_id: 'w', revision: 1, remote_id: 'r', title: 'T', status: 'todo' },
  };
  await database.write(() =>
    database.batchWithRows(
      [],
      [
        [
          'tasks',
          {
            columns: written,
            rows: rows.map((row) => [
              row.id,
              row.milestone,
              row.stage,
              row.assignee,
              row.place,
              row.parent,
              row.isDeleted ? 'deleted' : 'synced',
            ]),
            same,
          },
        ],
      ],
    ),
  );
}

const facts: ListFacts = {
  userId: 'me',
  milestones: new Map(),
  stages: ['PLAN', 'IMPLEMENT', 'COMMIT'],
  nameOf: (_, id) => id,
};

/** The list, once it is whole. */
function whole(where: { milestone_id: string | string[] }) {
  return new Promise<Parameters<typeof listRows>[0][number][]>((resolve, reject) => {
    const subscription = observeTaskLines(database, where).subscribe({
      next: (tasks) => {
        resolve(tasks);
        queueMicrotask(() => subscription.unsubscribe());
      },
      error: reject,
    });
  });
}

const shapeOf = (rows: ReturnType<typeof listRows>) =>
  rows.map((row) => (row.kind === 'group' ? `${row.group} ${row.size}` : `${row.depth} ${row.task.id}`));

let runs = 0;
const someRows = fc
  .array(
    fc.record({
      milestone: fc.constantFrom('m1', 'm1', 'm1', 'm2'),
      stage: fc.constantFrom('PLAN', 'PLAN', 'PLAN', 'IMPLEMENT', 'COMMIT'),
      assignee: fc.constantFrom(null, null, 'me', 'zoe'),
      place: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.double({ min: -5, max: 500, noNaN: true })),
      parent: fc.option(fc.nat(300), { freq: 4 }),
      isDeleted: fc.boolean(),
    }),
    { minLength: 1, maxLength: 300, size: 'max' },
  )
  .map((all) => {
    runs += 1;
    const idOf = (n: number) => `${runs}-${String(n).padStart(3, '0')}`;
    return all.map(
      (row, n): Row => ({
        ...row,
        id: idOf(n),
        milestone: `${runs}-${row.milestone}`,
        parent: row.parent === null || row.parent >= all.length ? null : idOf(row.parent),
        isDeleted: row.isDeleted && n % 3 === 0,
      }),
    );
  });

it.each(['none', 'stage', 'assignee', 'milestone'] as const)(
  'what is told first of a list with groups by %s stands where it does in the whole list',
  async (group: Grouping) => {
    const view = { ...PLAIN_VIEW, group };
    const column = firstBy(view);
    let [told, cut] = [0, 0];
    await fc.assert(
      fc.asyncProperty(someRows, fc.boolean(), async (rows, isOfBoth) => {
        await writeRows(rows);
        const [run] = rows[0]?.id.split('-') ?? [];
        const where = { milestone_id: isOfBoth ? [`${run}-m1`, `${run}-m2`] : `${run}-m1` };
        const first = await readFirstLines(database, where, column ?? null);
        const all = await whole(where);
        if (first === null) return;
        expect(first.total).toBe(all.length);
        const expected = shapeOf(listRows(all, view, facts));
        const shown = shapeOf(firstRows(listRows(first.tasks, view, facts), first));
        expect(shown).toEqual(expected.slice(0, shown.length));
        expect(shown.length).toBeGreaterThan(0);
        told += 1;
        if (shown.length < expected.length) cut += 1;
      }),
      { numRuns: 60 },
    );
    // Most lists are told of, and some are longer than what is told first.
    expect(told).toBeGreaterThan(30);
    expect(cut).toBeGreaterThan(5);
  },
);

it('a list of thousands is read in slices, and follows what is written between them (P34)', async () => {
  const row = (n: number, values: Partial<Row> = {}): Row => ({
    ...{ id: `long-${n}`, milestone: 'long', stage: 'PLAN', assignee: null, place: n, parent: null },
    isDeleted: false,
    ...values,
  });
  await writeRows(Array.from({ length: 3_500 }, (_, n) => row(n)));
  const read = database.readAll.bind(database);
  const sizes: number[] = [];
  database.readAll = async (queries) => {
    const found = await read(queries);
    if (/"rowid" in/.test(queries[0]?.sql ?? '')) {
      sizes.push(found[0]?.length ?? 0);
      if (sizes.length === 2) {
        await database.write(async () => {
          const tasks = database.records('tasks');
          const moved = await tasks.find('long-3400');
          const gone = await tasks.find('long-5');
          const renamed = await tasks.find('long-3000');
          await database.batch([
            moved.prepareUpdate((task) => task.setColumn('milestone_id', 'another')),
            gone.prepareMarkAsDeleted(),
            renamed.prepareUpdate((task) => task.setColumn('title', 'renamed between slices')),
          ]);
        });
        // Of these no record is told: the list is read once more.
        await writeRows([row(3_500), row(7, { milestone: 'another' })]);
      }
    }
    return found;
  };
  const told: string[][] = [];
  const subscription = observeTaskLines(database, { milestone_id: 'long' }).subscribe((tasks) => {
    told.push(tasks.map(({ id, title }) => (title === 'T' ? id : `${id} ${title}`)).sort());
  });
  const expected = Array.from({ length: 3_501 }, (_, n) => n)
    .filter((n) => ![5, 7, 3_400].includes(n))
    .map((n) => (n === 3_000 ? 'long-3000 renamed between slices' : `long-${n}`))
    .sort();
  await expect.poll(() => told.at(-1)).toEqual(expected);
  expect(Math.max(...sizes)).toBe(400);
  subscription.unsubscribe();
  database.readAll = read;
});
