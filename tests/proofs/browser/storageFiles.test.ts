import { describe, expect, it } from 'vitest';
import { startBrowserProcess } from '../../support/browser';
import { killBrowsers } from '../../support/killedBrowsers';
import { context, contextForEachTest, lab } from '../../support/storageBrowser';
import { TabPage } from '../../support/storageLab';

contextForEachTest();

/** A page that opens the database; @returns the outcome, and the page as a tab. */
async function tryToOpen(ahead = 0) {
  const page = await lab.newPage(context);
  const outcome = await page.evaluate((ahead) => window.storagePage.open('db', ahead), ahead);
  return { outcome, tab: new TabPage(page), page };
}

/** A database that holds something, and no tab that has it open. */
async function writtenAndClosed() {
  const tab = await lab.openTab(context);
  const place = await tab.setUp();
  await tab.createTask(place, 'kept');
  await tab.page.evaluate(() => window.storagePage.close());
  return { page: tab.page, place };
}

describe('the files of the local database', () => {
  it('a page opens the database while the worker of the page before still holds its files (P-NOLOSS)', async () => {
    const { page } = await writtenAndClosed();
    expect(await page.evaluate(() => window.storagePage.holdFiles('db', 2_500))).toBeGreaterThan(3);
    const { outcome, tab } = await tryToOpen();
    expect(outcome).toBe('open');
    expect(await tab.stored()).toContain('task kept');
  });

  it('files that are held for ever are reported, and nothing is missing once they are released (P-NOLOSS)', async () => {
    const { page } = await writtenAndClosed();
    const holder = await lab.newPage(context);
    await holder.evaluate(() => window.storagePage.holdFiles('db', 600_000));
    expect((await tryToOpen()).outcome).toBe('locked');
    expect(await page.evaluate(() => window.storagePage.sizeOf('db'))).toBeGreaterThan(50_000);
    await holder.close();
    const { outcome, tab } = await tryToOpen();
    expect(outcome).toBe('open');
    expect(await tab.stored()).toContain('task kept');
  });

  it('repeated failures half-way through initialising the VFS lose nothing (P-NOLOSS)', async () => {
    const { page } = await writtenAndClosed();
    const before = await page.evaluate(() => window.storagePage.sizeOf('db'));
    const { calls } = await page.evaluate(() => window.storagePage.failInstall('db', 1_000));
    for (let failAt = 7; failAt <= calls; failAt += 1) {
      const failed = await page.evaluate((at) => window.storagePage.failInstall('db', at), failAt);
      expect(failed.outcome).toBe('failed');
    }
    expect(await page.evaluate(() => window.storagePage.sizeOf('db'))).toBe(before);
    const { tab } = await tryToOpen();
    expect(await tab.stored()).toContain('task kept');
  });

  it('files are released when the database is closed, and removed when it is discarded', async () => {
    const tab = await lab.openTab(context);
    const place = await tab.setUp();
    const remove = () => tab.page.evaluate(() => window.storagePage.remove('db'));
    expect(await remove()).toBe('locked');
    expect(await tab.createTask(place, 'still works')).toBe('ok');
    await tab.page.evaluate(() => window.storagePage.close());
    // The worker that waited for the tab's own lock is given it, and lets go as it ends.
    await expect.poll(() => tab.page.evaluate(() => window.storagePage.locksHeld())).toEqual([]);
    const has = () => tab.page.evaluate(() => window.storagePage.has('db'));
    expect(await has()).toBe(true);
    expect(await remove()).toBe('ok');
    expect(await has()).toBe(false);
    const { outcome, tab: fresh } = await tryToOpen();
    expect(outcome).toBe('open');
    expect(await fresh.stored()).toEqual([]);
  });

  it('damaged files are put aside, and unsynced records are salvaged into new ones (P-NOLOSS)', async () => {
    const tab = await lab.openTab(context);
    const place = await tab.setUp();
    for (let n = 0; n < 5; n += 1) await tab.write(place, `w${n}`, 8);
    const titles = async (of: TabPage) =>
      (await of.sql('select "title" from "tasks" order by "title"')).flat();
    const before = await titles(tab);
    const [[root]] = (await tab.sql(
      `select "rootpage" from "sqlite_master" where "name" = 'activity_feed'`,
    )) as [[number]];
    await tab.page.evaluate(async (page) => {
      await window.storagePage.close();
      await window.storagePage.damage('db', page - 1);
    }, root);
    // Who reads the damaged place is told; whoever opens the database next saves what can be saved.
    const finder = await tryToOpen();
    expect(finder.outcome).toBe('open');
    await expect(finder.tab.sql('select count("details") from "activity_feed"')).rejects.toThrow();
    await expect.poll(() => finder.tab.troubles()).toEqual(['corrupt']);
    await finder.page.close();
    // Without room for another database it says so, and saves nothing by halves.
    const other = await lab.newPage(context);
    const session = await context.newCDPSession(other);
    const { usage } = await session.send('Storage.getUsageAndQuota', { origin: lab.url });
    for (const room of [0, 300_000]) {
      await session.send('Storage.overrideQuotaForOrigin', { origin: lab.url, quotaSize: usage + room });
      const refused = await tryToOpen();
      expect(refused.outcome, `with ${room} bytes left`).toBe('quota');
      await refused.page.close();
    }
    await session.send('Storage.overrideQuotaForOrigin', { origin: lab.url });
    const { outcome, tab: next } = await tryToOpen();
    expect(outcome).toBe('open');
    const report = await next.page.evaluate(() => window.storagePage.current().port.salvaged);
    expect(report).toMatchObject({ keptAs: 'convoy.db', complete: false });
    expect(await titles(next)).toEqual(before);
    expect(await next.sql('pragma integrity_check')).toEqual([['ok']]);
  });

  it('a replacement that a power cut has torn is not taken for complete: the damaged database is salvaged again (D44, P-NOLOSS)', async () => {
    const tab = await lab.openTab(context);
    const place = await tab.setUp();
    for (let n = 0; n < 5; n += 1) await tab.write(place, `w${n}`, 8);
    const before = (await tab.stored()).filter((item) => item.startsWith('task ')).sort();
    const [[root]] = (await tab.sql(
      `select "rootpage" from "sqlite_master" where "name" = 'activity_feed'`,
    )) as [[number]];
    const torn = await tab.page.evaluate(async (page) => {
      await window.storagePage.close();
      await window.storagePage.damage('db', page - 1);
      const cut = await window.storagePage.tearReplacement('db');
      // Its first page did not reach the disk.
      await window.storagePage.damage('db', 0, 'convoy-2.db');
      return cut;
    }, root);
    expect(torn).toEqual({ outcome: 'cut', opened: ['convoy.db', 'convoy-2.db'] });
    const { outcome, tab: next } = await tryToOpen();
    expect(outcome).toBe('open');
    expect((await next.stored()).filter((item) => item.startsWith('task ')).sort()).toEqual(before);
    // Complete, it holds the latest work, also when it is damaged itself.
    expect(await next.createTask(place, 'written into the replacement')).toBe('ok');
    await next.page.evaluate(async () => {
      await window.storagePage.close();
      await window.storagePage.damage('db', 0, 'convoy-2.db');
    });
    const { outcome: last, tab: third } = await tryToOpen();
    expect(last).toBe('open');
    const report = await third.page.evaluate(() => window.storagePage.current().port.salvaged);
    expect(report).toMatchObject({ keptAs: 'convoy-2.db' });
  });

  it('a write that does not fit on the disk is refused whole, and stored data stays safe (D45)', async () => {
    const tab = await lab.openTab(context);
    const place = await tab.setUp();
    const session = await context.newCDPSession(tab.page);
    const { usage } = await session.send('Storage.getUsageAndQuota', { origin: lab.url });
    await session.send('Storage.overrideQuotaForOrigin', { origin: lab.url, quotaSize: usage + 200_000 });
    let outcome = 'ok';
    for (let n = 0; n < 40 && outcome === 'ok'; n += 1) {
      outcome = await tab.updateTask(place.task, { description: `${n}`.repeat(40_000) });
    }
    expect(outcome).toBe('quota');
    await session.send('Storage.overrideQuotaForOrigin', { origin: lab.url });
    expect(await tab.createTask(place, 'with room again')).toBe('ok');
    expect(await tab.troubles()).toEqual(['quota', 'over']);
    expect(await tab.sql('pragma integrity_check')).toEqual([['ok']]);
  });
});

