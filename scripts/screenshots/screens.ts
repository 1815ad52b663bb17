/** How to get to each screen that is pictured. */

import { buildBrokenUpgrade } from '../../tests/support/brokenUpgrade';
import { serve } from '../../tests/support/bundled';
import { crowd } from '../../tests/support/crowdedTask';
import { SEED } from '../../tests/support/seed';
import { emptyLog, greetFromNewerCode, keepNothing, patchDatabase } from '../../tests/support/storageTrouble';
import { goOffline } from '../../tests/support/webApp';
import { MEMBER_SCREENS } from './memberScreens';
import { REVIEW_SCREENS } from './reviewScreens';
import {
  archived,
  beginAlone,
  conflict,
  createTask,
  deleteTask,
  enter,
  lost,
  openMilestone,
  openProject,
  openTask,
  openWorkspace,
  refused,
  refusedAndLeft,
  type Screen,
  SHARED,
  signUp,
} from './steps';
import { WORK_SCREENS } from './workScreens';

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
      await page.getByRole('link', { name: 'All workspaces' }).click();
      await page.getByRole('heading', { name: 'Lighthouse' }).waitFor();
    },
  },
  { name: 'workspace', prepare: async ({ page }) => void (await openWorkspace(page, 'owner')) },
  ...MEMBER_SCREENS,
  {
    name: 'inbox',
    prepare: async ({ page }) => {
      await enter(page, 'owner');
      await page.getByRole('region', { name: 'What waits for you' }).waitFor();
    },
  },
  {
    name: 'my-tasks',
    prepare: async ({ page }) => {
      await enter(page, 'editor');
      await page.getByRole('link', { name: 'My tasks' }).first().click();
      await page.getByRole('list', { name: 'Tasks' }).waitFor();
    },
  },
  {
    name: 'agents',
    prepare: async ({ page }) => {
      await enter(page, 'owner');
      await page.getByRole('link', { name: 'Agents', exact: true }).first().click();
      await page.getByRole('heading', { name: 'Agents' }).waitFor();
    },
  },
  {
    name: 'palette',
    prepare: async ({ page }) => {
      await enter(page, 'owner');
      await page.getByRole('button', { name: 'Search' }).click();
      await page.getByPlaceholder('A key, words of a title').fill('tablet');
      await page.getByRole('option').first().waitFor();
    },
  },
  { name: 'project', prepare: ({ page }) => openProject(page, 'editor', 'Tasks') },
  { name: 'milestones', prepare: ({ page }) => openProject(page, 'editor', 'Milestones') },
  { name: 'overview', prepare: ({ page }) => openProject(page, 'editor', 'Overview') },
  { name: 'milestone', prepare: ({ page }) => openMilestone(page, 'editor') },
  {
    name: 'task',
    prepare: ({ page }) => openTask(page, 'editor', 'Show what has not reached the office yet'),
  },
  {
    name: 'task-crowded',
    prepare: async ({ page, stack }) => {
      await crowd(stack.backend, { id: SEED.busyTask });
      await openMilestone(page, 'editor');
      await page.goto(`/tasks/${SEED.busyTask}`);
      await page.getByRole('button', { name: 'Show more subtasks' }).scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'task-agent',
    prepare: async ({ page }) => {
      await openTask(page, 'agent', 'Survive a clock that is wrong by hours');
      await page.getByRole('button', { name: 'Implement' }).click();
      await page.getByRole('alert').waitFor();
    },
  },
  ...REVIEW_SCREENS,
  ...WORK_SCREENS,
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
    prepare: async ({ page }) => {
      await openMilestone(page, 'editor');
      await goOffline(page);
      await createTask(page, 'Count unsent findings for each route');
      await page.getByText('Offline — no network').first().waitFor();
      await page.getByRole('button', { name: /^Account of / }).click();
      await page.getByRole('menuitem', { name: 'Sign out' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  { name: 'alone', prepare: beginAlone },
  {
    name: 'sign-in-private',
    prepare: async ({ page, context }) => {
      await keepNothing(context);
      await page.goto('/');
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    },
  },
  {
    name: 'alone-private',
    prepare: async ({ page, context }) => {
      await keepNothing(context);
      await beginAlone({ page });
    },
  },
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
      await page.getByRole('button', { name: 'owner@convoy.example' }).waitFor();
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
      await page.getByRole('button', { name: 'More actions for the milestone' }).click();
      await page.getByRole('menuitem', { name: 'Delete milestone' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete milestone' }).click();
      await page.getByRole('tab', { name: 'Tasks' }).waitFor();
      await page.getByRole('link', { name: 'Deleted', exact: true }).click();
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
      await page.getByLabel('Milestone', { exact: true }).selectOption({ label: 'Pull without gaps' });
      await page.getByRole('button', { name: 'Undo' }).waitFor();
    },
  },
  {
    name: 'database-file',
    prepare: async ({ page }) => {
      await enter(page, 'editor');
      await page.getByRole('link', { name: /Up to date/ }).click();
      await page.getByRole('button', { name: 'Save the database' }).scrollIntoViewIfNeeded();
    },
  },
  { name: 'archive', prepare: archived },
  {
    name: 'archive-discard',
    prepare: async (stage) => {
      await archived(stage);
      await stage.page.getByRole('button', { name: 'Discard' }).click();
      await stage.page.getByRole('dialog').waitFor();
    },
  },
  { name: 'lost', prepare: lost },
  { name: 'refused', prepare: refused },
  { name: 'refused-gone', prepare: refusedAndLeft },
  { name: 'conflict', prepare: conflict },
  {
    name: 'storage-private',
    prepare: async ({ page, context }) => {
      await keepNothing(context);
      await openMilestone(page, 'editor');
    },
  },
  {
    name: 'storage-newer',
    prepare: async ({ page }) => {
      await openMilestone(page, 'editor');
      await page.getByRole('button', { name: 'New task' }).click();
      await page.getByRole('textbox', { name: 'Title' }).fill('Half a thought');
      await greetFromNewerCode(page);
      await page.getByText('A newer version of Convoy').waitFor();
    },
  },
  {
    name: 'unreadable-rows',
    prepare: async ({ page, stack }) => {
      await stack.backend.transaction(async (connection) => {
        await connection.execute(`
          update public.patterns set content = jsonb_build_object('x', (repeat('[', 150) || repeat(']', 150))::jsonb)
            where workspace_id <> '00000000-0000-7000-8000-000000000000';
          update public.projects set tech_stack = (select jsonb_agg(n) from generate_series(1, 10001) n)
            where name = 'Sync service'`);
      });
      await enter(page, 'owner');
      await page.getByRole('region', { name: 'Sync status' }).getByRole('link').click();
      await page.getByText('cannot be shown here').waitFor();
      await page.evaluate(() => document.getElementById('unreadable-title')?.scrollIntoView());
      await page.mouse.wheel(0, -80);
    },
  },
  {
    name: 'storage-refused',
    prepare: async ({ page }) => {
      await enter(page, 'editor');
      await patchDatabase(page, { versionBy: 1 });
      await page.goto('/');
      await page.getByText('Your data cannot be opened here').waitFor();
    },
  },
  {
    name: 'storage-damaged',
    prepare: async ({ page }) => {
      await openMilestone(page, 'editor');
      await page.route('**/rest/v1/rpc/sync_push', (route) => route.abort());
      await createTask(page, 'Count unsent findings for each route');
      await patchDatabase(page, { damageAt: SHARED });
      await page.goto('/');
      for (const name of ['Field app', 'Inspections work offline']) {
        await page.getByRole('navigation').getByRole('link', { name }).click();
      }
      await page.getByText('is damaged').or(page.getByText('was damaged')).first().waitFor();
      await page.reload();
      await page.getByText('was damaged').waitFor();
    },
  },
  {
    name: 'storage-full',
    prepare: async ({ page, context }) => {
      await openMilestone(page, 'editor');
      await emptyLog(page);
      const session = await context.newCDPSession(page);
      const { origin } = new URL(page.url());
      const { usage } = await session.send('Storage.getUsageAndQuota', { origin });
      await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage });
      await page.getByRole('button', { name: 'More actions for the milestone' }).click();
      await page.getByRole('menuitem', { name: 'Edit milestone' }).click();
      await page.getByRole('textbox', { name: 'Description' }).fill('Much to say. '.repeat(7_000));
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('There is no room left on this device.').first().waitFor();
    },
  },
  {
    name: 'storage-migration',
    prepare: async ({ page, context }) => {
      await enter(page, 'editor');
      await serve(context, await buildBrokenUpgrade(), (path) => path === '/');
      await page.goto('/');
      await page.getByText('Your data cannot be opened here').waitFor();
    },
  },
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
      await page.getByRole('tab', { name: 'Milestones' }).click();
      await page.getByRole('button', { name: 'New milestone' }).click();
      await page.getByLabel('Name').fill('Realtime for the control room');
      await page.getByRole('button', { name: 'Create milestone' }).click();
      await page.getByText('No tasks yet.').waitFor();
    },
  },
];
