import { readFileSync } from 'node:fs';
import BetterSqlite from 'better-sqlite3';
import type { BrowserContext, Dialog, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Release } from '../../support/releases';
import { keepNothing, restoreLoki } from '../../support/storageTrouble';
import {
  askToSignOut,
  buildUp,
  createTask,
  openMilestone,
  places,
  seen,
  statusOf,
  syncNow,
  WebApp,
} from '../../support/webApp';

const MILESTONE = 'Inspections work offline';
const EDITOR = '019a0000-0000-7000-8000-000000000002';

const notice = (page: Page) => page.getByRole('alert').filter({ hasText: 'Not durable in this window.' });
const taskLink = (page: Page, title: string) => page.getByRole('main').getByRole('link', { name: title });

async function signIn(page: Page, role: string): Promise<void> {
  await page.getByRole('button', { name: `${role}@convoy.example` }).click();
  await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
  await seen(statusOf(page, 'Up to date'));
}

async function goToTasks(page: Page): Promise<void> {
  await openMilestone(page, 'Field app', MILESTONE);
  await page.getByRole('searchbox', { name: 'Find by key or title' }).fill('Written');
}

/** Closes the tab as a person does. @returns whether the browser asked, in which case the tab stays open */
async function tryToClose(page: Page): Promise<boolean> {
  const asked = new Promise<boolean>((resolve) => {
    page.once('dialog', (dialog: Dialog) => {
      if (dialog.type() !== 'beforeunload') return;
      resolve(true);
      void dialog.dismiss();
    });
    page.once('close', () => resolve(false));
  });
  await page.close({ runBeforeUnload: true });
  return asked;
}

/** Titles of tasks on the server, as the server has them. */
const onServer = async (app: WebApp, like: string) =>
  (
    await app.query<{ title: string }>(
      `select title from public.tasks where title like '${like}' and deleted_at is null order by title`,
    )
  ).map(({ title }) => title);

describe('over plain HTTP to a name that is not localhost', () => {
  let app: WebApp;
  let context: BrowserContext;
  beforeAll(async () => {
    app = await WebApp.start({ isPlain: true });
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    context = await app.newProfile();
  });
  afterEach(() => context.close());

  it('a tab says that nothing is durable before anything can be typed, and the file is one click away (D44)', async () => {
    const page = await context.newPage();
    await page.goto('/');
    expect(
      await page.evaluate(() => [isSecureContext, 'locks' in navigator, 'randomUUID' in crypto]),
    ).toEqual([false, false, false]);
    await seen(page.getByRole('textbox', { name: 'Email' }));
    expect(await notice(page).innerText()).toContain('with https');
    expect(await page.getByText('Everything stays in this tab.').isVisible()).toBe(true);
    await signIn(page, 'editor');
    await goToTasks(page);
    await seen(notice(page));
    await page.route('**/rest/v1/rpc/sync_push', (route) => route.abort());
    await createTask(page, 'Written without https');
    const downloading = page.waitForEvent('download');
    await notice(page).getByRole('button', { name: 'Save the database' }).click();
    const saved = new BetterSqlite(readFileSync(await (await downloading).path()));
    const row = saved.prepare('select "_status" from "tasks" where "title" = ?').get('Written without https');
    saved.close();
    expect(row).toEqual({ _status: 'created' });
  });

  it('two tabs are two devices: none overwrites the other, and all they acknowledged is synced (D20, D44, P-NOLOSS)', async () => {
    const [one, two] = [await context.newPage(), await context.newPage()];
    await one.goto('/');
    await signIn(one, 'editor');
    await goToTasks(one);
    await two.goto('/');
    await seen(statusOf(two, 'Up to date'));
    await goToTasks(two);
    for (const page of [one, two]) await page.route('**/rest/v1/rpc/sync_push', (route) => route.abort());
    await createTask(one, 'Written in tab one');
    await createTask(two, 'Written in tab two');
    await createTask(one, 'Written in tab one again');
    await seen(statusOf(one, /to send/));
    for (const page of [one, two]) {
      await page.unroute('**/rest/v1/rpc/sync_push');
      await syncNow(page);
    }
    expect(await onServer(app, 'Written in tab%')).toEqual([
      'Written in tab one',
      'Written in tab one again',
      'Written in tab two',
    ]);
    await seen(taskLink(two, 'Written in tab one again'));
    const devices = await app.query<{ devices: number }>(
      `select count(distinct device_id)::int as devices from convoy.devices where user_id = '${EDITOR}'`,
    );
    expect(devices[0]?.devices).toBeGreaterThanOrEqual(2);
  });

  it('the browser asks before a tab is closed while something in it is unsynced, and only then (D44, P-NOLOSS)', async () => {
    const page = await context.newPage();
    await page.goto('/');
    await signIn(page, 'editor');
    await goToTasks(page);
    await page.route('**/rest/v1/rpc/sync_push', (route) => route.abort());
    await createTask(page, 'Written and not sent');
    expect(await tryToClose(page)).toBe(true);
    // Also when the account was left with its work kept: it is in this tab alone.
    await askToSignOut(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Keep and sign out' }).click();
    await seen(page.getByRole('heading', { name: 'Sign in' }));
    expect(await tryToClose(page)).toBe(true);
    await page.unroute('**/rest/v1/rpc/sync_push');
    await signIn(page, 'editor');
    await expect.poll(() => onServer(app, 'Written and not sent')).toHaveLength(1);
    await seen(statusOf(page, 'Up to date'));
    expect(await tryToClose(page)).toBe(false);
  });

  it('work begun without an account is taken along, and a discarded database is gone (D20, D21, D24)', async () => {
    const page = await context.newPage();
    await page.goto('/');
    await page.getByRole('button', { name: 'Start without an account' }).click();
    await seen(notice(page));
    await seen(statusOf(page, 'In this tab only'));
    await buildUp(page, 'Plainship');
    await createTask(page, 'Written by nobody yet');
    await page.getByRole('banner').getByRole('button', { name: 'Sign in' }).click();
    await seen(page.getByRole('button', { name: 'Continue without an account' }));
    await page.getByRole('button', { name: 'editor@convoy.example' }).click();
    await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Take it along' }).click();
    await expect.poll(() => onServer(app, 'Written by nobody yet')).toHaveLength(1);
    await seen(statusOf(page, 'Up to date'));
    await goToTasks(page);
    await page.route('**/rest/v1/rpc/sync_push', (route) => route.abort());
    await createTask(page, 'Written to be discarded');
    await askToSignOut(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Discard …' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Discard and sign out' }).click();
    await seen(page.getByRole('heading', { name: 'Sign in' }));
    expect(await page.getByRole('button', { name: 'Start without an account' }).count()).toBe(1);
    await page.unroute('**/rest/v1/rpc/sync_push');
    await signIn(page, 'editor');
    await goToTasks(page);
    expect(await taskLink(page, 'Written to be discarded').count()).toBe(0);
    expect(await onServer(app, 'Written to be discarded')).toEqual([]);
  });
});

