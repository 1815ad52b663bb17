import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConvoyError } from '@/core/errors';
import { observeCount } from '@/lib/watermelon';
import type { Task } from '@/lib/watermelon/models';
import type { SqliteStore } from '@/platform/sqlite/store';
import { temporaryFolder } from '../../support/localDatabase';
import { createTitled, editTask, type LineTab, passed, TabLine } from '../../support/tabLine';

let folder: ReturnType<typeof temporaryFolder>;
let line: TabLine;
let store: SqliteStore;
let one: LineTab;
let other: LineTab;
const fileOf = (name: string) => join(folder.path, `${name}.db`);

beforeEach(async () => {
  folder = temporaryFolder();
  line = new TabLine();
  store = line.serve(fileOf('first'));
  one = await line.open('one');
  other = await line.open('other');
});
afterEach(async () => {
  line.release();
  await one.port.close();
  await other.port.close();
  store.close();
  folder.remove();
});

const tasksOf = ({ database }: LineTab) => database.get<Task>('tasks' as never);
const codeOf = (error: unknown) => (error instanceof ConvoyError ? error.code : String(error));
/** @returns 'done', or the code of what it was refused with */
const outcomeOf = (write: Promise<unknown>) => write.then(() => 'done', codeOf);

/** The one falls asleep over a write that has not left it; after a while others do not wait for it. */
function sleepUnheard(): void {
  one.port.suspend();
  line.toOwner.length = 0;
  line.stealLock();
  line.release();
}

/** The same task in both tabs. */
async function sharedTask(): Promise<[Task, Task]> {
  const task = await createTitled(one.database, 'first');
  return [task, await tasksOf(other).find(task.id)];
}

describe('tabs whose messages are lost and delayed', () => {
  it('recognise another database, and hear of the writes to it (D41, P-NOLOSS)', async () => {
    for (let n = 0; n < 5; n += 1) await createTitled(one.database, `of before ${n}`);
    const counts: number[] = [];
    observeCount(other.database, 'tasks').subscribe((count) => counts.push(count));
    await expect.poll(() => counts.at(-1)).toBe(5);
    // What the owner holds turns out to be damaged, and another database takes its place; again and again.
    for (const name of ['second', 'third', 'fourth', 'fifth', 'sixth']) {
      store.close();
      store = line.serve(fileOf(name));
      await expect.poll(() => counts.at(-1)).toBe(0);
      await createTitled(one.database, 'written to the new one');
      await other.database.catchUp();
      await expect.poll(() => counts.at(-1)).toBe(1);
    }
  });

  it('recognise another database after sleeping until it had grown as large (D41, P-NOLOSS)', async () => {
    for (let n = 0; n < 3; n += 1) await createTitled(one.database, `of before ${n}`);
    const tasks = await tasksOf(other).query().fetch();
    const [kept] = tasks;
    expect(tasks).toHaveLength(3);
    other.port.suspend();
    store.close();
    store = line.serve(fileOf('second'));
    for (let n = 0; n < 5; n += 1) await createTitled(one.database, `of after ${n}`);
    other.port.resume();
    await other.database.catchUp();
    expect(other.database.inMemory('tasks', kept?.id ?? '')).toBeNull();
    expect(await tasksOf(other).query().fetchCount()).toBe(5);
  });

  it('a write begun on another database is refused (D42, P-NOLOSS)', async () => {
    const [task] = await sharedTask();
    line.hold();
    const writing = outcomeOf(editTask(one, task, { title: 'for the old database' }));
    await passed();
    line.arrive('catchUp', 'one');
    await passed();
    store.close();
    store = line.serve(fileOf('second'));
    line.release();
    expect(await writing).toBe('overtaken');
  });

  it('a batch whose answer was missed is answered as done, and later foreign writes are seen (D41, P-ONCE)', async () => {
    const [task, copy] = await sharedTask();
    line.hold();
    const writing = outcomeOf(editTask(one, task, { description: 'by the one' }));
    await passed();
    line.arrive('catchUp', 'one');
    await passed();
    line.deafTab = 'one';
    line.arrive('batch', 'one');
    line.deafTab = null;
    one.port.suspend();
    line.stealLock();
    line.release();
    await editTask(other, copy, { title: 'by the other' });
    one.port.resume();
    expect(await writing).toBe('done');
    await one.database.catchUp();
    expect(task.raw).toMatchObject({ title: 'by the other', description: 'by the one' });
    await editTask(one, task, { description: 'by the one again' });
    const { rows } = store.select('select "title", "description", "_changed", "sync_base" from "tasks"');
    expect(rows[0]?.slice(0, 2)).toEqual(['by the other', 'by the one again']);
    expect(await other.database.catchUp().then(() => copy.raw)).toEqual(task.raw);
  });

  it('a batch that comes too late leaves the foreign writes in memory (D42, P-NOLOSS)', async () => {
    const [task, copy] = await sharedTask();
    line.hold();
    const writing = outcomeOf(editTask(one, task, { title: 'too late' }));
    await passed();
    line.arrive('catchUp', 'one');
    await passed();
    sleepUnheard();
    await editTask(other, copy, { title: 'by the other' });
    one.port.resume();
    expect(await writing).toBe('overtaken');
    await one.database.catchUp();
    expect(task.title).toBe('by the other');
  });

  it('an import that arrives late does not replace foreign writes (D60, P-NOLOSS)', async () => {
    const file = await one.database.exportFile('u');
    line.hold();
    const importing = outcomeOf(one.database.write(() => one.database.importFile(file, 'u')));
    await passed();
    line.arrive('catchUp', 'one');
    await passed();
    sleepUnheard();
    await createTitled(other.database, 'acknowledged meanwhile');
    one.port.resume();
    expect(await importing).toBe('overtaken');
    expect(await tasksOf(other).query().fetchCount()).toBe(1);
  });

  it('a repeated greeting misses no earlier write (D41, P-CONVERGE)', async () => {
    const [task, copy] = await sharedTask();
    one.port.suspend();
    await editTask(other, copy, { title: 'changed while it slept' });
    line.hold();
    one.port.resume();
    await passed();
    one.announce();
    const writing = createTitled(other.database, 'written between two greetings');
    await passed();
    // The first greeting is answered, to nobody; then comes a notice; then the third greeting is said.
    line.arrive('hello', 'one');
    line.arrive('catchUp', 'other');
    await passed();
    line.arrive('batch', 'other');
    await passed();
    one.announce();
    line.release();
    await writing;
    await one.database.catchUp();
    expect(task.title).toBe('changed while it slept');
  });

  it('a turn with more batches than are remembered is not overtaken', async () => {
    const [task] = await sharedTask();
    await one.database.write(async () => {
      for (let n = 0; n < 1_150; n += 1) {
        await task.update((changed) => {
          changed.title = String(n);
        });
      }
    });
    expect(task.title).toBe('1149');
  });
});
