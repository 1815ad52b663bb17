import axe from 'axe-core';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SEED } from '../support/seed';
import { gone, openTask, seen, statusOf, syncNow, typedIn, WebApp } from '../support/webApp';

const MILESTONE = 'Inspections work offline';
const TASK = 'Survive a clock that is wrong by hours';

describe('the page of a task', () => {
  let app: WebApp;
  let profile: BrowserContext;
  let page: Page;
  /** Requests that the page's policy refused, and errors that nobody caught. */
  const refused: string[] = [];
  beforeAll(async () => {
    app = await WebApp.start();
    profile = await app.newProfile();
    page = await app.signIn('editor', profile);
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) refused.push(message.text());
    });
    page.on('pageerror', (error) => refused.push(error.message));
  });
  afterAll(() => app?.close());
  beforeEach(async () => {
    await page.goto(`/tasks/${SEED.busyTask}`);
    await seen(page.getByRole('heading', { name: 'Activity' }));
  });

  const description = () => page.getByRole('region', { name: 'Description' });
  const editor = () => page.getByRole('textbox', { name: 'Description' });
  const feed = () => page.getByRole('region', { name: 'Activity' });

  it('neither Escape nor a crash loses what was typed; it is offered again, and gone once it is saved', async () => {
    await page.keyboard.press('d');
    await seen(editor());
    await editor().fill('A **draft** of mine');
    await page.keyboard.press('Escape');
    await seen(description().getByText('You have typed a description that is not saved'));
    await page.keyboard.press('d');
    expect(await typedIn(editor())).toBe('A **draft** of mine');
    await editor().fill('A **draft** of mine, longer');
    await expect
      .poll(() => page.evaluate(() => Object.values(localStorage).some((text) => text.includes('longer'))))
      .toBe(true);
    const crashed = page;
    page = await profile.newPage();
    await crashed.close({ runBeforeUnload: false });
    await page.goto(`/tasks/${SEED.busyTask}`);
    await page.getByRole('button', { name: 'Go on with the description' }).click();
    expect(await typedIn(editor())).toBe('A **draft** of mine, longer');
    await page.keyboard.press('Control+Enter');
    await seen(description().locator('strong', { hasText: 'draft' }));
    await page.reload();
    await seen(description().locator('strong', { hasText: 'draft' }));
    expect(await description().getByRole('note').count()).toBe(0);
  });

  it('on a phone the stages take one row, each within reach of a finger and by its name', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    const stepper = page.getByRole('region', { name: /^Stage, in the workflow/ });
    expect((await stepper.boundingBox())?.height).toBeLessThan(130);
    await seen(stepper.locator('.stepper-here'));
    for (const width of [390, 320]) {
      await page.setViewportSize({ width, height: 844 });
      const boxes = await stepper
        .locator('ol')
        .getByRole('button')
        .evaluateAll((buttons) => buttons.map((one) => one.getBoundingClientRect()));
      expect(boxes.length).toBeGreaterThan(3);
      expect(new Set(boxes.map(({ y }) => y)).size).toBe(1);
      expect(Math.min(...boxes.map(({ width: wide }) => wide))).toBeGreaterThanOrEqual(40);
      expect(Math.min(...boxes.map(({ height }) => height))).toBeGreaterThanOrEqual(40);
    }
    await seen(stepper.getByRole('button', { name: 'Code review human checkpoint' }));
    // With the sidebar away, there is room for the names.
    await page.setViewportSize({ width: 768, height: 844 });
    await gone(stepper.locator('.stepper-here'));
    const sizes = await stepper
      .locator('li .step-name')
      .evaluateAll((names) => names.map((name) => [name.scrollWidth, name.getBoundingClientRect().height]));
    expect(Math.min(...sizes.map(([wide = 0]) => wide))).toBeGreaterThan(20);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it('the focus is on the page after the palette, and no frame is drawn round the page or a part of it', async () => {
    const focus = () =>
      page.evaluate(() => {
        const { activeElement: element } = document;
        return `${element?.localName}, ${element && getComputedStyle(element).outlineStyle}`;
      });
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Search' }).fill('field 5');
    await seen(page.getByRole('option', { name: /^FIELD-5/ }));
    await page.keyboard.press('Enter');
    await seen(page.getByRole('heading', { name: TASK, level: 1 }));
    await expect.poll(focus).toBe('main, none');
    await page.keyboard.press('Control+k');
    await seen(page.getByRole('dialog'));
    await page.keyboard.press('Escape');
    await gone(page.getByRole('dialog'));
    await expect.poll(focus).toBe('main, none');
    await page.keyboard.press('d');
    await editor().fill('Saved in its place');
    await page.keyboard.press('Control+Enter');
    await seen(description().getByText('Saved in its place'));
    await expect.poll(focus).toBe('section, none');
  });

  it('a title is saved where the focus leaves it, and the edit is undone by its toast', async () => {
    await page.getByRole('button', { name: 'Edit title' }).click();
    await page.getByRole('textbox', { name: 'Title' }).fill('Another title for a moment');
    await page.getByRole('heading', { name: 'Activity' }).click();
    await seen(page.getByRole('heading', { name: 'Another title for a moment', level: 1 }));
    await expect.poll(() => page.title()).toContain('FIELD-1 Another title for a moment');
    await page.getByRole('button', { name: 'Undo' }).first().click();
    await gone(page.getByRole('heading', { name: 'Another title for a moment', level: 1 }));
  });

  it('the entry of the history stays the same where the key takes the place of the id in the address', async () => {
    const fresh = await profile.newPage();
    await fresh.addInitScript(() => history.replaceState({ remembered: 'a place' }, ''));
    await fresh.goto(`/tasks/${SEED.busyTask}`);
    await fresh.waitForURL(/\/tasks\/FIELD-1$/);
    expect(await fresh.evaluate(() => history.state)).toMatchObject({ remembered: 'a place' });
    await fresh.close();
  });

  it('a click beside the open editor does what it is for, though the editor closes and the page moves', async () => {
    await page.keyboard.press('d');
    await editor().locator('.cm-line').first().waitFor();
    await page.getByRole('button', { name: 'Add subtask' }).click();
    await seen(page.getByRole('textbox', { name: 'Title of the new subtask' }));
    await gone(editor());
  });

  it('the editor is CodeMirror in a shadow root, in a policy that takes no style elements', async () => {
    await page.keyboard.press('d');
    await editor().locator('.cm-line').first().waitFor();
    const font = await editor()
      .locator('.cm-line')
      .first()
      .evaluate((line) => getComputedStyle(line.closest('.cm-content') as Element).whiteSpace);
    expect(font).toBe('break-spaces');
    await page.keyboard.press('Escape');
    expect(refused).toEqual([]);
  });

  it('a comment is written with a mention, edited and deleted', async () => {
    const box = page.getByRole('textbox', { name: 'Comment', exact: true });
    await box.click();
    await box.locator('.cm-line').first().waitFor();
    await page.keyboard.type('Please look, @Own');
    await page.getByRole('option', { name: '@Owner' }).click();
    await page.keyboard.press('Control+Enter');
    const entry = feed().getByRole('listitem').filter({ hasText: 'Please look, @Owner' });
    await seen(entry);
    await syncNow(page);
    const [row] = await app.query<{ mentions: string[] }>(
      `select details -> 'mentions' as mentions from public.activity_feed
       where details ->> 'text' like 'Please look%'`,
    );
    expect(row?.mentions).toEqual([SEED.users.owner]);

    await entry.getByRole('button', { name: 'More about this comment' }).click();
    await page.getByRole('menuitem', { name: 'Edit comment' }).click();
    // The menu gives the focus to the editor.
    await seen(page.getByRole('textbox', { name: 'Edit comment' }));
    await page.keyboard.press('Control+a');
    await page.keyboard.type('Never mind');
    await page.keyboard.press('Escape');
    await seen(feed().getByText('You have typed a change of this comment that is not saved.'));
    await feed().getByRole('button', { name: 'Go on with it' }).click();
    expect(await typedIn(page.getByRole('textbox', { name: 'Edit comment' }))).toBe('Never mind');
    await page.keyboard.press('Control+Enter');
    const edited = feed().getByRole('listitem').filter({ hasText: 'Never mind' });
    await seen(edited.getByText('edited it since'));
    await edited.getByRole('button', { name: 'More about this comment' }).click();
    await page.getByRole('menuitem', { name: 'Delete comment' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete comment' }).click();
    await gone(page.getByRole('dialog'));
    await gone(edited);
  });

  it('a question is asked, and answered where it is shown', async () => {
    await page.getByRole('textbox', { name: 'Comment', exact: true }).fill('Which tablet is it?');
    await page.getByLabel('As a comment, or as a question to').selectOption('as a question to Owner');
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await seen(feed().getByText('asked Owner'));
    await syncNow(page);
    const owner = await app.signIn('owner');
    await owner.goto(`/tasks/${SEED.busyTask}`);
    await owner.getByRole('textbox', { name: 'Answer' }).fill('The old one.');
    await owner.getByRole('button', { name: 'Send the answer' }).click();
    await seen(owner.getByRole('listitem').filter({ hasText: 'The old one.' }));
    await gone(owner.getByRole('textbox', { name: 'Answer' }));
    await owner.context().close();
  });

  it('shows what the agent sees, with its tokens', async () => {
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'What the agent sees' }).click();
    const dialog = page.getByRole('dialog', { name: 'What the agent sees' });
    await seen(dialog.getByRole('status').filter({ hasText: /[\d,]+ tokens/ }));
    await seen(dialog.getByText('# Task FIELD-1'));
    await page.keyboard.press('Escape');
    await gone(dialog);
  });

  it('a plan is approved by the primary button, after its request was shown', async () => {
    await app.sql(`
      insert into public.activity_feed (id, workspace_id, task_id, actor_id, activity_type, details)
      select gen_random_uuid(), t.workspace_id, t.id, '${SEED.users.agent}', 'review_requested',
        '{"stage": "PLAN_REVIEW", "text": "Keep the offset."}'
      from public.tasks t where t.title = '${TASK}'`);
    await syncNow(page);
    await openTask(page, MILESTONE, TASK);
    await seen(page.getByRole('button', { name: 'Approve plan' }));
    await page.keyboard.press('m');
    await seen(page.getByRole('dialog').getByText('Keep the offset.'));
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Approve plan' }).click();
    await page.getByRole('button', { name: 'Approve and move to Implement' }).click();
    await seen(page.getByRole('button', { name: 'Move to Validate' }));
  });

  it('a conflict is settled at the top of the page, one choice for each field', async () => {
    const owner = await app.signIn('owner');
    await owner.goto(`/tasks/${SEED.busyTask}`);
    await seen(owner.getByRole('heading', { level: 1 }));
    await profile.setOffline(true);
    for (const [on, text] of [
      [page, 'The plan of the editor'],
      [owner, 'The plan of the owner'],
    ] as const) {
      await on.getByRole('button', { name: 'Edit description' }).click();
      await on.getByRole('textbox', { name: 'Description' }).fill(text);
      await on.keyboard.press('Control+Enter');
      await seen(on.getByRole('button', { name: 'Edit description' }));
    }
    await syncNow(owner);
    await profile.setOffline(false);
    const banner = page.getByRole('region', { name: 'Conflict' });
    await seen(banner.getByText('The plan of the owner'));
    await seen(banner.getByText('The plan of the editor'));
    const inStatus = page
      .getByRole('region', { name: 'Sync status' })
      .getByRole('link', { name: '1 conflict' });
    await seen(inStatus);
    await banner.getByRole('button', { name: 'Use yours: description' }).click();
    await gone(banner);
    await gone(inStatus);
    await seen(description().getByText('The plan of the editor'));
    await seen(statusOf(page, 'Up to date'));
    await owner.context().close();
  });

  it.each(['light', 'dark'] as const)(
    'has nothing that axe finds, while it is edited too: %s',
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      await seen(page.getByRole('heading', { name: 'Activity' }));
      expect(await faults(page)).toEqual([]);
      await page.keyboard.press('d');
      await editor().locator('.cm-line').first().waitFor();
      expect(await faults(page)).toEqual([]);
      await page.getByRole('button', { name: 'Add dependency' }).click();
      // While its list is open Base UI hides the rest of the page from screen readers: it is looked at closed.
      await seen(page.getByRole('combobox', { name: 'What has to be done first?' }));
      expect(await faults(page)).toEqual([]);
      for (const width of [320, 768, 1920]) {
        await page.setViewportSize({ width, height: 800 });
        expect(
          await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
        ).toBeLessThanOrEqual(0);
      }
      await page.setViewportSize({ width: 1280, height: 800 });
    },
  );
});

async function faults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') };
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}
