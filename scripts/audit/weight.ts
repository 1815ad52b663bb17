/** The bytes and requests of a first visit. */

import type { Page, Response } from 'playwright-core';
import { signInOn } from './steps';

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
  await page.goto(url);
  await page.getByLabel('Password').waitFor();
  const requests = answers.length;
  await signInOn(page);
  const files = answers.filter((answer) => /\.(js|wasm)$/.test(new URL(answer.url()).pathname));
  const storage = files.filter((answer) =>
    /\.wasm$|\/worker-[^/]*\.js$/.test(new URL(answer.url()).pathname),
  );
  const scripts = files.filter((answer) => !storage.includes(answer));
  return { scriptKb: await kbOf(scripts), wasmKb: await kbOf(storage), requests };
}

/** As they travel: compressed. A file that is asked for twice travels once, the rest is the browser's cache. */
async function kbOf(answers: readonly Response[]): Promise<number> {
  const once = new Map(answers.map((answer) => [answer.url(), answer]));
  const bytes = await Promise.all(
    [...once.values()].map(async (answer) => (await answer.request().sizes()).responseBodySize),
  );
  return bytes.reduce((sum, one) => sum + one, 0) / 1_000;
}
