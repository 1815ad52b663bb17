import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seedId } from '../../support/seed';
import { askToSignOut, gone, openMembers, seen, statusOf, syncNow, WebApp } from '../../support/webApp';

const LONG = `${'Wolfeschlegelsteinhausenbergerdorff '.repeat(3)}${'x'.repeat(92)}`;

let app: WebApp;
/** The page of the owner, signed in and synced. */
let owner: Page;
beforeAll(async () => {
  app = await WebApp.start();
  owner = await app.signIn('owner');
});
afterAll(() => app.close());

async function newAccount(name: string): Promise<Page> {
  const page = await (await app.newProfile()).newPage();
  await page.goto('/');
  await page.getByRole('button', { name: 'Create an account' }).click();
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Email').fill(`${name.toLowerCase()}@example.com`);
  await page.getByLabel('Password').fill('harbour-lights');
  await page.getByRole('button', { name: 'Create an account' }).click();
  await seen(statusOf(page, 'Up to date'));
  return page;
}

/** The server answers this function with an error of its own until `unroute`. */
const failing = (page: Page, name: string) =>
  page.route(`**/rpc/${name}`, (route) => route.fulfill({ status: 500, body: '{}' }));

/** @returns the link of a new invitation, made on the page of members */
async function inviteByLink(): Promise<string> {
  await owner.getByRole('button', { name: 'Invite', exact: true }).click();
  await owner.getByLabel('whoever opens a link first').check();
  await owner.getByRole('button', { name: 'Make the invitation' }).click();
  const link = await owner.getByRole('textbox', { name: 'Link' }).inputValue();
  await owner.getByRole('button', { name: 'Done' }).click();
  return link;
}

