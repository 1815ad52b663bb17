/** Screens of a day's work: the inbox, agents, and what others do to the task that is open. */

import type { Page } from 'playwright-core';
import { seedId } from '../../tests/support/seed';
import { comment, goOffline } from '../../tests/support/webApp';
import { enter, openMilestone, openTask, type Screen, SHARED, type Stage, sidebar } from './steps';

const TEXT = 'Night shift takes over the tablet of the day shift';

async function openItem(page: Page, title: string): Promise<void> {
  await enter(page, 'owner');
  await page
    .getByRole('region', { name: 'What waits for you' })
    .getByRole('link', { name: title })
    .first()
    .click();
  await page.getByRole('region', { name: 'The open item' }).getByRole('heading', { name: title }).waitFor();
}

async function describe(page: Page, text: string): Promise<void> {
  await page.getByRole('button', { name: 'Edit description' }).click();
  await page.getByRole('textbox', { name: 'Description' }).fill(text);
  await page.keyboard.press('Control+Enter');
  await page.getByRole('region', { name: 'Description' }).getByText(text).waitFor();
}

/** The owner does something to the task that the editor has open, who is offline meanwhile. */
async function meanwhile(
  { page, context, stack }: Stage,
  mine: (page: Page) => Promise<void>,
  theirs: (page: Page) => Promise<void>,
): Promise<void> {
  await openTask(page, 'editor', SHARED);
  await goOffline(page);
  await mine(page);
  const others = await page.context().browser()?.newContext({ baseURL: stack.url });
  if (!others) throw new Error('There is no browser.');
  const other = await others.newPage();
  await openTask(other, 'owner', SHARED);
  await theirs(other);
  await other.getByRole('button', { name: 'Sync now' }).click();
  await other.getByText('Up to date').first().waitFor();
  await others.close();
  await context.setOffline(false);
}

