/** A browser in which each test opens the storage page in a context of its own, so that no storage is shared. */

import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, inject } from 'vitest';
import { launchBrowser } from './browser';
import { StorageLab } from './storageLab';

export let lab: StorageLab;
let browser: Browser;
export let context: BrowserContext;

/** The tests of the file share the server and the browser. */
export function contextForEachTest(): void {
  beforeAll(async () => {
    [lab, browser] = await Promise.all([StorageLab.start(inject('storagePage')), launchBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await lab.close();
  });
  beforeEach(async () => {
    context = await browser.newContext();
  });
  afterEach(() => context.close());
}
