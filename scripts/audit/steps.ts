/** Steps of a person on the way to the screens and times that are measured. */

import type { Page } from 'playwright-core';

export const ACCOUNT = { email: 'owner@convoy.example', password: 'convoy-demo' };

/** The inbox, which is the first list of work. */
export const FIRST_LIST = 'section[aria-label="What waits for you"]';

/** Signs in on the form that is shown, up to the first list of work. @returns ms from the click until it is usable */
export async function signInOn(page: Page): Promise<number> {
  await page.getByLabel('Email').fill(ACCOUNT.email);
  await page.getByLabel('Password').fill(ACCOUNT.password);
  const startedAt = performance.now();
  await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
  await page.locator(FIRST_LIST).waitFor();
  return performance.now() - startedAt;
}

/** Signs out of an account that has nothing unsynced, up to the form. */
export async function signOutOn(page: Page): Promise<void> {
  await page
    .getByRole('banner')
    .getByRole('button', { name: /^Account of / })
    .click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Password').waitFor();
}
