import { readFileSync } from 'node:fs';
import BetterSqlite from 'better-sqlite3';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LOCAL_SCHEMA_VERSION } from '@/lib/watermelon/models';
import { buildBrokenUpgrade } from '../../support/brokenUpgrade';
import { serve } from '../../support/bundled';
import { SEED } from '../../support/seed';
import {
  catchWorkers,
  emptyLog,
  endWorkers,
  greetFromNewerCode,
  leaveApp,
  patchDatabase,
} from '../../support/storageTrouble';
import {
  askToSignOut,
  choose,
  createTask,
  gone,
  openMilestone,
  seen,
  statusOf,
  WebApp,
} from '../../support/webApp';

const MILESTONE = 'Inspections work offline';

let app: WebApp;
let page: Page;
beforeAll(async () => {
  app = await WebApp.start();
});
afterAll(() => app.close());
beforeEach(async () => {
  page = await (await app.newProfile()).newPage();
  await catchWorkers(page);
});
afterEach(async () => {
  await page.context().close();
  // Some tests give it another name.
  await app.sql(`update public.milestones set name = '${MILESTONE}' where id = '${SEED.offlineMilestone}'`);
});

const taskLink = (title: string) => page.getByRole('main').getByRole('link', { name: title });

/** Signs in on the page of the test, and goes to the milestone that the tests write to. */
async function begin(): Promise<void> {
  await page.goto('/');
  await page.getByRole('button', { name: 'editor@convoy.example' }).click();
  await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
  await seen(statusOf(page, 'Up to date'));
  await openMilestone(page, 'Field app', MILESTONE);
  await page.getByRole('searchbox', { name: 'Find by key or title' }).fill('Written');
}

/**
 * Writes a task that the server cannot have, and leaves the app. A browser that is told to fail
 * requests, or to be offline, does so for pages that it shows: one that goes away may still push.
 */
async function createUnsent(title: string): Promise<void> {
  await app.stopServer();
  await createTask(page, title);
  await emptyLog(page);
  await leaveApp(page);
  await app.startServer();
  await page.route('**/rest/v1/rpc/sync_push', (route) => route.abort());
}

/** What is saved by a button of a database that cannot be opened. */
async function downloaded(button = 'Download what is only here'): Promise<Buffer> {
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: button }).click();
  return readFileSync(await (await downloading).path());
}

