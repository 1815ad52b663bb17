import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SEED } from '../support/seed';
import {
  createTask,
  gone,
  openMilestone,
  openProject,
  places,
  seen,
  syncNow,
  WebApp,
} from '../support/webApp';

const MILESTONE = 'Usable in gloves and sunlight';

describe('lists of tasks', () => {
  let app: WebApp;
  let page: Page;
  beforeAll(async () => {
    app = await WebApp.start();
    page = await app.signIn('editor');
  });
  afterAll(() => app.close());

  const link = (title: string, of = page) =>
    of.getByRole('list', { name: 'Tasks' }).getByRole('link', { name: title });
  const titles = async (of = page) =>
    (await of.getByRole('list', { name: 'Tasks' }).getByRole('link').allTextContents()).map((text) =>
      text.replace('Subtask: ', ''),
    );
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
  const row = (title: string) => page.locator('[data-task]').filter({ hasText: title });

  it('a new workspace leads to its first task in three forms, and says that it made a milestone', async () => {
    await page.goto('/workspaces');
    await page.getByRole('button', { name: 'New workspace' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('Breakwater');
    await page.keyboard.press('Enter');
    const form = page.getByRole('dialog', { name: 'New project' });
    await seen(form);
    // Neither Escape nor a reload loses what was typed.
    await form.getByLabel('Name').fill('Lamps, and ');
    await page.keyboard.press('Escape');
    await gone(form);
    await page.reload();
    await page.getByRole('main').getByRole('button', { name: 'New project' }).click();
    await seen(form.getByText('You had typed this and not saved it.'));
    expect(await form.getByLabel('Name').inputValue()).toBe('Lamps, and ');
    await form.getByRole('button', { name: 'Begin anew' }).click();
    expect(await form.getByLabel('Name').inputValue()).toBe('');
    await form.getByLabel('Name').fill('Lamps');
    await form.getByLabel('Name').focus();
    await page.keyboard.press('Enter');
    await seen(page.getByText('Comes into a new milestone, “First milestone”'));
    // Neither Back nor a reload opens the row again.
    await expect.poll(() => new URL(page.url()).search).toBe('');
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label')))
      .toBe('Title');
    await page.keyboard.type('Light the first lamp');
    await page.keyboard.press('Enter');
    await seen(page.getByText('The milestone “First milestone” was made for it.'));
    await expect.poll(focused).toBe('Light the first lamp');
    await seen(places(page).getByRole('link', { name: 'First milestone' }));
    await page.reload();
    await seen(link('Light the first lamp'));
    expect(await page.getByRole('form', { name: 'New task' }).count()).toBe(0);
  });

  it('rows are made, moved, renamed and edited by keys, and all of it can be undone and survives a reload', async () => {
    await openMilestone(page, 'Field app', MILESTONE);
    await seen(link('Add an outdoor theme'));
    const before = await titles();
    await page.keyboard.press('j');
    await expect.poll(focused).toContain(before[0]);
    await page.keyboard.press('c');
    await page.getByRole('checkbox', { name: 'Create another' }).check();
    for (const title of ['First of two', 'Second of two']) {
      await page.getByRole('textbox', { name: 'Title', exact: true }).fill(title);
      await page.keyboard.press('Enter');
      await seen(link(title));
      await expect
        .poll(() => page.getByRole('textbox', { name: 'Title', exact: true }).inputValue())
        .toBe('');
    }
    await page.getByRole('textbox', { name: 'Title', exact: true }).fill('Half a thought');
    await page.keyboard.press('Escape');
    await gone(page.getByRole('form', { name: 'New task' }));
    // Under the row that had the focus, in the order in which they were made.
    const own = ['First of two', 'Second of two'];
    expect((await titles()).filter((title) => own.includes(title) || title === before[0])).toEqual([
      before[0],
      ...own,
    ]);

    await link('Second of two').focus();
    await page.keyboard.press('Alt+ArrowUp');
    await expect
      .poll(async () => (await titles()).filter((title) => own.includes(title)))
      .toEqual(own.toReversed());
    await expect.poll(focused).toBe('Second of two');
    await page.keyboard.press('p');
    // The present value has the focus, arrows go on from it, and the row is marked meanwhile.
    const choice = (name: string) => page.getByRole('menuitemradio', { name, exact: true });
    await expect.poll(focused).toBe('Medium');
    expect(await choice('Medium').getAttribute('aria-checked')).toBe('true');
    expect(await choice('Urgent').getAttribute('aria-checked')).toBe('false');
    expect(await page.locator('[data-task]:has([aria-expanded="true"])').innerText()).toContain(
      'Second of two',
    );
    await page.keyboard.press('ArrowUp');
    await expect.poll(focused).toBe('High');
    await choice('Urgent').click();
    await seen(row('Second of two').getByRole('button', { name: 'Priority: Urgent' }));
    await page.keyboard.press('Control+z');
    await seen(row('Second of two').getByRole('button', { name: 'Priority: Medium' }));
    await link('Second of two').focus();
    await page.keyboard.press('F2');
    await page.getByRole('textbox', { name: 'Title', exact: true }).fill('Renamed in its row');
    await page.keyboard.press('Enter');
    await seen(link('Renamed in its row'));
    await expect.poll(focused).toBe('Renamed in its row');
    await page.keyboard.press('s');
    await page.getByRole('menuitemradio', { name: 'Plan review' }).click();
    await seen(row('Renamed in its row').getByRole('button', { name: 'Stage: Plan review' }));
    await syncNow(page);

    await page.reload();
    await seen(link('Renamed in its row'));
    const after = await titles();
    expect(after.indexOf('Renamed in its row')).toBe(after.indexOf('First of two') - 1);
    await page.keyboard.press('c');
    expect(await page.getByRole('textbox', { name: 'Title', exact: true }).inputValue()).toBe(
      'Half a thought',
    );
    await page.getByRole('textbox', { name: 'Title', exact: true }).fill('');
    await page.keyboard.press('Escape');
  });

  it.each([1280, 390])('a row is dragged to another place, at a width of %i', async (width) => {
    await openMilestone(page, 'Sync service', 'Ready for the third port');
    await page.setViewportSize({ width, height: 800 });
    await page.locator('[data-task]').first().waitFor();
    const roots = (await titles()).slice(0, 3);
    await row(roots[0] ?? '')
      .first()
      .hover();
    const grip = row(roots[0] ?? '')
      .first()
      .locator('span[class*="grip"]');
    const [from, to] = [await grip.boundingBox(), await page.locator('[data-task]').last().boundingBox()];
    if (!from || !to) throw new Error('There is no row to drag.');
    await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
    await page.mouse.down();
    await page.mouse.move(from.x, to.y + to.height - 2, { steps: 5 });
    await page.mouse.up();
    // Its subtask goes along.
    await expect.poll(async () => (await titles()).at(-2)).toBe(roots[0]);
    await page.keyboard.press('Control+z');
    await expect.poll(async () => (await titles())[0]).toBe(roots[0]);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it('groups, order and filters live in the address: Back gives them back, and a new task that they hide is told of', async () => {
    await openProject(page, 'Field app');
    await seen(page.getByRole('heading', { name: 'Plan', exact: true }));
    await page.getByRole('button', { name: 'Group: Stage' }).click();
    await page.getByRole('menuitemradio', { name: 'Assignee' }).click();
    await seen(page.getByRole('heading', { name: 'You', exact: true }));
    await page.getByRole('button', { name: 'Priority: any' }).click();
    await page.getByRole('menuitemcheckbox', { name: 'Urgent' }).click();
    await page.getByRole('menuitemcheckbox', { name: 'High' }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('searchbox', { name: 'Find by key or title' }).fill('the');
    await expect.poll(() => new URL(page.url()).search).toBe('?group=assignee&priority=urgent,high&q=the');
    await expect.poll(async () => (await titles()).every((title) => /the/i.test(title))).toBe(true);
    const filtered = await titles();
    expect(filtered.length).toBeGreaterThan(1);
    await page.getByRole('button', { name: 'New task' }).click();
    await page.getByRole('textbox', { name: 'Title', exact: true }).fill('Hidden at once');
    await page.keyboard.press('Enter');
    await seen(page.getByText('The filter of this list hides it.'));

    await link(filtered[1] ?? '').focus();
    await expect.poll(focused).toBe(filtered[1]);
    await page.keyboard.press('Enter');
    await seen(page.getByRole('heading', { name: filtered[1], level: 1 }));
    await page.goBack();
    await seen(page.getByRole('button', { name: 'Group: Assignee' }));
    expect(await page.getByRole('searchbox', { name: 'Find by key or title' }).inputValue()).toBe('the');
    await expect.poll(() => titles()).toEqual(filtered);
    await expect.poll(focused).toBe(filtered[1]);
    await page.getByRole('button', { name: 'Show all tasks' }).click();
    expect(new URL(page.url()).search).toBe('?group=assignee');
    await page.getByRole('searchbox', { name: 'Find by key or title' }).fill('hidden at once');
    await seen(link('Hidden at once'));
    await page.getByRole('searchbox', { name: 'Find by key or title' }).fill('field 31');
    await expect.poll(() => titles()).toEqual(['Kill the app a hundred times and count']);
    await page.getByRole('tab', { name: 'Overview' }).click();
    await seen(page.getByRole('heading', { name: 'Overview' }));
    await page.goBack();
    await seen(page.getByRole('list', { name: 'Tasks' }));
  });

  it('whoever goes Back at once, however quickly, is back on the list', async () => {
    await openMilestone(page, 'Field app', MILESTONE);
    const { pathname } = new URL(page.url());
    const rows = page.getByRole('main').getByRole('list', { name: 'Tasks' });
    await seen(rows);
    // The task is shown under its id until its key is known, which then takes its place in the address.
    for (let ms = 0; ms <= 100; ms += 5) {
      await page.evaluate(async (wait) => {
        const task = document.querySelector<HTMLAnchorElement>('main a[href^="/tasks/"]');
        const id = task?.closest('[data-task]')?.getAttribute('data-task');
        history.pushState(null, '', `/tasks/${id}`);
        await new Promise((resolve) => setTimeout(resolve, wait));
        history.back();
      }, ms);
      const here = () => new URL(page.url()).pathname;
      await expect.poll(here, { message: `after ${ms} ms` }).toBe(pathname);
      // Nothing leads away from there again.
      await page.waitForTimeout(100);
      expect(here(), `after ${ms} ms`).toBe(pathname);
      await seen(rows);
    }
  });

  it('a click shows the title of the task before the task is read, and screen readers wait for the task', async () => {
    await openMilestone(page, 'Field app', MILESTONE);
    await seen(page.getByRole('main').getByRole('list', { name: 'Tasks' }));
    const shown = await page.evaluate(async () => {
      const task = document.querySelector<HTMLAnchorElement>('main a[href^="/tasks/"]');
      task?.click();
      // No task has been read in the turn of the click.
      await Promise.resolve();
      const preview = document.querySelector('[data-preview]');
      return { title: task?.textContent, text: preview?.textContent, hidden: preview?.ariaHidden };
    });
    expect(shown.text).toContain(shown.title);
    expect(shown.hidden).toBe('true');
    await seen(page.getByRole('heading', { name: shown.title ?? '', level: 1 }));
    expect(await page.locator('[data-preview]').count()).toBe(0);
  });

  it('a task that somebody assigns to themselves is among theirs until it is done', async () => {
    await places(page).getByRole('link', { name: 'My tasks' }).click();
    await seen(page.getByRole('heading', { name: 'My tasks', level: 1 }));
    expect(await page.title()).toContain('My tasks');
    await openMilestone(page, 'Field app', MILESTONE);
    await createTask(page, 'Mine from now on');
    await row('Mine from now on').getByRole('button', { name: 'Nobody is assigned' }).click();
    await page.getByRole('menuitemradio', { name: 'You' }).click();
    await places(page).getByRole('link', { name: 'My tasks' }).click();
    await seen(page.getByRole('heading', { name: `Field app › ${MILESTONE}` }));
    await row('Mine from now on').getByRole('button', { name: 'Status: To do' }).click();
    await page.getByRole('menuitemradio', { name: 'Cancelled' }).click();
    await gone(link('Mine from now on'));
  });

  it('a list that is opened by its address comes in few files and few elements, and no row changes its place', async () => {
    const opened = await page.context().newPage();
    await opened.addInitScript(() => {
      const gone: string[] = [];
      Object.assign(window, { gone });
      new MutationObserver((changes) => {
        for (const { removedNodes } of changes) {
          for (const node of removedNodes) {
            if (node instanceof HTMLElement && node.closest('li[aria-setsize]') === node)
              gone.push(node.innerText);
          }
        }
        if (!('files' in window) && document.querySelector('[data-task]')) {
          const files = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.js'));
          Object.assign(window, { files: files.map(({ name }) => new URL(name).pathname) });
        }
      }).observe(document, { childList: true, subtree: true });
    });
    // Its tasks stand in groups, in the order of a workflow that is read beside them.
    await opened.goto(`/projects/${SEED.fieldApp}`);
    await seen(link('Survive a clock that is wrong by hours', opened));
    await seen(opened.getByRole('heading', { name: 'Plan review', level: 2 }));
    const { files, gone } = await opened.evaluate(() => {
      const kept = window as unknown as Record<'files' | 'gone', string[]>;
      return { files: kept.files, gone: kept.gone };
    });
    expect(gone).toEqual([]);
    // The page, what it is made of, SQLite's worker; parts that are fetched when nothing else is to do come later.
    expect(files.length, files.join()).toBeLessThanOrEqual(9);
    const elements = await opened
      .locator('[data-task]')
      .evaluateAll((rows) => rows.map((one) => one.querySelectorAll('*').length));
    expect(Math.max(...elements)).toBeLessThanOrEqual(20);
    await opened.close();
  });

  it('the first row is near the top for a viewer, too, and stays where it is while filters come and go', async () => {
    const viewer = await app.signIn('viewer');
    const top = async () => (await viewer.locator('[data-task]').first().boundingBox())?.y ?? Infinity;
    await openMilestone(viewer, 'Field app', MILESTONE);
    await seen(viewer.getByRole('note').filter({ hasText: 'You are a viewer here' }));
    await seen(link('Add an outdoor theme', viewer));
    expect(await top()).toBeLessThanOrEqual(180);
    await openProject(viewer, 'Field app');
    await seen(viewer.getByRole('note').filter({ hasText: 'You are a viewer here' }));
    await seen(link('Read only the current route', viewer));
    for (const width of [1280, 1100]) {
      await viewer.setViewportSize({ width, height: 800 });
      expect(await top()).toBeLessThanOrEqual(180);
    }
    const before = await top();
    for (const [filter, value] of [
      ['Status', 'In progress'],
      ['Stage', 'Implement'],
      ['Assignee', 'Agent'],
    ]) {
      await viewer.getByRole('button', { name: `${filter}: any` }).click();
      await viewer.getByRole('menuitemcheckbox', { name: value }).click();
      await viewer.keyboard.press('Escape');
      await seen(viewer.getByRole('button', { name: `${filter}: ${value}` }));
      expect(await top(), filter).toBe(before);
    }
    await viewer.context().close();
  });

  it('the first row is near the top, no width scrolls sideways, and axe finds nothing', async () => {
    await page.evaluate(axe.source);
    const violations = (isMenu: boolean) =>
      page.evaluate(async (isOpen) => {
        // An open menu stands beside the landmarks of the page.
        const rules = { region: { enabled: !isOpen } };
        const found = await (window as unknown as { axe: typeof axe }).axe.run(document, { rules });
        return found.violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join('; ')}`,
        );
      }, isMenu);
    const checked = async (where: string, isMenu = false) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await violations(isMenu), `${where}, ${colorScheme}`).toEqual([]);
      }
    };
    await openProject(page, 'Field app');
    await seen(link('Read only the current route'));
    const box = await page.locator('[data-task]').first().boundingBox();
    expect(box?.y).toBeLessThanOrEqual(180);
    expect(box?.height).toBe(34);
    await checked('project');
    await link('Read only the current route').focus();
    await checked('a row with the focus');
    await page.keyboard.press('a');
    await seen(page.getByRole('menu'));
    await checked('a menu', true);
    await page.keyboard.press('Escape');
    await gone(page.getByRole('menu'));
    await page.keyboard.press('c');
    await seen(page.getByRole('form', { name: 'New task' }));
    await checked('a new task');
    await page.keyboard.press('Escape');
    await page.getByRole('tab', { name: 'Milestones' }).click();
    await checked('milestones');
    await page.getByRole('tab', { name: 'Overview' }).click();
    await checked('overview');
    await page.goBack();
    await page.goBack();
    await openMilestone(page, 'Field app', MILESTONE);
    await page.locator('[data-task]').first().waitFor();
    expect((await page.locator('[data-task]').first().boundingBox())?.y).toBeLessThanOrEqual(180);
    await checked('milestone');
    for (const width of [320, 390, 768, 1024, 1920]) {
      await page.setViewportSize({ width, height: 800 });
      const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      await expect.poll(overflow, { message: `${width} px` }).toBeLessThanOrEqual(0);
      const title = await page.getByRole('list', { name: 'Tasks' }).getByRole('link').first().boundingBox();
      expect(title?.width, `${width} px`).toBeGreaterThan(120);
      // Cells stay in their row.
      const outside = await page.locator('[data-task]').evaluateAll(
        (rows) =>
          rows.flatMap((one) => {
            const { top, bottom } = one.getBoundingClientRect();
            return [...one.querySelectorAll('button')].filter((button) => {
              const box = button.getBoundingClientRect();
              return box.top < top || box.bottom > bottom;
            });
          }).length,
      );
      expect(outside, `${width} px`).toBe(0);
    }
    await page.setViewportSize({ width: 390, height: 800 });
    await checked('milestone on a phone');
    await page.setViewportSize({ width: 1280, height: 800 });
    await places(page).getByRole('link', { name: 'My tasks' }).click();
    await seen(page.getByRole('heading', { name: 'My tasks' }));
    await checked('my tasks');
    await page.emulateMedia({ colorScheme: 'light' });
  });
});
