import { describe, expect, it } from 'vitest';
import { context, contextForEachTest, lab } from '../../support/storageBrowser';
import { compare, type TabPage } from '../../support/storageLab';
import { CHROMIUM_DEATHS, WritingCrowd } from '../../support/writingCrowd';

contextForEachTest();

async function openTabs(count: number, acknowledged?: (what: string) => void) {
  const tabs: TabPage[] = [];
  for (let n = 0; n < count; n += 1) tabs.push(await lab.openTab(context, 'db', acknowledged));
  const [first] = tabs as [TabPage];
  return { tabs, first, place: await first.setUp() };
}

/** Reads what every tab shows and what is stored, and compares both with what was acknowledged. */
async function expectAll(acknowledged: Set<string>, tabs: TabPage[]) {
  const fresh = await lab.openTab(context);
  expect(compare(acknowledged, await fresh.stored())).toEqual({ lost: [], twice: [] });
  const titles = (await fresh.stored())
    .filter((item) => item.startsWith('task '))
    .map((item) => item.slice('task '.length))
    .concat('shared')
    .sort();
  for (const tab of tabs) await expect.poll(() => tab.titlesShown()).toEqual(titles);
}

describe('several tabs on one database', () => {
  for (const count of [2, 5]) {
    it(`${count} tabs write at once: no record and no column is lost, and each shows the writes of the others (P-NOLOSS, P-DURABLE)`, async () => {
      const acknowledged = new Set<string>();
      const { tabs, place } = await openTabs(count, (what) => acknowledged.add(what));
      for (const tab of tabs) await tab.watch(place);
      await Promise.all(tabs.map((tab, n) => tab.write(place, `t${n}`, 6)));
      expect(acknowledged.size).toBe(count * 12);
      await expectAll(acknowledged, tabs);
    });
  }

  it('tabs that change different columns of one record keep all of them (P-NOLOSS)', async () => {
    const { tabs, place } = await openTabs(3);
    const [one, two, three] = tabs as [TabPage, TabPage, TabPage];
    // All have the record in memory from before.
    for (const tab of tabs) expect((await tab.task(place.task))?.title).toBe('shared');
    const outcomes = await Promise.all([
      one.updateTask(place.task, { title: 'renamed' }),
      two.updateTask(place.task, { description: 'described' }),
      three.updateTask(place.task, { priority: 'high' }),
    ]);
    expect(outcomes).toEqual(['ok', 'ok', 'ok']);
    for (const tab of tabs) {
      await expect
        .poll(() => tab.task(place.task))
        .toMatchObject({ title: 'renamed', description: 'described', priority: 'high' });
    }
  });

  it('one tab holds the database, and another takes over when that tab is closed', async () => {
    const { tabs, first, place } = await openTabs(3);
    expect(await Promise.all(tabs.map((tab) => tab.isOwner()))).toEqual([true, false, false]);
    await first.page.close();
    const [, two, three] = tabs as [TabPage, TabPage, TabPage];
    expect(await two.createTask(place, 'after the first was closed')).toBe('ok');
    expect(await three.stored()).toContain('task after the first was closed');
    const owners = await Promise.all([two.isOwner(), three.isOwner()]);
    expect(owners.filter(Boolean)).toHaveLength(1);
  });

  it('text is stored exactly as it was written, a leading U+FEFF included', async () => {
    const { first, place } = await openTabs(1);
    const text = '\uFEFFbegins with a mark — 漢字 🚢 \u200b "quoted" \'single\'';
    expect(await first.updateTask(place.task, { description: text })).toBe('ok');
    const other = await lab.openTab(context);
    expect((await other.task(place.task))?.description).toBe(text);
    expect(await first.sql(`select '\uFEFFx', 1.5, 9007199254740991, -1, null, ''`)).toEqual([
      ['\uFEFFx', 1.5, 9007199254740991, -1, null, ''],
    ]);
  });

  it('every commit flushes the write-ahead log', async () => {
    const { first } = await openTabs(1);
    expect(await first.sql('pragma journal_mode')).toEqual([['wal']]);
    expect(await first.sql('pragma synchronous')).toEqual([[2]]);
    expect(await first.sql('pragma locking_mode')).toEqual([['exclusive']]);
  });
});

describe('the death of the tab that holds the database', () => {
  it('nothing acknowledged is lost or applied twice, however the tab ends (D41, P-DURABLE, P-ONCE)', async () => {
    const crowd = await WritingCrowd.gather(lab, context, 3);
    for (const end of Object.values(CHROMIUM_DEATHS)) await crowd.endOwner(end);
    for (const end of Object.values(CHROMIUM_DEATHS)) await crowd.endOwner(end);
    const { acknowledged, lost, twice, failures } = await crowd.finish();
    expect({ lost, twice, failures }).toEqual({ lost: [], twice: [], failures: [] });
    expect(acknowledged.size).toBeGreaterThan(0);
  });
});
