import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTask, gone, openMilestone, seen, syncNow, WebApp } from '../support/webApp';

const MILESTONE = 'Usable in gloves and sunlight';

describe('edits in the rows of a list', () => {
  let app: WebApp;
  let page: Page;
  beforeAll(async () => {
    app = await WebApp.start();
    page = await app.signIn('editor');
  });
  afterAll(() => app.close());

  const link = (title: string) =>
    page.getByRole('list', { name: 'Tasks' }).getByRole('link', { name: title });
  const row = (title: string) => page.locator('[data-task]').filter({ hasText: title });

  it('a title that was left with Escape is not saved unseen, nor over that of somebody else', async () => {
    await openMilestone(page, 'Field app', MILESTONE);
    await createTask(page, 'Lamp one');
    await syncNow(page);
    const field = page.getByRole('textbox', { name: 'Title', exact: true });
    const stored = () => app.query("select title from public.tasks where title like 'Lamp%'");
    await link('Lamp one').focus();
    await page.keyboard.press('F2');
    await field.fill('Lamp, given up');
    // A held key takes back as much as it is held for.
    await page.keyboard.down('Control');
    for (let repeats = 0; repeats < 3; repeats += 1) await page.keyboard.down('z');
    await page.keyboard.up('Control');
    await page.keyboard.up('z');
    await field.fill('Lamp, given up');
    await page.keyboard.press('Escape');
    await app.sql("update public.tasks set title = 'Lamp of a colleague' where title = 'Lamp one'");
    await syncNow(page);
    await link('Lamp of a colleague').focus();
    await page.keyboard.press('F2');
    expect(await field.inputValue()).toBe('Lamp, given up');
    await page.getByRole('heading', { name: MILESTONE }).click();
    await gone(field);
    await syncNow(page);
    expect(await stored()).toEqual([{ title: 'Lamp of a colleague' }]);
    await link('Lamp of a colleague').focus();
    await page.keyboard.press('F2');
    await page.keyboard.press('Enter');
    await seen(page.getByText('This was not saved.'));
    await page.getByRole('button', { name: 'Show it' }).click();
    await seen(page.getByText('Lamp, given up'));
    expect(await stored()).toEqual([{ title: 'Lamp of a colleague' }]);
    await page.getByRole('button', { name: 'Discard' }).click();
  });

  it('a title that is typed while somebody deletes the task is kept with it, and the rest of it is no shortcut', async () => {
    await openMilestone(page, 'Field app', MILESTONE);
    await createTask(page, 'Short of life');
    await syncNow(page);
    await link('Short of life').focus();
    await page.keyboard.press('F2');
    await page.getByRole('textbox', { name: 'Title', exact: true }).fill('Short of ');
    await app.sql("update public.tasks set deleted_at = now() where title = 'Short of life'");
    const pulled = page.waitForResponse('**/rest/v1/rpc/sync_pull');
    await page
      .getByRole('region', { name: 'Sync status' })
      .getByRole('button', { name: 'Sync now' })
      .evaluate((button: HTMLButtonElement) => button.click());
    await page.keyboard.type('s');
    await pulled;
    await gone(page.getByRole('textbox', { name: 'Title', exact: true }));
    await page.keyboard.type('pace, c');
    expect(await page.getByRole('form', { name: 'New task' }).count()).toBe(0);
    expect(await page.getByRole('menu').count()).toBe(0);
    const told = page.getByText('What you typed is kept with it.');
    await seen(told);
    await page.getByRole('button', { name: 'Show it' }).click();
    await seen(page.getByRole('alert').filter({ hasText: 'deleted this task' }));
    expect(await page.getByLabel('The title that you typed').inputValue()).toBe('Short of s');
  });

  it('a stage past a human checkpoint asks for a reason', async () => {
    await openMilestone(page, 'Field app', MILESTONE);
    await createTask(page, 'Past the review');
    await row('Past the review')
      .getByRole('button', { name: /^Stage/ })
      .click();
    await page.getByRole('menuitemradio', { name: 'Implement' }).click();
    const dialog = page.getByRole('dialog', { name: 'Move to Implement' });
    await dialog.getByRole('textbox', { name: 'Why without a review?' }).fill('Agreed on the pier.');
    await dialog.getByRole('button', { name: 'Move it' }).click();
    await gone(dialog);
    await seen(row('Past the review').getByRole('button', { name: 'Stage: Implement' }));
  });
});
