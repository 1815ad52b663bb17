/** A day of two people and an agent: one of them is offline for hours, the server stops, they edit the same, one restarts offline. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openProfile } from '../../support/browser';
import { Machine } from '../../support/builtConvoy';
import { McpHost } from '../../support/mcpHost';
import { WAIT_MS } from '../../support/patience';
import { SEED } from '../../support/seed';
import {
  comment,
  createTask,
  deleteTask,
  goOffline,
  openMilestone,
  openTask,
  renameTask,
  seen,
  statusOf,
  syncNow,
  WebApp,
} from '../../support/webApp';

const MILESTONE = 'Inspections work offline';
const CONTESTED = 'Survive a clock that is wrong by hours';
const SHARED = 'Let two inspectors share one tablet';
const PLANNED = 'Count the buoys';

let app: WebApp;
let machine: Machine;
let agent: McpHost;
let profile: string;
beforeAll(async () => {
  [app, machine] = await Promise.all([WebApp.start(), Machine.start()]);
  profile = mkdtempSync(join(tmpdir(), 'convoy-profile-'));
});
afterAll(async () => {
  await agent?.close();
  machine.remove();
  await app.close();
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
});

/** The agent works from a folder that is linked to the field app. */
async function startAgent(): Promise<McpHost> {
  await machine.signIn(app.url, 'agent@convoy.example', SEED.password);
  const folder = join(machine.work, 'field-app');
  mkdirSync(folder);
  const link = { url: app.url, workspace_id: SEED.workspace, project_id: SEED.fieldApp };
  writeFileSync(join(folder, 'convoy.json'), JSON.stringify(link));
  return McpHost.start(machine, { folder });
}

async function openBrowser(): Promise<BrowserContext> {
  const browser = await openProfile(profile);
  browser.setDefaultTimeout(WAIT_MS);
  return browser;
}

const describeIt = async (page: Page, text: string) => {
  await page.getByRole('button', { name: 'Edit description' }).click();
  await page.getByRole('textbox', { name: 'Description' }).fill(text);
  await page.keyboard.press('Control+Enter');
  await seen(page.getByRole('region', { name: 'Description' }).getByText(text));
};

it('loses nothing, passes no checkpoint by itself, and ends with the same work everywhere (P-NOLOSS, P-CONVERGE, P-CHECKPOINT)', async () => {
  let browser = await openBrowser();
  let owner = await app.signIn('owner', browser, app.url);
  await owner.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const editor = await app.signIn('editor');

  // In the morning the owner writes a task; the agent plans it, and the owner approves the plan.
  await openMilestone(owner, 'Field app', MILESTONE);
  await createTask(owner, PLANNED);
  await syncNow(owner);
  agent = await startAgent();
  const { text, call } = agent;
  await expect.poll(() => text('list', { find: 'buoys' })).toContain(PLANNED);
  const key = /[A-Z]+-\d+/.exec(await text('list', { find: 'buoys' }))?.[0] ?? '';
  const taken = await text('next', { task: key });
  expect(taken).toContain(PLANNED);
  await text('request_review', { task: key, text: 'Count them from the boat, twice.' });
  expect(await call('move', { task: key })).toMatchObject({ isError: true });
  await owner.getByRole('link', { name: 'Convoy: your inbox' }).click();
  await owner
    .getByRole('region', { name: 'What waits for you' })
    .getByRole('link', { name: PLANNED })
    .click();
  await seen(
    owner.getByRole('region', { name: 'The open item' }).getByText('Count them from the boat, twice.'),
  );
  await owner.getByRole('button', { name: 'Approve', exact: true }).click();
  await seen(owner.getByText(`${key} is approved.`));
  await expect.poll(() => text('wait', { task: key, seconds: 1 })).toContain('Approved');

  // The owner leaves for hours without a network, and writes.
  await syncNow(owner);
  await goOffline(owner);
  await openTask(owner, MILESTONE, CONTESTED);
  await describeIt(owner, 'The owner writes at sea.');
  await openTask(owner, MILESTONE, SHARED);
  await renameTask(owner, 'Let three inspectors share one tablet');
  await openMilestone(owner, 'Field app', MILESTONE);
  await createTask(owner, 'Written at sea');
  await owner.getByRole('main').getByRole('link', { name: 'Written at sea' }).click();
  await comment(owner, 'No signal here.');
  await deleteTask(owner);
  await owner.getByRole('button', { name: 'Undo' }).first().click();
  await seen(owner.getByRole('main').getByRole('link', { name: 'Written at sea' }));

  // Meanwhile the editor changes the same, and the agent goes on; then the server stops, and both write on.
  await openTask(editor, MILESTONE, CONTESTED);
  await describeIt(editor, 'The editor writes ashore.');
  await openTask(editor, MILESTONE, SHARED);
  await editor.getByLabel('Priority').selectOption('Urgent');
  await syncNow(editor);
  await app.stopServer();
  await comment(editor, 'Written while no server answered.');
  await text('report', { task: key, text: 'Nineteen buoys, twice.' });
  await seen(statusOf(editor, /to send|Offline/));

  // The owner's browser is closed and started again, still without network: all is there.
  await browser.close();
  browser = await openBrowser();
  owner = await browser.newPage();
  await owner.goto(app.url);
  await openTask(owner, MILESTONE, 'Written at sea');
  await seen(owner.getByRole('listitem').filter({ hasText: 'No signal here.' }));
  await openTask(owner, MILESTONE, CONTESTED);
  await seen(owner.getByRole('region', { name: 'Description' }).getByText('The owner writes at sea.'));

  // In the evening the server is back, and the owner decides about what both have written.
  await app.startServer();
  const banner = owner.getByRole('region', { name: 'Conflict' });
  await seen(banner.getByText('The editor writes ashore.'));
  await seen(banner.getByText('The owner writes at sea.'));
  await banner.getByRole('button', { name: 'Use yours: description' }).click();
  await seen(statusOf(owner, 'Up to date'));
  await openTask(owner, MILESTONE, 'Let three inspectors share one tablet');
  await seen(owner.getByRole('listitem').filter({ hasText: 'Written while no server answered.' }));
  await expect.poll(() => owner.getByLabel('Priority').inputValue()).toBe('urgent');
  await openTask(owner, MILESTONE, PLANNED);
  await seen(owner.getByRole('listitem').filter({ hasText: 'Nineteen buoys, twice.' }));

  await openTask(editor, MILESTONE, CONTESTED);
  await seen(editor.getByRole('region', { name: 'Description' }).getByText('The owner writes at sea.'));
  await openTask(editor, MILESTONE, 'Written at sea');
  await seen(editor.getByRole('listitem').filter({ hasText: 'No signal here.' }));
  await seen(statusOf(editor, 'Up to date'));
  await expect.poll(() => text('list', { find: 'sea' })).toContain('Written at sea');
  expect(await text('context', { task: key })).toContain('Nineteen buoys, twice.');
  expect(
    await app.query(`select t.title, t.description, t.priority, t.current_stage from public.tasks t
      where t.title in ('${CONTESTED}', 'Let three inspectors share one tablet', '${PLANNED}') and t.deleted_at is null
      order by t.title`),
  ).toMatchObject([
    { title: PLANNED, current_stage: 'IMPLEMENT' },
    { title: 'Let three inspectors share one tablet', priority: 'urgent' },
    { title: CONTESTED, description: 'The owner writes at sea.' },
  ]);
  await browser.close();
});
