/** Steps of a person on the way to the screens and times that are measured. */

import type { Page } from 'playwright-core';

export const ACCOUNT = { email: 'owner@convoy.example', password: 'convoy-demo' };

/** Signs in on the form that is shown, up to the first list of work. @returns ms from the click until it is usable */
export async function signInOn(page: Page): Promise<number> {
  await page.getByLabel('Email').fill(ACCOUNT.email);
  await page.getByLabel('Password').fill(ACCOUNT.password);
  const startedAt = performance.now();
  await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('main').getByRole('link', { name: 'Lighthouse' }).waitFor();
  return performance.now() - startedAt;
}
