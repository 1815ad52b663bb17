import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SEED } from '../support/seed';
import { askToSignOut, gone, goOffline, seen, statusOf, WebApp } from '../support/webApp';

/** A screen, and how to get to it from the one before. */
type Screen = [string, (page: Page) => Promise<unknown>];

const OF_AN_ACCOUNT: Screen[] = [
  ['sign-in', (page) => seen(page.getByRole('button', { name: 'owner@convoy.example' }))],
  [
    'workspaces',
    async (page) => {
      await signIn(page);
      await seen(page.getByRole('heading', { name: 'Inbox' }));
      await seen(statusOf(page, 'Up to date'));
    },
  ],
  [
    'an item of the inbox',
    async (page) => {
      // On a phone the list, and on a desktop the first item.
      await page.goto('/');
      await page.getByRole('region', { name: 'What waits for you' }).getByRole('link').first().click();
      await seen(page.getByRole('region', { name: 'The open item' }).getByLabel('Assignee'));
    },
  ],
  [
    'menu of the account',
    async (page) => {
      await page.getByRole('button', { name: /^Account of / }).click();
      await seen(page.getByRole('menuitemradio', { name: 'Dark' }));
    },
  ],
  [
    'shortcuts',
    async (page) => {
      await page.getByRole('menuitem', { name: 'Keyboard shortcuts' }).click();
      await seen(page.getByRole('dialog', { name: 'Keyboard shortcuts' }));
    },
  ],
  [
    'palette',
    async (page) => {
      await page.keyboard.press('Escape');
      await gone(page.getByRole('dialog'));
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: 'Search' }).fill('offline');
      await seen(page.getByRole('option').first());
    },
  ],
  [
    'agents',
    async (page) => {
      await page.goto('/agents');
      await seen(page.getByRole('list', { name: 'Agents' }));
    },
  ],
  [
    'workspaces',
    async (page) => {
      await page.goto('/workspaces');
      await seen(page.getByRole('heading', { name: 'Workspaces' }));
    },
  ],
  [
    'workspace',
    async (page) => {
      await page.getByRole('main').getByRole('link', { name: 'Lighthouse' }).click();
      await seen(page.getByRole('heading', { name: 'Projects' }));
    },
  ],
  [
    'members',
    async (page) => {
      await page
        .getByRole('main')
        .getByRole('link', { name: /members$/ })
        .click();
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
      await page.goto('/workspaces');
      await page.getByRole('main').getByRole('link', { name: 'Lighthouse' }).click();
      await page
        .getByRole('main')
        .getByRole('link', { name: /members$/ })
        .click();
      await seen(page.getByRole('list', { name: 'Open invitations' }));
    },
  ],
  [
    'deleted',
    async (page) => {
      await page.goto(`/workspaces/${SEED.workspace}/deleted`);
      await seen(page.getByRole('button', { name: /^Restore/ }));
    },
  ],
  [
    'project',
    async (page) => {
      await page.goto(`/projects/${SEED.fieldApp}`);
      await seen(page.getByRole('list', { name: 'Tasks' }));
    },
  ],
  [
    'milestone',
    async (page) => {
      await page.goto(`/milestones/${SEED.offlineMilestone}`);
      await seen(page.getByRole('list', { name: 'Tasks' }));
    },
  ],
  [
    'new task',
    async (page) => {
      await page.getByRole('button', { name: 'New task' }).click();
      await seen(page.getByRole('form', { name: 'New task' }));
    },
  ],
  [
    'task',
    async (page) => {
      await page.goto('/tasks/FIELD-1');
      await seen(page.getByRole('heading', { name: 'Save a finding locally before anything else happens' }));
    },
  ],
  [
    'sync',
    async (page) => {
      await page.getByRole('region', { name: 'Sync status' }).getByRole('link').first().click();
      await seen(page.getByRole('heading', { name: 'Sync log' }));
    },
  ],
];

