/** What people do on the way to a screen. */

import type { BrowserContext, Page } from 'playwright-core';
import type { LocalStack } from '@/server';
import { goOffline } from '../../tests/support/webApp';

export interface Stage {
  page: Page;
  context: BrowserContext;
  stack: LocalStack;
}

/** A screen, and how to get to it. */
export interface Screen {
  name: string;
  prepare: (stage: Stage) => Promise<void>;
}

/** A workspace that belongs to no account. */
export async function beginAlone({ page }: Pick<Stage, 'page'>): Promise<void> {
  await page.goto('/');
  await page.getByRole('button', { name: 'Start without an account' }).click();
  await page.getByRole('button', { name: 'New workspace' }).click();
  await page.getByLabel('Name').fill('Lightship');
  await page.getByRole('button', { name: 'Create workspace' }).click();
  // The first project is asked for at once.
  await page.getByRole('dialog', { name: 'New project' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('heading', { name: 'Lightship', level: 1 }).waitFor();
}

export async function enter(page: Page, role: string): Promise<void> {
  await page.goto('/');
  await page.getByRole('button', { name: `${role}@convoy.example` }).click();
  await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('Up to date').first().waitFor();
}

export async function signUp(page: Page): Promise<void> {
  await page.goto('/');
  await page.getByRole('button', { name: 'Create an account' }).click();
  await page.getByLabel('Your name').fill('Mara');
  await page.getByLabel('Email').fill('mara@example.com');
  await page.getByLabel('Password').fill('harbour-lights');
  await page.getByRole('button', { name: 'Create an account' }).click();
  await page.getByText('Up to date').first().waitFor();
}

export async function openWorkspace(page: Page, role: string): Promise<void> {
  await enter(page, role);
  await sidebar(page).getByRole('link', { name: 'Lighthouse' }).click();
  await page.getByRole('heading', { name: 'Projects' }).waitFor();
}

export const sidebar = (page: Page) => page.getByRole('navigation', { name: 'Workspaces' });

export async function openMembers(page: Page, role: string): Promise<void> {
  await enter(page, role);
  await sidebar(page).getByRole('link', { name: 'Members' }).click();
  await page.getByRole('heading', { name: 'Members' }).waitFor();
}

/** Opens a part of the project, up to a heading of it. */
export async function openProject(
  page: Page,
  role: string,
  tab: 'Tasks' | 'Milestones' | 'Overview',
): Promise<void> {
  await enter(page, role);
  await sidebar(page).getByRole('link', { name: 'Field app' }).click();
  await page.getByRole('tab', { name: tab }).click();
  await page.getByRole('tabpanel', { name: tab }).getByRole('heading').first().waitFor();
}

/** Invites on the page of members, up to the dialog with the link. */
export async function invite(page: Page, email: string): Promise<void> {
  await page.getByRole('button', { name: 'Invite', exact: true }).click();
  await page.getByLabel('Email address').fill(email);
  await page.getByRole('button', { name: 'Make the invitation' }).click();
  await page.getByRole('textbox', { name: 'Link' }).waitFor();
}

/** Mara opens the link of an invitation to her address. */
export async function invited({ page, stack }: Stage): Promise<void> {
  const others = await page.context().browser()?.newContext({ baseURL: stack.url });
  if (!others) throw new Error('There is no browser.');
  const owner = await others.newPage();
  await openMembers(owner, 'owner');
  await invite(owner, 'mara@example.com');
  const link = await owner.getByRole('textbox', { name: 'Link' }).inputValue();
  await others.close();
  await signUp(page);
  await page.goto(link);
  await page.getByRole('button', { name: 'Decline' }).waitFor();
}

export async function openMilestone(page: Page, role: string): Promise<void> {
  await openProject(page, role, 'Milestones');
  await page.locator('main').getByRole('link', { name: 'Inspections work offline' }).click();
  await page.getByRole('list', { name: 'Tasks' }).waitFor();
}

export async function openTask(page: Page, role: string, title: string): Promise<void> {
  await openMilestone(page, role);
  await page.getByRole('link', { name: title }).first().click();
  await page.getByRole('heading', { name: 'Activity' }).waitFor();
}

export async function createTask(page: Page, title: string): Promise<void> {
  await page.getByRole('button', { name: 'New task' }).click();
  await page.getByRole('textbox', { name: 'Title' }).fill(title);
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: title }).waitFor();
}

