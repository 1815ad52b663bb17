/** Tabs that write without a pause, while the one that holds the database dies again and again. */

import type { Page } from 'playwright-core';
import { WAIT_MS } from './patience';
import { compare, type LabContext, type LabPage, type StorageLab, type TabPage } from './storageLab';
import type { Place } from './storagePage/tab';

type Death<Opened extends LabPage> = (tab: TabPage<Opened>) => Promise<unknown>;

/** How a tab can end in every browser. */
export const DEATHS: Record<string, Death<LabPage>> = {
  'it is closed': (tab) => tab.page.close(),
  'it is reloaded': (tab) => tab.page.reload(),
  'its worker crashes': (tab) => tab.killWorker(),
  'its worker dies after a commit, before anybody hears of it': (tab) => tab.dieUnanswered(),
};

/** How a tab can end in Chromium. */
export const CHROMIUM_DEATHS: Record<string, Death<Page>> = {
  ...DEATHS,
  'its process crashes': async (tab) => {
    const session = await tab.page.context().newCDPSession(tab.page);
    const crashed = tab.page.waitForEvent('crash');
    void session.send('Page.crash').catch(() => undefined);
    await crashed;
  },
};

export class WritingCrowd<Opened extends LabPage> {
  readonly acknowledged = new Set<string>();
  /** Why tabs that live stopped writing. */
  readonly failures: string[] = [];
  private readonly tabs = new Map<TabPage<Opened>, Promise<unknown>>();
  private joined = 0;

  private constructor(
    private readonly lab: StorageLab,
    private readonly context: LabContext<Opened>,
    private readonly place: Place,
  ) {}

  static async gather<Opened extends LabPage>(
    lab: StorageLab,
    context: LabContext<Opened>,
    count: number,
  ): Promise<WritingCrowd<Opened>> {
    const first = await lab.openTab(context);
    const crowd = new WritingCrowd(lab, context, await first.setUp());
    await first.page.close();
    for (let n = 0; n < count; n += 1) await crowd.join();
    return crowd;
  }

  /** Ends the tab that holds the database while it and the others write, and lets another join. */
  async endOwner(end: Death<Opened>): Promise<void> {
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
    for (const tab of this.tabs.keys()) await tab.stopWriting();
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
  private async owner(): Promise<TabPage<Opened> | null> {
    let found: TabPage<Opened> | null = null;
    await until(async () => {
      for (const tab of this.tabs.keys()) if (await tab.isOwner().catch(() => false)) found = tab;
      return found !== null || this.failures.length > 0;
    });
    return found;
  }

  private async isOpen(tab: TabPage<Opened>): Promise<boolean> {
    if (tab.page.isClosed()) return false;
    const asked = tab.isOpen().catch(() => false);
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
