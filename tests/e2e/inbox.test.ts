import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SEED, seedId } from '../support/seed';
import { gone, goOffline, seen, statusOf, syncNow, WebApp } from '../support/webApp';

describe('the inbox', () => {
  let app: WebApp;
  let page: Page;
  beforeAll(async () => {
    app = await WebApp.start();
    page = await app.signIn('owner');
  });
  afterAll(() => app.close());

  const list = () => page.getByRole('region', { name: 'What waits for you' });
  const pane = () => page.getByRole('region', { name: 'The open item' });
  const row = (title: string) => list().getByRole('link', { name: title });
  const stageOf = async (n: number) => {
    const [task] = await app.query<{ current_stage: string }>(
      `select current_stage from public.tasks where id = '${seedId('task', n)}'`,
    );
    return task?.current_stage;
  };
  /** A key does nothing about a request until a person can have seen it. */
  const settle = async (key: 'a' | 'r') => {
    await expect
      .poll(() => pane().getByRole('button', { name: 'Approve' }).getAttribute('aria-disabled'))
      .toBe('false');
    await page.keyboard.press(key);
  };
  /** The agent writes an entry of the feed, and this page gets it. */
  const agentWrites = async (task: number, type: string, details: object) => {
    await app.sql(`insert into public.activity_feed (id, workspace_id, task_id, actor_id, activity_type, details)
      values (gen_random_uuid(), '${SEED.workspace}', '${seedId('task', task)}', '${SEED.users.agent}', '${type}',
        '${JSON.stringify(details)}')`);
    await syncNow(page);
  };

  it('is the first page, counts what waits, and opens the first item', async () => {
    await seen(page.getByRole('heading', { name: 'Inbox', level: 1 }));
    await seen(pane().getByRole('heading', { name: /^[A-Z]+-\d+ / }));
    expect(await page.title()).toMatch(/^\(\d+\) Inbox · Convoy$/);
    await expect.poll(() => list().getByRole('link').first().getAttribute('aria-current')).toBe('true');
  });

  it('approves by A what is shown, and opens the next item', async () => {
    await row('Show what has not reached the office yet').click();
    await seen(pane().getByText('The list of what waits reads the outbox itself'));
    await settle('a');
    await gone(row('Show what has not reached the office yet'));
    await seen(page.getByText('FIELD-2 is approved.'));
    await seen(pane().getByRole('heading', { name: /^[A-Z]+-\d+ / }));
    await syncNow(page);
    expect(await stageOf(2)).toBe('COMMIT');
  });

  it('sends back with a reason by R', async () => {
    await row('Say in plain words who changed what').click();
    await seen(pane().getByText('Twelve sentences for the twelve'));
    await settle('r');
    await page.getByLabel('What is missing?').fill('Who is meant by “they”?');
    await page.keyboard.press('Control+Enter');
    await gone(row('Say in plain words who changed what'));
    await syncNow(page);
    expect(await stageOf(36)).toBe('PLAN');
  });

  it('shows what differs from the request before', async () => {
    await row('Resume uploads where they stopped').click();
    await pane()
      .getByLabel(/^Show what differs/)
      .check();
    await seen(pane().locator('ins', { hasText: '256' }));
    await seen(pane().locator('del', { hasText: 'MB' }));
  });

  it('approves nothing where a newer request has come in while one was open', async () => {
    await row('Add an outdoor theme').click();
    await seen(pane().getByText('A second set of colours'));
    await agentWrites(18, 'review_requested', { stage: 'PLAN_REVIEW', text: 'Three sets of colours.' });
    await seen(pane().getByRole('alert').filter({ hasText: 'A newer request has come in' }));
    await page.keyboard.press('a');
    expect(await pane().getByText('A second set of colours').isVisible()).toBe(true);
    await pane().getByRole('button', { name: 'Show it' }).click();
    await seen(pane().getByText('Three sets of colours.'));
    await settle('a');
    await gone(row('Add an outdoor theme'));
    await syncNow(page);
    expect(await stageOf(18)).toBe('IMPLEMENT');
  });

  it('keeps an answer and a reason that were not sent, over other items and a reload', async () => {
    const asked = list().getByRole('region', { name: 'Questions to you' }).getByRole('link').first();
    await asked.click();
    await pane().getByLabel('Your answer').fill('Half an answer');
    await row('Resume uploads where they stopped').click();
    await settle('r');
    await pane().getByLabel('What is missing?').fill('Half a reason');
    await asked.click();
    expect(await pane().getByLabel('Your answer').inputValue()).toBe('Half an answer');
    await page.reload();
    await expect.poll(() => pane().getByLabel('Your answer').inputValue()).toBe('Half an answer');
    await pane().getByLabel('Your answer').fill('');
    await row('Resume uploads where they stopped').click();
    expect(await pane().getByLabel('What is missing?').inputValue()).toBe('Half a reason');
  });

  it('stays at an item that somebody else settles while its person writes, and keys of their sentence do nothing', async () => {
    const reason = pane().getByLabel('What is missing?');
    await reason.fill('');
    await reason.focus();
    await page.keyboard.type('Who ');
    await app.sql(`update public.tasks set current_stage = 'IMPLEMENT' where id = '${seedId('task', 11)}'`);
    const answered = page.waitForResponse('**/rest/v1/rpc/sync_pull');
    await page
      .getByRole('region', { name: 'Sync status' })
      .getByRole('button', { name: 'Sync now' })
      .evaluate((button: HTMLButtonElement) => button.click());
    await answered;
    await gone(row('Resume uploads where they stopped'));
    await page.keyboard.type('asks, and may jam?');
    expect(await reason.inputValue()).toBe('Who asks, and may jam?');
    await seen(pane().getByRole('alert').filter({ hasText: 'answered while you wrote' }));
    await pane().getByRole('button', { name: 'Discard the reason' }).click();
    await row('Survive a clock that is wrong by hours').click();
    await syncNow(page);
    expect(await stageOf(11)).toBe('IMPLEMENT');
  });

  it('approves nothing while a reason is written, which is of its request, and is there when its task is deleted', async () => {
    const title = 'Limit requests for each device';
    const asks = async (text: string) => {
      await app.sql(`insert into public.activity_feed (id, workspace_id, task_id, actor_id, activity_type, details)
        select gen_random_uuid(), workspace_id, id, '${SEED.users.agent}', 'review_requested',
          '${JSON.stringify({ stage: 'PLAN_REVIEW', text })}' from public.tasks where title = '${title}'`);
      await syncNow(page);
    };
    const stage = () =>
      app.query(`select current_stage from public.tasks where title = '${title}' and deleted_at is null`);
    const reason = pane().getByLabel('What is missing?');
    await asks('Ten requests a second.');
    await row(title).click();
    await seen(pane().getByText('Ten requests a second.'));
    await settle('r');
    await reason.fill('Per device, or per person?');
    await page.keyboard.press('Escape');
    await page.keyboard.press('a');
    await syncNow(page);
    expect(await stage()).toEqual([{ current_stage: 'PLAN_REVIEW' }]);
    await asks('Twenty requests a second.');
    await pane().getByRole('button', { name: 'Show it' }).click();
    await seen(pane().getByText('You had written about an earlier request: “Per device, or per person?”'));
    await pane().getByRole('button', { name: 'Use it for this one' }).click();
    expect(await reason.inputValue()).toBe('Per device, or per person?');
    await page.getByRole('link', { name: title }).last().click();
    await page.waitForURL(/\/tasks\/SYNC-\d+$/);
    const { href } = new URL(page.url());
    await page.goBack();
    await seen(reason);
    await app.sql(`update public.tasks set deleted_at = now() where title = '${title}'`);
    await syncNow(page);
    await gone(row(title));
    expect(await reason.inputValue()).toBe('Per device, or per person?');
    await page.goto(href);
    const kept = page.getByLabel('The reason to send it back that you typed');
    await expect.poll(() => kept.inputValue()).toBe('Per device, or per person?');
    await page.goto('/');
    await seen(list());
  });

  it('settles one item by a key that is held, and opens the row that has the focus before it settles anything', async () => {
    const rows = list().getByRole('region', { name: 'For your approval' }).getByRole('link');
    const before = await rows.count();
    await row('Survive a clock that is wrong by hours').click();
    await rows.last().focus();
    await page.keyboard.press('a');
    await expect.poll(() => rows.last().getAttribute('aria-current')).toBe('true');
    expect(await rows.count()).toBe(before);
    await row('Survive a clock that is wrong by hours').click();
    await expect
      .poll(() => pane().getByRole('button', { name: 'Approve' }).getAttribute('aria-disabled'))
      .toBe('false');
    await page.keyboard.down('a');
    await gone(row('Survive a clock that is wrong by hours'));
    // It is held until the next one could be approved.
    await expect
      .poll(() => pane().getByRole('button', { name: 'Approve' }).getAttribute('aria-disabled'))
      .toBe('false');
    await page.keyboard.down('a');
    await page.keyboard.up('a');
    await syncNow(page);
    expect(await rows.count()).toBe(before - 1);
  });

  it('takes the answer to a question, and a comment that settles a mention', async () => {
    for (const [title, label, text] of [
      ['Questions to you', 'Your answer', 'One for each screen.'],
      ['Mentions', 'Your comment', 'They can, by an owner, @Editor.'],
    ] as const) {
      const section = list().getByRole('region', { name: title });
      const item = section.getByRole('link').first();
      await item.click();
      await seen(page.getByLabel(label));
      await page.keyboard.press('r');
      await expect
        .poll(() => page.getByLabel(label).evaluate((field) => field === document.activeElement))
        .toBe(true);
      await page.getByLabel(label).fill(text);
      // Another tab has what is typed here, and nothing to send once it is sent.
      const tab = await page.context().newPage();
      await tab.goto(page.url());
      await expect.poll(() => tab.getByLabel(label).inputValue()).toBe(text);
      await page.bringToFront();
      await page.keyboard.press('Control+Enter');
      await gone(section);
      await gone(tab.getByLabel(label));
      await tab.close();
    }
    await syncNow(page);
    const written = await app.query(
      `select activity_type, details -> 'mentions' as mentions from public.activity_feed
       where details ->> 'text' in ('One for each screen.', 'They can, by an owner, @Editor.') order by activity_type`,
    );
    expect(written).toEqual([
      { activity_type: 'answer', mentions: null },
      { activity_type: 'comment', mentions: [SEED.users.editor] },
    ]);
  });

  it('is gone through by J and K, by arrows, and Back leads to it again', async () => {
    const links = list().getByRole('link');
    await links.first().click();
    await page.keyboard.press('j');
    await expect.poll(() => links.nth(1).getAttribute('aria-current')).toBe('true');
    await page.keyboard.press('k');
    await expect.poll(() => links.first().getAttribute('aria-current')).toBe('true');
    await links.first().focus();
    await page.keyboard.press('ArrowDown');
    expect(await links.nth(1).evaluate((link) => link === document.activeElement)).toBe(true);
    await expect.poll(() => links.nth(1).getAttribute('aria-current')).toBe('true');
    await page.keyboard.press('k');
    expect(await links.first().evaluate((link) => link === document.activeElement)).toBe(true);
    await page.keyboard.press('o');
    await seen(page.getByRole('heading', { name: 'Activity' }));
    await page.goBack();
    await expect.poll(() => links.first().getAttribute('aria-current')).toBe('true');
  });

  it('opens the item that the address names, after a reload and in a new tab', async () => {
    const links = list().getByRole('link');
    await links.nth(1).click();
    await expect.poll(() => links.nth(1).getAttribute('aria-current')).toBe('true');
    const { href } = new URL(page.url());
    expect(href).toContain('?at=');
    await page.reload();
    await expect.poll(() => links.nth(1).getAttribute('aria-current')).toBe('true');
    expect(page.url()).toBe(href);
    const tab = await page.context().newPage();
    await tab.goto(href);
    await seen(tab.getByRole('region', { name: 'The open item' }).getByRole('heading'));
    expect(tab.url()).toBe(href);
    await tab.close();
  });

  it('works where nothing is connected, and tells a phone by its list first', async () => {
    const phone = await app.signIn('owner');
    await phone.setViewportSize({ width: 360, height: 740 });
    await phone
      .getByRole('navigation', { name: 'Main' })
      .getByRole('link', { name: /^Inbox/ })
      .click();
    await goOffline(phone);
    await phone.getByRole('link', { name: 'Merge notes three ways' }).click();
    await phone.getByRole('button', { name: 'Approve', exact: true }).click();
    await seen(phone.getByText('SYNC-7 is approved.'));
    await gone(phone.getByRole('link', { name: 'Merge notes three ways' }));
    const overflow = await phone.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    await phone.context().setOffline(false);
    await seen(statusOf(phone, 'Up to date'));
    await phone.context().close();
  });
});

