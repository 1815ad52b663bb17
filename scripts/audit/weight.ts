/** The bytes and requests of a first visit. */

import type { Page, Response } from 'playwright-core';
import { FIRST_LIST, signInOn } from './steps';

export interface Weight {
  /** Compressed script up to the first list of work, kB; without SQLite's worker and what is loaded later. */
  scriptKb: number;
  /** SQLite and its worker, compressed, kB. */
  wasmKb: number;
  /** Requests until the sign-in form can be used. */
  requests: number;
}

/** A profile that knows nothing opens the app and signs in. */
export async function measureWeight(page: Page, url: string): Promise<Weight> {
  const answers: Response[] = [];
  page.on('response', (answer) => {
    if (answer.url().startsWith(url)) answers.push(answer);
  });
  await page.addInitScript(markFirstList, FIRST_LIST);
  await page.goto(url);
  await page.getByLabel('Password').waitFor();
  const requests = answers.length;
  await signInOn(page);
  const early = new Set(await page.evaluate(filesUntilMark));
  const files = answers.filter((answer) => early.has(answer.url()) || isStorage(answer));
  const storage = files.filter(isStorage);
  const scripts = files.filter((answer) => !storage.includes(answer));
  return { scriptKb: await kbOf(scripts), wasmKb: await kbOf(storage), requests };
}

const isStorage = (answer: Response) => /\.wasm$|\/worker-[^/]*\.js$/.test(new URL(answer.url()).pathname);

/** Marks the moment at which the first list is in the page. Runs in it before its own scripts. */
function markFirstList(list: string): void {
  const observer = new MutationObserver(() => {
    if (!document.querySelector(list)) return;
    observer.disconnect();
    performance.mark('audit:listed');
  });
  observer.observe(document, { subtree: true, childList: true });
}

/** Scripts that were asked for before: what is fetched later, no list waits for. */
function filesUntilMark(): string[] {
  const [mark] = performance.getEntriesByName('audit:listed');
  const scripts = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.js'));
  return scripts.filter(({ startTime }) => startTime <= (mark?.startTime ?? 0)).map(({ name }) => name);
}

/** As they travel: compressed. A file that is asked for twice travels once, the rest is the browser's cache. */
async function kbOf(answers: readonly Response[]): Promise<number> {
  const once = new Map(answers.map((answer) => [answer.url(), answer]));
  const bytes = await Promise.all(
    [...once.values()].map(async (answer) => {
      // The browser does not tell what a worker's script took; its server does.
      const told = Number(await answer.headerValue('content-length'));
      return told > 0 ? told : (await answer.request().sizes()).responseBodySize;
    }),
  );
  return bytes.reduce((sum, one) => sum + one, 0) / 1_000;
}