describe('tabs of different versions', () => {
  const troubles = (tab: TabPage) => expect.poll(() => tab.troubles());

  it('newer code takes the database over; tabs of older code are told, and stop writing (P-NOLOSS)', async () => {
    const [one, two] = [await lab.openTab(context), await lab.openTab(context)];
    const place = await one.setUp();
    expect(await two.createTask(place, 'written by old code')).toBe('ok');
    const newer = await tryToOpen(1);
    expect(newer.outcome).toBe('open');
    await troubles(one).toEqual(['newer_schema']);
    await troubles(two).toEqual(['newer_schema']);
    expect(await one.createTask(place, 'too late')).toBe('newer_schema');
    expect(await two.createTask(place, 'too late')).toBe('newer_schema');
    expect(await newer.tab.stored()).toEqual(['task written by old code']);
    expect(await newer.tab.createTask(place, 'written by new code')).toBe('ok');
  });

  it('a database of newer code is refused, and not changed (P-NOLOSS)', async () => {
    const newer = await tryToOpen(2);
    await newer.tab.createTask(await newer.tab.setUp(), 'from the future');
    expect((await tryToOpen()).outcome).toBe('newer_schema');
    await newer.page.evaluate(() => window.storagePage.close());
    expect((await tryToOpen()).outcome).toBe('newer_schema');
    expect((await tryToOpen(1)).outcome).toBe('newer_schema');
    expect(await (await tryToOpen(2)).tab.stored()).toContain('task from the future');
  });
});