/** IndexedDB databases of LokiJS, as the release left them in a browser without OPFS. */
describe('what a release left in LokiJS', () => {
  let app: WebApp;
  let page: Page;
  const left = JSON.parse(
    Release.all()
      .find(({ manifest }) => manifest.release === '70fe62f')
      ?.read('loki.json.br')
      .toString() ?? 'null',
  );
  const names = (on: Page) =>
    on.evaluate(async () => {
      const known = await indexedDB.databases();
      return [...known.map(({ name }) => name), ...Object.keys(localStorage)].filter((name) =>
        /^convoy-|schema-version/.test(name ?? ''),
      );
    });

  async function restored(of: 'editor' | 'local', isDurable: boolean): Promise<void> {
    app = await WebApp.start();
    const context = await app.newProfile();
    if (!isDurable) await keepNothing(context);
    page = await context.newPage();
    await restoreLoki(page, left[of]);
    await page.goto('/');
  }
  afterEach(async () => {
    await app.close();
  });

  it('its unsynced work moves into the database of the account, is listed, and is removed there (D52, P-NOLOSS)', async () => {
    await restored('editor', true);
    await page.route('**/rest/v1/rpc/sync_push', (route) => route.abort());
    await page.getByRole('button', { name: 'editor@convoy.example' }).click();
    await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
    const moved = page.getByRole('alert').filter({ hasText: 'Work of an earlier version was found' });
    await seen(moved.getByRole('link', { name: 'Left in LokiJS' }));
    expect(await names(page)).toEqual([]);
    // What was moved is durable: it survives a reload while it is still unsynced.
    await page.reload();
    await seen(statusOf(page, /to send/));
    await page.unroute('**/rest/v1/rpc/sync_push');
    await syncNow(page);
    expect(await onServer(app, '%in LokiJS')).toEqual([
      'Left in LokiJS',
      'Survive a clock, renamed in LokiJS',
    ]);
  });

  it('in a window that keeps nothing it stays where it was until it is on the server (D52, P-NOLOSS)', async () => {
    await restored('editor', false);
    await page.route('**/rest/v1/rpc/sync_push', (route) => route.abort());
    await page.getByRole('button', { name: 'editor@convoy.example' }).click();
    await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
    const moved = page.getByRole('alert').filter({ hasText: 'Work of an earlier version was found' });
    await seen(moved.getByRole('link', { name: 'Left in LokiJS' }));
    await seen(statusOf(page, /to send/));
    expect(await names(page)).toHaveLength(2);
    page.on('dialog', (dialog) => void dialog.accept());
    await page.reload();
    await seen(moved.getByRole('link', { name: 'Left in LokiJS' }));
    await page.unroute('**/rest/v1/rpc/sync_push');
    await syncNow(page);
    await expect.poll(() => names(page)).toEqual([]);
    expect(await onServer(app, '%in LokiJS')).toEqual([
      'Left in LokiJS',
      'Survive a clock, renamed in LokiJS',
    ]);
  });

  it('work that it had without an account can be continued and taken along (D21, D52, P-NOLOSS)', async () => {
    await restored('local', true);
    await page.getByRole('button', { name: 'Continue without an account' }).click();
    await places(page).getByRole('link', { name: 'Lightship', exact: true }).click();
    expect(await names(page)).toEqual([]);
    await page.getByRole('banner').getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'editor@convoy.example' }).click();
    await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Take it along' }).click();
    await expect.poll(() => onServer(app, 'Begun in LokiJS')).toHaveLength(1);
  });
});
