import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  askToSignOut,
  buildUp,
  createTask,
  gone,
  goOffline,
  openMilestone,
  openTask,
  places,
  renameTask,
  seen,
  statusOf,
  WebApp,
} from '../../support/webApp';

const MILESTONE = 'Inspections work offline';

let app: WebApp;
beforeAll(async () => {
  app = await WebApp.start();
});
afterAll(() => app.close());

async function fillInAndSignIn(page: Page, role: string): Promise<void> {
  await seen(page.getByRole('heading', { name: 'Sign in' }));
  await page.getByRole('textbox', { name: 'Email' }).fill(`${role}@convoy.example`);
  await page.getByLabel('Password').fill('convoy-demo');
  await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
}

/** Names of the databases of the profile: folders of its private file system. */
const databases = (page: Page) =>
  page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('convoy');
    const names: string[] = [];
    const { keys } = folder as unknown as { keys(): AsyncIterable<string> };
    for await (const name of keys.call(folder)) names.push(name);
    return names;
  });

/** Of the databases that some tab has open, or waits for. */
const locksOnDatabases = (page: Page) =>
  page.evaluate(async () => {
    const { held = [], pending = [] } = await navigator.locks.query();
    return [...held, ...pending].flatMap(({ name }) => (name?.startsWith('convoy:database:') ? [name] : []));
  });

async function signOut(page: Page): Promise<void> {
  await page.bringToFront();
  await askToSignOut(page);
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
}

const userDatabases = async (page: Page) =>
  (await databases(page)).filter((name) => /^convoy-[0-9a-f]/.test(name));

