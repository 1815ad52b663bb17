/** Is an acknowledged write ever lost in a browser? Kills browsers and tabs while they write. */

import { rmSync } from 'node:fs';
import { launchBrowser, startBrowserProcess } from '../../../tests/support/browser';
import { startFirefox } from '../../../tests/support/firefox';
import { killBrowsers } from '../../../tests/support/killedBrowsers';
import { buildStoragePage, StorageLab } from '../../../tests/support/storageLab';
import { CHROMIUM_DEATHS, WritingCrowd } from '../../../tests/support/writingCrowd';
import type { Losses } from './losses';

export interface KilledBrowsers extends Losses {
  /** SIGKILLs of a whole browser, each right after a write was acknowledged, while it went on writing. */
  kills: number;
}

/** Of Chromium, where nothing else is said. */
export interface WebProof extends KilledBrowsers {
  firefox: KilledBrowsers;
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
  return inLab(async (lab) => {
    const chromium = await killMany(lab, 'Chromium', startBrowserProcess, kills, say);
    const firefox = await killMany(lab, 'Firefox', startFirefox, kills, say);
    const tabs: WebProof['tabs'] = {};
    for (const count of [2, 5]) {
      say(`${count} tabs, ${deaths} deaths of the one that holds the database ...`);
      tabs[`${count} tabs`] = await killTabs(lab, count, deaths);
    }
    return { ...chromium, firefox, tabs };
  });
}

/** @param say receives the progress */
export function proveFirefox(kills: number, say: (line: string) => void): Promise<KilledBrowsers> {
  return inLab((lab) => killMany(lab, 'Firefox', startFirefox, kills, say));
}

async function inLab<Proof>(prove: (lab: StorageLab) => Promise<Proof>): Promise<Proof> {
  const folder = await buildStoragePage();
  const lab = await StorageLab.start(folder);
  try {
    return await prove(lab);
  } finally {
    await lab.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function killMany(
  lab: StorageLab,
  name: string,
  start: Parameters<typeof killBrowsers>[1],
  kills: number,
  say: (line: string) => void,
): Promise<KilledBrowsers> {
  const { acknowledged, lost, twice } = await killBrowsers(lab, start, kills, (done, writes) => {
    if (done % 10 === 0) say(`${name} killed ${done} times, ${writes} writes acknowledged ...`);
  });
  return { kills, acknowledged, lost: lost.length, twice: twice.length };
}

async function killTabs(lab: StorageLab, count: number, deaths: number): Promise<TabsProof> {
  const browser = await launchBrowser();
  try {
    const crowd = await WritingCrowd.gather(lab, await browser.newContext(), count);
    await crowd.writeOn(UNDISTURBED);
    const ways = Object.values(CHROMIUM_DEATHS);
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
