/** Tabs that write without a pause, while the one that holds the database dies again and again. */

import type { BrowserContext } from 'playwright-core';
import { WAIT_MS } from './patience';
import { compare, type StorageLab, type TabPage } from './storageLab';
import type { Place } from './storagePage/tab';

/** How a tab can end. */
export const DEATHS: Record<string, (tab: TabPage) => Promise<unknown>> = {
  'it is closed': (tab) => tab.page.close(),
  'it is reloaded': (tab) => tab.page.reload(),
  'its process crashes': async (tab) => {
    const session = await tab.page.context().newCDPSession(tab.page);
    const crashed = tab.page.waitForEvent('crash');
    void session.send('Page.crash').catch(() => undefined);
    await crashed;
  },
  'its worker crashes': (tab) => tab.killWorker(),
  'its worker dies after a commit, before anybody hears of it': (tab) => tab.dieUnanswered(),
};

export class WritingCrowd {
  readonly acknowledged = new Set<string>();
  /** Why tabs that live stopped writing. */
  readonly failures: string[] = [];
  private readonly tabs = new Map<TabPage, Promise<unknown>>();
  private joined = 0;

  private constructor(
    private readonly lab: StorageLab,
    private readonly context: BrowserContext,
    private readonly place: Place,
  ) {}

  static async gather(lab: StorageLab, context: BrowserContext, count: number): Promise<WritingCrowd> {
    const first = await lab.openTab(context);
    const crowd = new WritingCrowd(lab, context, await first.setUp());
    await first.page.close();
    for (let n = 0; n < count; n += 1) await crowd.join();
    return crowd;
  }

  /** Ends the tab that holds the database while it and the others write, and lets another join. */
  async endOwner(end: (tab: TabPage) => Promise<unknown>): Promise<void> {
    const owner = await this.owner();
    if (owner === null) return;
    await this.writeOn(1);
    let hasEnded = false;
    const gaveUp = until(() => hasEnded || this.failures.length > 0);
    await Promise.race([end(owner), gaveUp]);
    hasEnded = true;
    // A surviving tab goes on: its writes in flight were sent again.
    if (!(await this.isOpen(owner))) {
      this.tabs.delete(owner);
      if (!owner.page.isClosed()) await owner.page.close();
      await this.join();
    }
    await this.writeOn(1);
  }

  /** Resolves when every tab has made this many more writes. */
  async writeOn(times: number): Promise<void> {
    const enough = this.acknowledged.size + times * this.tabs.size;
    await until(() => this.acknowledged.size > enough || this.failures.length > 0);
  }

  /**
   * Lets all finish what they write, closes them, then compares what was acknowledged with what is stored.
   */
  async finish() {
    for (const tab of this.tabs.keys()) {
      await tab.page.evaluate(() => window.storagePage.current().stopWriting());
    }
    await Promise.all(this.tabs.values());
    for (const tab of this.tabs.keys()) await tab.page.close();
    const stored = await (await this.lab.openTab(this.context)).stored();
    const { acknowledged, failures } = this;
    return { acknowledged, failures, ...compare(acknowledged, stored) };
  }

  private async join(): Promise<void> {
    this.joined += 1;
    const tab = await this.lab.openTab(this.context, 'db', (what) => this.acknowledged.add(what));
    const writing = tab.write(this.place, `t${this.joined}`, Number.MAX_SAFE_INTEGER);
    // A dead tab does not report how its write ended.
    const told = async (error: unknown) => {
      if (await this.isOpen(tab)) this.failures.push(String(error));
    };
    this.tabs.set(tab, writing.catch(told));
  }

  /** @returns null where a tab could not write and there may be none. */
  private async owner(): Promise<TabPage | null> {
    let found: TabPage | null = null;
    await until(async () => {
      for (const tab of this.tabs.keys()) if (await tab.isOwner().catch(() => false)) found = tab;
      return found !== null || this.failures.length > 0;
    });
    return found;
  }

  private async isOpen(tab: TabPage): Promise<boolean> {
    if (tab.page.isClosed()) return false;
    const asked = tab.page.evaluate(() => window.storagePage.isOpen()).catch(() => false);
    return Promise.race([asked, pause(1_000).then(() => false)]);
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('The expected state did not come.');
    await pause(20);
  }
}
