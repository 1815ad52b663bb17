/** What a browser may lack, or refuse: each works or says what is missing and what to do, and recovers without a reload. */

import { readFileSync } from 'node:fs';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { emptyLog, keepNothing } from '../../support/storageTrouble';
import {
  buildUp,
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
let context: BrowserContext;
let page: Page;
beforeAll(async () => {
  app = await WebApp.start();
});
afterAll(() => app.close());
beforeEach(async () => {
  context = await app.newProfile();
});
afterEach(() => context.close());

async function open(): Promise<void> {
  page = await context.newPage();
  await page.goto('/');
}

async function signIn(): Promise<void> {
  await page.getByRole('button', { name: 'editor@convoy.example' }).click();
  await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
}

async function begin(): Promise<void> {
  await open();
  await signIn();
  await seen(statusOf(page, 'Up to date'));
  await goToTasks();
}

async function goToTasks(): Promise<void> {
  await openMilestone(page, 'Field app', MILESTONE);
  await page.getByRole('searchbox', { name: 'Find by key or title' }).fill('Written');
}

const alert = (text: string) => page.getByRole('alert').filter({ hasText: text });
const notice = (text: string) => page.locator('.storage-notice').filter({ hasText: text });
const taskLink = (title: string) => page.getByRole('main').getByRole('link', { name: title });
const syncNow = () =>
  page.getByRole('region', { name: 'Sync status' }).getByRole('button', { name: 'Sync now' });
const goToSync = () => statusOf(page, /./).click();

const onServer = async (title: string) =>
  (await app.query<{ n: number }>(`select count(*)::int as n from public.tasks where title = '${title}'`))[0]
    ?.n;

/** The database of the page, as a person saves it. */
async function savedDatabase(): Promise<Buffer> {
  const downloading = page.waitForEvent('download');
  await page.getByRole('main').getByRole('button', { name: 'Save the database' }).click();
  return readFileSync(await (await downloading).path());
}

async function replaceFrom(buffer: Buffer): Promise<void> {
  const file = { name: 'convoy.sqlite', mimeType: 'application/vnd.sqlite3', buffer };
  await page.getByLabel('Replace from a file').setInputFiles(file);
  await page.getByRole('dialog').getByRole('button', { name: 'Replace', exact: true }).click();
}

describe('a browser that says for ever that there is no network', () => {
  it('syncs when it is asked to, then by itself, and its status follows what happens (D31)', async () => {
    await context.addInitScript(() =>
      Object.defineProperty(Navigator.prototype, 'onLine', { get: () => false }),
    );
    await open();
    await signIn();
    await seen(statusOf(page, 'Offline — no network'));
    await syncNow().click();
    await seen(statusOf(page, 'Up to date'));
    await goToTasks();
    await createTask(page, 'Written without a network');
    await expect.poll(() => onServer('Written without a network')).toBe(1);
    await seen(statusOf(page, 'Up to date'));
    await app.stopServer();
    await createTask(page, 'Written without a server');
    await seen(statusOf(page, 'Offline'));
    await app.startServer();
    await syncNow().click();
    await seen(statusOf(page, 'Up to date'));
    expect(await onServer('Written without a server')).toBe(1);
  });
});

describe('a browser that refuses localStorage to the page', () => {
  const refuse = () =>
    context.addInitScript(() =>
      Object.defineProperty(window, 'localStorage', {
        get: () => {
          throw new DOMException('Access is denied for this document.', 'SecurityError');
        },
      }),
    );

  it('starts, works, and says that one has to sign in again; what was written stays (P-DURABLE, P-NOLOSS)', async () => {
    await refuse();
    await open();
    await seen(alert('You will have to sign in again whenever this page is loaded.'));
    await signIn();
    await seen(statusOf(page, 'Up to date'));
    await goToTasks();
    await app.stopServer();
    await createTask(page, 'Written without localStorage');
    await emptyLog(page);
    await app.startServer();
    await page.reload();
    await seen(alert('Allow its cookies and site data'));
    await signIn();
    await expect.poll(() => onServer('Written without localStorage')).toBe(1);
    await goToTasks();
    await seen(taskLink('Written without localStorage'));
  });

  it('and all other storage too keeps everything in the tab, and says so (D44)', async () => {
    await refuse();
    await keepNothing(context);
    await open();
    await seen(alert('Not durable in this window.'));
    expect(await alert('Not durable').innerText()).toContain('This browser stores nothing for this site.');
    await page.getByRole('button', { name: 'Start without an account' }).click();
    await seen(statusOf(page, 'In this tab only'));
    await buildUp(page, 'Tabship');
    await page.getByRole('banner').getByRole('button', { name: 'Sign in' }).click();
    await signIn();
    await page.getByRole('dialog').getByRole('button', { name: 'Take it along' }).click();
    await seen(statusOf(page, 'Up to date'));
  });
});

describe('a start without an account', () => {
  it('without a network says what is missing, and goes on once it is there (P-LOCAL)', async () => {
    await open();
    await seen(page.getByRole('button', { name: 'Start without an account' }));
    await app.stopServer();
    await page.getByRole('button', { name: 'Start without an account' }).click();
    const begun = page.getByText('You have no workspace yet.');
    const missing = page.getByRole('button', { name: 'Try again' });
    await seen(begun.or(missing));
    await app.startServer();
    if (await missing.isVisible()) await missing.click();
    await seen(begun);
    await buildUp(page, 'Loneship');
  });
});

describe('a file that is no database', () => {
  it('is refused for what it is, and the database goes on (D60)', async () => {
    await begin();
    await goToSync();
    const own = await savedDatabase();
    const bad: [string, Buffer][] = [
      ['nothing', Buffer.alloc(0)],
      ['text', Buffer.from('{"name": "convoy"}'.repeat(1_000))],
      ['the beginning of a database', own.subarray(0, 9_000)],
      ['a database with a hole', Buffer.from(own).fill(7, 8_192, 40_000)],
      ['the header of a database', Buffer.concat([own.subarray(0, 100), Buffer.alloc(20_000, 7)])],
    ];
    for (const [what, file] of bad) {
      await replaceFrom(file);
      const dialog = page.getByRole('dialog');
      await seen(
        dialog.getByRole('alert').filter({ hasText: 'This file is not a database of this account.' }),
      );
      expect(await page.locator('.storage-notice').count(), what).toBe(0);
      await dialog.getByRole('button', { name: 'Cancel' }).click();
      await gone(dialog);
    }
    await goToTasks();
    await createTask(page, 'Written after bad files');
    await expect.poll(() => onServer('Written after bad files')).toBe(1);
    await goToSync();
    await replaceFrom(own);
    await seen(page.getByText('The data on this device was replaced by the file.'));
    await syncNow().click();
    await goToTasks();
    await seen(taskLink('Written after bad files'));
  });
});

describe('a device that was full', () => {
  it('says so no more once a file was imported (D45)', async () => {
    await begin();
    await goToSync();
    const own = await savedDatabase();
    await goToTasks();
    const session = await context.newCDPSession(page);
    const { origin } = new URL(page.url());
    await emptyLog(page);
    const { usage } = await session.send('Storage.getUsageAndQuota', { origin });
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage });
    await choose(page, 'Edit milestone');
    const form = page.getByRole('dialog');
    await form.getByRole('textbox', { name: 'Description' }).fill('Much to say. '.repeat(7_000));
    await form.getByRole('button', { name: 'Save' }).click();
    await seen(notice('There is no room left on this device.'));
    await form.getByRole('button', { name: 'Cancel' }).click();
    await goToSync();
    await session.send('Storage.overrideQuotaForOrigin', { origin });
    await replaceFrom(own);
    await seen(page.getByText('The data on this device was replaced by the file.'));
    await gone(notice('There is no room left on this device.'));
  });
});

