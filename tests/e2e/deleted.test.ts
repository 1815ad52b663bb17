import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, it } from 'vitest';
import {
  createTask,
  deleteTask,
  gone,
  goOffline,
  openMilestone,
  openTask,
  places,
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

  async function openDeleted(on: Page) {
    await places(on).getByRole('link', { name: 'Deleted' }).click();
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
    await goOffline(page);
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
    await goOffline(page);
    await createTask(page, 'Deleted by mistake');
    await page.getByRole('main').getByRole('link', { name: 'Deleted by mistake' }).click();
    await deleteTask(page);
    await page.getByRole('button', { name: 'Undo' }).click();
    await seen(page.getByRole('main').getByRole('link', { name: 'Deleted by mistake' }));
    await gone(page.getByRole('button', { name: 'Undo' }));
    await page.context().setOffline(false);
    await seen(statusOf(page, 'Up to date'));
  });

  it('a task is moved to a milestone of another project on its page (U29)', async () => {
    await openMilestone(page, 'Field app', MILESTONE);
    await createTask(page, 'Belongs to the server');
    await page.getByRole('main').getByRole('link', { name: 'Belongs to the server' }).click();
    await page.getByLabel('Milestone', { exact: true }).selectOption({ label: 'Pull without gaps' });
    const trail = page.getByRole('navigation', { name: 'Where you are' });
    await seen(trail.getByRole('link', { name: 'Pull without gaps' }));
    await seen(trail.getByRole('link', { name: 'Sync service' }));
  });
});
