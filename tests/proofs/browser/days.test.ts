/** The target date of a milestone is the same day for everybody, wherever it is picked, written and read. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { choose, gone, openProject, seen, statusOf, syncNow, WebApp } from '../../support/webApp';

const ZONES = ['America/Los_Angeles', 'Europe/Berlin', 'Pacific/Auckland', 'Pacific/Kiritimati'];

let app: WebApp;
beforeAll(async () => {
  app = await WebApp.start();
});
afterAll(() => app.close());

async function projectPage(timezoneId: string): Promise<Page> {
  const page = await app.signIn('editor', await app.newProfile({ timezoneId }));
  await openProject(page, 'Field app');
  await page.getByRole('tab', { name: 'Milestones' }).click();
  return page;
}

const storedDay = async (name: string) => {
  const rows = await app.query<{ day: string }>(
    `select to_char(target_date at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as day from public.milestones where name = '${name}'`,
  );
  return rows.map(({ day }) => day);
};

describe('a target date', () => {
  it('that is picked in one time zone is the same day in every other, also in its form', async () => {
    const names = ['Due for an agent', 'Due long ago'];
    // As the service wrote it before it was normalised: by an agent, and at the end of the day in Los Angeles.
    for (const [index, time] of ['2026-03-05T00:00:00Z', '2026-03-06T07:59:59Z'].entries()) {
      await app.sql(`insert into public.milestones (id, workspace_id, project_id, name, target_date)
        select gen_random_uuid(), workspace_id, id, '${names[index]}', '${time}' from public.projects where name = 'Field app'`);
    }
    // The first zone comes once more, when all of them have picked theirs.
    for (const zone of [...ZONES, 'America/Los_Angeles']) {
      const page = await projectPage(zone);
      const name = `Due in ${zone}`;
      if (!names.includes(name)) {
        await page.getByRole('button', { name: 'New milestone' }).click();
        await page.getByLabel('Name').fill(name);
        await page.getByLabel('Target date').fill('2026-03-05');
        await page.getByRole('button', { name: 'Create milestone' }).click();
        await gone(page.getByRole('dialog'));
        await seen(page.getByText('due 5 Mar 2026'));
        await syncNow(page);
        expect(await storedDay(name)).toEqual(['2026-03-05 12:00']);
        names.push(name);
        await page.goBack();
      }
      for (const one of names) {
        const item = page.getByRole('main').getByRole('listitem').filter({ hasText: one });
        await seen(item.getByText('due 5 Mar 2026'));
      }
      await page.getByRole('main').getByRole('link', { name: 'Due long ago' }).click();
      await choose(page, 'Edit milestone');
      expect(await page.getByLabel('Target date').inputValue()).toBe('2026-03-05');
      await page.context().close();
    }
  });

  it('of a year with five digits is refused in words, and the form stays', async () => {
    const page = await projectPage('Europe/Berlin');
    await page.getByRole('button', { name: 'New milestone' }).click();
    await page.getByLabel('Name').fill('Due too late');
    await page.getByLabel('Target date').fill('12026-03-05');
    await page.getByRole('button', { name: 'Create milestone' }).click();
    await seen(page.getByRole('dialog').getByRole('alert'));
    expect(await page.getByRole('dialog').getByRole('alert').innerText()).not.toContain('Invalid time value');
    await page.getByLabel('Target date').fill('2026-03-05');
    await page.getByRole('button', { name: 'Create milestone' }).click();
    await gone(page.getByRole('dialog'));
    await seen(statusOf(page, 'Up to date'));
    await page.context().close();
  });
});
