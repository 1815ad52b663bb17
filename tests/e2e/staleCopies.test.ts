import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTask, gone, openMilestone, openTask, seen, syncNow, WebApp } from '../support/webApp';

/** Short lists, so that new tasks are in view. */
const MILESTONE = 'Pilot with two ports';

describe('a form that is open while somebody else changes the same record', () => {
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

  const edit = (page: Page) => page.getByRole('button', { name: 'Edit task' }).click();
  const field = (page: Page, name: string) =>
    page.getByRole('dialog').getByLabel(name, { exact: false }).first();
  const save = (page: Page) => page.getByRole('button', { name: 'Save', exact: true });
  /** The other person changes the task and this page gets it, with the form still open. */
  const meanwhile = async (work: () => Promise<void>, arrived: () => Promise<void>) => {
    await work();
    await syncNow(theirs);
    await arrived();
  };
  const stored = async () => {
    const [row] = await app.query<Record<string, string>>(
      `select title, description, status, priority from public.tasks where title like '${title}%'`,
    );
    return row;
  };

  it('saves what its person changed and nothing else, and other fields follow the record', async () => {
    await edit(mine);
    await field(mine, 'Title').fill(`${title}, mine`);
    await meanwhile(
      async () => {
        await edit(theirs);
        await field(theirs, 'Description').fill('Theirs');
        await field(theirs, 'Priority').selectOption('Urgent');
        await save(theirs).click();
        await gone(theirs.getByRole('dialog'));
      },
      () => seen(mine.getByRole('dialog').getByText('Theirs')),
    );
    expect(await field(mine, 'Priority').inputValue()).toBe('urgent');
    expect(await field(mine, 'Title').inputValue()).toBe(`${title}, mine`);
    await save(mine).click();
    await gone(mine.getByRole('dialog'));
    await syncNow(mine);
    expect(await stored()).toEqual({
      title: `${title}, mine`,
      description: 'Theirs',
      status: 'todo',
      priority: 'urgent',
    });
  });

  it('asks its person where the other one changed the same, by the keyboard alone, and keeps what is typed', async () => {
    await edit(mine);
    await field(mine, 'Title').fill(`${title}, mine`);
    await meanwhile(
      async () => {
        await edit(theirs);
        await field(theirs, 'Title').fill(`${title}, theirs`);
        await save(theirs).click();
        await gone(theirs.getByRole('dialog'));
      },
      () => seen(mine.getByRole('alert').getByText(`${title}, theirs`)),
    );
    expect(await field(mine, 'Title').inputValue()).toBe(`${title}, mine`);
    await mine.keyboard.press('Enter');
    const keep = mine.getByRole('button', { name: 'Keep mine' });
    expect(await keep.evaluate((button) => button === document.activeElement)).toBe(true);
    await mine.keyboard.press('Enter');
    await gone(mine.getByRole('alert'));
    expect(await field(mine, 'Title').evaluate((input) => input === document.activeElement)).toBe(true);
    await mine.keyboard.press('Enter');
    await gone(mine.getByRole('dialog'));
    await syncNow(mine);
    expect(await stored()).toMatchObject({ title: `${title}, mine` });
  });

  it('takes what the other one wrote where its person says so, and saves the rest', async () => {
    await edit(mine);
    await field(mine, 'Title').fill(`${title}, mine`);
    await field(mine, 'Description').fill('Mine');
    await meanwhile(
      async () => {
        await edit(theirs);
        await field(theirs, 'Title').fill(`${title}, theirs`);
        await save(theirs).click();
        await gone(theirs.getByRole('dialog'));
      },
      () => seen(mine.getByRole('alert').getByText(`${title}, theirs`)),
    );
    await mine.getByRole('button', { name: 'Take theirs' }).click();
    expect(await field(mine, 'Title').inputValue()).toBe(`${title}, theirs`);
    await save(mine).click();
    await gone(mine.getByRole('dialog'));
    await syncNow(mine);
    expect(await stored()).toMatchObject({ title: `${title}, theirs`, description: 'Mine' });
  });

  it('tells that a status belongs to a stage which the other one has moved', async () => {
    await edit(mine);
    await field(mine, 'Status').selectOption('Blocked');
    await meanwhile(
      () =>
        theirs
          .getByRole('region', { name: /^Stage/ })
          .getByRole('button', { name: /^Plan review/ })
          .click(),
      () => seen(mine.getByRole('alert').getByText('Plan review')),
    );
    await mine.getByRole('button', { name: 'Keep mine' }).click();
    await save(mine).click();
    await gone(mine.getByRole('dialog'));
    await syncNow(mine);
    expect(await stored()).toMatchObject({ status: 'blocked' });
  });

  it('stays open with what is typed where the other one deletes the record', async () => {
    await edit(mine);
    await field(mine, 'Description').fill('Worth keeping');
    await meanwhile(
      async () => {
        await theirs.getByRole('button', { name: 'Delete task' }).click();
        await theirs.getByRole('dialog').getByRole('button', { name: 'Delete task' }).click();
        await gone(theirs.getByRole('dialog'));
      },
      () => seen(mine.getByRole('alert').getByText('Somebody has deleted this meanwhile')),
    );
    expect(await field(mine, 'Description').inputValue()).toBe('Worth keeping');
    await field(mine, 'Title').press('Enter');
    expect(await mine.getByRole('dialog').isVisible()).toBe(true);
    await mine.getByRole('button', { name: 'Cancel' }).click();
    await seen(mine.getByText('There is no such task on this device.'));
  });
});