export const WORK_SCREENS: Screen[] = [
  {
    name: 'inbox-difference',
    prepare: async ({ page }) => {
      await openItem(page, 'Resume uploads where they stopped');
      await page.getByLabel(/^Show what differs/).check();
      await page.locator('ins').first().waitFor();
      await page.locator('[aria-disabled="false"]', { hasText: 'Approve' }).waitFor();
    },
  },
  {
    name: 'inbox-newer',
    prepare: async ({ page, stack }) => {
      await openItem(page, 'Add an outdoor theme');
      await stack.backend.transaction((connection) =>
        connection.query(
          `insert into public.activity_feed (id, workspace_id, task_id, actor_id, activity_type, details)
           select gen_random_uuid(), workspace_id, task_id, actor_id, activity_type,
             details || '{"text": "Three sets of colours."}'
           from public.activity_feed where task_id = $1::uuid and activity_type = 'review_requested' limit 1`,
          [seedId('task', 18)],
        ),
      );
      await page.getByRole('button', { name: 'Sync now' }).click();
      await page.getByRole('alert').filter({ hasText: 'A newer request' }).waitFor();
    },
  },
  {
    name: 'inbox-question',
    prepare: async ({ page }) => {
      await openItem(page, 'Collect what the pilot');
      await page.getByLabel('Your answer').waitFor();
    },
  },
  {
    name: 'inbox-send-back',
    prepare: async ({ page }) => {
      await openItem(page, 'Add an outdoor theme');
      await page.getByRole('button', { name: 'Send back…' }).click();
      await page.getByLabel('What is missing?').fill('At what distance is 7:1 measured?');
    },
  },
  {
    name: 'inbox-empty',
    prepare: async ({ page }) => {
      await enter(page, 'viewer');
      await page.getByText('Nothing waits for you').waitFor();
    },
  },
  {
    name: 'shortcuts',
    prepare: async ({ page }) => {
      await openMilestone(page, 'editor');
      await page.keyboard.press('Shift+?');
      await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    },
  },
  {
    name: 'list-menu',
    prepare: async ({ page }) => {
      await openMilestone(page, 'editor');
      await page
        .getByRole('button', { name: /^Assignee/ })
        .nth(1)
        .click();
      await page.getByRole('menu').waitFor();
    },
  },
  {
    name: 'list-no-match',
    prepare: async ({ page }) => {
      await openMilestone(page, 'editor');
      await page.getByRole('searchbox', { name: 'Find by key or title' }).fill('lighthouse keeper');
      await page.getByText('Show all tasks').waitFor();
    },
  },
  {
    name: 'connect-agent',
    prepare: async ({ page }) => {
      await enter(page, 'owner');
      await sidebar(page).getByRole('link', { name: 'Agents' }).click();
      await page.getByRole('button', { name: 'Connect an agent' }).click();
      await page.getByLabel('Name').fill('Builder');
    },
  },
  {
    name: 'agent-connected',
    prepare: async ({ page }) => {
      await enter(page, 'owner');
      await sidebar(page).getByRole('link', { name: 'Agents' }).click();
      await page.getByRole('button', { name: 'Connect an agent' }).click();
      await page.getByLabel('Name').fill('Builder');
      await page.getByRole('button', { name: 'Make the agent' }).click();
      await page.getByRole('dialog', { name: 'Builder is made' }).waitFor();
    },
  },
  {
    name: 'agent-view',
    prepare: async ({ page }) => {
      await openTask(page, 'editor', 'Kill the app a hundred times');
      await page.getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('menuitem', { name: 'What the agent sees' }).click();
      await page.getByRole('dialog').getByText('# ').first().waitFor();
    },
  },
  {
    name: 'task-claimed',
    prepare: async ({ page }) => {
      await openTask(page, 'editor', 'Kill the app a hundred times');
      await page.getByText(/Agent .*at work/).waitFor();
    },
  },
  {
    name: 'task-editor',
    prepare: async ({ page }) => {
      await openTask(page, 'editor', SHARED);
      await page.getByRole('button', { name: 'Edit description' }).click();
      await page
        .getByRole('textbox', { name: 'Description' })
        .fill(
          '## Why\n\nThe **night shift** takes over:\n\n- [ ] unsent findings\n- [x] the route\n\n> `signOut` must not drop them.',
        );
    },
  },
  {
    name: 'task-markdown',
    prepare: async ({ page }) => {
      await openTask(page, 'editor', SHARED);
      await comment(page, 'Half done');
      await page
        .getByRole('textbox', { name: 'Comment' })
        .fill(
          '## Left\n\n- [x] the route\n- [ ] `signOut`\n\n```ts\nawait device.signOut();\n```\n\n> see [the page](https://example.com)\n\n| Shift | Tablet |\n| --- | --- |\n| day | 1 |',
        );
      await page.getByRole('button', { name: 'Comment', exact: true }).click();
      await page.locator('main pre code').first().waitFor();
      await page.locator('main pre code').first().scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'task-conflict',
    prepare: async (stage) => {
      await meanwhile(
        stage,
        (page) => describe(page, `${TEXT}, with all of its findings.`),
        (page) => describe(page, 'The day shift hands its findings over, or drops them.'),
      );
      await stage.page.getByRole('region', { name: 'Conflict' }).scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'task-gone',
    prepare: async (stage) => {
      await meanwhile(
        stage,
        async (page) => {
          await page.getByRole('textbox', { name: 'Comment' }).fill('Half a thought of mine');
          await page.getByRole('button', { name: 'Comment', exact: true }).waitFor();
          await page.waitForTimeout(1_000);
        },
        async (page) => {
          await page.getByRole('button', { name: 'More actions' }).click();
          await page.getByRole('menuitem', { name: 'Delete task' }).click();
          await page.getByRole('list', { name: 'Tasks' }).waitFor();
        },
      );
      await stage.page.getByRole('alert').filter({ hasText: 'deleted this task' }).waitFor();
    },
  },
];
