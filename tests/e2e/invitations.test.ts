import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seedId } from '../support/seed';
import {
  gone,
  goOffline,
  openMembers,
  openTask,
  places,
  seen,
  statusOf,
  syncNow,
  WebApp,
} from '../support/webApp';

const API = '**/{rest,auth,realtime}/v1/**';

let app: WebApp;
/** The page of the owner, signed in and synced: every test of it opens the workspace anew. */
let owner: Page;
beforeAll(async () => {
  app = await WebApp.start();
  owner = await app.signIn('owner');
});
afterAll(() => app.close());

/** Makes an account on the page that is shown. */
async function signUp(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Create an account' }).click();
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Email').fill(`${name.toLowerCase()}@example.com`);
  await page.getByLabel('Password').fill('harbour-lights');
  await page.getByRole('button', { name: 'Create an account' }).click();
  await seen(statusOf(page, 'Up to date'));
}

async function newAccount(name: string): Promise<Page> {
  const page = await (await app.newProfile()).newPage();
  await page.goto('/');
  await signUp(page, name);
  return page;
}

/** @returns the link of a new invitation. @param email null: by link */
async function invite(page: Page, email: string | null, role: string): Promise<string> {
  await page.getByRole('button', { name: 'Invite', exact: true }).click();
  const dialog = page.getByRole('dialog');
  if (email === null) await dialog.getByLabel('whoever opens a link first').check();
  else await dialog.getByLabel('Email address').fill(email);
  await dialog.getByLabel('Role').selectOption(role);
  await dialog.getByRole('button', { name: 'Make the invitation' }).click();
  const link = await dialog.getByRole('textbox', { name: 'Link' }).inputValue();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await gone(dialog);
  return link;
}

const members = (page: Page) => page.getByRole('region', { name: 'Members' });
const memberRow = (page: Page, name: string) => members(page).getByRole('listitem').filter({ hasText: name });

