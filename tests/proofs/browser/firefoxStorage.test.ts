import type { BrowserContext } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { storageAdapterCases } from '../../contract/storageAdapter';
import { lacksFirefox, TemporaryFirefox } from '../../support/firefox';
import { StorageLab } from '../../support/storageLab';
import { DEATHS, WritingCrowd } from '../../support/writingCrowd';

describe.skipIf(lacksFirefox)('in Firefox', () => {
  let lab: StorageLab;
  let firefox: TemporaryFirefox;
  /** Its storage is shared with no other test. */
  let context: BrowserContext;
  beforeAll(async () => {
    [lab, firefox] = await Promise.all([StorageLab.start(inject('storagePage')), TemporaryFirefox.start()]);
  });
  afterAll(async () => {
    await firefox.close();
    await lab.close();
  });

  describe('the storage adapter', () => {
    let page: Awaited<ReturnType<BrowserContext['newPage']>>;
    beforeAll(async () => {
      page = await lab.newPage(await firefox.browser.createBrowserContext());
    });
    afterAll(() => page.browserContext().close());

    for (const { title } of storageAdapterCases) {
      // Each has a database of its own.
      it.concurrent(title, () => page.evaluate((title) => window.storagePage.runCase(title), title));
    }
  });

  describe('tabs', () => {
    beforeEach(async () => {
      context = await firefox.browser.createBrowserContext();
    });
    afterEach(() => context.close());

    it('a write in one tab is shown by the other, which takes over when the first is closed (P-DURABLE)', async () => {
      const first = await lab.openTab(context);
      const second = await lab.openTab(context);
      const place = await first.setUp();
      await second.watch(place);
      expect([await first.isOwner(), await second.isOwner()]).toEqual([true, false]);
      expect(await first.createTask(place, 'from the owner')).toBe('ok');
      await expect.poll(() => second.titlesShown()).toEqual(['from the owner', 'shared']);
      await first.watch(place);
      expect(await second.createTask(place, 'from the other')).toBe('ok');
      await expect.poll(() => first.titlesShown()).toEqual(['from the other', 'from the owner', 'shared']);

      await first.page.close();
      expect(await second.createTask(place, 'after the owner was closed')).toBe('ok');
      expect(await second.isOwner()).toBe(true);
      expect((await second.stored()).sort()).toEqual([
        'task after the owner was closed',
        'task from the other',
        'task from the owner',
      ]);
    });

    it('nothing acknowledged is lost or applied twice, however the tab ends that holds the database (D41, P-DURABLE, P-ONCE)', async () => {
      const crowd = await WritingCrowd.gather(lab, context, 3);
      for (const end of Object.values(DEATHS)) await crowd.endOwner(end);
      const { acknowledged, lost, twice, failures } = await crowd.finish();
      expect({ lost, twice, failures }).toEqual({ lost: [], twice: [], failures: [] });
      expect(acknowledged.size).toBeGreaterThan(0);
    });
  });
});
