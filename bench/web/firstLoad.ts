/** A first visit by a slow connection: until one can sign in, until the first work is there, and the next opening. */

import type { BrowserContext, Page } from 'playwright-core';
import { AppServer } from '../../tests/support/appServer';
import { launchBrowser } from '../../tests/support/browser';
import { SlowProxy } from '../../tests/support/slowProxy';
import { median } from '../measure';
import type { WebResult } from './results';

/** Bytes a second: 1.6 and 0.75 Mbit/s, as a phone far from its mast. */
const CONNECTION = { down: 200_000, up: 94_000 };
/** ms between two keys of a person who types. */
const KEY_MS = 60;
const ACCOUNT = { email: 'editor@convoy.example', password: 'convoy-demo' };

/**
 * @param webRoot folder of the app as it was built
 * @returns for each step, its median time and what travelled during it
 */
export async function measureFirstLoad(webRoot: string, rounds: number): Promise<WebResult[]> {
  const server = await AppServer.start({ webRoot });
  const proxy = await SlowProxy.start(server.stack.url, true);
  proxy.become(CONNECTION);
  const browser = await launchBrowser();
  const steps = new Map<string, { ms: number[]; wireKb: number[] }>();
  try {
    for (let round = 0; round < rounds; round += 1) {
      const context = await browser.newContext({ baseURL: proxy.url });
      await visit(context, async (step, run) => {
        const carried = () => proxy.exchanges.reduce((sum, exchange) => sum + exchange.carried, 0);
        const [startedAt, before] = [performance.now(), carried()];
        await run();
        const taken = steps.get(step) ?? { ms: [], wireKb: [] };
        steps.set(step, taken);
        taken.ms.push(performance.now() - startedAt);
        taken.wireKb.push((carried() - before) / 1_000);
      });
      await context.close();
    }
  } finally {
    await browser.close();
    await proxy.close();
    await server.close();
  }
  return [...steps].map(([work, { ms, wireKb }]) => ({
    work,
    size: 'demo',
    subject: 'convoy',
    ms: median(ms),
    ratio: null,
    heapMb: null,
    rssMb: null,
    wireKb: median(wireKb),
  }));
}

type Measure = (step: string, run: () => Promise<unknown>) => Promise<void>;

async function visit(context: BrowserContext, measure: Measure): Promise<void> {
  const page = await context.newPage();
  await measure('first visit: sign-in form', async () => {
    await page.goto('/');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });
  await measure('  while one types', async () => {
    await page.getByLabel('Email').pressSequentially(ACCOUNT.email, { delay: KEY_MS });
    await page.getByLabel('Password').pressSequentially(ACCOUNT.password, { delay: KEY_MS });
  });
  await measure('  signed in: first work', async () => {
    await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
    await workOf(page);
  });
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null, null, { timeout: 120_000 });
  await measure('next opening: work', async () => {
    await page.reload();
    await workOf(page);
  });
}

/** The inbox is the first list of work. */
const workOf = (page: Page) => page.getByRole('region', { name: 'What waits for you' }).waitFor();
