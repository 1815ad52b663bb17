/** Newer versions of the app wait for the person. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReleasedApp } from '../../support/releasedApp';
import {
  comment,
  createTask,
  gone,
  openMilestone,
  openTask,
  places,
  seen,
  typedIn,
  WebApp,
} from '../../support/webApp';

const MILESTONE = 'Inspections work offline';
const TASK = 'Survive a clock that is wrong by hours';

let app: WebApp;
let released: ReleasedApp;
beforeAll(async () => {
  released = new ReleasedApp();
  app = await WebApp.start({ webRoot: released.webRoot });
});
afterAll(async () => {
  await app.close();
  released.remove();
});

/** Waits until everything of the app is kept: from then on it needs no network. */
const kept = (page: Page) => page.waitForFunction(() => navigator.serviceWorker.controller !== null);

async function signedIn(): Promise<Page> {
  const page = await app.signIn('editor', await app.newProfile({ isKept: true }));
  await kept(page);
  return page;
}

const lookForUpdate = (page: Page) =>
  page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());

const note = (page: Page, text: string) => page.getByRole('status').filter({ hasText: text });

describe('a newer version', () => {
  it('waits for the person; one who types in another tab keeps the text, and nothing that was written is lost', async () => {
    const one = await signedIn();
    const two = await one.context().newPage();
    await two.goto('/');
    await openTask(two, MILESTONE, TASK);
    await two.getByRole('textbox', { name: 'Comment' }).fill('Half a thought');
    await one.bringToFront();
    released.release('Convoy, next');
    await lookForUpdate(one);
    for (const page of [one, two]) await seen(note(page, 'A newer version of Convoy is ready.'));
    await expect.poll(() => one.title()).toMatch(/· Convoy$/);
    // Reloading does not take it: a person does.
    await one.reload();
    await seen(note(one, 'A newer version of Convoy is ready.'));
    await expect.poll(() => one.title()).toMatch(/· Convoy$/);

    await openMilestone(one, 'Field app', MILESTONE);
    await createTask(one, 'Written before the update');
    await note(one, 'A newer version').getByRole('button', { name: 'Reload' }).click();
    await expect.poll(() => one.title()).toMatch(/· Convoy, next$/);
    await openMilestone(one, 'Field app', MILESTONE);
    await seen(one.getByRole('main').getByRole('link', { name: 'Written before the update' }));
    await gone(note(one, 'A newer version'));

    await seen(note(two, 'Another tab uses a newer version of Convoy.'));
    expect(await typedIn(two.getByRole('textbox', { name: 'Comment' }))).toBe('Half a thought');
    await note(two, 'Another tab').getByRole('button', { name: 'Reload' }).click();
    await seen(note(two, 'What you have typed is not saved yet.'));
    await expect.poll(() => two.title()).toMatch(/· Convoy$/);
    await two.getByRole('textbox', { name: 'Comment' }).fill('');
    await comment(two, 'A whole thought');
    await note(two, 'not saved yet').getByRole('button', { name: 'Reload anyway' }).click();
    await expect.poll(() => two.title()).toMatch(/· Convoy, next$/);
    await seen(two.getByRole('listitem').filter({ hasText: 'A whole thought' }));
    await one.context().close();
  });

  it('a page that was reloaded past its caches takes it by the same button', async () => {
    const page = await signedIn();
    // While another tab has the old version, the newer one waits.
    const other = await page.context().newPage();
    await other.goto('/');
    await kept(other);
    await page.bringToFront();
    released.release('Convoy, past the caches');
    await lookForUpdate(page);
    await seen(note(page, 'A newer version'));
    const devTools = await page.context().newCDPSession(page);
    await devTools.send('Page.reload', { ignoreCache: true });
    await page.waitForFunction(() => navigator.serviceWorker.controller === null);
    await page.evaluate(() => Object.assign(window, { isOldPage: true }));
    await note(page, 'A newer version').getByRole('button', { name: 'Reload' }).click();
    await expect.poll(() => page.evaluate(() => 'isOldPage' in window).catch(() => true)).toBe(false);
    await gone(note(page, 'A newer version'));
    await page.context().close();
  });

  it('a tab in which nothing is typed follows the one that takes it', async () => {
    const one = await signedIn();
    const two = await one.context().newPage();
    await two.goto('/');
    await seen(places(two).getByRole('link', { name: 'Lighthouse' }));
    await kept(two);
    released.release('Convoy, the one after');
    await lookForUpdate(two);
    await note(two, 'A newer version').getByRole('button', { name: 'Reload' }).click();
    for (const page of [one, two]) await expect.poll(() => page.title()).toMatch(/· Convoy, the one after$/);
    await one.context().close();
  });
});
