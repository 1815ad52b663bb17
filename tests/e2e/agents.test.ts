import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SEED, seedId } from '../support/seed';
import { gone, goOffline, seen, syncNow, WebApp } from '../support/webApp';

describe('the agents', () => {
  let app: WebApp;
  let page: Page;
  beforeAll(async () => {
    app = await WebApp.start();
    await app.sql(`update public.tasks set claimed_by = '${SEED.users.agent}', claim_id = 's1',
      claimed_until = now() + interval '10 minutes' where id in ('${seedId('task', 4)}', '${seedId('task', 2)}')`);
    page = await app.signIn('owner', undefined, '/agents');
    await page.goto('/agents');
  });
  afterAll(() => app.close());

  const rowOf = (name: string, on = page) =>
    on.getByRole('list', { name: 'Agents' }).getByRole('listitem').filter({ hasText: name });
  const membership = async (name: string) => {
    const [found] = await app.query<{ paused_at: string | null; deleted_at: string | null }>(
      `select m.paused_at, m.deleted_at from public.workspace_members m join public.profiles p on p.id = m.user_id
       where p.display_name = '${name}'`,
    );
    return found;
  };

  it('are told with what they work on, whom they wait for, and since when', async () => {
    await seen(rowOf('Agent').getByText(/^Waits for you with|^Waits for /));
    await seen(rowOf('Agent').getByText(/Last sign of life .* done today/));
    await seen(rowOf('Agent').getByRole('link', { name: /FIELD-2 / }));
  });

  it('give what they work on to somebody else, who is asked for no claim', async () => {
    const taskId = seedId('task', 4);
    await rowOf('Agent').getByRole('button', { name: 'More about Agent' }).click();
    await page.getByRole('menuitem', { name: 'Reassign FIELD-4…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Reassign FIELD-4' });
    await dialog.getByLabel('Who takes it over?').selectOption('Editor');
    await dialog.getByRole('button', { name: 'Reassign' }).click();
    await gone(dialog);
    await seen(page.getByText('FIELD-4 is assigned to Editor.'));
    await syncNow(page);
    expect(
      await app.query(`select claimed_by, assignee_id from public.tasks where id = '${taskId}'`),
    ).toEqual([{ claimed_by: null, assignee_id: SEED.users.editor }]);
  });

  it('are stopped: paused, and their tasks are free', async () => {
    await rowOf('Agent').getByRole('button', { name: 'Stop' }).click();
    await seen(rowOf('Agent').getByText(/^Paused/));
    expect((await membership('Agent'))?.paused_at).not.toBeNull();
    await expect
      .poll(() => app.query(`select id from public.tasks where claimed_by = '${SEED.users.agent}'`))
      .toEqual([]);
    await rowOf('Agent').getByRole('button', { name: 'Let it go on' }).click();
    await seen(rowOf('Agent').getByText('Works on nothing'));
    expect((await membership('Agent'))?.paused_at).toBeNull();
  });

  it('are connected with a secret that signs them in, and revoked', async () => {
    await page.getByRole('button', { name: 'Connect an agent' }).click();
    await page.getByLabel('Name').fill('Builder');
    await page.getByRole('button', { name: 'Make the agent' }).click();
    const made = page.getByRole('dialog', { name: 'Builder is made' });
    await seen(made);
    const secret = await made.getByLabel('Secret').inputValue();
    const command = await made.getByLabel('1. Sign it in').inputValue();
    const email = /--email (\S+)$/.exec(command)?.[1] ?? '';
    const answer = await fetch(`${app.stack.url}/auth/v1/token?grant_type=password`, {
      method: 'POST',
      headers: { apikey: app.stack.anonKey, 'content-type': 'application/json' },
      body: JSON.stringify({ email, password: secret }),
    });
    expect(answer.status).toBe(200);
    // One key alone loses nothing that cannot be shown again.
    await page.keyboard.press('Escape');
    await seen(made.getByRole('alert').filter({ hasText: 'You have not copied the secret.' }));
    await made.getByRole('button', { name: 'Close without it' }).click();
    await seen(rowOf('Builder').getByText('made by You'));

    await rowOf('Builder').getByRole('button', { name: 'More about Builder' }).click();
    await page.getByRole('menuitem', { name: 'Revoke…' }).click();
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await gone(page.getByRole('dialog', { name: 'Revoke Builder?' }));
    await gone(rowOf('Builder'));
    expect((await membership('Builder'))?.deleted_at).not.toBeNull();
  });

  it('are connected online only, and the dialog says so', async () => {
    await goOffline(page);
    await page.getByRole('button', { name: 'Connect an agent' }).click();
    await page.getByLabel('Name').fill('Later');
    await page.getByRole('button', { name: 'Make the agent' }).click();
    await seen(page.getByRole('dialog').getByRole('alert'));
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await syncNow(page);
  });

  it('are looked at, and left alone, by viewers', async () => {
    const viewer = await app.signIn('viewer', undefined, '/agents');
    await viewer.goto('/agents');
    await seen(rowOf('Agent', viewer));
    expect(await viewer.getByRole('button', { name: /Stop|Connect|More about/ }).count()).toBe(0);
    await viewer.context().close();
  });
});