describe('a browser that does not agree to keep the data', () => {
  beforeEach(() =>
    context.addInitScript(() => {
      navigator.storage.persist = async () => false;
      navigator.storage.persisted = async () => false;
    }),
  );

  it('is told of while work exists only here, with what to do, until that is synced (D47)', async () => {
    await begin();
    await app.stopServer();
    await createTask(page, 'Written and nowhere else');
    const told = notice('This browser may clear what is only here.');
    await seen(told);
    expect(await told.innerText()).toContain('2 changes are not on the server yet.');
    expect((await savedDatabase()).toString('latin1')).toContain('Written and nowhere else');
    // Pressed before the server is back: afterwards the page syncs by itself, and the note may go first.
    await told.getByRole('button', { name: 'Sync now' }).click();
    await app.startServer();
    await gone(told);
    await expect.poll(() => onServer('Written and nowhere else')).toBe(1);
  });

  it('is told of without an account, until a person has read it (D47)', async () => {
    await open();
    await page.getByRole('button', { name: 'Start without an account' }).click();
    await buildUp(page, 'Riskship');
    const told = notice('This browser may clear what is only here.');
    await seen(told);
    expect(await told.innerText()).toContain('Sign in to keep it on the server');
    await told.getByRole('button', { name: 'Dismiss' }).click();
    await gone(told);
  });
});