describe('tabs that sleep', () => {
  for (const [away, back] of [
    ['freeze', 'resume'],
    ['pagehide', 'pageshow'],
  ]) {
    it(`a tab releases the database on ${away}, and resumes where it was after ${back}`, async () => {
      const [one, two] = [await lab.openTab(context), await lab.openTab(context)];
      const place = await one.setUp();
      await one.watch(place);
      const say = (event: string) =>
        one.page.evaluate((event) => {
          const target = event.startsWith('page') ? window : document;
          target.dispatchEvent(new Event(event));
        }, event);
      await say(away as string);
      const asleep = one.createTask(place, 'written asleep');
      expect(await two.createTask(place, 'while it slept')).toBe('ok');
      expect([await one.isOwner(), await two.isOwner()]).toEqual([false, true]);
      await say(back as string);
      expect(await asleep).toBe('ok');
      await expect.poll(() => one.titlesShown()).toEqual(['shared', 'while it slept', 'written asleep']);
      expect((await two.stored()).sort()).toEqual(['task while it slept', 'task written asleep']);
    });
  }

  it('a tab that falls asleep during its write is not waited for, and cannot overwrite later writes (P-NOLOSS)', async () => {
    const one = await lab.openTab(context);
    const place = await one.setUp();
    const slow = one.page.evaluate((place) => window.storagePage.slowMark(place, 'stale'), place);
    const page = await lab.newPage(context);
    expect(await page.evaluate(() => window.storagePage.open('db', 0, 300))).toBe('open');
    await page.evaluate((place) => window.storagePage.current().mark(place, 'fresh'), place);
    await one.page.evaluate(() => window.storagePage.current().finishSlowWrite());
    expect(await slow).toBe('overtaken');
    expect(await one.updateTask(place.task, { title: 'renamed later' })).toBe('ok');
    expect(await one.task(place.task)).toMatchObject({ title: 'renamed later', description: 'fresh;' });
  });
});

it('acknowledged writes survive SIGKILL of the whole browser (P-DURABLE)', async () => {
  const { acknowledged, lost, twice } = await killBrowsers(lab, startBrowserProcess, 2);
  expect({ lost, twice }).toEqual({ lost: [], twice: [] });
  expect(acknowledged).toBeGreaterThan(0);
});