describe('invitations with a server that fails', () => {
  it('inviting says that nobody was invited, keeps the address, and works when tried again', async () => {
    await openMembers(owner);
    await failing(owner, 'invite_member');
    await owner.getByRole('button', { name: 'Invite', exact: true }).click();
    const dialog = owner.getByRole('dialog');
    await dialog.getByLabel('Email address').fill('ada@example.com');
    await dialog.getByRole('button', { name: 'Make the invitation' }).click();
    await seen(dialog.getByRole('alert').filter({ hasText: 'Nobody was invited. The server failed' }));
    expect(await dialog.getByLabel('Email address').inputValue()).toBe('ada@example.com');

    await owner.unroute('**/rpc/invite_member');
    await owner.route('**/rpc/invite_member', async (route) => {
      await route.fetch();
      await route.abort();
    });
    await dialog.getByRole('button', { name: 'Make the invitation' }).click();
    await seen(dialog.getByText('No answer came: look at the open invitations before you invite again.'));
    await seen(owner.getByRole('button', { name: 'Revoke: ada@example.com', includeHidden: true }));

    await owner.unroute('**/rpc/invite_member');
    await dialog.getByRole('button', { name: 'Make the invitation' }).click();
    await seen(owner.getByRole('dialog', { name: 'The invitation is ready' }));
    await owner.getByRole('button', { name: 'Done' }).click();
    await gone(dialog);
  });

  it('open invitations that cannot be read say so, and are asked for again', async () => {
    await failing(owner, 'get_invitations');
    // The page knows of none yet.
    await owner.reload();
    await openMembers(owner);
    await seen(owner.getByRole('alert').filter({ hasText: 'The open invitations cannot be shown' }));
    await owner.unroute('**/rpc/get_invitations');
    await owner.getByRole('button', { name: 'Try again' }).click();
    await gone(owner.getByRole('alert').filter({ hasText: 'The open invitations cannot be shown' }));
  });

  it('revoking without the server says so in its dialog, and one that was accepted meanwhile is told', async () => {
    await openMembers(owner);
    const link = await inviteByLink();
    // The list is not read again either: a row that is gone would take the dialog along.
    for (const name of ['revoke_invitation', 'get_invitations'])
      await owner.route(`**/rpc/${name}`, (route) => route.abort());
    const revoke = owner.getByRole('button', { name: 'Revoke: Whoever opens the link first' });
    await revoke.click();
    const asked = owner.getByRole('dialog', { name: 'Revoke this invitation?' });
    await asked.getByRole('button', { name: 'Revoke' }).click();
    await seen(asked.getByRole('alert').filter({ hasText: 'The server cannot be reached.' }));

    const ada = await newAccount('Ada');
    await ada.goto(link);
    await ada.getByRole('button', { name: 'Join' }).click();
    await seen(ada.getByRole('heading', { name: 'Lighthouse', level: 1 }));
    await owner.unroute('**/rpc/revoke_invitation');
    await asked.getByRole('button', { name: 'Revoke' }).click();
    const told = owner.getByRole('dialog', { name: 'The invitation is not open any more' });
    await seen(told);
    await owner.unroute('**/rpc/get_invitations');
    await told.getByRole('button', { name: 'Done' }).click();
    await gone(told);
    await gone(revoke);
    await ada.context().close();
  });

  it('an invitation whose page fails is asked for again; what one tab accepts, every tab has joined (U31)', async () => {
    await openMembers(owner);
    const link = await inviteByLink();
    const first = await newAccount('Bo');
    await failing(first, 'my_invitations');
    await first.goto(link);
    await seen(first.getByRole('alert').filter({ hasText: 'The invitation cannot be shown.' }));
    expect(await first.getByText('If you have joined by it already').count()).toBe(0);
    await first.unroute('**/rpc/my_invitations');
    await first.getByRole('button', { name: 'Try again' }).click();
    await seen(first.getByRole('button', { name: 'Join' }));
    const second = await first.context().newPage();
    await second.goto(link);
    await seen(second.getByRole('button', { name: 'Join' }));

    // Either tab may be the one that sends it, by a timer of its own.
    for (const page of [first, second]) await failing(page, 'accept_invitation');
    await first.getByRole('button', { name: 'Join' }).click();
    await seen(first.getByText('your answer is kept on this device'));
    // Who signs out now is told (D24).
    await askToSignOut(first);
    const leaving = first.getByRole('dialog', { name: 'Sign out with unsynced changes?' });
    await seen(leaving.getByText('You have accepted 1 invitation, and the server does not know it yet.'));
    await seen(leaving.getByRole('button', { name: 'Sync first' }));
    await leaving.getByRole('button', { name: 'Cancel' }).click();
    for (const page of [first, second]) await page.unroute('**/rpc/accept_invitation');
    for (const page of [first, second]) {
      await page.getByRole('button', { name: 'Sync now' }).click();
      await seen(page.getByRole('heading', { name: 'Lighthouse', level: 1 }));
    }
    await first.context().close();
  });

  it('200 members with names of 200 characters fit a phone, and each keeps its row', async () => {
    await app.sql(`insert into auth.users (id, email, raw_user_meta_data)
      select ('019b0000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'crowd' || n || '@example.com',
        jsonb_build_object('display_name', left(n || ' ${LONG}', 200)) from generate_series(1, 200) n`);
    await app.sql(`insert into public.workspace_members (id, workspace_id, user_id, role)
      select gen_random_uuid(), '${seedId('workspace', 1)}', id, 'viewer' from public.profiles
      where id::text like '019b0000-%'`);
    await app.sql(
      `update public.workspaces set name = 'Lighthouse ${LONG.slice(0, 189)}' where id = '${seedId('workspace', 1)}'`,
    );
    await syncNow(owner);
    await openMembers(owner);
    await owner.setViewportSize({ width: 390, height: 844 });
    const rows = owner.getByRole('region', { name: 'Members' }).getByRole('listitem');
    await expect.poll(() => rows.count()).toBeGreaterThan(200);
    const sideways = () =>
      owner.evaluate(() =>
        [document.documentElement, ...document.querySelectorAll('[role="dialog"]')]
          .map(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)
          .filter((pixels) => pixels > 0),
      );
    expect(await sideways()).toEqual([]);
    await owner.getByRole('button', { name: /^Remove 200 / }).click();
    await seen(owner.getByRole('dialog', { name: /^Remove 200 / }));
    expect(await sideways()).toEqual([]);
    await owner.getByRole('dialog').getByRole('button', { name: 'Remove the member' }).click();
    await gone(owner.getByRole('dialog'));
    await gone(owner.getByRole('button', { name: /^Remove 200 / }));
    await owner.getByRole('button', { name: 'Invite', exact: true }).click();
    expect(await sideways()).toEqual([]);
  });
});
