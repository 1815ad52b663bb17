import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, it } from 'vitest';
import {
  askToSignOut,
  buildUp,
  createTask,
  gone,
  goOffline,
  openMembers,
  openMilestone,
  places,
  seen,
  statusOf,
  syncNow,
  WebApp,
} from '../support/webApp';

/** The list renders a screenful; what is searched for is on it. */
const searchFor = (page: Page, text: string) =>
  page.getByRole('searchbox', { name: 'Find by key or title' }).fill(text);

describe('signing in and out', () => {
  let app: WebApp;
  beforeAll(async () => {
    app = await WebApp.start();
  });
  afterAll(() => app.close());

  it('a demo account is filled in with one click, and its workspaces are shown', async () => {
    const page = await app.signIn('owner');
    await places(page).getByRole('link', { name: 'Lighthouse' }).click();
    await seen(page.getByRole('main').getByRole('link', { name: 'Field app' }));
    await openMembers(page);
    await seen(page.getByRole('listitem').filter({ hasText: 'Owner (you)' }));
    await page.context().close();
  });

  it('a wrong password is reported in plain words', async () => {
    const page = await (await app.newProfile()).newPage();
    await page.goto('/');
    await page.getByRole('textbox', { name: 'Email' }).fill('owner@convoy.example');
    await page.getByLabel('Password').fill('not the password');
    await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
    await seen(page.getByRole('alert').filter({ hasText: 'The email address or the password is wrong.' }));
    await page.context().close();
  });

  it.each([
    [429, 'application/json', '{"message":"slow down"}', 'The server gets too many requests from here.'],
    [403, 'application/json', '{"message":"blocked"}', 'The server failed to handle the request.'],
    [451, 'text/html', '<h1>Not from here</h1>', 'The server cannot be reached.'],
  ])(
    'something in between that answers %i is not taken for a wrong password',
    async (status, contentType, body, told) => {
      const page = await (await app.newProfile()).newPage();
      await page.route('**/auth/v1/token?grant_type=password', (route) =>
        route.fulfill({ status, contentType, body }),
      );
      await page.goto('/');
      await page.getByRole('textbox', { name: 'Email' }).fill('owner@convoy.example');
      await page.getByLabel('Password').fill('convoy-demo');
      await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
      await seen(page.getByRole('alert').filter({ hasText: told }));
      await page.context().close();
    },
  );

  it('a new account gets from nothing to its first task', async () => {
    const page = await (await app.newProfile()).newPage();
    await page.goto('/');
    await page.getByRole('button', { name: 'Create an account' }).click();
    await page.getByLabel('Your name').fill('Mara');
    await page.getByLabel('Email').fill('mara@example.com');
    await page.getByLabel('Password').fill('harbour-lights');
    await page.getByRole('button', { name: 'Create an account' }).click();
    await seen(page.getByText('You have no workspace yet.'));
    await buildUp(page, 'Lightship');
    await createTask(page, 'Choose the frequency');
    await syncNow(page);
    await page.reload();
    await seen(page.getByRole('main').getByRole('link', { name: 'Choose the frequency' }));
    await page.context().close();
  });

  it('a key means the task of the account that is signed in, also where another one had a task of that key', async () => {
    const page = await app.signIn('editor');
    await page.goto('/tasks/FIELD-1');
    await seen(page.getByRole('heading', { name: 'Save a finding locally', level: 1 }));
    await askToSignOut(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByRole('button', { name: 'Create an account' }).click();
    await page.getByLabel('Your name').fill('Nils');
    await page.getByLabel('Email').fill('nils@example.com');
    await page.getByLabel('Password').fill('harbour-lights');
    await page.getByRole('button', { name: 'Create an account' }).click();
    await places(page).getByRole('link', { name: 'All workspaces' }).click();
    await buildUp(page, 'Field');
    await createTask(page, 'Mine alone');
    await syncNow(page);
    await page.evaluate(() => history.pushState(null, '', '/tasks/FIELD-1'));
    await seen(page.getByRole('heading', { name: 'Mine alone', level: 1 }));
    await page.context().close();
  });

  it('signing out with unsynced changes warns, and keeps them on the device (P-NOLOSS)', async () => {
    const page = await app.signIn('editor');
    await openMilestone(page, 'Field app', 'Inspections work offline');
    await goOffline(page);
    await createTask(page, 'Written on the ferry');
    await seen(statusOf(page, 'Offline — no network'));
    await askToSignOut(page);
    const dialog = page.getByRole('dialog', { name: 'Sign out with unsynced changes?' });
    await seen(dialog.getByText('2 changes have not reached the server yet.'));
    await dialog.getByRole('button', { name: 'Sync first' }).click();
    await seen(
      dialog.getByRole('alert').filter({
        hasText: 'The sync did not finish, so you are still signed in. The server cannot be reached.',
      }),
    );
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await gone(dialog);
    await askToSignOut(page);
    await page.getByRole('button', { name: 'Keep and sign out' }).click();
    await seen(page.getByRole('heading', { name: 'Sign in' }));

    await page.context().setOffline(false);
    await page.getByRole('textbox', { name: 'Email' }).fill('editor@convoy.example');
    await page.getByLabel('Password').fill('convoy-demo');
    await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
    await seen(page.getByRole('main').getByRole('link', { name: 'Written on the ferry' }));
    await seen(statusOf(page, 'Up to date'));

    const other = await app.signIn('owner');
    await openMilestone(other, 'Field app', 'Inspections work offline');
    await seen(other.getByRole('main').getByRole('link', { name: 'Written on the ferry' }));
    await other.context().close();
    await page.context().close();
  });

  it('signing out syncs first where the server can be reached', async () => {
    const page = await app.signIn('editor');
    await openMilestone(page, 'Field app', 'Inspections work offline');
    await goOffline(page);
    await createTask(page, 'Written on the pier');
    await askToSignOut(page);
    await app.stack.suspend();
    await page.context().setOffline(false);
    await seen(page.getByRole('dialog', { name: 'Sign out with unsynced changes?' }));
    await app.stack.resume();
    // Where the device has synced by itself meanwhile, the first button signs out right away.
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Sync first$|^Sign out$/ })
      .click();
    await seen(page.getByRole('heading', { name: 'Sign in' }));
    await page.context().close();
  });

  it('two tabs show each other’s changes, and one goes on when the other is closed', async () => {
    const first = await app.signIn('owner');
    await openMilestone(first, 'Field app', 'Inspections work offline');
    const second = await first.context().newPage();
    await second.goto('/');
    await seen(places(second).getByRole('link', { name: 'Lighthouse' }));
    await openMilestone(second, 'Field app', 'Inspections work offline');
    for (const page of [first, second]) await searchFor(page, 'Written');
    await first.bringToFront();
    await createTask(first, 'Written in the first tab');
    await seen(second.getByRole('main').getByRole('link', { name: 'Written in the first tab' }));
    await second.bringToFront();
    await createTask(second, 'Written in the second tab');
    await seen(first.getByRole('main').getByRole('link', { name: 'Written in the second tab' }));
    await first.close();
    await createTask(second, 'Written when the first was closed');
    await second.context().close();
  });
});
