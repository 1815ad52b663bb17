import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { storageAdapterCases } from '../../contract/storageAdapter';
import { launchBrowser, NAMED, PLAIN_HOST } from '../../support/browser';
import { StorageLab } from '../../support/storageLab';

for (const [where, isPlain] of [
  ['in a browser', false],
  ['over plain HTTP, where a browser keeps nothing', true],
] as const) {
  describe(`the storage adapter ${where}`, () => {
    let lab: StorageLab;
    let browser: Browser;
    let page: Awaited<ReturnType<BrowserContext['newPage']>>;
    beforeAll(async () => {
      const named = isPlain ? PLAIN_HOST : undefined;
      [lab, browser] = await Promise.all([
        StorageLab.start(inject('storagePage'), named),
        launchBrowser(isPlain ? NAMED : []),
      ]);
      page = await lab.newPage(await browser.newContext());
      expect(await page.evaluate(() => [isSecureContext, 'locks' in navigator])).toEqual([
        !isPlain,
        !isPlain,
      ]);
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
}
