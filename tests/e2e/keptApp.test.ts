/** The app that a browser keeps: it opens without network and without the server, and newer versions wait for the person. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openProfile } from '../support/browser';
import { WAIT_MS } from '../support/patience';
import { ReleasedApp } from '../support/releasedApp';
import {
  askToSignOut,
  buildUp,
  comment,
  createTask,
  gone,
  goOffline,
  openMilestone,
  openTask,
  places,
  seen,
  statusOf,
  typedIn,
  WebApp,
} from '../support/webApp';

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

describe('after the first visit', () => {
  it('the app opens with the server stopped, in this tab, in new ones and at any address, and what is written then arrives (P-LOCAL)', async () => {
    const page = await signedIn();
    await app.stopServer();
    // Nobody writes, reloads or asks: the page finds out by itself (K8).
    await seen(statusOf(page, 'Offline — server not reachable'));
    await page.reload();
    await openMilestone(page, 'Field app', MILESTONE);
    await createTask(page, 'Written in an app that no server sent');
    await page.getByRole('main').getByRole('link', { name: TASK }).first().click();
    await seen(page.getByRole('heading', { name: TASK, level: 1 }));
    const address = page.url();
    await page.close();

    const other = await page.context().newPage();
    await other.goto(address);
    await seen(other.getByRole('heading', { name: TASK, level: 1 }));
    await seen(statusOf(other, /to send/));
    await app.startServer();
    await seen(statusOf(other, 'Up to date'));
    await expect
      .poll(() =>
        app.query(`select 1 from public.tasks where title = 'Written in an app that no server sent'`),
      )
      .toHaveLength(1);
    await other.context().close();
  });

  it('it opens without network, and one can sign out, start without an account, and read why sign-in fails', async () => {
    const page = await signedIn();
    await goOffline(page);
    await page.reload();
    await seen(statusOf(page, 'Offline'));
    await askToSignOut(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
    await seen(page.getByRole('heading', { name: 'Sign in' }));
    await page.reload();
    await page.getByRole('textbox', { name: 'Email' }).fill('editor@convoy.example');
    await page.getByRole('textbox', { name: 'Password' }).fill('convoy-demo');
    await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
    await seen(page.getByRole('alert').filter({ hasText: /network|reach/i }));
    await page.getByRole('button', { name: 'Start without an account' }).click();
    await buildUp(page, 'Far from any server');
    await seen(statusOf(page, 'On this device only'));
    await page.context().close();
  });

  it('a browser that is started again opens it with the server stopped, and what was written is there (P-LOCAL, P-DURABLE)', async () => {
    const profile = mkdtempSync(join(tmpdir(), 'convoy-profile-'));
    const first = await openProfile(profile);
    first.setDefaultTimeout(WAIT_MS);
    const page = await app.signIn('editor', first, app.url);
    await kept(page);
    await app.stopServer();
    await openMilestone(page, 'Field app', MILESTONE);
    await createTask(page, 'Written before the browser was closed');
    await first.close();

    const second = await openProfile(profile);
    second.setDefaultTimeout(WAIT_MS);
    const later = await second.newPage();
    await later.goto(app.url);
    await openMilestone(later, 'Field app', MILESTONE);
    await seen(later.getByRole('main').getByText('Written before the browser was closed'));
    await seen(statusOf(later, /to send/));
    await app.startServer();
    await seen(statusOf(later, 'Up to date'));
    await second.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });

  it('it can be installed: its manifest names icons that the server has', async () => {
    const get = (path: string) => fetch(new URL(path, app.url));
    const answer = await get('/manifest.webmanifest');
    expect(answer.headers.get('content-type')).toContain('application/manifest+json');
    const { icons, display } = (await answer.json()) as {
      icons: { src: string; type: string }[];
      display: string;
    };
    expect(display).toBe('standalone');
    for (const { src, type } of icons) {
      const icon = await get(src);
      expect([icon.status, icon.headers.get('content-type')?.split(';')[0]]).toEqual([200, type]);
    }
    expect((await get('/serviceWorker.js')).headers.get('cache-control')).toBe('no-cache');
  });
});

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
