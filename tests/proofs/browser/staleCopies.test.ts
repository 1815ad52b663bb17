import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createTask,
  deleteTask,
  gone,
  openMilestone,
  openTask,
  renameTask,
  seen,
  syncNow,
  typedIn,
  WebApp,
} from '../../support/webApp';

/** Short lists, so that new tasks are in view. */
const MILESTONE = 'Pilot with two ports';

describe('a text that is edited in place while somebody else changes the same record', () => {
  let app: WebApp;
  let mine: Page;
  let theirs: Page;
  let title: string;
  let made = 0;
  beforeAll(async () => {
    app = await WebApp.start();
    mine = await app.signIn('editor');
    theirs = await app.signIn('owner');
  });
  afterAll(() => app.close());

  beforeEach(async () => {
    made += 1;
    title = `Stale copy ${made}`;
    await openMilestone(mine, 'Field app', MILESTONE);
    await createTask(mine, title);
    await syncNow(mine);
    await syncNow(theirs);
    await openTask(mine, MILESTONE, title);
    await openTask(theirs, MILESTONE, title);
  });

  const editTitle = (page: Page) => page.getByRole('button', { name: 'Edit title' }).click();
  const titleField = (page: Page) => page.getByRole('textbox', { name: 'Title' });
  const describeIt = async (page: Page, text: string) => {
    await page.getByRole('button', { name: 'Edit description' }).click();
    await page.getByRole('textbox', { name: 'Description' }).fill(text);
  };
  const stored = async () => {
    const [row] = await app.query<Record<string, string>>(
      `select title, description, status, priority from public.tasks where title like '${title}%'`,
    );
    return row;
  };

  it('saves what its person changed and nothing else, and other fields follow the record', async () => {
    await editTitle(mine);
    await titleField(mine).fill(`${title}, mine`);
    await describeIt(theirs, 'Theirs');
    await theirs.keyboard.press('Control+Enter');
    await theirs.getByLabel('Priority').selectOption('Urgent');
    await syncNow(theirs);
    await seen(mine.getByRole('region', { name: 'Description' }).getByText('Theirs'));
    expect(await mine.getByLabel('Priority').inputValue()).toBe('urgent');
    expect(await titleField(mine).inputValue()).toBe(`${title}, mine`);
    await titleField(mine).press('Enter');
    await seen(mine.getByRole('heading', { name: `${title}, mine`, level: 1 }));
    await syncNow(mine);
    expect(await stored()).toEqual({
      title: `${title}, mine`,
      description: 'Theirs',
      status: 'todo',
      priority: 'urgent',
    });
  });

  it('shows both texts where the other one changed the same, and keeps mine by the keyboard alone', async () => {
    await editTitle(mine);
    await titleField(mine).fill(`${title}, mine`);
    await renameTask(theirs, `${title}, theirs`);
    await syncNow(theirs);
    await seen(mine.getByRole('alert').getByText('Somebody else has changed the title meanwhile.'));
    await seen(mine.getByRole('alert').getByText(`, theirs`));
    await mine.keyboard.press('Enter');
    expect(await titleField(mine).inputValue()).toBe(`${title}, mine`);
    const keep = mine.getByRole('button', { name: 'Keep mine: title' });
    for (let tabs = 0; tabs < 6 && !(await keep.evaluate((it) => it === document.activeElement)); tabs += 1) {
      await mine.keyboard.press('Tab');
    }
    await mine.keyboard.press('Enter');
    await seen(mine.getByRole('heading', { name: `${title}, mine`, level: 1 }));
    await syncNow(mine);
    expect(await stored()).toMatchObject({ title: `${title}, mine` });
  });

  it('takes what the other one wrote where its person says so', async () => {
    await describeIt(mine, 'Mine');
    await describeIt(theirs, 'Theirs');
    await theirs.keyboard.press('Control+Enter');
    await syncNow(theirs);
    await mine.getByRole('button', { name: 'Take theirs: description' }).click();
    await seen(mine.getByRole('region', { name: 'Description' }).getByText('Theirs'));
    await gone(mine.getByRole('textbox', { name: 'Description' }));
    await syncNow(mine);
    expect(await stored()).toMatchObject({ description: 'Theirs' });
  });

  it('says who has deleted the record, keeps what is typed, and offers to restore', async () => {
    await describeIt(mine, 'Worth keeping');
    await deleteTask(theirs);
    await syncNow(theirs);
    await seen(mine.getByRole('alert').getByText('Owner deleted this task'));
    const kept = mine.getByRole('textbox', { name: 'The description that you typed' });
    expect(await kept.inputValue()).toBe('Worth keeping');
    await mine.getByRole('button', { name: `Restore ${title}` }).click();
    await seen(mine.getByRole('heading', { name: title, level: 1 }));
    await mine.getByRole('button', { name: 'Go on with the description' }).click();
    expect(await typedIn(mine.getByRole('textbox', { name: 'Description' }))).toBe('Worth keeping');
  });
});
