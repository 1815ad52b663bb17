import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seen, statusOf, WebApp } from '../../support/webApp';

let app: WebApp;
/** Signed in and synced; every test leaves it so. */
let page: Page;
beforeAll(async () => {
  app = await WebApp.start();
  page = await app.signIn('editor');
  await expireAtEachLoad();
});
afterAll(() => app.close());

const REFRESH = '**/auth/v1/token?grant_type=refresh_token';

const hasSession = () =>
  page.evaluate(() => Object.values(localStorage).some((value) => value.includes('refresh_token')));

/** Each load of the page begins with a token that has expired, whatever the page before it stored last. */
const expireAtEachLoad = () =>
  page.addInitScript(() => {
    for (const [key, value] of Object.entries(localStorage)) {
      if (!value.includes('refresh_token')) continue;
      localStorage.setItem(key, JSON.stringify({ ...JSON.parse(value), expires_at: 1 }));
    }
  });

describe('the session of a browser', () => {
  it.each([
    [429, 'application/json', '{"code":429,"message":"slow down"}', 'Up to date'],
    [403, 'text/html', '<h1>Sign in to the network</h1>', /Offline|Syncing/],
    [407, 'text/html', '<h1>Proxy authentication required</h1>', /Offline|Syncing/],
  ])('outlives %i to its refresh, and goes on (K20)', async (status, contentType, body, told) => {
    let refused = 0;
    await page.route(REFRESH, (route) => {
      refused += 1;
      return route.fulfill({ status, contentType, body });
    });
    await page.reload();
    await expect.poll(() => refused).toBeGreaterThan(0);
    await seen(statusOf(page, told));
    expect(await hasSession()).toBe(true);
    expect(await page.getByRole('button', { name: 'Sign in again' }).count()).toBe(0);
    await page.unroute(REFRESH);
    await page.reload();
    await seen(statusOf(page, 'Up to date'));
  });
});
