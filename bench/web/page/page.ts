/**
 * What a page of either subject does. It opens its database by itself where its address names a
 * milestone (`?milestone=0`), as an application does; the runner asks for the rest.
 */

import { schema } from '@/lib/watermelon/models';
import { type Database, type Model, Q } from '@/lib/watermelon/models/watermelondb';
import { makeTasks, milestoneId, taskId } from './data';

export interface Subject {
  open(): Promise<Database>;
  /** Resolves when the write is stored; null where a write is acknowledged only once it is stored. */
  save: (() => Promise<void>) | null;
  close(): Promise<void>;
}

/** ms since the navigation began, and what was found. */
export interface ColdStart {
  script: number;
  opened: number;
  rows: number;
  ids: string[];
}

/** ms of single calls each. */
export interface Reads {
  query: number[];
  count: number[];
  find: number[];
  /** Rows of all queries, the sum of all counts, records found: to be the same for both subjects. */
  found: [rows: number, counted: number, records: number];
}

export interface Writes {
  single: number[];
  /** The same, each write awaited until it is stored; null where the writes of `single` are stored already. */
  singleStored: number[] | null;
  batch: number;
  batchStored: number | null;
  /** Records that are there afterwards, and after they were removed again. */
  counted: [number, number];
}

/** Tasks stored by one batch while the database is filled. */
const FILLED_AT_ONCE = 5_000;
/** Calls timed together: clocks of pages tick every 0.1 ms. */
const GROUP = 10;
/** Where written tasks go. */
const INBOX = milestoneId(999_999);

const openings: { subject: Subject; database: Database | null } = {
  subject: { open: () => Promise.reject(new Error('no subject')), save: null, close: async () => undefined },
  database: null,
};

const tasks = () => {
  if (!openings.database) throw new Error('The database is not open.');
  return openings.database.get<Model>('tasks');
};
const ofMilestone = (id: string) =>
  tasks().query(Q.where('milestone_id', id), Q.sortBy('sort_order'), Q.sortBy('id'));
const now = () => performance.now();

async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = now();
  await work();
  return now() - before;
}

async function coldStart(milestone: number, script: number): Promise<ColdStart> {
  openings.database = await openings.subject.open();
  const opened = now();
  const records = await ofMilestone(milestoneId(milestone)).fetch();
  return { script, opened, rows: now(), ids: records.map(({ id }) => id) };
}

/** Fills a new database. @returns the tasks that are in it */
async function fill(size: number): Promise<number> {
  openings.database = await openings.subject.open();
  for (let from = 0; from < size; from += FILLED_AT_ONCE) {
    await store(makeTasks(schema, from, Math.min(size, from + FILLED_AT_ONCE)));
  }
  await openings.subject.save?.();
  return tasks().query().fetchCount();
}

/** Past the models, which nothing is timed of here. */
function store(operations: unknown[]): Promise<void> {
  const { adapter } = openings.database as unknown as {
    adapter: { batch(operations: unknown[]): Promise<void> };
  };
  return adapter.batch(operations);
}

/** Queries tasks of `milestones` from 1 on, none of which has been read before, and finds as many others. */
async function read(milestones: number): Promise<Reads> {
  const reads: Reads = { query: [], count: [], find: [], found: [0, 0, 0] };
  for (let n = 1; n <= milestones; n += 1) {
    reads.query.push(
      await timed(async () => {
        reads.found[0] += (await ofMilestone(milestoneId(n)).fetch()).length;
      }),
    );
  }
  for (let n = 1; n <= milestones; n += GROUP) {
    const ms = await timed(async () => {
      for (let k = n; k < n + GROUP; k += 1) reads.found[1] += await ofMilestone(milestoneId(k)).fetchCount();
    });
    reads.count.push(ms / GROUP);
  }
  const first = (milestones + 1) * 100;
  for (let n = first; n < first + 20 * GROUP; n += GROUP) {
    const ms = await timed(async () => {
      for (let k = n; k < n + GROUP; k += 1) {
        if ((await tasks().find(taskId(k))).id === taskId(k)) reads.found[2] += 1;
      }
    });
    reads.find.push(ms / GROUP);
  }
  return reads;
}

const touch = () => ofMilestone(milestoneId(0)).fetchCount();

const newTask = (title: string) => (record: Model) => {
  const values = { workspace_id: milestoneId(0), milestone_id: INBOX, title, description: title.repeat(10) };
  for (const [column, value] of Object.entries(values)) record._setRaw(column as never, value);
};

/** Creates tasks one after the other, then many at once, and removes them again. */
async function write(count: number, batch: number): Promise<Writes> {
  const { database, subject } = openings as { database: Database; subject: Subject };
  const { save } = subject;
  const create = (n: number) => database.write(() => tasks().create(newTask(`Task number ${n}`)));
  const single: number[] = [];
  for (let n = 0; n < count; n += 1) single.push(await timed(() => create(n)));
  await save?.();
  const singleStored: number[] = [];
  for (let n = 0; save && n < count; n += 1) {
    singleStored.push(await timed(() => create(n).then(save)));
  }
  const before = now();
  await database.write(async () => {
    const records = Array.from({ length: batch }, (_, n) =>
      tasks().prepareCreate(newTask(`In a batch ${n}`)),
    );
    await database.batch(records);
  });
  const acknowledged = now() - before;
  await save?.();
  const stored = now() - before;
  const written = tasks().query(Q.where('milestone_id', INBOX));
  const there = await written.fetchCount();
  const ids = await written.fetchIds();
  await store(ids.map((id) => ['destroyPermanently', 'tasks', id]));
  await save?.();
  return {
    single,
    singleStored: save ? singleStored : null,
    batch: acknowledged,
    batchStored: save ? stored : null,
    counted: [there, await written.fetchCount()],
  };
}

export function startPage(subject: Subject): void {
  const script = now();
  openings.subject = subject;
  const milestone = new URL(location.href).searchParams.get('milestone');
  const cold = milestone === null ? null : coldStart(Number(milestone), script);
  window.benchPage = { cold: () => cold, touch, fill, read, write, close: () => subject.close() };
}

declare global {
  interface Window {
    benchPage: {
      cold(): Promise<ColdStart> | null;
      /** Makes the storage do something. */
      touch(): Promise<unknown>;
      fill(size: number): Promise<number>;
      read(milestones: number): Promise<Reads>;
      write(count: number, batch: number): Promise<Writes>;
      close(): Promise<void>;
    };
  }
}
