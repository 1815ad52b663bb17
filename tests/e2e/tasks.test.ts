import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  comment,
  createTask,
  deleteTask,
  gone,
  openMilestone,
  openTask,
  renameTask,
  seen,
  syncNow,
  WebApp,
} from '../support/webApp';

const MILESTONE = 'Inspections work offline';

describe('working on tasks', () => {
  let app: WebApp;
  beforeAll(async () => {
    app = await WebApp.start();
  });
  afterAll(() => app.close());

  const stage = (of: Page, name: string) =>
    of.getByRole('region', { name: /^Stage/ }).getByRole('button', { name: new RegExp(`^${name}`) });

  describe('as an editor', () => {
    /** Signed in and synced; every test goes to where it begins. */
    let page: Page;
    beforeAll(async () => {
      page = await app.signIn('editor');
    });
    afterAll(() => page.context().close());

    it('a task is created, edited, commented on and moved, and all of it survives a reload', async () => {
      await openMilestone(page, 'Field app', MILESTONE);
      await createTask(page, 'Show the tide');
      await page.getByRole('main').getByRole('link', { name: 'Show the tide' }).click();
      await renameTask(page, 'Show the tide next to the route');
      await page.getByLabel('Priority').selectOption('Urgent');
      await comment(page, 'High water at Pier 4 hides the lower bolts.');
      await stage(page, 'Plan review').click();
      await seen(page.getByText('moved it from Plan to Plan review'));
      await seen(page.getByText('changed the priority from Medium to Urgent'));
      await syncNow(page);

      await page.reload();
      await seen(page.getByRole('heading', { name: 'Show the tide next to the route', level: 1 }));
      await seen(page.getByRole('listitem').filter({ hasText: 'High water at Pier 4' }));
      expect(await stage(page, 'Plan review').getAttribute('aria-current')).toBe('step');
      expect(await page.getByLabel('Priority').inputValue()).toBe('urgent');
    });

    it('subtasks and dependencies are added and removed, and a refused circle is explained', async () => {
      await openTask(page, MILESTONE, 'Let two inspectors share one tablet');
      await page.getByRole('button', { name: 'Add subtask' }).click();
      await page.getByRole('textbox', { name: 'Title of the new subtask' }).fill('Ask who is on shift');
      await page.keyboard.press('Enter');
      await seen(page.getByRole('main').getByRole('link', { name: 'Ask who is on shift' }));
      await seen(page.getByRole('region', { name: 'Subtasks' }).getByText('0 of 1 done'));

      const search = page.getByRole('combobox', { name: 'What has to be done first?' });
      await page.getByRole('button', { name: 'Add dependency' }).click();
      await search.fill('clock that is wrong');
      await seen(page.getByRole('option', { name: /^Survive a clock that is wrong by hours/ }));
      await page.keyboard.press('Enter');
      await seen(page.getByText('added a dependency on'));
      const dependency = page.getByRole('main').getByRole('link', { name: /^Survive a clock .*Plan review/ });
      await dependency.click();
      await seen(page.getByRole('heading', { name: 'Survive a clock that is wrong by hours', level: 1 }));
      const waiting = page.getByRole('region', { name: 'Blocks' });
      await seen(waiting.getByRole('link', { name: /^Let two inspectors share one tablet/ }));
      await page.getByRole('button', { name: 'Add dependency' }).click();
      await search.fill('share one tablet');
      await page.getByRole('option', { name: /^Let two inspectors share one tablet/ }).click();
      await seen(page.getByRole('alert').filter({ hasText: 'already waits for this one' }));
      await search.fill('');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Escape');
      await gone(search);

      await page.goBack();
      await page.getByRole('button', { name: /^Remove the dependency on Survive/ }).click();
      await gone(dependency);
    });

    it('a deleted task can be brought back by Undo', async () => {
      await openMilestone(page, 'Field app', MILESTONE);
      await createTask(page, 'A task made by mistake');
      const link = page.getByRole('main').getByRole('link', { name: 'A task made by mistake' });
      await link.click();
      await deleteTask(page);
      await seen(page.getByRole('heading', { name: MILESTONE, level: 1 }));
      await gone(link);
      await page.getByRole('button', { name: 'Undo' }).first().click();
      await seen(link);
    });

    it('an invalid value is explained next to its field', async () => {
      await openMilestone(page, 'Field app', MILESTONE);
      await page.getByRole('button', { name: 'New task' }).click();
      await page.getByRole('textbox', { name: 'Title' }).fill('   ');
      await page.getByRole('button', { name: 'Create task' }).click();
      await seen(page.getByRole('alert').filter({ hasText: 'Title is required.' }));
      await page.keyboard.press('Escape');
      await gone(page.getByRole('form', { name: 'New task' }));
    });

    // A screen goes on for a moment after its address has been left, or has become another that means the same.
    it('a person who clicks elsewhere while the inbox opens its first item is not taken back', async () => {
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

    it('a deleted task is left whose address changes from its id to its key meanwhile', async () => {
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

    it('every action can be done with the keyboard alone', async () => {
      await openMilestone(page, 'Field app', MILESTONE);
      await tabTo(page, 'New task');
      await page.keyboard.press('Enter');
      await seen(page.getByRole('form', { name: 'New task' }));
      await page.keyboard.type('Made without a mouse');
      await page.keyboard.press('Enter');
      await gone(page.getByRole('form', { name: 'New task' }));
      await expect.poll(() => focused(page)).toBe('Made without a mouse');
      await page.keyboard.press('Enter');
      await seen(page.getByRole('heading', { name: 'Made without a mouse', level: 1 }));
      await page.keyboard.press('e');
      await page.keyboard.type('Renamed without a mouse');
      await page.keyboard.press('Enter');
      await seen(page.getByRole('heading', { name: 'Renamed without a mouse', level: 1 }));
      await page.keyboard.press('m');
      await seen(page.getByText('moved it from Plan to Plan review'));
    });
  });

  it('a viewer sees everything, changes nothing, and is told why', async () => {
    const viewer = await app.signIn('viewer');
    await openMilestone(viewer, 'Field app', MILESTONE);
    await seen(viewer.getByRole('note').filter({ hasText: 'You are a viewer here' }));
    expect(await viewer.getByRole('button', { name: 'New task' }).isDisabled()).toBe(true);
    await viewer.getByRole('main').getByRole('link', { name: 'Let two inspectors share one tablet' }).click();
    await seen(viewer.getByRole('note').filter({ hasText: 'You are a viewer here' }));
    for (const name of ['Add subtask', 'Add dependency']) {
      expect(await viewer.getByRole('button', { name }).isDisabled(), name).toBe(true);
    }
    for (const name of ['Edit title', 'Edit description', 'Move to Plan review']) {
      expect(await viewer.getByRole('button', { name }).count(), name).toBe(0);
    }
    expect(await stage(viewer, 'Plan review').isDisabled()).toBe(true);
    expect(await viewer.getByLabel('Status', { exact: true }).isDisabled()).toBe(true);
    expect(await viewer.getByRole('textbox', { name: 'Comment' }).isDisabled()).toBe(true);
    await viewer.context().close();
  });

  it('an agent is stopped at a human checkpoint and told why (P-CHECKPOINT)', async () => {
    const agent = await app.signIn('agent');
    await openTask(agent, MILESTONE, 'Survive a clock that is wrong by hours');
    await stage(agent, 'Implement').click();
    await seen(
      agent
        .getByRole('alert')
        .filter({ hasText: 'Only an owner or editor moves a task past a human checkpoint' }),
    );
    expect(await stage(agent, 'Plan review').getAttribute('aria-current')).toBe('step');
    await agent.context().close();
  });

  it('only a screenful of thousands of tasks is rendered, and the last one after scrolling to it', async () => {
    await app.sql(`
      insert into public.tasks (id, workspace_id, milestone_id, title, current_stage, sort_order)
      select gen_random_uuid(), m.workspace_id, m.id, 'Bolt ' || lpad(n::text, 4, '0'), 'PLAN', 1000 + n
      from public.milestones m, generate_series(1, 3000) n where m.name = 'Ready for the third port'`);
    const owner = await app.signIn('owner');
    await openMilestone(owner, 'Sync service', 'Ready for the third port');
    await seen(owner.getByRole('status').filter({ hasText: '3,009 in all' }));
    const rows = owner.getByRole('main').locator('a[href^="/tasks/"]');
    expect(await rows.count()).toBeLessThan(120);
    await owner.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    await seen(owner.getByRole('link', { name: 'Bolt 3000' }));
    expect(await rows.count()).toBeLessThan(120);
    await owner.getByRole('searchbox', { name: 'Find by key or title' }).fill('bolt 1234');
    await seen(owner.getByRole('link', { name: 'Bolt 1234' }));
    await gone(owner.getByRole('link', { name: 'Bolt 3000' }));
    await owner.context().close();
  });
});

/** The text of the element that has the focus. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.textContent ?? '');
}

/** Presses Tab until the control with this text has the focus, as somebody without a mouse does. */
async function tabTo(page: Page, text: string): Promise<void> {
  for (let presses = 0; presses < 150; presses += 1) {
    if ((await focused(page)).startsWith(text)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to "${text}".`);
}
