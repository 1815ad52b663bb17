/** A first sync while a list is shown, in its own tab or in another one, beside one that nobody watches. */

import type { BrowserContext, Page } from 'playwright-core';
import type { Checks } from '../measure';
import { heapOfPage } from './heap';
import { milestoneId, TASKS_OF_MILESTONE } from './page/data';
import type { WebResult } from './results';

interface Case {
  list: 'none' | 'a milestone' | 'all tasks';
  place: 'same tab' | 'another tab';
  tasks: number;
}

const MB = 1024 * 1024;
const CASES = [
  ['none', 'same tab'],
  ['a milestone', 'same tab'],
  ['all tasks', 'same tab'],
  ['a milestone', 'another tab'],
  ['all tasks', 'another tab'],
] as const;

/** @returns of each case, with the ratio to the sync that nobody watches, and the heap of the page that shows the list */
export async function measureWatched(
  context: BrowserContext,
  url: string,
  sizes: readonly number[],
  checks: Checks,
): Promise<WebResult[]> {
  const results: WebResult[] = [];
  for (const tasks of sizes) {
    let unwatched = 0;
    for (const [list, place] of CASES) {
      const { ms, heapMb } = await syncOnce(context, url, { list, place, tasks }, checks);
      if (list === 'none') unwatched = ms;
      const work = list === 'none' ? 'pages, unwatched' : `pages, ${list} in ${place}`;
      results.push({
        work,
        size: String(tasks),
        subject: 'convoy',
        ms,
        ratio: ms / unwatched,
        heapMb,
        rssMb: null,
        wireKb: null,
      });
    }
  }
  return results;
}

async function syncOnce(
  context: BrowserContext,
  url: string,
  { list, place, tasks }: Case,
  checks: Checks,
): Promise<{ ms: number; heapMb: number }> {
  const name = `watched-${tasks}-${list}-${place}`.replaceAll(' ', '-');
  const syncing = await openPage(context, url, name);
  const watching = place === 'same tab' ? syncing : await openPage(context, url, name);
  const milestone = list === 'a milestone' ? milestoneId(1) : null;
  if (list !== 'none') await watching.evaluate((id) => window.benchWatching.watch(id), milestone);
  const ms = await syncing.evaluate((count) => window.benchWatching.pull(count), tasks);
  if (list !== 'none') {
    const wanted = list === 'all tasks' ? tasks : TASKS_OF_MILESTONE;
    const isShown = (count: number) => window.benchWatching.shown() === count;
    await watching.waitForFunction(isShown, wanted, { timeout: 60_000 }).catch(() => undefined);
    checks.equal(`${name}: tasks shown`, await watching.evaluate(() => window.benchWatching.shown()), wanted);
  }
  const heap = await heapOfPage(context, watching);
  for (const page of new Set([watching, syncing])) {
    await page.evaluate(() => window.benchPage.close());
    await page.close();
  }
  return { ms, heapMb: heap / MB };
}

async function openPage(context: BrowserContext, url: string, name: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${url}/?database=${name}`);
  await page.waitForFunction(() => 'benchWatching' in window);
  return page;
}
