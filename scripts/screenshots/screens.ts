/** How to get to each screen that is pictured. */

import type { BrowserContext, Page } from 'playwright-core';
import type { LocalStack } from '@/server';

export interface Stage {
  page: Page;
  context: BrowserContext;
  stack: LocalStack;
}

export interface Screen {
  name: string;
  prepare: (stage: Stage) => Promise<void>;
}

export const SCREENS: Screen[] = [
  {
    name: 'sign-in',
    prepare: async ({ page }) => {
      await page.goto('/');
      await page.getByRole('button', { name: 'Owner' }).click();
    },
  },
  {
    name: 'workspaces',
    prepare: async ({ page }) => {
      await enter(page, 'owner');
      await page.getByRole('heading', { name: 'Lighthouse' }).waitFor();
    },
  },
  { name: 'workspace', prepare: async ({ page }) => void (await openWorkspace(page, 'owner')) },
  {
    name: 'project',
    prepare: async ({ page }) => {
      await openWorkspace(page, 'editor');
      await page.locator('main').getByRole('link', { name: 'Field app' }).click();
      await page.getByRole('heading', { name: 'Overview' }).waitFor();
    },
  },
  { name: 'milestone', prepare: ({ page }) => openMilestone(page, 'editor') },
  {
    name: 'task',
    prepare: ({ page }) => openTask(page, 'editor', 'Show what has not reached the office yet'),
  },
  {
    name: 'task-agent',
    prepare: async ({ page }) => {
      await openTask(page, 'agent', 'Survive a clock that is wrong by hours');
      await page.getByRole('button', { name: 'Implement' }).click();
      await page.getByRole('alert').waitFor();
    },
  },
  {
    name: 'task-viewer',
    prepare: ({ page }) => openTask(page, 'viewer', 'Let two inspectors share one tablet'),
  },
  {
    name: 'new-task',
    prepare: async ({ page }) => {
      await openMilestone(page, 'editor');
      await page.getByRole('button', { name: 'New task' }).click();
      await page.getByRole('textbox', { name: 'Title' }).fill('Count unsent findings for each route');
    },
  },
  {
    name: 'activity',
    prepare: async ({ page }) => {
      await openTask(page, 'editor', 'Save a finding locally before anything else happens');
      await page.getByRole('heading', { name: 'Activity' }).scrollIntoViewIfNeeded();
      await page.evaluate(() => document.getElementById('activity-title')?.scrollIntoView());
      await page.mouse.wheel(0, -80);
    },
  },
  {
    name: 'offline',
    prepare: async ({ page, context, stack }) => {
      await openMilestone(page, 'editor');
      await stack.suspend();
      await createTask(page, 'Count unsent findings for each route');
      await page.getByText('Offline — server not reachable').first().waitFor();
      await context.setOffline(false);
    },
  },
  {
    name: 'sign-out',
    prepare: async ({ page, context }) => {
      await openMilestone(page, 'editor');
      await context.setOffline(true);
      await createTask(page, 'Count unsent findings for each route');
      await page.getByText('Offline — no network').first().waitFor();
      await page.getByRole('button', { name: 'Sign out' }).click();
    },
  },
  { name: 'alone', prepare: beginAlone },
  {
    name: 'take-along',
    prepare: async ({ page }) => {
      await beginAlone({ page });
      await page.getByRole('banner').getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('button', { name: 'owner@convoy.example' }).click();
      await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('dialog', { name: 'Take your work along?' }).waitFor();
    },
  },
  {
    name: 'left-behind',
    prepare: async ({ page }) => {
      await beginAlone({ page });
      await page.getByRole('banner').getByRole('button', { name: 'Sign in' }).click();
      await page.goto('/');
      await page.getByRole('button', { name: 'owner@convoy.example' }).click();
      await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('button', { name: 'Leave it here' }).click();
      await page.getByText('Up to date').first().waitFor();
      await page.reload();
      await page.getByRole('complementary', { name: 'Work without an account' }).waitFor();
    },
  },
  {
    name: 'sync-log',
    prepare: async ({ page, stack }) => {
      await openMilestone(page, 'editor');
      await stack.suspend();
      await createTask(page, 'Count unsent findings for each route');
      await page.getByText('Offline — server not reachable').first().waitFor();
      await stack.resume();
      await page.getByRole('button', { name: 'Sync now' }).click();
      await page.getByText('Up to date').first().waitFor();
      await page.getByRole('region', { name: 'Sync status' }).getByRole('link').first().click();
      await page.getByRole('heading', { name: 'Sync log' }).scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'deleted',
    prepare: async ({ page }) => {
      await openTask(page, 'editor', SHARED);
      await deleteTask(page);
      await page.getByRole('button', { name: 'Delete milestone' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete milestone' }).click();
      await page.getByRole('heading', { name: 'Overview' }).waitFor();
      await page.getByRole('link', { name: 'Lighthouse' }).first().click();
      await page.getByRole('link', { name: 'What was deleted' }).click();
      await page
        .getByRole('button', { name: /^Restore/ })
        .nth(1)
        .waitFor();
    },
  },
  {
    name: 'undo',
    prepare: async ({ page }) => {
      await openTask(page, 'editor', SHARED);
      await deleteTask(page);
      await page.getByRole('button', { name: 'Undo' }).waitFor();
    },
  },
  {
    name: 'move-task',
    prepare: async ({ page }) => {
      await openTask(page, 'editor', SHARED);
      await page.getByRole('button', { name: 'Edit task' }).click();
      await page.getByLabel('Milestone').scrollIntoViewIfNeeded();
    },
  },
  { name: 'refused', prepare: refused },
  { name: 'conflict', prepare: conflict },
  {
    name: 'empty',
    prepare: async ({ page }) => {
      await signUp(page);
      await page.getByText('You have no workspace yet.').waitFor();
    },
  },
  {
    name: 'empty-milestone',
    prepare: async ({ page }) => {
      await openWorkspace(page, 'editor');
      await page.locator('main').getByRole('link', { name: 'Sync service' }).click();
      await page.getByRole('button', { name: 'New milestone' }).click();
      await page.getByLabel('Name').fill('Realtime for the control room');
      await page.getByRole('button', { name: 'Create milestone' }).click();
      await page.getByText('No tasks yet.').waitFor();
    },
  },
];

/** A workspace that belongs to no account. */
async function beginAlone({ page }: Pick<Stage, 'page'>): Promise<void> {
  await page.goto('/');
  await page.getByRole('button', { name: 'Start without an account' }).click();
  await page.getByRole('button', { name: 'New workspace' }).click();
  await page.getByLabel('Name').fill('Lightship');
  await page.getByRole('button', { name: 'Create workspace' }).click();
  await page.getByRole('heading', { name: 'Lightship', level: 1 }).waitFor();
}

async function enter(page: Page, role: string): Promise<void> {
  await page.goto('/');
  await page.getByRole('button', { name: `${role}@convoy.example` }).click();
  await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('Up to date').first().waitFor();
}

async function signUp(page: Page): Promise<void> {
  await page.goto('/');
  await page.getByRole('button', { name: 'Create an account' }).click();
  await page.getByLabel('Your name').fill('Mara');
  await page.getByLabel('Email').fill('mara@example.com');
  await page.getByLabel('Password').fill('harbour-lights');
  await page.getByRole('button', { name: 'Create an account' }).click();
  await page.getByText('Up to date').first().waitFor();
}

async function openWorkspace(page: Page, role: string): Promise<void> {
  await enter(page, role);
  await page.locator('main').getByRole('link', { name: 'Lighthouse' }).click();
  await page.getByRole('heading', { name: 'Members' }).waitFor();
}

async function openMilestone(page: Page, role: string): Promise<void> {
  await openWorkspace(page, role);
  await page.locator('main').getByRole('link', { name: 'Field app' }).click();
  await page.locator('main').getByRole('link', { name: 'Inspections work offline' }).click();
  await page.getByRole('heading', { name: 'Tasks' }).waitFor();
}

async function openTask(page: Page, role: string, title: string): Promise<void> {
  await openMilestone(page, role);
  await page.getByRole('link', { name: title }).first().click();
  await page.getByRole('heading', { name: 'Activity' }).waitFor();
}

async function createTask(page: Page, title: string): Promise<void> {
  await page.getByRole('button', { name: 'New task' }).click();
  await page.getByRole('textbox', { name: 'Title' }).fill(title);
  await page.getByRole('button', { name: 'Create task' }).click();
  await page.getByRole('link', { name: title }).waitFor();
}

async function deleteTask(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Delete task' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete task' }).click();
  await page.getByRole('heading', { name: 'Tasks' }).waitFor();
}

async function rename(page: Page, title: string): Promise<void> {
  await page.getByRole('button', { name: 'Edit task' }).click();
  await page.getByRole('textbox', { name: 'Title' }).fill(title);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('heading', { name: title }).waitFor();
}

const SHARED = 'Let two inspectors share one tablet';

/** An editor edits offline and is made a viewer meanwhile: the server refuses the edit. */
async function refused({ page, context, stack }: Stage): Promise<void> {
  await openTask(page, 'editor', SHARED);
  await context.setOffline(true);
  await rename(page, 'Hand a tablet over between shifts');
  await stack.backend.transaction(async (connection) => {
    await connection.query("update public.workspace_members set role = 'viewer' where role = 'editor'", []);
  });
  await context.setOffline(false);
  await page.getByRole('link', { name: /refused change/ }).click();
  await page.getByRole('button', { name: 'Retry' }).waitFor();
}

/** Two people rename the same task while one of them is offline. */
async function conflict({ page, context, stack }: Stage): Promise<void> {
  await openTask(page, 'editor', SHARED);
  await context.setOffline(true);
  await rename(page, 'Hand a tablet over between shifts');
  const others = await page.context().browser()?.newContext({ baseURL: stack.url });
  if (!others) throw new Error('There is no browser.');
  const other = await others.newPage();
  await openTask(other, 'owner', SHARED);
  await rename(other, 'Let the night shift take over a tablet');
  await other.getByRole('button', { name: 'Sync now' }).click();
  await other.getByText('Up to date').first().waitFor();
  await others.close();
  await context.setOffline(false);
  await page.getByText('Up to date').first().waitFor();
  await page.getByRole('link', { name: /Up to date/ }).click();
  await page.getByRole('term').filter({ hasText: 'Chosen' }).first().waitFor();
}
