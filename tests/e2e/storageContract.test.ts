import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { storageAdapterCases } from '../contract/storageAdapter';
import { launchBrowser } from '../support/browser';
import { StorageLab } from '../support/storageLab';

describe('the storage adapter in a browser', () => {
  let lab: StorageLab;
  let browser: Browser;
  let page: Awaited<ReturnType<BrowserContext['newPage']>>;
  beforeAll(async () => {
    [lab, browser] = await Promise.all([StorageLab.start(inject('storagePage')), launchBrowser()]);
    page = await lab.newPage(await browser.newContext());
  });
  afterAll(async () => {
    await browser.close();
    await lab.close();
  });

  for (const { title } of storageAdapterCases) {
    // Each has a database of its own.
    it.concurrent(title, () => page.evaluate((title) => window.storagePage.runCase(title), title));
  }
});
