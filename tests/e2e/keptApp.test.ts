/** The app that a browser keeps: it opens without network and without the server. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openProfile } from '../support/browser';
import { WAIT_MS } from '../support/patience';
import {
  askToSignOut,
  buildUp,
  createTask,
  goOffline,
  openMilestone,
  seen,
  statusOf,
  WebApp,
} from '../support/webApp';

const MILESTONE = 'Inspections work offline';
const TASK = 'Survive a clock that is wrong by hours';

let app: WebApp;
beforeAll(async () => {
  app = await WebApp.start();
});
afterAll(async () => {
  await app.close();
});

/** Waits until everything of the app is kept: from then on it needs no network. */
const kept = (page: Page) => page.waitForFunction(() => navigator.serviceWorker.controller !== null);

async function signedIn(): Promise<Page> {
  const page = await app.signIn('editor', await app.newProfile({ isKept: true }));
  await kept(page);
  return page;
}

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
