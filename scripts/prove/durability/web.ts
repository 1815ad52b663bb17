/** Is an acknowledged write ever lost in a browser? Kills browsers and tabs while they write. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchBrowser, startBrowserProcess } from '../../../tests/support/browser';
import { buildStoragePage, compare, StorageLab } from '../../../tests/support/storageLab';
import type { Place } from '../../../tests/support/storagePage/tab';
import { DEATHS, WritingCrowd } from '../../../tests/support/writingCrowd';
import type { Losses } from './losses';

export interface WebProof extends Losses {
  /** SIGKILLs of a whole browser, each right after a write was acknowledged, while it went on writing. */
  kills: number;
  /** Several tabs that write at once; first undisturbed, then with `deaths` of the tab that holds the database. */
  tabs: Record<string, TabsProof>;
}

export interface TabsProof {
  deaths: number;
  creates: Losses;
  columns: Losses;
  /** Why tabs that live stopped writing; there should be none. */
  failures: string[];
}

/** Writes of each tab before the first death. */
const UNDISTURBED = 50;

/** @param say receives the progress */
export async function proveWeb(
  kills: number,
  deaths: number,
  say: (line: string) => void,
): Promise<WebProof> {
  const folder = await buildStoragePage();
  const lab = await StorageLab.start(folder);
  try {
    const killed = await killBrowsers(lab, kills, say);
    const tabs: WebProof['tabs'] = {};
    for (const count of [2, 5]) {
      say(`${count} tabs, ${deaths} deaths of the one that holds the database ...`);
      tabs[`${count} tabs`] = await killTabs(lab, count, deaths);
    }
    return { kills, ...killed, tabs };
  } finally {
    await lab.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function killBrowsers(lab: StorageLab, kills: number, say: (line: string) => void): Promise<Losses> {
  const profile = mkdtempSync(join(tmpdir(), 'convoy-profile-'));
  const acknowledged = new Set<string>();
  let place: Place | null = null;
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      const browser = await startBrowserProcess(profile);
      let gone: Promise<void> | null = null;
      const last = acknowledged.size + 1 + Math.floor(Math.random() * 10);
      const tab = await lab.openTab(browser.context, 'db', (what) => {
        acknowledged.add(what);
        if (acknowledged.size >= last) gone ??= browser.kill();
      });
      place ??= await tab.setUp();
      await tab.write(place, `k${kill}`, Number.MAX_SAFE_INTEGER).catch(() => undefined);
      if (gone === null) throw new Error('The page stopped writing by itself.');
      await gone;
      if (kill % 10 === 9) say(`${kill + 1} browsers killed, ${acknowledged.size} writes acknowledged ...`);
    }
    const reader = await startBrowserProcess(profile);
    const stored = await (await lab.openTab(reader.context)).stored();
    await reader.kill();
    const { lost, twice } = compare(acknowledged, stored);
    return { acknowledged: acknowledged.size, lost: lost.length, twice: twice.length };
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function killTabs(lab: StorageLab, count: number, deaths: number): Promise<TabsProof> {
  const browser = await launchBrowser();
  try {
    const crowd = await WritingCrowd.gather(lab, await browser.newContext(), count);
    await crowd.writeOn(UNDISTURBED);
    const ways = Object.values(DEATHS);
    for (let death = 0; death < deaths; death += 1) {
      await crowd.endOwner(ways[death % ways.length] as (typeof ways)[number]);
    }
    const { acknowledged, lost, twice, failures } = await crowd.finish();
    const of = (kind: string): Losses => {
      const size = (items: Iterable<string>) => [...items].filter((item) => item.startsWith(kind)).length;
      return { acknowledged: size(acknowledged), lost: size(lost), twice: size(twice) };
    };
    return { deaths, creates: of('task '), columns: of('mark '), failures };
  } finally {
    await browser.close();
  }
}
