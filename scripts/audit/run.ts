/**
 * `npm run audit:web [-- --json] [--tasks N] [--only <part of a screen's name>]`: is the app light, quick and accessible?
 *
 * The app as it is built, on the real local stack with the demo and a milestone of 10,000 tasks, in a Chromium with a
 * profile on disk. Prints each bound with what was measured, and exits 1 where one does not hold. With `--json`, one
 * value: `{scriptKb, wasmKb, requests, signInMs, coldMs, openListMs, clickP95Ms, screens: [{name, axe, cls, lighthouse}]}`.
 * docs/performance.md says what is measured and how.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { routes } from '../../src/web/routes';
import { AppServer } from '../../tests/support/appServer';
import { startBrowserProcess } from '../../tests/support/browser';
import { manyTasks } from '../../tests/support/manyTasks';
import { WAIT_MS } from '../../tests/support/patience';
import { SEED } from '../../tests/support/seed';
import { ensureBuild } from '../build/ensureBuild.mjs';
import { readOptions } from '../support/options';
import { type Bound, brokenOf, verdictOf } from './bounds';
import { auditScreens, type ScreenAudit } from './screens';
import { markFirstRow, measureSignIn, measureSpeed, type Speed } from './speed';
import { measureWeight, type Weight } from './weight';

const { values: flags } = readOptions({
  options: {
    json: { type: 'boolean', default: false },
    tasks: { type: 'string', default: '10000' },
    only: { type: 'string', default: '' },
  },
});
const tasks = Number(flags.tasks);
if (!Number.isSafeInteger(tasks) || tasks < 100) throw new Error('--tasks is a whole number of 100 or more.');
const say = (line: string) => (process.stderr.isTTY || !flags.json ? console.error(line) : undefined);

if (!ensureBuild()) process.exit(1);
const audit = await run();
const bounds: Bound[] = verdictOf(audit);
if (flags.json) process.stdout.write(`${JSON.stringify(audit)}\n`);
else {
  for (const { name, found, bound } of bounds)
    console.log(`${name.padEnd(56)}${found.padStart(12)}  ${bound}`);
}
const broken = brokenOf(bounds);
for (const { name, found, bound } of broken)
  console.error(`does not hold: ${name}: ${found}, bound ${bound}`);
process.exitCode = broken.length > 0 ? 1 : 0;

async function run(): Promise<Weight & Speed & { screens: ScreenAudit[] }> {
  const server = await AppServer.start();
  const profile = mkdtempSync(join(tmpdir(), 'convoy-audit-'));
  const browser = await startBrowserProcess(profile);
  const { context } = browser;
  context.setDefaultTimeout(WAIT_MS);
  // tsx names functions by a helper of its own, which functions that run in the page miss there.
  await context.addInitScript('globalThis.__name = (target) => target');
  const { url } = server.stack;
  try {
    const page = await context.newPage();
    await page.addInitScript(markFirstRow);
    const weight = await measureWeight(page, url);
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    say('the first visit is weighed');
    const signInMs = await measureSignIn(page);
    await manyTasks(server.stack.backend, tasks);
    await page.getByRole('button', { name: 'Sync now' }).click();
    await page.goto(new URL(routes.milestone(SEED.offlineMilestone), url).href);
    const isWhole = (wanted: number) =>
      Number(document.querySelector('li[aria-setsize]')?.getAttribute('aria-setsize')) >= wanted;
    await page.waitForFunction(isWhole, tasks);
    await page.getByText('Up to date').first().waitFor();
    say(`${tasks} tasks are on the device`);
    const speed = { signInMs, ...(await measureSpeed(page, url)) };
    await page.close();
    const screens = await auditScreens(browser, url, flags.only, say);
    return { ...weight, ...speed, screens };
  } finally {
    await browser.kill();
    await server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
