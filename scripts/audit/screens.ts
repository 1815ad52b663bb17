/** Each screen: what axe finds in it, how much it shifts while it loads, and Lighthouse's scores. */

import axe from 'axe-core';
import lighthouse, { desktopConfig } from 'lighthouse';
import type { Page } from 'playwright-core';
import { routes } from '../../src/web/routes';
import type { ChromiumProcess } from '../../tests/support/browser';
import { SEED } from '../../tests/support/seed';
import { signOutOn } from './steps';

export interface ScreenAudit {
  name: string;
  /** Violations, light and dark, each with the elements it is about. */
  axe: string[];
  /** Cumulative layout shift while the screen loads; a shift that follows an input does not count. */
  cls: number;
  /** Scores of 100 by category; null: the screen was audited by axe alone. */
  lighthouse: Record<string, number> | null;
}

interface AuditedScreen {
  name: string;
  path: string;
  /** Tells that it is there. */
  heading: string;
  /** A list of tasks needs longer until its rows are there. */
  isList?: boolean;
}

/** Of somebody who is signed in, and the last one of somebody who is not. */
const SCREENS: readonly AuditedScreen[] = [
  { name: 'inbox', path: routes.inbox(), heading: 'Inbox' },
  { name: 'agents', path: routes.agents(), heading: 'Agents' },
  { name: 'workspaces', path: routes.workspaces(), heading: 'Workspaces' },
  { name: 'workspace', path: routes.workspace(SEED.workspace), heading: 'Projects' },
  { name: 'members', path: routes.members(SEED.workspace), heading: 'Members' },
  { name: 'deleted', path: routes.deleted(SEED.workspace), heading: 'Deleted' },
  { name: 'my tasks', path: routes.myTasks(), heading: 'My tasks' },
  { name: 'project', path: routes.project(SEED.fieldApp), heading: 'Field app', isList: true },
  { name: 'milestones', path: `${routes.project(SEED.fieldApp)}?tab=milestones`, heading: 'Milestones' },
  { name: 'overview', path: `${routes.project(SEED.fieldApp)}?tab=overview`, heading: 'Overview' },
  {
    name: 'milestone',
    path: routes.milestone(SEED.offlineMilestone),
    heading: 'Inspections work offline',
    isList: true,
  },
  { name: 'task', path: routes.task(SEED.busyTask), heading: 'Activity' },
  { name: 'sync', path: routes.sync(), heading: 'Sync log' },
];
const SIGN_IN: AuditedScreen = { name: 'sign-in', path: routes.inbox(), heading: 'Sign in' };

const CATEGORIES = ['performance', 'accessibility', 'best-practices'];
/** ms after a screen is there in which it may still shift. */
const SETTLE_MS = 1_000;

/** @param only a part of the names of the screens to audit; all where it is empty. At the end nobody is signed in. */
export async function auditScreens(
  browser: ChromiumProcess,
  url: string,
  only: string,
  say: (line: string) => void,
): Promise<ScreenAudit[]> {
  const audits: ScreenAudit[] = [];
  const audit = async (screen: AuditedScreen) => {
    if (!screen.name.includes(only)) return;
    audits.push(await auditScreen(browser, new URL(screen.path, url).href, screen));
    say(`${screen.name} is audited`);
  };
  for (const screen of SCREENS) await audit(screen);
  const page = await browser.context.newPage();
  await page.goto(url);
  await signOutOn(page);
  await page.close();
  await audit(SIGN_IN);
  return audits;
}

async function auditScreen(
  { context, port }: ChromiumProcess,
  address: string,
  { name, heading, isList }: AuditedScreen,
): Promise<ScreenAudit> {
  const page = await context.newPage();
  await page.addInitScript(watchShifts);
  await page.goto(address);
  await page.getByRole('heading', { name: heading }).first().waitFor();
  if (isList) await page.locator('[data-task]').first().waitFor();
  await page.waitForTimeout(SETTLE_MS);
  const cls = await page.evaluate(() => (window as unknown as { auditShift: number }).auditShift);
  const violations = await violationsOf(page);
  await page.close();
  return { name, axe: violations, cls, lighthouse: await scoresOf(address, port) };
}

function watchShifts(): void {
  const sum = window as unknown as { auditShift: number };
  sum.auditShift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as unknown as { value: number; hadRecentInput: boolean }[]) {
      if (!entry.hadRecentInput) sum.auditShift += entry.value;
    }
  }).observe({ type: 'layout-shift', buffered: true });
}

async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await page.evaluate(() =>
      (window as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ['violations'] }),
    );
    for (const { id, nodes } of violations) {
      found.push(`${colorScheme}: ${id} at ${nodes.map(({ target }) => target.join(' ')).join('; ')}`);
    }
  }
  return found;
}

/** On a desktop, of somebody who is signed in: what the browser keeps stays. */
async function scoresOf(address: string, port: number): Promise<Record<string, number>> {
  const flags = { port, disableStorageReset: true, onlyCategories: CATEGORIES, logLevel: 'error' } as const;
  const result = await lighthouse(address, flags, desktopConfig);
  if (!result) throw new Error(`Lighthouse audited nothing at ${address}.`);
  const { categories } = result.lhr;
  return Object.fromEntries(
    CATEGORIES.map((name) => [name, Math.round((categories[name]?.score ?? 0) * 100)]),
  );
}