describe('inviting and joining', () => {
  it('a stranger opens the link of an owner, signs up there, joins and sees the tasks', async () => {
    await owner.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await openMembers(owner);
    const link = await invite(owner, null, 'Editor');
    const open = owner.getByRole('list', { name: 'Open invitations' }).getByRole('listitem');
    await seen(open.filter({ hasText: 'Whoever opens the link first' }).filter({ hasText: /valid until/ }));
    await open.getByRole('button', { name: /^Show the link/ }).click();
    await owner.getByRole('dialog').getByRole('button', { name: 'Copy' }).click();
    await seen(owner.getByRole('dialog').getByText('Copied.'));
    expect(await owner.evaluate(() => navigator.clipboard.readText())).toBe(link);
    await owner.keyboard.press('Escape');
    await gone(owner.getByRole('dialog'));

    const stranger = await (await app.newProfile()).newPage();
    await stranger.goto(link);
    await seen(stranger.getByText('You have been invited to a workspace.'));
    await signUp(stranger, 'Ada');
    await seen(
      stranger.getByText('Owner invites you to the workspace “Lighthouse” as an editor.', { exact: true }),
    );
    expect(await stranger.getByRole('button', { name: 'Decline' }).count()).toBe(0);
    await stranger.getByRole('button', { name: 'Join' }).click();
    await seen(stranger.getByRole('heading', { name: 'Lighthouse', level: 1 }));
    expect(new URL(stranger.url()).pathname).toMatch(/^\/workspaces\//);
    await openMembers(stranger);
    await seen(memberRow(stranger, 'Ada (you)').filter({ hasText: 'Editor' }));
    expect(await stranger.getByRole('button', { name: 'Invite', exact: true }).count()).toBe(0);
    expect(await stranger.getByRole('combobox', { name: /^Role of/ }).count()).toBe(0);
    await openTask(stranger, 'Inspections work offline', 'Let two inspectors share one tablet');

    await stranger.goto(link);
    await seen(stranger.getByText('This invitation is not valid.'));
    await seen(stranger.getByText('If you have joined by it already, the workspace is among yours.'));
    await stranger.context().close();
  });

  it('a link that is opened offline is accepted there, and the next sync joins (U31)', async () => {
    await openMembers(owner);
    const link = await invite(owner, null, 'Viewer');

    const page = await newAccount('Bo');
    await page.route(API, (route) => route.abort());
    await page.goto(link);
    await page.getByRole('button', { name: 'Join when the server can be reached' }).click();
    await seen(page.getByText('You join when the server can be reached: your answer is kept'));
    await page.goto('/');
    await seen(page.getByText('You join when the server can be reached: your answer is kept'));
    await page.getByRole('link', { name: 'An invitation that you accepted' }).click();
    await seen(page.getByRole('button', { name: 'Do not join' }));
    await page.unroute(API);
    await page.getByRole('button', { name: 'Sync now' }).click();
    await seen(page.getByRole('heading', { name: 'Lighthouse', level: 1 }));
    await page.context().close();
  });

  it('an invitation to an address is on the home page of its account, and can be declined and accepted', async () => {
    const cora = await newAccount('Cora');
    await openMembers(owner);
    await invite(owner, 'Cora@example.com', 'Editor');
    await owner.getByRole('button', { name: 'Invite', exact: true }).click();
    await owner.getByLabel('Email address').fill('nobody@nowhere nor here');
    await owner.keyboard.press('Enter');
    expect(await owner.getByRole('dialog', { name: 'Invite to Lighthouse' }).isVisible()).toBe(true);
    await owner.keyboard.press('Escape');

    await cora.reload();
    const invitations = cora.getByRole('region', { name: 'Invitations' });
    await invitations.getByRole('button', { name: 'Decline' }).click();
    await gone(invitations);
    await owner.reload();
    await seen(memberRow(owner, 'Owner (you)'));
    expect(await owner.getByText('cora@example.com').count()).toBe(0);

    await invite(owner, 'cora@example.com', 'Viewer');
    await cora.reload();
    await invitations.getByRole('button', { name: 'Join' }).click();
    await places(cora).getByRole('link', { name: 'Lighthouse' }).click();
    await seen(cora.getByRole('note').filter({ hasText: 'You are a viewer here' }));
    await cora.getByRole('link', { name: 'Convoy: your inbox' }).click();
    await seen(cora.getByRole('heading', { name: 'Inbox' }));
    expect(await invitations.count()).toBe(0);

    await syncNow(owner);
    await members(owner).getByLabel('Role of Cora').selectOption('Editor');
    await syncNow(owner);
    await syncNow(cora);
    await openMembers(cora);
    await seen(memberRow(cora, 'Cora (you)').filter({ hasText: 'Editor' }));
    await cora.context().close();
  });

  it('a link that was revoked says so, and one that was accepted offline is refused', async () => {
    await openMembers(owner);
    const link = await invite(owner, null, 'Editor');
    const page = await newAccount('Dan');
    await page.route(API, (route) => route.abort());
    await page.goto(link);
    await page.getByRole('button', { name: 'Join when the server can be reached' }).click();
    await seen(page.getByRole('button', { name: 'Do not join' }));

    await owner.getByRole('button', { name: /^Revoke/ }).click();
    await owner.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await gone(owner.getByRole('dialog'));
    await gone(owner.getByRole('list', { name: 'Open invitations' }));
    await page.unroute(API);
    await page.getByRole('button', { name: 'Sync now' }).click();
    await seen(page.getByText('You have not joined. This invitation is not valid.'));
    await page.goto('/');
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await gone(page.getByRole('region', { name: 'Invitations' }));
    await page.goto(link);
    await seen(page.getByText('This invitation is not valid.'));
    await page.context().close();
  });

  it('without an account the page says that joining needs one, and is shown again after signing in', async () => {
    const page = await (await app.newProfile()).newPage();
    await page.goto('/');
    await page.getByRole('button', { name: 'Start without an account' }).click();
    await seen(page.getByText('You have no workspace yet.'));
    await page.goto('/invitation/nothing-like-an-id');
    await seen(page.getByText('joining it needs an account'));
    await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
    await signUp(page, 'Eve');
    await seen(page.getByText('This invitation is not valid.'));
    await page.context().close();
  });
});

describe('members', () => {
  it('the only owner who is a person neither leaves nor takes another role, and inviting offline says that it needs the server', async () => {
    await openMembers(owner);
    await seen(memberRow(owner, 'Owner (you)'));
    await seen(owner.getByText('A workspace keeps at least one owner who is a person'));
    expect(await owner.getByRole('button', { name: 'Leave' }).count()).toBe(0);
    expect(await owner.getByLabel('Role of Owner', { exact: true }).count()).toBe(0);
    await members(owner).getByLabel('Role of Editor').selectOption('Owner');
    await seen(owner.getByRole('button', { name: 'Leave' }));
    await members(owner).getByLabel('Role of Editor').selectOption('Editor');
    await gone(owner.getByRole('button', { name: 'Leave' }));

    await goOffline(owner);
    await seen(owner.getByText('Inviting, and open invitations, need the server'));
    await owner.getByRole('button', { name: 'Remove Agent' }).click();
    await owner
      .getByRole('dialog', { name: 'Remove Agent?' })
      .getByRole('button', { name: 'Cancel' })
      .click();
    await owner.getByRole('button', { name: 'Invite', exact: true }).click();
    await seen(owner.getByText('Inviting needs the server, and it cannot be reached now.'));
    await owner.context().setOffline(false);
    await owner.keyboard.press('Escape');
    await gone(owner.getByRole('dialog'));
    await seen(statusOf(owner, 'Up to date'));
  });

  it('a viewer leaves: the workspace is gone here, and the owner sees it', async () => {
    const viewer = await app.signIn('viewer');
    await openMembers(viewer);
    await viewer.getByRole('button', { name: 'Leave' }).click();
    const dialog = viewer.getByRole('dialog', { name: 'Leave Lighthouse?' });
    await seen(dialog.getByText('kept in the archive on the sync page'));
    await dialog.getByRole('button', { name: 'Leave the workspace' }).click();
    await seen(viewer.getByText('You have no workspace yet.'));
    await seen(statusOf(viewer, 'Up to date'));
    await viewer.context().close();

    await syncNow(owner);
    await openMembers(owner);
    await seen(memberRow(owner, 'Owner (you)'));
    expect(await memberRow(owner, 'Viewer').getByRole('button', { name: 'Remove Viewer' }).count()).toBe(0);
  });

  it('an agent is not offered to make a workspace, and manages nobody', async () => {
    const agent = await app.signIn('agent');
    expect(await agent.getByRole('button', { name: 'New workspace' }).count()).toBe(0);
    await openMembers(agent);
    await seen(memberRow(agent, 'Agent (you)').filter({ hasText: 'AI agent' }));
    expect(await agent.getByRole('button', { name: 'Invite', exact: true }).count()).toBe(0);
    expect(await agent.getByRole('button', { name: /^Remove/ }).count()).toBe(0);
    await agent.context().close();
  });
});

describe('reversing a settlement past a checkpoint', () => {
  const TITLE = 'Survive a clock that is wrong by hours';
  const settle = (chosen: string, other: string) => {
    const sides = { base: chosen, local: other, remote: chosen, chosen, by: 'remote' };
    const details = {
      table: 'tasks',
      record_id: seedId('task', 5),
      columns: { current_stage: sides },
    };
    return app.sql(
      `insert into public.activity_feed (id, workspace_id, task_id, actor_id, activity_type, details) values
        (gen_random_uuid(), '${seedId('workspace', 1)}', '${seedId('task', 5)}', '${seedId('user', 2)}',
         'conflict_settled', '${JSON.stringify(details)}')`,
    );
  };

  it('the person sees the values, and confirms the checkpoint by its name (D10, P-CHECKPOINT)', async () => {
    await settle('PLAN_REVIEW', 'IMPLEMENT');
    const page = await app.signIn('editor');
    await openTask(page, 'Inspections work offline', TITLE);
    await page.getByRole('button', { name: 'Use the other value' }).click();
    const values = page.getByRole('dialog', { name: 'Use the other value?' });
    await seen(values.getByRole('deletion').filter({ hasText: 'Plan review' }));
    await seen(values.getByRole('insertion').filter({ hasText: 'Implement' }));
    await values.getByRole('button', { name: 'Use this value' }).click();
    const checkpoint = page.getByRole('dialog', { name: 'Move the task past a human checkpoint?' });
    await seen(
      checkpoint.getByText(
        `This moves “${TITLE}” to the stage Implement, past the human checkpoint Plan review.`,
      ),
    );
    await checkpoint.getByRole('button', { name: 'Confirm and move' }).click();
    await gone(checkpoint);
    const here = page.getByRole('region', { name: /^Stage/ }).getByRole('button', { name: /^Implement/ });
    await expect.poll(() => here.getAttribute('aria-current')).toBe('step');

    await page.getByRole('button', { name: 'Use the other value' }).last().click();
    await values.getByRole('button', { name: 'Use this value' }).click();
    await seen(values.getByRole('alert').filter({ hasText: 'changed' }));
    await page.context().close();
  });
});
