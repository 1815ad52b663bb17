import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTask, openMilestone, seen, syncNow, WebApp } from '../support/webApp';

/** A screen goes on for a moment after its address has been left, or has become another that means the same. */
describe('what a screen does by itself', () => {
  let app: WebApp;
  let page: Page;
  beforeAll(async () => {
    app = await WebApp.start();
    page = await app.signIn('editor');
  });
  afterAll(() => app.close());

  it('never takes back a person who clicks elsewhere while the inbox opens its first item', async () => {
    const context = page.context();
    const other = await context.newPage();
    // The click comes after the list is in the page, and before the effect of the screen that opens its first item.
    await other.addInitScript(() => {
      const observer = new MutationObserver(() => {
        const isShown = document.querySelector('section[aria-label="What waits for you"] h1') !== null;
        const link = document.querySelector<HTMLElement>('a[href="/my-tasks"]');
        if (!isShown || !link) return;
        observer.disconnect();
        link.click();
      });
      observer.observe(document, { childList: true, subtree: true });
    });
    await other.goto('/');
    await seen(other.getByRole('main').getByRole('heading', { name: 'My tasks', level: 1 }));
    expect(new URL(other.url()).pathname).toBe('/my-tasks');
    await other.close();
  });

  it('leaves a deleted task whose address changes from its id to its key meanwhile', async () => {
    await openMilestone(page, 'Field app', 'Inspections work offline');
    await createTask(page, 'A task with two addresses');
    await syncNow(page);
    await page.getByRole('main').getByRole('link', { name: 'A task with two addresses' }).click();
    await seen(page.getByRole('heading', { name: 'A task with two addresses', level: 1 }));
    await page.waitForURL(/\/tasks\/FIELD-\d+$/);
    const [task] = await app.query<{ id: string }>(
      "select id::text from public.tasks where title = 'A task with two addresses'",
    );
    await page.getByRole('button', { name: 'More actions' }).click();
    await seen(page.getByRole('menuitem', { name: 'Delete task' }));
    await page.evaluate((id) => {
      history.replaceState(history.state, '', `/tasks/${id}`);
      const items = [...document.querySelectorAll<HTMLElement>('[role="menuitem"]')];
      items.find(({ textContent }) => textContent?.startsWith('Delete task'))?.click();
    }, task?.id);
    await seen(page.getByRole('heading', { name: 'Inspections work offline', level: 1 }));
  });
});