/** Begun without an account, left there at the sign-in, and discarded. */
const ALONE: Screen[] = [
  [
    'no workspace',
    async (page) => {
      await page.getByRole('button', { name: 'Start without an account' }).click();
      await seen(page.getByText('You have no workspace yet.'));
    },
  ],
  [
    'sync, on this device only',
    async (page) => {
      await createWorkspace(page, 'Mine alone');
      await statusOf(page, 'On this device only').click();
      await seen(page.getByText('Your work is on this device only.'));
    },
  ],
  [
    'work to take along',
    async (page) => {
      await page.getByRole('banner').getByRole('button', { name: 'Sign in' }).click();
      await signIn(page);
      await seen(page.getByRole('dialog', { name: 'Take your work along?' }));
    },
  ],
  [
    'work that was left, and an unsent workspace',
    async (page) => {
      await page.getByRole('button', { name: 'Leave it here' }).click();
      await seen(statusOf(page, 'Up to date'));
      await page.reload();
      await seen(page.getByRole('complementary', { name: 'Work without an account' }));
      await goOffline(page);
      await page
        .getByRole('link', { name: /^(All w|W)orkspaces$/ })
        .filter({ visible: true })
        .first()
        .click();
      await createWorkspace(page, 'Not sent yet');
    },
  ],
  [
    'signing out with unsynced changes',
    async (page) => {
      await askToSignOut(page);
      await seen(page.getByText('1 change has not reached the server yet.'));
    },
  ],
  [
    'discarding',
    async (page) => {
      await page.getByRole('button', { name: 'Discard …' }).click();
      await seen(page.getByRole('dialog', { name: 'Remove your data from this device?' }));
    },
  ],
];

const PHONE = { name: 'a phone, dark', width: 390, height: 844, colorScheme: 'dark' } as const;
const DESKTOP = { name: 'a desktop, light', width: 1280, height: 800, colorScheme: 'light' } as const;

async function signIn(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'owner@convoy.example' }).click();
  await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
}

async function createWorkspace(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'New workspace' }).click();
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Create workspace' }).click();
  // The form of its first project is offered at once.
  await seen(page.getByRole('dialog', { name: 'New project' }));
  await page.keyboard.press('Escape');
  await seen(page.getByRole('heading', { name, level: 1 }));
}

let app: WebApp;
beforeAll(async () => {
  app = await WebApp.start();
  await app.sql(
    "update public.patterns set deleted_at = now() where workspace_id <> '00000000-0000-7000-8000-000000000000'",
  );
});
afterAll(() => app.close());

describe.each([
  ['of an account', OF_AN_ACCOUNT],
  ['without an account', ALONE],
] as const)('the screens %s', (_name, screens) => {
  let page: Page;
  beforeAll(async () => {
    page = await (await app.newProfile()).newPage();
    await page.goto('/');
  });
  afterAll(() => page.context().close());

  describe.each(screens)('%s', (_name, open) => {
    // A phone is the harder case: a button that can be pressed there can be pressed anywhere.
    beforeAll(async () => {
      await show(page, PHONE);
      await open(page);
    });

    for (const look of [PHONE, DESKTOP]) {
      it(`has no accessibility violation on ${look.name}`, async () => {
        await show(page, look);
        expect(await faults(page)).toEqual([]);
      });
    }
  });
});

/** The page in a window of this size. Its styles follow at once, without loading it anew. */
async function show(page: Page, { width, height, colorScheme }: typeof PHONE | typeof DESKTOP) {
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme });
}

/** The violations that axe finds, and a page that is wider than its window. */
async function faults(page: Page): Promise<string[]> {
  // Bars that stay in view cover what is below them at this moment, and axe would take that for too small.
  await page.evaluate(() => {
    for (const bar of document.querySelectorAll<HTMLElement>('.topbar, nav[aria-label="Main"]'))
      bar.style.position = 'static';
  });
  if (await page.evaluate(() => !('axe' in window))) await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(() =>
    (window as unknown as { axe: typeof axe }).axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      resultTypes: ['violations'],
      // A menu or dialog that is open stands outside of the landmarks, and the page behind it is hidden.
      rules: Object.fromEntries(
        ['region', 'page-has-heading-one'].map((rule) => [
          rule,
          { enabled: document.querySelector('[role="menu"], [role="dialog"]') === null },
        ]),
      ),
    }),
  );
  expect(passes.length, 'rules that applied').toBeGreaterThan(10);
  const isWide = await page.evaluate(
    () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
  );
  const found = violations.map(
    ({ id, help, nodes }) => `${id}: ${help} at ${nodes.map(({ target }) => target.join(' ')).join('; ')}`,
  );
  return isWide ? [...found, 'the page scrolls sideways'] : found;
}