export async function deleteTask(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Delete task' }).click();
  await page.getByRole('list', { name: 'Tasks' }).waitFor();
}

export async function rename(page: Page, title: string): Promise<void> {
  await page.getByRole('button', { name: 'Edit title' }).click();
  await page.getByRole('textbox', { name: 'Title' }).fill(title);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: title }).waitFor();
}

export const SHARED = 'Let two inspectors share one tablet';

/** An editor edits offline and loses the role meanwhile, so the server refuses the edit. */
export async function refused({ page, context, stack }: Stage): Promise<void> {
  await openTask(page, 'editor', SHARED);
  await goOffline(page);
  await rename(page, 'Hand a tablet over between shifts');
  await stack.backend.transaction(async (connection) => {
    await connection.query("update public.workspace_members set role = 'viewer' where role = 'editor'", []);
  });
  await context.setOffline(false);
  await page.getByRole('link', { name: /refused change/ }).click();
  await page.getByRole('button', { name: 'Retry' }).waitFor();
}

/** An editor deletes offline and is removed meanwhile: nothing is left to delete when they try again. */
export async function refusedAndLeft({ page, context, stack }: Stage): Promise<void> {
  await openTask(page, 'editor', SHARED);
  await goOffline(page);
  await deleteTask(page);
  await stack.backend.transaction(async (connection) => {
    await connection.query(
      "update public.workspace_members set deleted_at = now() where role = 'editor'",
      [],
    );
  });
  await context.setOffline(false);
  await page.getByRole('link', { name: /refused change/ }).click();
  await page
    .getByRole('navigation', { name: 'Workspaces' })
    .getByRole('link', { name: 'Lighthouse' })
    .waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.getByText('is not on this device any more').waitFor();
}

/** Two people rename the same task while one of them is offline. */
export async function conflict({ page, context, stack }: Stage): Promise<void> {
  await openTask(page, 'editor', SHARED);
  await goOffline(page);
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
  await page
    .getByRole('article')
    .filter({ hasText: 'You and somebody else changed the same task' })
    .first()
    .waitFor();
}

/** An editor loses the workspace and edits while the device is about to hear of it. */
export async function archived({ page, context, stack }: Stage): Promise<void> {
  await openTask(page, 'editor', SHARED);
  await stack.backend.transaction(async (connection) => {
    await connection.query(
      "update public.workspace_members set deleted_at = now() where role = 'editor'",
      [],
    );
  });
  let edited: () => void = () => undefined;
  const edit = new Promise<void>((resolve) => {
    edited = resolve;
  });
  await context.route('**/rpc/sync_pull', async (route) => {
    await edit;
    await route.continue();
  });
  await page.getByRole('button', { name: 'Sync now' }).click();
  await rename(page, 'Hand a tablet over between shifts');
  edited();
  await page.getByRole('link', { name: /Up to date|Syncing|to send/ }).click();
  await page.getByRole('heading', { name: 'Archive' }).scrollIntoViewIfNeeded();
}

/** Another user deletes a task while the editor has an unsynced edit of it. */
export async function lost({ page, context, stack }: Stage): Promise<void> {
  await openTask(page, 'editor', SHARED);
  await goOffline(page);
  await rename(page, 'Hand a tablet over between shifts');
  await stack.backend.transaction(async (connection) => {
    await connection.query(`update public.tasks set deleted_at = now() where title = '${SHARED}'`, []);
  });
  await context.setOffline(false);
  await page.getByText('Up to date').first().waitFor();
  await page.getByRole('link', { name: /Up to date/ }).click();
  await page.getByRole('button', { name: 'Discard' }).first().scrollIntoViewIfNeeded();
}
