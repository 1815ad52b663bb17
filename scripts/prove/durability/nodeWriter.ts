/**
 * A process that writes to a local database until it is killed. Reads its task from the environment, and
 * says on standard output, a JSON line each, what was acknowledged: after it was, never before.
 */

import { rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { ConvoyDatabase } from '@/lib/watermelon';
import type { Task } from '@/lib/watermelon/models';
import { openLocalDatabase } from '../../../tests/support/localDatabase';

export type WriterTask = { folder: string; name: string } & (
  | { kind: 'transactions' }
  /** Writes this column of the shared tasks, and creates tasks. */
  | { kind: 'columns'; column: 'title' | 'description'; from: number }
  | { kind: 'fill' }
);

export type WriterSays =
  | { said: 'open' }
  /** Transaction `n`, of this many new tasks. */
  | { said: 'transaction'; n: number; tasks: number }
  | { said: 'column'; task: string; value: number }
  | { said: 'refused'; code: string }
  | { said: 'freed' }
  | { said: 'stored'; titles: string[] };

const say = (what: WriterSays): void => void writeSync(1, `${JSON.stringify(what)}\n`);

/** @returns the titles of all tasks whose writer wrote whole transactions. */
export function tasksOf(database: ConvoyDatabase) {
  return database.get<Task>('tasks' as never);
}

const create = (database: ConvoyDatabase, name: string, n: number, count: number, more = '') =>
  database.write(async () => {
    const collection = tasksOf(database);
    await database.batch(
      Array.from({ length: count }, (_, i) =>
        collection.prepareCreate((task) => {
          task.workspaceId = 'w';
          task.title = `${name}/${n}/${i}`;
          task.description = more;
        }),
      ),
    );
  });

/** Small transactions and large ones in turn. */
async function writeTransactions(database: ConvoyDatabase, name: string): Promise<void> {
  for (let n = 0; ; n += 1) {
    const tasks = n % 4 === 3 ? 400 : 1 + (n % 3);
    await create(database, name, n, tasks);
    say({ said: 'transaction', n, tasks });
  }
}

async function writeColumn(
  database: ConvoyDatabase,
  name: string,
  column: 'title' | 'description',
  from: number,
): Promise<void> {
  const shared = await tasksOf(database).query().fetch();
  const tasks = shared.filter(({ raw }) => raw.current_stage === 'shared');
  for (let value = from; ; value += 1) {
    const task = tasks[value % tasks.length] as Task;
    await database.write(() =>
      task.update((draft) => {
        draft[column] = String(value);
      }),
    );
    say({ said: 'column', task: task.id, value });
    await create(database, name, value, 1);
    say({ said: 'transaction', n: value, tasks: 1 });
  }
}

/**
 * Writes until the disk is full, goes on as soon as there is room, and tells what is there afterwards.
 */
async function fillDisk(database: ConvoyDatabase, folder: string, name: string): Promise<void> {
  const ballast = join(folder, 'ballast');
  writeFileSync(ballast, Buffer.alloc(8 << 20));
  let refusals = 0;
  for (let n = 0; refusals < 20; n += 1) {
    try {
      await create(database, name, n, 5, 'x'.repeat(2_000));
      say({ said: 'transaction', n, tasks: 5 });
    } catch (error) {
      refusals += 1;
      say({ said: 'refused', code: (error as { code?: string }).code ?? String(error) });
    }
  }
  rmSync(ballast);
  say({ said: 'freed' });
  for (let n = 1_000_000; n < 1_000_020; n += 1) {
    await create(database, name, n, 5);
    say({ said: 'transaction', n, tasks: 5 });
  }
  await database.close();
  const again = await openLocalDatabase(folder);
  const titles = (await tasksOf(again).query().fetch()).map(({ title }) => title);
  say({ said: 'stored', titles });
  await again.close();
}

const task = JSON.parse(process.env.CONVOY_CHILD ?? '') as WriterTask;
const database = await openLocalDatabase(task.folder);
say({ said: 'open' });
if (task.kind === 'transactions') await writeTransactions(database, task.name);
else if (task.kind === 'columns') await writeColumn(database, task.name, task.column, task.from);
else await fillDisk(database, task.folder, task.name);
