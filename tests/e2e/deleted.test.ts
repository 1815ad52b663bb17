import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createTask,
  gone,
  openMilestone,
  openTask,
  seen,
  statusOf,
  syncNow,
  WebApp,
} from '../support/webApp';

const MILESTONE = 'Inspections work offline';

describe('deleting, restoring and moving', () => {
  let app: WebApp;
  /** The page of an editor, signed in and synced: every test goes to where it begins. */
  let page: Page;
  beforeAll(async () => {
    app = await WebApp.start();
    page = await app.signIn('editor');
  });
  afterAll(() => app.close());

  async function deleteTask(on: Page) {
    await on.getByRole('button', { name: 'Delete task' }).click();
    await on.getByRole('dialog').getByRole('button', { name: 'Delete task' }).click();
    await gone(on.getByRole('dialog'));
  }

  async function openDeleted(on: Page) {
    await on.getByRole('link', { name: 'Convoy: your workspaces' }).click();
    await on.getByRole('main').getByRole('link', { name: 'Lighthouse' }).click();
    await on.getByRole('link', { name: 'Deleted records' }).click();
    await seen(on.getByRole('heading', { name: 'Deleted', level: 1 }));
  }

  it('a task deleted by one person is restored offline by another, and both have it again (U24, P-CONVERGE)', async () => {
    const owner = await app.signIn('owner');
    const title = 'Let two inspectors share one tablet';
    await openTask(owner, MILESTONE, title);
    await deleteTask(owner);
    await syncNow(owner);
    await syncNow(page);
    await openDeleted(page);
    const entry = page.getByRole('listitem').filter({ hasText: title });
    await seen(entry);
    await page.context().setOffline(true);
    await page.getByRole('button', { name: `Restore ${title}` }).click();
    await seen(entry.getByText('restored here, not on the server yet'));
    await page.context().setOffline(false);
    await seen(statusOf(page, 'Up to date'));
    await gone(entry);
    await openTask(page, MILESTONE, title);
    await syncNow(owner);
    await openTask(owner, MILESTONE, title);
    await owner.context().close();
  });

  it('a deletion is undone at once, without the network (D14)', async () => {
    await openMilestone(page, 'Field app', MILESTONE);
    await page.context().setOffline(true);
    await createTask(page, 'Deleted by mistake');
    await page.getByRole('main').getByRole('link', { name: 'Deleted by mistake' }).click();
    await deleteTask(page);
    await page.getByRole('button', { name: 'Undo' }).click();
    await seen(page.getByRole('heading', { name: 'Deleted by mistake', level: 1 }));
    expect(await page.getByRole('button', { name: 'Undo' }).count()).toBe(0);
    await page.context().setOffline(false);
    await seen(statusOf(page, 'Up to date'));
  });

  it('a task is moved to a milestone of another project in its editor (U29)', async () => {
    await openMilestone(page, 'Field app', MILESTONE);
    await createTask(page, 'Belongs to the server');
    await page.getByRole('main').getByRole('link', { name: 'Belongs to the server' }).click();
    await page.getByRole('button', { name: 'Edit task' }).click();
    await page.getByLabel('Milestone').selectOption({ label: 'Pull without gaps' });
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await gone(page.getByRole('dialog'));
    const trail = page.getByRole('navigation', { name: 'Where you are' });
    await seen(trail.getByRole('link', { name: 'Pull without gaps' }));
    await seen(trail.getByRole('link', { name: 'Sync service' }));
  });
});
