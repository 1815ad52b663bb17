/** What observers cost: as much as they show, whatever else is written. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ConvoyDatabase, observeCount, observeRecords } from '@/lib/watermelon';
import type { LocalAdapter } from '@/lib/watermelon/database';
import type { Task } from '@/lib/watermelon/models';
import type { RecordCache } from '@/lib/watermelon/models/recordCache';
import { trackedColumns } from '@/lib/watermelon/models/tracking';
import { SqliteStore } from '@/platform/sqlite/store';
import { openLocalDatabase, temporaryFolder } from '../../support/localDatabase';

const PAGE = 1_000;
const PAGES = 8;
const SHOWN = 11;

let folder: ReturnType<typeof temporaryFolder>;
let writing: ConvoyDatabase;
beforeEach(async () => {
  folder = temporaryFolder();
  writing = await openLocalDatabase(folder.path);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await writing.close();
  folder.remove();
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Records are dropped once nobody holds them, in a turn after the last that looked at them. */
async function held(database: ConvoyDatabase): Promise<string[]> {
  for (let turn = 0; turn < 3; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collectGarbage();
  }
  const { _cache } = database.get('tasks') as unknown as { _cache: { map: RecordCache } };
  return [..._cache.map.keys()];
}

/** Counts rows of tasks that are read, by every connection. */
function countRows(): () => number {
  let rows = 0;
  const { select, rowsOf } = SqliteStore.prototype;
  vi.spyOn(SqliteStore.prototype, 'select').mockImplementation(function (this: SqliteStore, sql, args) {
    const found = select.call(this, sql, args);
    if (/from "tasks"/.test(sql)) rows += found.rows.length;
    return found;
  });
  vi.spyOn(SqliteStore.prototype, 'rowsOf').mockImplementation(function (this: SqliteStore, table, ids) {
    const found = rowsOf.call(this, table, ids);
    if (table === 'tasks') rows += found.length;
    return found;
  });
  return () => rows;
}

const idOf = (n: number) => `task-${String(n).padStart(6, '0')}`;
const shown = { milestone_id: 'shown' };

/** Writes a page as a sync does. The first tasks are those that are shown. */
async function writePage(page: number, title = 'of a page'): Promise<void> {
  const first = page * PAGE;
  const rows = Array.from({ length: PAGE }, (_, n) => [
    idOf(first + n),
    first + n < SHOWN ? 'shown' : 'other',
    title,
  ]);
  const other = trackedColumns('tasks').filter((name) => !['milestone_id', 'title'].includes(name));
  const same = { _status: 'synced', _changed: '', workspace_id: 'w', revision: 1, remote_id: 'r' };
  await writing.write(() =>
    writing.batchWithRows(
      [],
      [
        [
          'tasks',
          {
            columns: ['id', 'milestone_id', 'title'],
            rows,
            same: { ...Object.fromEntries(other.map((name) => [name, null])), ...same },
          },
        ],
      ],
    ),
  );
}

const titlesOf = (tasks: { title: string }[] | undefined) => [...new Set(tasks?.map(({ title }) => title))];

describe.each(['in the same tab or process', 'in another one'])('a list of a few tasks %s', (where) => {
  it('during a first sync reads what it shows, keeps no record of it, and follows all that becomes of it (P34)', async () => {
    const watching = where.startsWith('in the same') ? writing : await openLocalDatabase(folder.path);
    const rowsRead = countRows();
    let list: { title: string }[] | undefined;
    let count = 0;
    const subscriptions = [
      observeRecords(watching, 'tasks', shown).subscribe((tasks) => {
        list = tasks;
      }),
      observeCount(watching, 'tasks').subscribe((number) => {
        count = number;
      }),
    ];
    for (let page = 0; page < PAGES; page += 1) await writePage(page);
    await expect.poll(() => [list?.length, count]).toEqual([SHOWN, PAGE * PAGES]);
    // Again, as after a resync: now every row was there before.
    for (let page = PAGES - 1; page >= 0; page -= 1) await writePage(page, 'again');
    await expect.poll(() => titlesOf(list)).toEqual(['again']);
    // A list shows rows; an edit is what makes a record of one.
    expect(await held(watching)).toEqual([]);
    // Each page may make the list and its count be read again.
    const pages = 2 * PAGES + 4;
    expect(rowsRead()).toBeLessThan(pages * (2 * SHOWN + 2) + 2 * PAGE);
    for (const subscription of subscriptions) subscription.unsubscribe();
    if (watching !== writing) await watching.close();
  });
});

/** In a function of its own, so that nothing of it holds what it has read. */
async function countRead(database: ConvoyDatabase): Promise<number> {
  return (await database.get('tasks').query().fetch()).length;
}

