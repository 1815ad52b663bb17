/** How quick the app is with many tasks: reloads, openings, clicks. */

import type { Locator, Page } from 'playwright-core';
import { quantile } from '../../bench/measure';
import { routes } from '../../src/web/routes';
import { SEED } from '../../tests/support/seed';
import { signInOn, signOutOn } from './steps';

export interface Speed {
  /** From the click on Sign in to a usable list, on the demo, with the app kept by the browser, ms. */
  signInMs: number;
  /** From a reload to the list of all tasks, ms: the median. */
  coldMs: number;
  /** From the click on a milestone's link to the list of all its tasks, ms: the median. */
  openListMs: number;
  /** From a click to its visible effect, ms. */
  clickP95Ms: number;
}

const ROUNDS = 7;
/** Tasks opened in each round. */
const CLICKS = 8;

const ROW = '[data-task]';
/** Its title comes before the rest of the page. */
const TASK = '[data-preview], aside[aria-label="About this task"]';
const NEW_TASK = 'form[aria-label="New task"]';

/** The app is kept, and nobody is signed in. @returns ms of a sign-in */
export async function measureSignIn(page: Page): Promise<number> {
  const taken: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    await signOutOn(page);
    taken.push(await signInOn(page));
    await page.getByText('Up to date').first().waitFor();
  }
  return quantile(taken, 0.5);
}

/** @param page of somebody who is signed in and has all tasks */
export async function measureSpeed(page: Page, url: string): Promise<Omit<Speed, 'signInMs'>> {
  const at = (path: string) => new URL(path, url).href;
  const reloads: number[] = [];
  const openings: number[] = [];
  const clicks: number[] = [];
  await page.goto(at(routes.milestone(SEED.offlineMilestone)));
  for (let round = 0; round < ROUNDS; round += 1) {
    await page.locator(ROW).first().waitFor();
    reloads.push(await reloaded(page));
    await page.goto(at(`${routes.project(SEED.fieldApp)}?tab=milestones`));
    const milestone = page.getByRole('main').getByRole('link', { name: 'Inspections work offline' });
    openings.push(await effectOf(page, milestone, ROW));
    for (let nth = 0; nth < CLICKS; nth += 1) {
      clicks.push(await effectOf(page, page.locator(ROW).nth(nth).getByRole('link'), TASK));
      await page.goBack();
      await page.locator(ROW).first().waitFor();
    }
    clicks.push(await effectOf(page, page.getByRole('button', { name: 'New task', exact: true }), NEW_TASK));
    await page.keyboard.press('Escape');
  }
  return {
    coldMs: quantile(reloads, 0.5),
    openListMs: quantile(openings, 0.5),
    clickP95Ms: quantile(clicks, 0.95),
  };
}

/** @returns ms from the start of the navigation until the list has been painted */
async function reloaded(page: Page): Promise<number> {
  await page.reload();
  await page.locator(ROW).first().waitFor();
  return page.evaluate(() => performance.getEntriesByName('audit:shown')[0]?.startTime ?? Number.NaN);
}

/** Marks the moment at which a list was first painted. Runs in each page before its own scripts. */
export function markFirstRow(): void {
  const look = () => {
    if (!document.querySelector('[data-task]')) return requestAnimationFrame(look);
    return requestAnimationFrame(() => setTimeout(() => performance.mark('audit:shown')));
  };
  requestAnimationFrame(look);
}

/** @returns ms from the input event of a click until what it leads to has been painted */
async function effectOf(page: Page, target: Locator, effect: string): Promise<number> {
  await target.waitFor();
  await page.evaluate((selector) => {
    const found = window as unknown as { auditEffect: Promise<number> };
    found.auditEffect = new Promise((resolve) => {
      document.addEventListener(
        'click',
        ({ timeStamp }) => {
          const painted = () =>
            requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - timeStamp)));
          if (document.querySelector(selector)) return resolve(Number.NaN);
          const observer = new MutationObserver(() => {
            if (!document.querySelector(selector)) return;
            observer.disconnect();
            painted();
          });
          return observer.observe(document, { subtree: true, childList: true, attributes: true });
        },
        { capture: true, once: true },
      );
    });
  }, effect);
  await target.click();
  const ms = await page.evaluate(() => (window as unknown as { auditEffect: Promise<number> }).auditEffect);
  if (!Number.isFinite(ms)) throw new Error(`${effect} was there before the click.`);
  return ms;
}