describe('the palette', () => {
  let app: WebApp;
  let page: Page;
  beforeAll(async () => {
    app = await WebApp.start();
    page = await app.signIn('editor');
  });
  afterAll(() => app.close());

  const found = () => page.getByRole('dialog').getByRole('option');
  const open = async (typed: string) => {
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Search' }).fill(typed);
  };

  it('jumps to a task by its key, and by words in any order; the address has the key', async () => {
    await open('field-11');
    await seen(found().filter({ hasText: 'Resume uploads' }));
    await page.keyboard.press('Enter');
    await seen(page.getByRole('heading', { name: 'Resume uploads where they stopped', level: 1 }));
    await expect.poll(() => new URL(page.url()).pathname).toBe('/tasks/FIELD-11');
    await open('words notes');
    await seen(found().filter({ hasText: 'Merge notes three ways, by words' }));
    await page.keyboard.press('Enter');
    await seen(page.getByRole('heading', { name: 'Merge notes three ways, by words', level: 1 }));
  });

  it('goes to places and runs actions of the page, whose keys the sheet lists', async () => {
    await open('offline');
    await found().filter({ hasText: 'Inspections work offline' }).click();
    await seen(page.getByRole('heading', { name: 'Inspections work offline', level: 1 }));
    await open('shortcuts');
    await page.keyboard.press('Enter');
    await seen(page.getByRole('dialog', { name: 'Keyboard shortcuts' }));
    await page.getByLabel('Single letters are shortcuts').uncheck();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Shift+?');
    expect(await page.getByRole('dialog').count()).toBe(0);
  });
});