it('a record stays the one of its id for as long as anyone holds it, also its observer (P34)', async () => {
  await writePage(0);
  const tasks = writing.get<Task>('tasks' as never);
  const titles: string[] = [];
  const observed = tasks.findAndObserve(idOf(0)).subscribe(({ title }) => titles.push(title));
  const kept = await tasks.find(idOf(1));
  expect(await countRead(writing)).toBe(PAGE);
  expect(await held(writing)).toEqual([idOf(0), idOf(1)]);
  await writePage(0, 'again');
  expect(await tasks.find(idOf(1))).toBe(kept);
  expect(kept.title).toBe('again');
  expect(titles).toEqual(['of a page', 'again']);
  observed.unsubscribe();
});

it('an edit of one task tells a long list of it without reading the list again (P34)', async () => {
  await writePage(0);
  const lists: { id: string; title: string }[][] = [];
  const watch = observeRecords(writing, 'tasks').subscribe((tasks) => lists.push(tasks));
  await expect.poll(() => lists.length).toBe(1);
  const rowsRead = countRows();
  const [task] = await writing
    .get<Task>('tasks' as never)
    .query()
    .fetch();
  const before = rowsRead();
  await writing.write(() =>
    (task as Task).update((edited) => {
      edited.title = 'edited';
    }),
  );
  expect(rowsRead()).toBe(before);
  expect(lists.at(-1)?.find(({ id }) => id === task?.id)?.title).toBe('edited');
  await writing.write(() => (task as Task).markAsDeleted());
  expect(lists.at(-1)).toHaveLength(PAGE - 1);
  watch.unsubscribe();
});

it('a list and a count change with the workspaces that are being purged, though no record is written (P12)', async () => {
  await writePage(0);
  let list: unknown[] | undefined;
  let count: number | undefined;
  const subscriptions = [
    observeRecords(writing, 'tasks', shown).subscribe((tasks) => {
      list = tasks;
    }),
    observeCount(writing, 'tasks').subscribe((number) => {
      count = number;
    }),
  ];
  await expect.poll(() => [list?.length, count]).toEqual([SHOWN, PAGE]);
  writing.standing.noteLeaving(new Set(['w']));
  expect(list).toEqual([]);
  await expect.poll(() => count).toBe(0);
  writing.standing.noteLeaving(new Set());
  expect(list).toHaveLength(SHOWN);
  await expect.poll(() => count).toBe(PAGE);
  for (const subscription of subscriptions) subscription.unsubscribe();
});

it('an answer of the storage that is older than an edit does not undo it in the list (P34)', async () => {
  await writePage(0);
  let list: { id: string; title: string }[] = [];
  const watch = observeRecords(writing, 'tasks', shown).subscribe((tasks) => {
    list = tasks;
  });
  await expect.poll(() => list.length).toBe(SHOWN);
  const adapter = adapterOf(writing);
  const read = adapter.readAll.bind(adapter);
  let answer: (() => void) | undefined;
  vi.spyOn(adapter, 'readAll').mockImplementationOnce(async (queries) => {
    const found = await read(queries);
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return found;
  });
  await writePage(1);
  await expect.poll(() => answer).toBeDefined();
  const [first, second] = await Promise.all(
    [0, 1].map((n) => writing.get<Task>('tasks' as never).find(idOf(n))),
  );
  await writing.write(() =>
    (first as Task).update((edited) => {
      edited.title = 'edited';
    }),
  );
  await writing.write(() => (second as Task).markAsDeleted());
  answer?.();
  await new Promise((resolve) => setTimeout(resolve));
  expect(list.map(({ id }) => id)).not.toContain(second?.id);
  expect(list.find(({ id }) => id === first?.id)?.title).toBe('edited');
  watch.unsubscribe();
});

function adapterOf(database: ConvoyDatabase): LocalAdapter {
  return (database.adapter as unknown as { underlyingAdapter: LocalAdapter }).underlyingAdapter;
}

/** Makes the next reads of tasks fail, of each kind so many. */
function failReads(database: ConvoyDatabase, times: number): void {
  const adapter = adapterOf(database);
  const readAll = adapter.readAll.bind(adapter);
  let failing = times;
  vi.spyOn(adapter, 'readAll').mockImplementation((queries) => {
    failing -= 1;
    return failing >= 0 ? Promise.reject(new Error('not now')) : readAll(queries);
  });
  const count = adapter.count.bind(adapter);
  let left = times;
  vi.spyOn(adapter, 'count').mockImplementation((query, done) => {
    left -= 1;
    if (left >= 0) done({ error: new Error('not now') });
    else count(query, done);
  });
}

it('lists and counts whose first reads fail come all the same (P34)', async () => {
  await writePage(0);
  failReads(writing, 2);
  let list: unknown[] | undefined;
  let count: number | undefined;
  const subscriptions = [
    observeRecords(writing, 'tasks', shown).subscribe((tasks) => {
      list = tasks;
    }),
    observeCount(writing, 'tasks').subscribe((number) => {
      count = number;
    }),
  ];
  await expect.poll(() => [list?.length, count], { timeout: 5_000 }).toEqual([SHOWN, PAGE]);
  for (const subscription of subscriptions) subscription.unsubscribe();
});