describe('work without an account', () => {
  it('begins with no server, survives a reload, and is taken along at the first sign-in (D20, D21, P-LOCAL, P-DURABLE)', async () => {
    const page = await (await app.newProfile()).newPage();
    await page.goto('/');
    await page.getByRole('button', { name: 'Start without an account' }).click();
    await seen(page.getByText('You have no workspace yet.'));
    await seen(statusOf(page, 'On this device only'));
    await page.route('**/{rest,auth,realtime}/v1/**', (route) => route.abort());
    await buildUp(page, 'Lightship');
    await createTask(page, 'Choose the frequency');
    await page.getByRole('main').getByRole('link', { name: 'Choose the frequency' }).click();
    await page.getByRole('button', { name: /^Plan review/ }).click();
    await seen(page.getByText('moved it from Plan to Plan review'));
    await page.reload();
    await seen(page.getByRole('heading', { name: 'Choose the frequency', level: 1 }));
    await seen(page.getByText('moved it from Plan to Plan review'));
    await page.unroute('**/{rest,auth,realtime}/v1/**');

    await page.getByRole('banner').getByRole('button', { name: 'Sign in' }).click();
    await seen(page.getByRole('button', { name: 'Continue without an account' }));
    await page.getByRole('button', { name: 'Create an account' }).click();
    await page.getByLabel('Your name').fill('Mara');
    await page.getByLabel('Email').fill('mara@example.com');
    await page.getByLabel('Password').fill('harbour-lights');
    await page.getByRole('button', { name: 'Create an account' }).click();
    const dialog = page.getByRole('dialog', { name: 'Take your work along?' });
    await seen(dialog.getByText('“Lightship”'));
    await dialog.getByRole('button', { name: 'Take it along' }).click();
    await gone(dialog);
    await seen(statusOf(page, 'Up to date'));
    await seen(page.getByRole('heading', { name: 'Choose the frequency', level: 1 }));
    expect((await databases(page)).filter((name) => name === 'convoy-local')).toEqual([]);

    const other = await (await app.newProfile()).newPage();
    await other.goto('/');
    await other.getByRole('textbox', { name: 'Email' }).fill('mara@example.com');
    await other.getByLabel('Password').fill('harbour-lights');
    await other.locator('form').getByRole('button', { name: 'Sign in' }).click();
    await places(other).getByRole('link', { name: 'Members' }).click();
    await seen(other.getByRole('listitem').filter({ hasText: 'Mara (you)' }));
    await other.context().close();
    await page.context().close();
  });

  it('stays on the device when it is not taken along, is offered again, and is offered no more once another account has taken it (D23)', async () => {
    const page = await (await app.newProfile()).newPage();
    await page.goto('/');
    await page.getByRole('button', { name: 'Start without an account' }).click();
    await buildUp(page, 'Left behind');
    await page.getByRole('banner').getByRole('button', { name: 'Sign in' }).click();
    await fillInAndSignIn(page, 'editor');
    await page.getByRole('dialog').getByRole('button', { name: 'Leave it here' }).click();
    await gone(page.getByRole('dialog'));
    await seen(statusOf(page, 'Up to date'));
    await gone(page.getByRole('main').getByRole('link', { name: 'Left behind' }));
    await page.reload();
    const note = page.getByRole('complementary', { name: 'Work without an account' });
    await seen(note.getByText('“Left behind”'));
    await note.getByRole('button', { name: 'Not now' }).click();
    await gone(note);

    await askToSignOut(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
    await fillInAndSignIn(page, 'owner');
    await page.getByRole('dialog').getByRole('button', { name: 'Take it along' }).click();
    await seen(places(page).getByRole('link', { name: 'Left behind' }));
    await seen(statusOf(page, 'Up to date'));
    await askToSignOut(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
    await seen(page.getByRole('button', { name: 'Start without an account' }));
    await fillInAndSignIn(page, 'viewer');
    await seen(places(page).getByRole('link', { name: 'Lighthouse' }));
    await seen(statusOf(page, 'Up to date'));
    expect(await page.getByText('Left behind').count()).toBe(0);
    await page.context().close();
  });
});

describe('two accounts in one browser', () => {
  it('the second account sees none of the first one’s unsynced work, and the first one finds it again (D25, P-PRIVATE)', async () => {
    const page = await app.signIn('editor');
    await openMilestone(page, 'Field app', MILESTONE);
    // Nothing of the next sync comes back: the account is left while it runs.
    await page.route('**/rest/v1/rpc/sync_push', () => undefined);
    const pushing = page.waitForRequest('**/rest/v1/rpc/sync_push');
    await createTask(page, 'Between two accounts');
    await pushing;
    await askToSignOut(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Keep and sign out' }).click();
    await seen(page.getByRole('heading', { name: 'Sign in' }));
    await page.unroute('**/rest/v1/rpc/sync_push');

    await fillInAndSignIn(page, 'owner');
    await seen(statusOf(page, 'Up to date'));
    await openMilestone(page, 'Field app', MILESTONE);
    expect(await page.getByText('Between two accounts').count()).toBe(0);
    await askToSignOut(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();

    await fillInAndSignIn(page, 'editor');
    await openMilestone(page, 'Field app', MILESTONE);
    await seen(page.getByRole('main').getByRole('link', { name: 'Between two accounts' }));
    await seen(statusOf(page, 'Up to date'));
    await page.context().close();

    const other = await app.signIn('owner');
    await openTask(other, MILESTONE, 'Between two accounts');
    await other.context().close();
  });

  it('all tabs leave an account together, and enter the next one together (D25, D40, P-PRIVATE, P-NOLOSS)', async () => {
    const first = await app.signIn('editor');
    const second = await first.context().newPage();
    await second.goto('/');
    await openMilestone(second, 'Field app', MILESTONE);
    await second.route('**/rest/v1/rpc/sync_push', () => undefined);
    await first.route('**/rest/v1/rpc/sync_push', () => undefined);
    await createTask(second, 'Left in the second tab');
    // A page in the background draws once a second.
    await first.bringToFront();
    await askToSignOut(first);
    await first.getByRole('dialog').getByRole('button', { name: 'Keep and sign out' }).click();
    for (const page of [first, second]) {
      await seen(page.getByRole('heading', { name: 'Sign in' }));
      expect(await page.getByText('Left in the second tab').count()).toBe(0);
      await page.unrouteAll({ behavior: 'ignoreErrors' });
    }
    expect(await locksOnDatabases(first)).toEqual([]);

    await fillInAndSignIn(first, 'viewer');
    for (const page of [first, second]) await seen(statusOf(page, 'Up to date'));
    await second.bringToFront();
    await openMilestone(second, 'Field app', MILESTONE);
    expect(await second.getByText('Left in the second tab').count()).toBe(0);
    await signOut(second);
    for (const page of [first, second]) await seen(page.getByRole('heading', { name: 'Sign in' }));

    await fillInAndSignIn(second, 'editor');
    for (const page of [first, second]) {
      await page.bringToFront();
      await openMilestone(page, 'Field app', MILESTONE);
      await seen(page.getByRole('main').getByRole('link', { name: 'Left in the second tab' }));
    }
    await first.context().close();
  });

  it('a tab that slept through a sign-out leaves the account when it wakes (D40)', async () => {
    const first = await app.signIn('editor');
    const second = await first.context().newPage();
    // What happens elsewhere is not told to a page that sleeps.
    await second.addInitScript(() =>
      window.addEventListener('storage', (event) => event.stopImmediatePropagation(), true),
    );
    await second.goto('/');
    await seen(places(second).getByRole('link', { name: 'Lighthouse' }));
    const say = (target: 'window' | 'document', event: string) =>
      second.evaluate(([target, event]) => globalThis[target].dispatchEvent(new Event(event)), [
        target,
        event,
      ] as const);
    await say('document', 'freeze');
    await signOut(first);
    await seen(first.getByRole('heading', { name: 'Sign in' }));
    await seen(places(second).getByRole('link', { name: 'Lighthouse' }));
    await say('document', 'resume');
    await seen(second.getByRole('heading', { name: 'Sign in' }));
    await first.context().close();
  });

  it('a user’s data is discarded after asking twice, with the download offered, even while another tab has it open (D24, D40, P-NOLOSS)', async () => {
    const page = await app.signIn('editor');
    await openMilestone(page, 'Field app', MILESTONE);
    const other = await page.context().newPage();
    await other.goto('/');
    await seen(places(other).getByRole('link', { name: 'Lighthouse' }));
    await page.bringToFront();
    await goOffline(page);
    await createTask(page, 'Better not');
    await seen(statusOf(page, 'Offline — no network'));
    await askToSignOut(page);
    const downloading = page.waitForEvent('download');
    await page.getByRole('dialog').getByRole('button', { name: 'Download what is only here' }).click();
    const saved = await (await downloading).path();
    expect(readFileSync(saved, 'utf8')).toContain('Better not');
    expect(await userDatabases(page)).toHaveLength(1);
    await page.getByRole('dialog').getByRole('button', { name: 'Discard …' }).click();
    const asked = page.getByRole('dialog', { name: 'Remove your data from this device?' });
    await asked.getByRole('button', { name: 'Back' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Discard …' }).click();
    await asked.getByRole('button', { name: 'Discard and sign out' }).click();
    await seen(page.getByRole('heading', { name: 'Sign in' }));
    expect(await userDatabases(page)).toEqual([]);
    await seen(other.getByRole('heading', { name: 'Sign in' }));
    await other.close();

    await page.context().setOffline(false);
    await fillInAndSignIn(page, 'editor');
    await seen(statusOf(page, 'Up to date'));
    await openMilestone(page, 'Field app', MILESTONE);
    expect(await page.getByText('Better not').count()).toBe(0);
    await page.context().close();
  });
});

describe('a workspace that is lost', () => {
  it('the workspace leaves the page, and its unsynced edits can be downloaded from the archive and discarded (D26, P-PRIVATE, P-NOLOSS)', async () => {
    const page = await app.signIn('editor');
    await openTask(page, MILESTONE, 'Survive a clock that is wrong by hours');
    // The edit is made when the sync that finds out has pushed already: its pull is sent when all is ready.
    let release = () => {};
    const ready = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route('**/rest/v1/rpc/sync_pull', async (route) => {
      await ready;
      await route.continue();
    });
    const pulling = page.waitForRequest('**/rest/v1/rpc/sync_pull');
    await app.sql(
      "update public.workspace_members set deleted_at = now() where role = 'editor' and display_name = 'Editor'",
    );
    // The poke may have asked already; then the button has nothing to do.
    await page.getByRole('button', { name: 'Sync now' }).evaluate((button: HTMLElement) => button.click());
    await pulling;
    await renameTask(page, 'Nobody but me has this');
    release();
    await seen(page.getByText('There is no such task on this device.'));
    await page.getByRole('region', { name: 'Sync status' }).getByRole('link').first().click();
    const archive = page.getByRole('region', { name: 'Archive' });
    await seen(archive.getByText('Nobody but me has this'));
    const downloading = page.waitForEvent('download');
    await archive.getByRole('button', { name: 'Download these' }).click();
    expect(readFileSync(await (await downloading).path(), 'utf8')).toContain('Nobody but me has this');
    await archive.getByRole('button', { name: 'Discard' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
    await gone(page.getByRole('dialog'));
    await gone(archive);

    const log = page.getByRole('region', { name: 'Sync log' });
    await seen(log.getByRole('listitem').filter({ hasText: /received/ }));
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.context().close();
  });
});
