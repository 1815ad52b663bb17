/** One fresh page of one subject: its cold start, its memory, its reads and writes. */

import type { BrowserContext, Page } from 'playwright-core';
import type { Checks } from '../measure';
import { memoryOf } from './heap';
import { TASKS_OF_MILESTONE, taskId } from './page/data';
import type { ColdStart } from './page/page';
import type { SubjectName, Taken } from './results';

/** Milestones that are queried, each for the first time by its page. */
const MILESTONES = 40;
const SINGLE_WRITES = 100;
const BATCH = 1_000;
const MB = 1024 * 1024;
const PATH: Readonly<Record<SubjectName, string>> = { convoy: '/', stock: '/stock.html' };

export interface Round {
  context: BrowserContext;
  url: string;
  subject: SubjectName;
  checks: Checks;
  taken: Taken;
}

export async function fillDatabase(
  context: BrowserContext,
  url: string,
  subject: SubjectName,
  size: number,
  checks: Checks,
): Promise<void> {
  const page = await openPage(context, `${url}${PATH[subject]}`);
  const counted = await page.evaluate((size) => window.benchPage.fill(size), size);
  checks.equal(`${subject}: tasks stored`, counted, size);
  await closePage(page);
}

export async function measureRound({ context, url, subject, checks, taken }: Round): Promise<void> {
  const page = await openPage(context, `${url}${PATH[subject]}?milestone=0`);
  const cold = (await page.evaluate(() => window.benchPage.cold())) as ColdStart;
  checks.equal(`${subject}: the first rows`, cold.ids, FIRST_ROWS);
  const memory = await memoryOf(context, page);
  const all = memory.page + (memory.worker ?? 0) + (memory.wasm ?? 0);
  const inMb = (bytes: number | null) => [bytes === null ? null : bytes / MB];
  taken.add('cold start, from navigation', subject, 'ms', [cold.rows]);
  taken.add('cold start, from navigation', subject, 'heapMb', inMb(memory.page));
  taken.add('cold start, from navigation', subject, 'rssMb', inMb(memory.process));
  taken.add('  until the script runs', subject, 'ms', [cold.script]);
  taken.add('  opening the database', subject, 'ms', [cold.opened - cold.script]);
  taken.add('  the first 100 rows', subject, 'ms', [cold.rows - cold.opened]);
  taken.add('cold start, from opening', subject, 'ms', [cold.rows - cold.script]);
  if (memory.worker !== null) taken.add("worker's heap", subject, 'heapMb', inMb(memory.worker));
  if (memory.wasm !== null) taken.add("worker's WebAssembly", subject, 'heapMb', inMb(memory.wasm));
  taken.add('page and worker', subject, 'heapMb', inMb(all));

  const reads = await page.evaluate((milestones) => window.benchPage.read(milestones), MILESTONES);
  const rows = MILESTONES * TASKS_OF_MILESTONE;
  checks.equal(`${subject}: rows, counts and records read`, reads.found, [rows, rows, 200]);
  taken.add('query, 100 rows', subject, 'ms', reads.query);
  taken.add('count', subject, 'ms', reads.count);
  taken.add('find by id', subject, 'ms', reads.find);

  const arguments_ = { count: SINGLE_WRITES, batch: BATCH };
  const writes = await page.evaluate(({ count, batch }) => window.benchPage.write(count, batch), arguments_);
  const singles = SINGLE_WRITES * (writes.singleStored ? 2 : 1);
  checks.equal(`${subject}: records written, then removed`, writes.counted, [singles + BATCH, 0]);
  taken.add('write, acknowledged', subject, 'ms', writes.single);
  taken.add('write, stored', subject, 'ms', writes.singleStored ?? writes.single);
  taken.add('batch of 1,000, acknowledged', subject, 'ms', [writes.batch]);
  taken.add('batch of 1,000, stored', subject, 'ms', [writes.batchStored ?? writes.batch]);
  await closePage(page);
}

/** Ids of the first milestone's tasks as they are sorted. */
const FIRST_ROWS = Array.from({ length: TASKS_OF_MILESTONE }, (_, number) => number)
  .sort((a, b) => ((a * 37) % TASKS_OF_MILESTONE) - ((b * 37) % TASKS_OF_MILESTONE))
  .map(taskId);

async function openPage(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => 'benchPage' in window);
  return page;
}

/** The next page finds nothing of it in its way. */
async function closePage(page: Page): Promise<void> {
  await page.evaluate(() => window.benchPage.close());
  await page.close();
}
