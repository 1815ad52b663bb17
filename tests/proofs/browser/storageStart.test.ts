import type { BrowserContext, Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { places, seen, WebApp } from '../../support/webApp';

const WORKER = /\/assets\/worker-[^/]*\.js$/;
const SQLITE = /\.wasm$/;
/** The app's own code, and the data layer. */
const START = /\/assets\/start-[^/]*\.js$/;

let app: WebApp;
let context: BrowserContext;
/** Signed in by the browser's storage; nothing is open. */
let page: Page;
beforeAll(async () => {
  app = await WebApp.start();
  context = await app.newProfile();
  const first = await app.signIn('editor', context);
  await first.close();
});
afterAll(() => app.close());
beforeEach(async () => {
  page = await context.newPage();
});
afterEach(async () => {
  await context.unrouteAll({ behavior: 'ignoreErrors' });
  await page.close();
});

/** Requests that match are answered when the test says so. */
async function hold(what: RegExp) {
  const held: Route[] = [];
  let isHeld = true;
  await context.route(what, (route) => (isHeld ? void held.push(route) : route.continue()));
  return {
    isAsked: () => expect.poll(() => held.length).toBeGreaterThan(0),
    letGo: async () => {
      isHeld = false;
      await Promise.all(held.map((route) => route.continue()));
    },
  };
}

const workspace = () => places(page).getByRole('link', { name: 'Lighthouse' });

describe('the start of the page', () => {
  for (const [name, what] of [
    ['the worker', WORKER],
    ['SQLite', SQLITE],
    ['the app’s own code and the data layer', START],
  ] as const) {
    it(`the page is painted without ${name}, says so when loading takes long, and goes on when it is loaded (D48)`, async () => {
      const answer = await hold(what);
      await page.goto('/');
      await answer.isAsked();
      await seen(page.getByRole('banner').getByText('Convoy'));
      expect(await page.locator('.skeleton span').count()).toBeGreaterThan(3);
      await seen(page.getByRole('status').filter({ hasText: 'Opening your workspace …' }));
      expect(await workspace().count()).toBe(0);
      await answer.letGo();
      await seen(workspace());
      expect(await page.locator('.skeleton').count()).toBe(0);
    });
  }

  it('worker and SQLite are requested before the data layer is loaded (D48)', async () => {
    const [library, sqlite] = [await hold(START), await hold(SQLITE)];
    await page.goto('/');
    await sqlite.isAsked();
    await sqlite.letGo();
    await library.letGo();
    await seen(workspace());
    expect(page.workers(), 'the worker that was made ahead is the one that is used').toHaveLength(1);
  });

  it('the start does not wait for a server that does not answer (D48, P-LOCAL)', async () => {
    await hold(/\/convoy\.json$|\/rest\/v1\/|\/auth\/v1\//);
    await page.goto('/');
    await seen(workspace());
  });

  it('neither worker nor SQLite is loaded while signed out (D48)', async () => {
    const stranger = await (await app.newProfile()).newPage();
    const asked: string[] = [];
    stranger.context().on('request', (request) => asked.push(request.url()));
    await stranger.goto('/');
    await seen(stranger.getByRole('button', { name: 'editor@convoy.example' }));
    await stranger.waitForLoadState('networkidle');
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.filter((url) => WORKER.test(url) || SQLITE.test(url))).toEqual([]);
    expect(stranger.workers()).toHaveLength(0);
    await stranger.context().close();
  });

  for (const [name, what] of [
    ['the worker', WORKER],
    ['SQLite', SQLITE],
    ['the app’s own code and the data layer', START],
  ] as const) {
    it(`a failure to load ${name} is reported, and a retry opens the database (D48)`, async () => {
      await context.route(what, (route) => route.abort());
      await page.goto('/');
      const alert = page.getByRole('alert');
      await seen(alert.getByRole('heading', { name: 'Convoy cannot start yet' }));
      await seen(alert.getByText('could not be loaded. Check your connection and try again'));
      await context.unroute(what);
      await alert.getByRole('button', { name: 'Try again' }).click();
      await seen(workspace());
    });
  }
});
