/** How to get to each screen of memberships and invitations, and to the reversal of a settled conflict. */

import { seedId } from '../../tests/support/seed';
import { beginAlone, conflict, enter, invite, invited, openMembers, openTask, type Screen } from './steps';

const CHECKED = 'Survive a clock that is wrong by hours';

export const MEMBER_SCREENS: Screen[] = [
  {
    name: 'members',
    prepare: async ({ page }) => {
      await openMembers(page, 'owner');
      await invite(page, 'ada@example.com');
      await page.getByRole('button', { name: 'Done' }).click();
      await page.getByRole('list', { name: 'Open invitations' }).waitFor();
      await page.evaluate(() => document.getElementById('members-title')?.scrollIntoView());
      await page.mouse.wheel(0, -80);
    },
  },
  {
    name: 'invite',
    prepare: async ({ page }) => {
      await openMembers(page, 'owner');
      await page.getByRole('button', { name: 'Invite', exact: true }).click();
      await page.getByLabel('Email address').fill('ada@example.com');
    },
  },
  {
    name: 'invited',
    prepare: async ({ page }) => {
      await openMembers(page, 'owner');
      await invite(page, 'ada@example.com');
      await page.getByRole('button', { name: 'Copy' }).click();
    },
  },
  {
    name: 'invite-failed',
    prepare: async ({ page }) => {
      await openMembers(page, 'owner');
      await page.route('**/rpc/invite_member', (route) => route.fulfill({ status: 500, body: '{}' }));
      await page.getByRole('button', { name: 'Invite', exact: true }).click();
      await page.getByLabel('Email address').fill('ada@example.com');
      await page.getByRole('button', { name: 'Make the invitation' }).click();
      await page.getByRole('alert').waitFor();
    },
  },
  {
    name: 'invite-offline',
    prepare: async ({ page, context }) => {
      await openMembers(page, 'owner');
      await invite(page, 'ada@example.com');
      await page.getByRole('button', { name: 'Done' }).click();
      await page.getByRole('list', { name: 'Open invitations' }).waitFor();
      await context.route('**/{rest,auth,realtime}/v1/**', (route) => route.abort());
      await page.getByRole('button', { name: 'Sync now' }).click();
      await page.getByText('Inviting, and open invitations, need the server').waitFor();
      await page.getByText('Inviting, and open invitations, need the server').scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'open-invitation-link',
    prepare: async ({ page }) => {
      await openMembers(page, 'owner');
      await invite(page, 'ada@example.com');
      await page.getByRole('button', { name: 'Done' }).click();
      await page.getByRole('button', { name: /^Show the link/ }).click();
    },
  },
  {
    name: 'open-invitation-revoke',
    prepare: async ({ page }) => {
      await openMembers(page, 'owner');
      await invite(page, 'ada@example.com');
      await page.getByRole('button', { name: 'Done' }).click();
      await page.getByRole('button', { name: /^Revoke/ }).click();
    },
  },
  {
    name: 'members-failed',
    prepare: async ({ page }) => {
      await page.route('**/rpc/get_invitations', (route) => route.fulfill({ status: 500, body: '{}' }));
      await openMembers(page, 'owner');
      await page.getByRole('button', { name: 'Try again' }).waitFor();
      await page.evaluate(() => document.getElementById('members-title')?.scrollIntoView());
      await page.mouse.wheel(0, -80);
    },
  },
  {
    name: 'members-long-names',
    prepare: async ({ page, stack }) => {
      await stack.backend.transaction(async (connection) => {
        const name = `${'Wolfeschlegelsteinhausenbergerdorff '.repeat(3)}${'x'.repeat(92)}`;
        await connection.query(
          "update public.workspace_members set display_name = $1 where role = 'editor'",
          [name],
        );
        await connection.query("update public.workspaces set name = $1 where name = 'Lighthouse'", [name]);
      });
      await enter(page, 'owner');
      await page.getByRole('link', { name: 'Members' }).click();
      await page.evaluate(() => document.getElementById('members-title')?.scrollIntoView());
      await page.mouse.wheel(0, -80);
    },
  },
  {
    name: 'remove-member',
    prepare: async ({ page }) => {
      await openMembers(page, 'owner');
      await page.getByRole('button', { name: 'Remove Editor' }).click();
    },
  },
  {
    name: 'leave',
    prepare: async ({ page }) => {
      await openMembers(page, 'editor');
      await page.getByRole('button', { name: 'Leave' }).click();
    },
  },
  { name: 'invitation', prepare: invited },
  {
    name: 'invitation-signed-out',
    prepare: async ({ page }) => {
      await page.goto('/invitation/none');
      await page.getByText('You have been invited to a workspace.').waitFor();
    },
  },
  {
    name: 'invitation-no-account',
    prepare: async ({ page }) => {
      await beginAlone({ page });
      await page.goto('/invitation/none');
      await page.getByText('joining it needs an account').waitFor();
    },
  },
  {
    name: 'invitation-failed',
    prepare: async ({ page }) => {
      await enter(page, 'editor');
      await page.route('**/rpc/my_invitations', (route) => route.fulfill({ status: 500, body: '{}' }));
      await page.goto('/invitation/019a0000-0000-7000-8001-000000000001');
      await page.getByRole('button', { name: 'Try again' }).waitFor();
    },
  },
  {
    name: 'invitation-refused',
    prepare: async ({ page, context }) => {
      await enter(page, 'editor');
      await context.route('**/{rest,auth,realtime}/v1/**', (route) => route.abort());
      await page.goto('/invitation/019a0000-0000-7000-8001-000000000001');
      await page.getByRole('button', { name: /^Join when/ }).click();
      await page.getByRole('button', { name: 'Do not join' }).waitFor();
      await context.unroute('**/{rest,auth,realtime}/v1/**');
      await page.getByRole('button', { name: 'Sync now' }).click();
      await page.getByRole('button', { name: 'Dismiss' }).waitFor();
    },
  },
  {
    name: 'invitation-invalid',
    prepare: async ({ page }) => {
      await enter(page, 'editor');
      await page.goto('/invitation/none');
      await page.getByText('This invitation is not valid.').waitFor();
    },
  },
  {
    name: 'invitation-offline',
    prepare: async ({ page, context }) => {
      await enter(page, 'editor');
      await context.route('**/{rest,auth,realtime}/v1/**', (route) => route.abort());
      await page.goto('/invitation/019a0000-0000-7000-8001-000000000001');
      await page.getByRole('button', { name: /^Join when/ }).waitFor();
    },
  },
  {
    name: 'invitation-waiting',
    prepare: async (stage) => {
      await invited(stage);
      await stage.context.route('**/{rest,auth,realtime}/v1/**', (route) => route.abort());
      await stage.page.reload();
      await stage.page.getByRole('button', { name: /^Join when/ }).click();
      await stage.page.getByRole('button', { name: 'Do not join' }).waitFor();
    },
  },
  {
    name: 'invitation-received',
    prepare: async (stage) => {
      await invited(stage);
      await stage.page.goto('/');
      await stage.page.getByRole('button', { name: 'Decline' }).waitFor();
    },
  },
  {
    name: 'reverse',
    prepare: async (stage) => {
      await conflict(stage);
      await stage.page.goBack();
      await stage.page.getByRole('button', { name: /^Use the other value/ }).click();
    },
  },
  {
    name: 'reverse-checkpoint',
    prepare: async ({ page, stack }) => {
      await stack.backend.transaction(async (connection) => {
        const task = seedId('task', 5);
        const side = {
          base: 'PLAN_REVIEW',
          local: 'IMPLEMENT',
          remote: 'PLAN_REVIEW',
          chosen: 'PLAN_REVIEW',
        };
        const columns = { current_stage: { ...side, by: 'remote' } };
        await connection.query(
          `insert into public.activity_feed (id, workspace_id, task_id, actor_id, activity_type, details)
            values (gen_random_uuid(), $1, $2, $3, 'conflict_settled', $4)`,
          [
            seedId('workspace', 1),
            task,
            seedId('user', 2),
            JSON.stringify({ table: 'tasks', record_id: task, columns }),
          ],
        );
      });
      await openTask(page, 'editor', CHECKED);
      await page.getByRole('button', { name: /^Use the other value/ }).click();
      await page.getByRole('button', { name: 'Use this value' }).click();
      await page.getByRole('button', { name: 'Confirm and move' }).waitFor();
    },
  },
];
