/** Is an acknowledged write ever lost on Node? Kills processes while they write, and fills a disk. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Task } from '@/lib/watermelon/models';
import { Killable } from '../../../tests/support/killable';
import { openLocalDatabase } from '../../../tests/support/localDatabase';
import type { Losses } from './losses';
import type { WriterSays, WriterTask } from './nodeWriter';

export interface NodeProof {
  killed: Losses & {
    kills: number;
    /** Transactions of which only a part is there. */
    torn: number;
  };
  processes: Losses & { deaths: number };
  /** null where no small file system can be made (it takes Linux). */
  fullDisk: (Losses & { refused: number }) | null;
}

const WRITER = 'scripts/prove/durability/nodeWriter.ts';
const SHARED_TASKS = 10;
type Writer = Killable<WriterSays>;
const start = (task: WriterTask, within?: readonly string[]): Promise<Writer> =>
  Killable.start(WRITER, task, within);

/** @param say receives the progress */
export async function proveNode(
  kills: number,
  deaths: number,
  say: (line: string) => void,
): Promise<NodeProof> {
  const killed = await inFolder((folder) => killWriters(folder, kills, say));
  say(`two processes, ${deaths} deaths of one while both write ...`);
  const processes = await inFolder((folder) => killOneOfTwo(folder, deaths));
  say('a disk that is full ...');
  return { killed, processes, fullDisk: await inFolder(fillDisk) };
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'convoy-durability-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Transactions by name, and how many tasks each is to have. */
class Acknowledged {
  readonly transactions = new Map<string, number>();

  hear(name: string, writer: Writer): void {
    for (const one of writer.said) {
      if (one.said === 'transaction') this.transactions.set(`${name}/${one.n}`, one.tasks);
    }
  }

  /** @param titles of all tasks that are stored */
  compare(titles: readonly string[]): Losses & { unacknowledged: Map<string, number> } {
    const stored = new Map<string, number>();
    for (const title of titles) {
      const name = title.slice(0, title.lastIndexOf('/'));
      stored.set(name, (stored.get(name) ?? 0) + 1);
    }
    let [lost, twice] = [0, 0];
    for (const [name, tasks] of this.transactions) {
      const found = stored.get(name) ?? 0;
      if (found < tasks) lost += 1;
      if (found > tasks) twice += 1;
      stored.delete(name);
    }
    if (new Set(titles).size < titles.length) twice += 1;
    return { acknowledged: this.transactions.size, lost, twice, unacknowledged: stored };
  }
}

async function killWriters(
  folder: string,
  kills: number,
  say: (line: string) => void,
): Promise<NodeProof['killed']> {
  const all = new Acknowledged();
  for (let kill = 0; kill < kills; kill += 1) {
    const writer = await start({ kind: 'transactions', folder, name: `k${kill}` });
    await writer.until((said) => said.length > 0);
    const enough = writer.said.length + 1 + Math.floor(Math.random() * 12);
    await writer.until((said) => said.length >= enough);
    // Anywhere in the next transaction, the large ones included.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 12));
    await writer.kill();
    all.hear(`k${kill}`, writer);
    if (kill % 10 === 9)
      say(`${kill + 1} processes killed, ${all.transactions.size} transactions acknowledged ...`);
  }
  const { unacknowledged, ...losses } = all.compare(await storedTitles(folder));
  const sizes = new Set([1, 2, 3, 400]);
  const torn = [...unacknowledged.values()].filter((tasks) => !sizes.has(tasks)).length;
  return { kills, ...losses, torn };
}

/** Each process writes a column of its own of the same records; one of them dies, and another takes its place. */
async function killOneOfTwo(folder: string, deaths: number): Promise<NodeProof['processes']> {
  const all = new Acknowledged();
  const setUp = await openLocalDatabase(folder);
  await setUp.write(() =>
    setUp.batch(
      Array.from({ length: SHARED_TASKS }, () =>
        setUp.get<Task>('tasks' as never).prepareCreate((task) => {
          task.workspaceId = 'w';
          task.currentStage = 'shared';
          task.title = '-1';
        }),
      ),
    ),
  );
  await setUp.close();
  const columns = ['title', 'description'] as const;
  /** The latest acknowledged value of each task's column, by its writer. */
  const last = new Map<string, number>();
  const written = { title: 0, description: 0 };
  const names = { title: '', description: '' };
  const launch = (column: (typeof columns)[number]): Promise<Writer> => {
    names[column] = `${column}${written[column]}`;
    return start({ kind: 'columns', folder, name: names[column], column, from: written[column] });
  };
  const end = async (column: (typeof columns)[number]) => {
    await writers[column].kill();
    all.hear(names[column], writers[column]);
    for (const one of writers[column].said) {
      if (one.said !== 'column') continue;
      last.set(`${column} ${one.task}`, one.value);
      updates += 1;
      written[column] = Math.max(written[column], one.value + 2);
    }
  };
  let updates = 0;
  const writers = { title: await launch('title'), description: await launch('description') };
  for (let death = 0; death < deaths; death += 1) {
    const heard = columns.map((column) => writers[column].said.length);
    await Promise.all(
      columns.map((column, index) =>
        writers[column].until((said) => said.length >= (heard[index] ?? 0) + 2 * SHARED_TASKS),
      ),
    );
    const column = columns[death % 2] as (typeof columns)[number];
    await end(column);
    writers[column] = await launch(column);
  }
  for (const column of columns) await end(column);

  const database = await openLocalDatabase(folder);
  const tasks = await database
    .get<Task>('tasks' as never)
    .query()
    .fetch();
  const shared = tasks.filter(({ raw }) => raw.current_stage === 'shared');
  let lostUpdates = 0;
  for (const task of shared) {
    for (const column of columns) {
      const acknowledged = last.get(`${column} ${task.id}`) ?? -1;
      // A write in flight at the kill may be stored without having been acknowledged.
      if (Number(task[column] ?? -1) < acknowledged) lostUpdates += 1;
    }
  }
  const titles = tasks.filter(({ raw }) => raw.current_stage !== 'shared').map(({ title }) => title);
  await database.close();
  const { unacknowledged: _, ...losses } = all.compare(titles);
  return { deaths, ...losses, acknowledged: losses.acknowledged + updates, lost: losses.lost + lostUpdates };
}

/** In a file system of 16 MB that ends with the process. */
async function fillDisk(folder: string): Promise<NodeProof['fullDisk']> {
  const mount = [
    'unshare',
    '--map-root-user',
    '--mount',
    'sh',
    '-c',
    'mount -t tmpfs -o size=16m none "$0" && exec "$@"',
    folder,
  ];
  const [command, ...args] = [...mount, 'true'];
  if (process.platform !== 'linux' || spawnSync(command as string, args).status !== 0) return null;
  const writer = await start({ kind: 'fill', folder, name: 'full' }, mount);
  await writer.exited;
  const stored = writer.said.find((one) => one.said === 'stored');
  if (!stored) throw new Error(`The writer ended early. ${writer.errors}`);
  const all = new Acknowledged();
  all.hear('full', writer);
  const { unacknowledged, ...losses } = all.compare(stored.titles);
  const refusals = writer.said.filter((one) => one.said === 'refused');
  const untyped = refusals.filter(({ code }) => code !== 'quota');
  if (untyped.length > 0)
    throw new Error(`Refused with ${JSON.stringify(untyped[0])} instead of a storage error.`);
  return { ...losses, twice: losses.twice + unacknowledged.size, refused: refusals.length };
}

async function storedTitles(folder: string): Promise<string[]> {
  const database = await openLocalDatabase(folder);
  const tasks = await database
    .get<Task>('tasks' as never)
    .query()
    .fetch();
  await database.close();
  return tasks.map(({ title }) => title);
}
