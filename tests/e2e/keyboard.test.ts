import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gone, places, seen, WebApp } from '../support/webApp';

let app: WebApp;
beforeAll(async () => {
  app = await WebApp.start();
});
afterAll(() => app.close());

const MOST_TABS = 60;

/** The focused element as assistive technology names it, and whether its focus can be seen. */
function focused(page: Page): Promise<{ name: string; isInDialog: boolean; isVisible: boolean }> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!(element instanceof HTMLElement) || element === document.body) {
      return { name: '', isInDialog: false, isVisible: false };
    }
    const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : null;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return {
      name: (element.getAttribute('aria-label') ?? label ?? element.textContent ?? '').trim(),
      isInDialog: element.closest('[role="dialog"]') !== null,
      isVisible: outlineStyle !== 'none' && outlineWidth !== '0px',
    };
  });
}

/** Presses Tab until the element is focused, as a person does who looks for it. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await seen(target);
  for (let tabs = 0; tabs < MOST_TABS; tabs += 1) {
    if (await isFocused(target)) {
      expect(await focused(page)).toMatchObject({ isVisible: true });
      return;
    }
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not get to ${target}.`);
}

async function press(page: Page, target: Locator, key: 'Enter' | 'Space'): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press(key);
}

function isFocused(locator: Locator): Promise<boolean> {
  return locator.evaluate((element) => element === document.activeElement);
}

const focusOn = (locator: Locator) => expect.poll(() => isFocused(locator)).toBe(true);
const members = (page: Page) => page.getByRole('region', { name: 'Members' });

async function openWorkspace(page: Page): Promise<void> {
  await press(page, places(page).getByRole('link', { name: 'Members', exact: true }), 'Enter');
  await seen(page.getByRole('heading', { name: 'Members' }));
  await focusOn(page.getByRole('main'));
}

describe('memberships by keyboard alone', () => {
  it('an owner invites, shows and revokes the invitation, gives a role and removes a member, and focus is never lost', async () => {
    const owner = await app.signIn('owner');
    await openWorkspace(owner);
    const inviteButton = members(owner).getByRole('button', { name: 'Invite', exact: true });
    await press(owner, inviteButton, 'Enter');
    const form = owner.getByRole('dialog', { name: 'Invite to Lighthouse' });
    await seen(form);
    await expect.poll(() => focused(owner)).toMatchObject({ isInDialog: true, isVisible: true });
    await owner.keyboard.press('Escape');
    await gone(form);
    await focusOn(inviteButton);

    await owner.keyboard.press('Space');
    await tabTo(owner, form.getByLabel('Email address'));
    for (let tabs = 0; tabs < 12; tabs += 1) {
      await owner.keyboard.press('Tab');
      const { name, isInDialog } = await focused(owner);
      // Past the last control the focus goes to the browser's own, and comes back into the dialog.
      expect(isInDialog || name === '', `under the dialog: ${name}`).toBe(true);
    }
    await tabTo(owner, form.getByLabel('Email address'));
    await owner.keyboard.type('ada@example.com');
    await owner.keyboard.press('Enter');
    const ready = owner.getByRole('dialog', { name: 'The invitation is ready' });
    await focusOn(ready.getByRole('textbox', { name: 'Link' }));
    const link = await ready.getByRole('textbox', { name: 'Link' }).inputValue();
    await press(owner, ready.getByRole('button', { name: 'Done' }), 'Enter');
    await gone(ready);
    await focusOn(inviteButton);

    const open = owner.getByRole('list', { name: 'Open invitations' });
    const show = open.getByRole('button', { name: 'Show the link: ada@example.com' });
    await press(owner, show, 'Enter');
    const shown = owner.getByRole('dialog', { name: 'Link of the invitation' }).getByRole('textbox');
    await focusOn(shown);
    expect(await shown.inputValue()).toBe(link);
    await owner.keyboard.press('Escape');
    await focusOn(show);

    const revoke = open.getByRole('button', { name: 'Revoke: ada@example.com' });
    await press(owner, revoke, 'Space');
    const asked = owner.getByRole('dialog', { name: 'Revoke this invitation?' });
    await press(owner, asked.getByRole('button', { name: 'Cancel' }), 'Enter');
    await focusOn(revoke);
    await owner.keyboard.press('Enter');
    await press(owner, asked.getByRole('button', { name: 'Revoke' }), 'Enter');
    await gone(asked);
    await gone(open);
    await focusOn(members(owner));

    const role = members(owner).getByRole('combobox', { name: 'Role of Viewer' });
    await tabTo(owner, role);
    await owner.keyboard.type('Ag');
    await expect.poll(() => role.inputValue()).toBe('agent');
    await focusOn(role);
    await owner.keyboard.press('ArrowUp');
    await expect.poll(() => role.inputValue()).toBe('viewer');

    await press(owner, members(owner).getByRole('button', { name: 'Remove Viewer' }), 'Enter');
    const removing = owner.getByRole('dialog', { name: 'Remove Viewer?' });
    await press(owner, removing.getByRole('button', { name: 'Remove the member' }), 'Enter');
    await gone(removing);
    await gone(members(owner).getByRole('button', { name: 'Remove Viewer' }));
    await focusOn(members(owner));
    await owner.context().close();
  });

  it('an editor leaves, and stays after Escape', async () => {
    const editor = await app.signIn('editor');
    await openWorkspace(editor);
    const leave = members(editor).getByRole('button', { name: 'Leave' });
    await press(editor, leave, 'Enter');
    const asked = editor.getByRole('dialog', { name: 'Leave Lighthouse?' });
    await seen(asked);
    await editor.keyboard.press('Escape');
    await focusOn(leave);
    await editor.keyboard.press('Enter');
    await press(editor, asked.getByRole('button', { name: 'Leave the workspace' }), 'Enter');
    await seen(editor.getByText('You have no workspace yet.'));
    await focusOn(editor.getByRole('main'));
    await editor.context().close();
  });
});
