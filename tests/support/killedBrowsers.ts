/** Browsers that are killed with all their processes while a page writes. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserProcess } from './executables';
import { compare, type LabContext, type StorageLab } from './storageLab';
import type { Place } from './storagePage/tab';

/** Writes that are acknowledged before a kill, at most. */
const MOST_WRITES = 10;

/**
 * Starts a browser again and again on one profile and kills it right after a write was acknowledged, while it
 * goes on writing. Then compares what is stored with what was acknowledged.
 * @param afterKill hears the kills and the acknowledged writes so far
 */
export async function killBrowsers(
  lab: StorageLab,
  start: (profile: string) => Promise<BrowserProcess<LabContext>>,
  kills: number,
  afterKill: (kills: number, acknowledged: number) => void = () => undefined,
): Promise<{ acknowledged: number; lost: string[]; twice: string[] }> {
  const profile = mkdtempSync(join(tmpdir(), 'convoy-profile-'));
  const acknowledged = new Set<string>();
  let place: Place | null = null;
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      const browser = await start(profile);
      let gone: Promise<void> | null = null;
      const last = acknowledged.size + 1 + Math.floor(Math.random() * MOST_WRITES);
      const tab = await lab.openTab(browser.context, 'db', (what) => {
        acknowledged.add(what);
        if (acknowledged.size >= last) gone ??= browser.kill();
      });
      place ??= await tab.setUp();
      await tab.write(place, `k${kill}`, Number.MAX_SAFE_INTEGER).catch(() => undefined);
      if (gone === null) throw new Error('The page stopped writing by itself.');
      await gone;
      afterKill(kill + 1, acknowledged.size);
    }
    const reader = await start(profile);
    const stored = await (await lab.openTab(reader.context)).stored();
    await reader.kill();
    return { acknowledged: acknowledged.size, ...compare(acknowledged, stored) };
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