describe('trouble with the local storage, in the app', () => {
  it('a worker that crashes is replaced without an interruption (D41, P-DURABLE)', async () => {
    await begin();
    for (const time of ['once', 'twice']) {
      expect(await endWorkers(page)).toBe(1);
      await createTask(page, `Written after it crashed ${time}`);
    }
    await page.reload();
    await openMilestone(page, 'Field app', MILESTONE);
    await page.getByRole('searchbox', { name: 'Find by key or title' }).fill('crashed twice');
    await seen(taskLink('Written after it crashed twice'));
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('a database of newer code is refused with an explanation and not changed, and unsynced records can be downloaded (D43, D44, P-NOLOSS)', async () => {
    await begin();
    await createUnsent('Written before the trouble');
    await patchDatabase(page, { versionBy: 1 });
    await page.goto('/');
    const alert = page.getByRole('alert');
    await seen(alert.getByRole('heading', { name: 'Your data cannot be opened here' }));
    await seen(alert.getByText('A newer version of Convoy has written this database. Nothing was changed'));
    expect((await downloaded()).toString()).toContain('Written before the trouble');
    await leaveApp(page);
    await patchDatabase(page, { versionBy: -1 });
    await page.goto('/');
    await openMilestone(page, 'Field app', MILESTONE);
    await page.getByRole('searchbox', { name: 'Find by key or title' }).fill('Written');
    await seen(taskLink('Written before the trouble'));
  });

  it('a tab of older code reloads when newer code has taken over, but not while a person is typing (D43)', async () => {
    await begin();
    await page.getByRole('button', { name: 'New task' }).click();
    await page.getByRole('textbox', { name: 'Title' }).fill('Half a thought');
    await greetFromNewerCode(page);
    const notice = page
      .getByRole('alert')
      .filter({ hasText: 'A newer version of Convoy has written this database.' });
    await seen(notice);
    expect(await page.getByRole('textbox', { name: 'Title' }).inputValue()).toBe('Half a thought');
    await page.reload();
    await seen(page.getByRole('heading', { name: MILESTONE }));
    await page.evaluate(() => Object.assign(globalThis, { isOld: true }));
    await greetFromNewerCode(page);
    await page.waitForFunction(() => !('isOld' in globalThis));
    await seen(page.getByRole('heading', { name: MILESTONE }));
  });

  it('a damaged database is put aside; unsynced records are salvaged and listed, the rest is pulled again (D44, D49, P-NOLOSS)', async () => {
    await begin();
    await createUnsent('Written before the damage');
    await patchDatabase(page, { damageAt: 'Survive a clock that is wrong by hours' });
    await page.goto('/');
    await openMilestone(page, 'Field app', MILESTONE);
    const damaged = page.getByRole('alert').filter({ hasText: 'damaged' });
    await seen(damaged);
    await damaged.getByRole('button', { name: /Reload|Try again/ }).click();
    const notice = page.getByRole('alert').filter({ hasText: 'The data on this device was damaged.' });
    await seen(notice.getByRole('link', { name: 'Written before the damage' }));
    // Whoever holds the database next, and when the page is loaded anew, it is still told.
    await endWorkers(page);
    await page.reload();
    await seen(notice.getByRole('link', { name: 'Written before the damage' }));
    const other = await page.context().newPage();
    await other.goto('/');
    await seen(other.getByRole('alert').getByRole('link', { name: 'Written before the damage' }));
    await other.close();
    await page.unroute('**/rest/v1/rpc/sync_push');
    await seen(statusOf(page, 'Up to date'));
    await openMilestone(page, 'Field app', MILESTONE);
    await page.getByRole('searchbox', { name: 'Find by key or title' }).fill('Survive a clock');
    await seen(taskLink('Survive a clock that is wrong by hours'));
    await notice.getByRole('button', { name: 'Dismiss' }).click();
    await gone(notice);
    await page.reload();
    await seen(page.getByRole('heading', { name: MILESTONE }));
    expect(await notice.count()).toBe(0);
  });

  it('a write on a full disk is refused with an explanation and the typed text stays; with free space it is saved (D45, P-NOLOSS)', async () => {
    await begin();
    await createTask(page, 'Written while there was room');
    const session = await page.context().newCDPSession(page);
    const { origin } = new URL(page.url());
    await emptyLog(page);
    const { usage } = await session.send('Storage.getUsageAndQuota', { origin });
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage });
    await choose(page, 'Edit milestone');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Name' }).fill('Written on a full disk');
    await dialog.getByRole('textbox', { name: 'Description' }).fill('Much to say. '.repeat(7_000));
    await dialog.getByRole('button', { name: 'Save' }).click();
    await seen(dialog.getByRole('alert').filter({ hasText: 'There is no room left on this device.' }));
    const notice = page.locator('.storage-notice');
    await seen(notice.filter({ hasText: 'There is no room left on this device.' }));
    const written = page.locator('h1').filter({ hasText: 'Written on a full disk' });
    expect(await written.count()).toBe(0);
    // The list behind the dialog is hidden from assistive technology.
    expect(await page.locator('main a').filter({ hasText: 'Written while there was room' }).count()).toBe(1);
    await session.send('Storage.overrideQuotaForOrigin', { origin });
    await dialog.getByRole('button', { name: 'Save' }).click();
    await gone(dialog);
    await seen(written);
    await gone(notice);
    await seen(statusOf(page, 'Up to date'));
    await page.reload();
    await seen(written);
    await seen(taskLink('Written while there was room'));
  });

  it('a sign-out whose sync meets a full disk says so and keeps the account; with room again it goes on (P-NOLOSS, D24, D45)', async () => {
    await begin();
    await page.route('**/rest/v1/rpc/sync_push', (route) => route.abort());
    await choose(page, 'Edit milestone');
    const form = page.getByRole('dialog');
    await form.getByRole('textbox', { name: 'Name' }).fill('Written before the disk was full');
    await form.getByRole('textbox', { name: 'Description' }).fill('Much to say. '.repeat(7_000));
    await form.getByRole('button', { name: 'Save' }).click();
    await gone(form);
    const session = await page.context().newCDPSession(page);
    const { origin } = new URL(page.url());
    await emptyLog(page);
    const { usage } = await session.send('Storage.getUsageAndQuota', { origin });
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage });
    await page.unroute('**/rest/v1/rpc/sync_push');
    await askToSignOut(page);
    const dialog = page.getByRole('dialog', { name: 'Sign out with unsynced changes?' });
    await dialog.getByRole('button', { name: 'Sync first' }).click();
    const alert = dialog.getByRole('alert');
    await seen(alert.filter({ hasText: 'The sync did not finish, so you are still signed in.' }));
    await seen(
      alert.filter({ hasText: 'There is no room left on this device. The last change was not saved' }),
    );
    expect(await alert.innerText()).not.toMatch(/unexpected/i);
    await session.send('Storage.overrideQuotaForOrigin', { origin });
    await dialog.getByRole('button', { name: 'Sync first' }).click();
    await seen(page.getByRole('heading', { name: 'Sign in' }));
  });

  it('a failed migration changes nothing and says so, and the database can be downloaded (D46, P-NOLOSS)', async () => {
    await begin();
    await createUnsent('Written before the upgrade');
    const isPage = (path: string) => path === '/';
    const endUpgrade = await serve(page.context(), await buildBrokenUpgrade(), isPage);
    await page.goto('/');
    const alert = page.getByRole('alert');
    await seen(alert.getByRole('heading', { name: 'Your data cannot be opened here' }));
    await seen(alert.getByText('could not be brought to this version of Convoy. Nothing was changed'));
    expect((await downloaded()).toString()).toContain('Written before the upgrade');
    const saved = new BetterSqlite(await downloaded('Save the database'));
    expect(saved.pragma('user_version', { simple: true })).toBe(LOCAL_SCHEMA_VERSION);
    expect(saved.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(saved.pragma('table_info(tasks)')).not.toContainEqual(expect.objectContaining({ name: 'risk' }));
    const title = saved.prepare('select "_status" from "tasks" where "title" = ?');
    expect(title.get('Written before the upgrade')).toEqual({ _status: 'created' });
    saved.close();
    await endUpgrade();
    await page.unroute('**/rest/v1/rpc/sync_push');
    await page.goto('/');
    await openMilestone(page, 'Field app', MILESTONE);
    await page.getByRole('searchbox', { name: 'Find by key or title' }).fill('Written before');
    await seen(taskLink('Written before the upgrade'));
    await seen(statusOf(page, 'Up to date'));
  });

  it('persistent storage is requested once this device holds unsynced work, and may be refused (D47)', async () => {
    await page.addInitScript(() => {
      const { storage } = navigator;
      const ask = storage.persist.bind(storage);
      storage.persist = () => {
        Object.assign(globalThis, { hasAsked: true });
        return ask();
      };
    });
    const answer = async (setting: 'denied' | 'granted') => {
      const session = await page.context().newCDPSession(page);
      const { targetInfo } = await session.send('Target.getTargetInfo');
      const { browserContextId } = targetInfo;
      const permission = { name: 'persistent-storage' };
      await session.send('Browser.setPermission', { permission, setting, browserContextId });
    };
    const hasAsked = () => page.evaluate(() => 'hasAsked' in globalThis);
    const status = page.getByRole('region', { name: 'Sync status' }).getByRole('link');
    await answer('denied');
    await begin();
    expect(await hasAsked(), 'everything is on the server').toBe(false);
    await page.route('**/rest/v1/rpc/sync_push', (route) => route.abort());
    await createTask(page, 'Written and here alone');
    await expect.poll(hasAsked).toBe(true);
    await createTask(page, 'Written although it refused');
    await status.click();
    await seen(page.getByText('This browser has not agreed to keep it'));
    expect(await page.getByRole('alert').count()).toBe(0);
    await answer('granted');
    await page.reload();
    await seen(page.getByText('This browser keeps it until you remove it.'));
  });
});
