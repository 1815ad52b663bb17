import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CROWD, crowd } from '../../support/crowdedTask';
import { SEED } from '../../support/seed';
import { deleteTask, seen, syncNow, WebApp } from '../../support/webApp';

/** The demo's task had four. */
const SUBTASKS = CROWD.subtasks + 4;

describe('the page of a task with more around it than a context holds', () => {
  let app: WebApp;
  let profile: BrowserContext;
  let page: Page;
  beforeAll(async () => {
    app = await WebApp.start();
    await crowd(app.stack.backend, { id: SEED.busyTask });
    profile = await app.newProfile();
    page = await app.signIn('editor', profile);
    await syncNow(page);
    await page.goto(`/tasks/${SEED.busyTask}`);
  });
  afterAll(() => app?.close());

  const section = (name: string) => page.getByRole('region', { name });
  const rows = (name: string) => section(name).getByRole('listitem').count();

  it('says how much of each list is shown', async () => {
    await seen(section('Subtasks').getByText(`200 of ${SUBTASKS} are shown.`));
    expect(await rows('Subtasks')).toBe(200);
    await seen(section('Activity').getByText(/^20 of \d+ are shown\.$/));
    await seen(section('Patterns').getByText(/^\d of 2\d\d are shown\.$/));
    expect(await section('Best practices').getByRole('status').count()).toBe(0);
    expect(await section('Depends on').getByRole('status').count()).toBe(0);
  });

  it('a text that was made to be slow is shown as it was typed, and the next one as Markdown', async () => {
    const hostile = '*a_'.repeat(6_000);
    const comment = (text: string, minute: number) => `
      insert into public.activity_feed (id, workspace_id, task_id, actor_id, activity_type, details, created_at)
      values (gen_random_uuid(), '${SEED.workspace}', '${SEED.busyTask}', '${SEED.users.agent}', 'comment',
        jsonb_build_object('text', '${text}'), now() + interval '${minute} minutes')`;
    const feed = section('Activity');
    await app.sql(comment('Run `npm test` first', 1));
    await syncNow(page);
    await seen(feed.locator('code', { hasText: 'npm test' }));
    const parser = page.workers().at(-1);
    const ended = new Promise((resolve) => parser?.once('close', resolve));
    await app.sql(comment(`**slow** ${hostile}`, 2));
    await syncNow(page);
    await seen(feed.getByText('**slow** *a_'));
    await ended;
    await app.sql(comment('Then see **all** of it', 3));
    await syncNow(page);
    await seen(feed.locator('strong', { hasText: 'all' }));
    await seen(feed.getByText('**slow** *a_'));
  });

  it('shows the rest by keyboard and offline, and the focus stays in the section', async () => {
    await profile.setOffline(true);
    await section('Subtasks').getByRole('button', { name: 'Show more subtasks' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => rows('Subtasks')).toBe(SUBTASKS);
    expect(await section('Subtasks').getByRole('status').count()).toBe(0);
    const hasFocus = () =>
      section('Subtasks').evaluate((element) => element.contains(document.activeElement));
    await expect.poll(hasFocus).toBe(true);
  });

  it('each request shows more, until all is shown', async () => {
    const more = section('Patterns').getByRole('button', { name: 'Show more patterns' });
    let before = await rows('Patterns');
    for (let n = 0; n < 10 && (await more.count()) > 0; n += 1) {
      await more.click();
      await expect.poll(() => rows('Patterns')).toBeGreaterThan(before);
      before = await rows('Patterns');
    }
    expect(before).toBeGreaterThanOrEqual(CROWD.patterns);
    expect(await more.count()).toBe(0);
    const older = section('Activity').getByRole('button', { name: 'Show more activities' });
    await older.click();
    await seen(section('Activity').getByText(/^40 of \d+ are shown\.$/));
    await profile.setOffline(false);
  });

  it('deleting it counts the subtasks that are not shown', async () => {
    await deleteTask(page);
    await seen(page.getByText(`is deleted, together with its ${SUBTASKS} subtasks`));
  });
});
