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
  beforeAll(async () => {
    app = await WebApp.start();
  });
  afterAll(() => app.close());

  async function deleteTask(page: Awaited<ReturnType<WebApp['signIn']>>) {
    await page.getByRole('button', { name: 'Delete task' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete task' }).click();
    await gone(page.getByRole('dialog'));
  }

  async function openDeleted(page: Awaited<ReturnType<WebApp['signIn']>>) {
    await page.getByRole('link', { name: 'Convoy: your workspaces' }).click();
    await page.getByRole('main').getByRole('link', { name: 'Lighthouse' }).click();
    await page.getByRole('link', { name: 'Deleted records' }).click();
    await seen(page.getByRole('heading', { name: 'Deleted', level: 1 }));
  }

  it('a task deleted by one person is restored offline by another, and both have it again (U24, P-CONVERGE)', async () => {
    const page = await app.signIn('owner');
    const other = await app.signIn('editor');
    const title = 'Let two inspectors share one tablet';
    await openTask(page, MILESTONE, title);
    await deleteTask(page);
    await syncNow(page);
    await syncNow(other);
    await openDeleted(other);
    const entry = other.getByRole('listitem').filter({ hasText: title });
    await seen(entry);
    await other.context().setOffline(true);
    await other.getByRole('button', { name: `Restore ${title}` }).click();
    await seen(entry.getByText('restored here, not on the server yet'));
    await other.context().setOffline(false);
    await seen(statusOf(other, 'Up to date'));
    await gone(entry);
    await openTask(other, MILESTONE, title);
    await syncNow(page);
    await openTask(page, MILESTONE, title);
    await other.context().close();
    await page.context().close();
  });

  it('a deletion is undone at once, without the network (D14)', async () => {
    const page = await app.signIn('editor');
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
    await page.context().close();
  });

  it('a task is moved to a milestone of another project in its editor (U29)', async () => {
    const page = await app.signIn('editor');
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
    await page.context().close();
  });
});
