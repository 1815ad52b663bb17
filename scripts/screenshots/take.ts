/**
 * `npm run screenshots [-- <part of a screen's name> ...]`: pictures of the main screens, for people to
 * look at. The local stack runs in memory on the demo; the app is built when its sources changed.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { startLocalStack } from '@/server';
import { launchBrowser } from '../../tests/support/browser';
import { WAIT_MS } from '../../tests/support/patience';
import { ensureBuild } from '../build/ensureBuild.mjs';
import { SCREENS } from './screens';
import type { Screen } from './steps';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'screenshots');

const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const THEMES = ['light', 'dark'] as const;

if (!ensureBuild()) process.exit(1);
mkdirSync(folder, { recursive: true });

const wanted = process.argv.slice(2);
const screens = SCREENS.filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
);
const browser = await launchBrowser();
let failures = 0;
for (const screen of screens) {
  try {
    await shoot(browser, screen);
  } catch (error) {
    failures += 1;
    console.error(`${screen.name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
await browser.close();
process.exit(failures === 0 ? 0 : 1);

/** Each screen has a stack of its own, so that what one does to the data is not seen on another. */
async function shoot(browser: Browser, screen: Screen): Promise<void> {
  const started = await startLocalStack({ data: { kind: 'memory' } });
  if (!started.ok) throw new Error(started.error.message);
  const stack = started.value;
  const context = await browser.newContext({
    baseURL: stack.url,
    viewport: SIZES.desktop,
    locale: 'en-GB',
    // Some screens are those of another version of the app, which is served in its place.
    serviceWorkers: 'block',
  });
  try {
    // tsx names functions by a helper of its own, which functions that run in the page miss there.
    await context.addInitScript('globalThis.__name = (target) => target');
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    await screen.prepare({ page, context, stack });
    await page.mouse.move(0, 0);
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      for (const colorScheme of THEMES) {
        await page.emulateMedia({ colorScheme });
        const name = `${screen.name}-${size}-${colorScheme}`;
        await page.screenshot({ path: join(folder, `${name}.png`) });
        await complainAboutWidth(page, name);
      }
    }
    console.log(screen.name);
  } finally {
    await context.close();
    await stack.close();
  }
}

/** A page that scrolls sideways is broken at that width. */
async function complainAboutWidth(page: Page, name: string): Promise<void> {
  const { content, window } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    window: document.documentElement.clientWidth,
  }));
  if (content > window) {
    failures += 1;
    console.error(`${name}: the page is ${content} px wide, the window ${window} px`);
  }
}
