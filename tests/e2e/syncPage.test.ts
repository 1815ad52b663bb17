import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  comment,
  gone,
  goOffline,
  openTask,
  renameTask,
  seen,
  statusOf,
  syncNow,
  WebApp,
} from '../support/webApp';

const MILESTONE = 'Inspections work offline';

describe('the sync page', () => {
  let app: WebApp;
  beforeAll(async () => {
    app = await WebApp.start();
  });
  afterAll(() => app.close());

  const setRole = (from: string, to: string) =>
    app.sql(
      `update public.workspace_members set role = '${to}' where role = '${from}' and display_name = 'Editor'`,
    );

  async function refusedEdit(page: Page, title: string, wanted: string): Promise<void> {
    await openTask(page, MILESTONE, title);
    await goOffline(page);
    await renameTask(page, wanted);
    await setRole('editor', 'viewer');
    await page.context().setOffline(false);
    await page.getByRole('link', { name: '1 refused change' }).click();
    await seen(page.getByText('You wanted to change the task'));
    await seen(page.getByText(wanted).first());
    await seen(page.getByText('You may not do this here. An owner of the workspace can change your role.'));
  }

  it('a refused change is kept with its reason until it is retried (P-NOLOSS)', async () => {
    const page = await app.signIn('editor');
    const wanted = 'Hand a tablet over between shifts';
    await refusedEdit(page, 'Let two inspectors share one tablet', wanted);
    await seen(page.getByRole('main').getByRole('link', { name: 'Let two inspectors share one tablet' }));
    await setRole('viewer', 'editor');
    // A device that hears of the new role first retries by itself (D11), and the button is gone.
    await page.evaluate(() => {
      const buttons = [...document.querySelectorAll('button')];
      buttons.find(({ textContent }) => textContent === 'Retry')?.click();
    });
    await gone(page.getByRole('button', { name: 'Retry' }));
    await openTask(page, MILESTONE, wanted);
    await syncNow(page);
    await page.context().close();

    const other = await app.signIn('owner');
    await openTask(other, MILESTONE, wanted);
    await other.context().close();
  });

  it('a refused change is discarded after asking, and the server’s value stays', async () => {
    const page = await app.signIn('editor');
    const title = 'Migrate databases of the pilot version';
    await refusedEdit(page, title, 'Throw the pilot databases away');
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
    await seen(page.getByText('Nothing needs a decision of yours.'));
    await setRole('viewer', 'editor');
    await openTask(page, MILESTONE, title);
    await page.context().close();
  });

  it('what waits is told in words, the newest first, and who it is about by name', async () => {
    const title = "Open the day's route without a network";
    const page = await app.signIn('editor');
    await openTask(page, MILESTONE, title);
    await goOffline(page);
    await page.getByLabel('Assignee').selectOption('Owner');
    await comment(page, 'Said on the pier.');
    await page.getByRole('region', { name: 'Sync status' }).getByRole('link').first().click();
    const waiting = page.getByRole('region', { name: 'Waiting to be sent' }).getByRole('listitem');
    await seen(waiting.filter({ hasText: 'Said on the pier.' }));
    expect(await waiting.count()).toBe(2);
    await seen(waiting.nth(1).getByText('Changed task'));
    await seen(waiting.nth(1).getByRole('insertion').getByText('Owner'));
    await page.context().setOffline(false);
    await gone(waiting);
    await seen(page.getByText('Nothing needs a decision of yours.'));
    await page.context().close();
  });

  it('a conflict is listed with both values and the chosen one, and can be reversed', async () => {
    const title = 'Survive a clock that is wrong by hours';
    const page = await app.signIn('editor');
    await openTask(page, MILESTONE, title);
    await goOffline(page);
    await renameTask(page, 'Survive any clock');
    const other = await app.signIn('owner');
    await openTask(other, MILESTONE, title);
    await renameTask(other, 'Trust no clock');
    await syncNow(other);

    await page.context().setOffline(false);
    await seen(page.getByRole('heading', { name: 'Trust no clock', level: 1 }));
    await seen(statusOf(page, 'Up to date'));
    await statusOf(page, 'Up to date').click();
    const entry = page
      .getByRole('article')
      .filter({ hasText: 'You and somebody else changed the same task' });
    await seen(entry);
    const [before, yours, theirs, chosen] = await entry.getByRole('definition').allTextContents();
    expect(before).toBe(title);
    expect(yours).toBe('Survive any clock');
    expect(theirs).toBe('Trust no clock');
    expect(chosen).toContain('Trust no clock');

    await page.getByRole('button', { name: 'Use yours' }).click();
    await gone(page.getByRole('button', { name: 'Use yours' }));
    await syncNow(page);
    await syncNow(other);
    await seen(other.getByRole('heading', { name: 'Survive any clock', level: 1 }));
    await other.getByRole('button', { name: 'Use the other value' }).first().click();
    const asked = other.getByRole('dialog', { name: 'Use the other value?' });
    await seen(asked.getByRole('deletion').filter({ hasText: 'Survive any clock' }));
    await seen(asked.getByRole('insertion').filter({ hasText: 'Trust no clock' }));
    await asked.getByRole('button', { name: 'Use this value' }).click();
    await seen(other.getByRole('heading', { name: 'Trust no clock', level: 1 }));
    await other.context().close();
    await page.context().close();
  });

  it('the database is saved as a file and imported again, and newer changes come with the next sync (D60)', async () => {
    const title = 'Migrate databases of the pilot version';
    const page = await app.signIn('editor');
    await openTask(page, MILESTONE, title);
    await syncNow(page);
    await statusOf(page, 'Up to date').click();
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save the database' }).click();
    const file = await (await saving).path();

    await openTask(page, MILESTONE, title);
    await renameTask(page, 'Migrate the pilot’s tablets');
    await syncNow(page);
    await statusOf(page, 'Up to date').click();
    const choose = async (path: string) => {
      await page.getByLabel('Replace from a file').setInputFiles(path);
      await page.getByRole('dialog').getByRole('button', { name: 'Replace' }).click();
    };
    await goOffline(page);
    await choose(file);
    await seen(page.getByText('The data on this device was replaced by the file.'));
    await openTask(page, MILESTONE, title);
    await page.context().setOffline(false);
    await seen(page.getByRole('heading', { name: 'Migrate the pilot’s tablets', level: 1 }));

    await seen(statusOf(page, 'Up to date'));
    await statusOf(page, 'Up to date').click();
    await choose('package.json');
    const alert = page.getByRole('dialog').getByRole('alert');
    await seen(alert.getByText('This file is not a database of this account. Nothing was changed.'));
    expect(await alert.innerText()).not.toMatch(/unexpected/i);
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.context().close();
  });
});
