import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMilestone, openTask, seen, statusOf, WebApp } from '../support/webApp';

const MILESTONE = 'Inspections work offline';

/** The screens, and how to get to each from the one before. */
const SCREENS: [string, (page: Page) => Promise<unknown>][] = [
  ['workspaces', (page) => seen(page.getByRole('heading', { name: 'Workspaces' }))],
  [
    'workspace',
    async (page) => {
      await page.getByRole('main').getByRole('link', { name: 'Lighthouse' }).click();
      await seen(page.getByRole('heading', { name: 'Members' }));
    },
  ],
  [
    'invite',
    async (page) => {
      await page.getByRole('button', { name: 'Invite', exact: true }).click();
      await seen(page.getByRole('dialog', { name: 'Invite to Lighthouse' }));
    },
  ],
  [
    'invited by link',
    async (page) => {
      await page.getByLabel('whoever opens a link first').check();
      await page.getByRole('button', { name: 'Make the invitation' }).click();
      await page.getByRole('button', { name: 'Copy' }).click();
      await seen(page.getByRole('dialog', { name: 'The invitation is ready' }));
    },
  ],
  [
    'invitation',
    async (page) => {
      const link = await page.getByRole('textbox', { name: 'Link' }).inputValue();
      await page.goto(link);
      await seen(page.getByText('You are a member of this workspace already.'));
    },
  ],
  [
    'invitation that is not valid',
    async (page) => {
      await page.goto('/invitation/none');
      await seen(page.getByText('This invitation is not valid.'));
    },
  ],
  [
    'workspace with an open invitation',
    async (page) => {
      await page.goto('/');
      await page.getByRole('main').getByRole('link', { name: 'Lighthouse' }).click();
      await seen(page.getByRole('list', { name: 'Open invitations' }));
    },
  ],
  [
    'deleted',
    async (page) => {
      await page.getByRole('link', { name: 'Deleted records' }).click();
      await seen(page.getByRole('button', { name: /^Restore/ }));
      await page.goBack();
    },
  ],
  [
    'project',
    async (page) => {
      await page.getByRole('main').getByRole('link', { name: 'Field app' }).click();
      await seen(page.getByRole('heading', { name: 'Milestones' }));
    },
  ],
  ['milestone', (page) => openMilestone(page, 'Field app', MILESTONE)],
  [
    'new task',
    async (page) => {
      await page.getByRole('button', { name: 'New task' }).click();
      await seen(page.getByRole('dialog'));
    },
  ],
  [
    'task',
    async (page) => {
      await page.keyboard.press('Escape');
      await openTask(page, MILESTONE, 'Save a finding locally before anything else happens');
    },
  ],
  [
    'sync',
    async (page) => {
      await page.getByRole('region', { name: 'Sync status' }).getByRole('link').first().click();
      await seen(page.getByRole('heading', { name: 'Conflicts' }));
    },
  ],
];

let app: WebApp;
beforeAll(async () => {
  app = await WebApp.start();
  await app.sql(
    "update public.patterns set deleted_at = now() where workspace_id <> '00000000-0000-7000-8000-000000000000'",
  );
});
afterAll(() => app.close());

describe.each([
  { name: 'desktop, light', phone: false, dark: false },
  { name: 'phone, dark', phone: true, dark: true },
])('the app on $name', ({ phone, dark }) => {
  let page: Page;
  beforeAll(async () => {
    const context = await app.newProfile({ phone, dark });
    page = await context.newPage();
    await page.goto('/');
    await seen(page.getByRole('button', { name: 'owner@convoy.example' }));
  });
  afterAll(() => page.context().close());

  it('the sign-in screen has no accessibility violation', async () => {
    expect(await faults(page)).toEqual([]);
    await page.close();
    page = await app.signIn('owner', page.context());
  });

  it.each(SCREENS)('this screen has no accessibility violation: %s', async (_name, open) => {
    await open(page);
    expect(await faults(page)).toEqual([]);
  });

  it('working without an account, taking it along and signing out have no accessibility violation', async () => {
    const alone = await (await app.newProfile({ phone, dark })).newPage();
    await alone.goto('/');
    await alone.getByRole('button', { name: 'Start without an account' }).click();
    await seen(alone.getByText('You have no workspace yet.'));
    expect(await faults(alone)).toEqual([]);
    await alone.getByRole('button', { name: 'New workspace' }).click();
    await alone.getByLabel('Name').fill('Mine alone');
    await alone.getByRole('button', { name: 'Create workspace' }).click();
    await seen(alone.getByRole('heading', { name: 'Mine alone', level: 1 }));
    await statusOf(alone, 'On this device only').click();
    await seen(alone.getByText('Your work is on this device only.'));
    expect(await faults(alone)).toEqual([]);

    await alone.getByRole('banner').getByRole('button', { name: 'Sign in' }).click();
    await alone.getByRole('button', { name: 'owner@convoy.example' }).click();
    await alone.locator('form').getByRole('button', { name: 'Sign in' }).click();
    await seen(alone.getByRole('dialog', { name: 'Take your work along?' }));
    expect(await faults(alone)).toEqual([]);
    await alone.getByRole('button', { name: 'Leave it here' }).click();
    await seen(statusOf(alone, 'Up to date'));
    await alone.reload();
    await seen(alone.getByRole('complementary', { name: 'Work without an account' }));
    await alone.context().setOffline(true);
    await alone.getByRole('link', { name: 'Convoy: your workspaces' }).click();
    await alone.getByRole('button', { name: 'New workspace' }).click();
    await alone.getByLabel('Name').fill('Not sent yet');
    await alone.getByRole('button', { name: 'Create workspace' }).click();
    await seen(alone.getByRole('heading', { name: 'Not sent yet', level: 1 }));
    expect(await faults(alone)).toEqual([]);
    await alone.getByRole('button', { name: 'Sign out' }).click();
    await seen(alone.getByText('1 change has not reached the server yet.'));
    expect(await faults(alone)).toEqual([]);
    await alone.getByRole('button', { name: 'Discard …' }).click();
    await seen(alone.getByRole('dialog', { name: 'Remove your data from this device?' }));
    expect(await faults(alone)).toEqual([]);
    await alone.context().close();
  });

  /** What axe finds, and a page that is wider than its window. */
  async function faults(of: Page): Promise<string[]> {
    await of.evaluate(axe.source);
    const { violations, passes } = await of.evaluate(() =>
      (window as unknown as { axe: typeof axe }).axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      }),
    );
    expect(passes.length, 'rules that applied').toBeGreaterThan(10);
    const isWide = await of.evaluate(
      () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
    );
    const found = violations.map(
      ({ id, help, nodes }) => `${id}: ${help} at ${nodes.map(({ target }) => target.join(' ')).join('; ')}`,
    );
    return isWide ? [...found, 'the page scrolls sideways'] : found;
  }
});
