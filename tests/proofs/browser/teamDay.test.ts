/**
 * A day of two people and an agent: one of them is offline for hours, the server stops, they edit the same, one restarts offline. The one
 * who is offline is at each browser once.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openProfile } from '../../support/browser';
import { Machine } from '../../support/builtConvoy';
import { lacksFirefox, startFirefox } from '../../support/firefox';
import { FirefoxPerson } from '../../support/firefoxPerson';
import { FlakyProxy } from '../../support/flakyProxy';
import { McpHost } from '../../support/mcpHost';
import {
  ChromiumPerson,
  comment,
  createTask,
  openMilestone,
  openTask,
  type Person,
  renameTask,
  signIn,
} from '../../support/person';
import { SEED } from '../../support/seed';
import { seen, statusOf, syncNow, WebApp } from '../../support/webApp';

const MILESTONE = 'Inspections work offline';
const CONTESTED = 'Survive a clock that is wrong by hours';
const SHARED = 'Let two inspectors share one tablet';
const PLANNED = 'Count the buoys';
const DESCRIPTION = '[aria-labelledby=description-title]';

/** Opens a page of a browser on a profile, which it makes or goes on with. */
type Open = (profile: string) => Promise<{ person: Person; end: () => Promise<void> }>;

const openChromium: Open = async (profile) => {
  const context = await openProfile(profile);
  return { person: new ChromiumPerson(await context.newPage()), end: () => context.close() };
};

/** It is killed at the end. */
const openFirefox: Open = async (profile) => {
  const { context, kill } = await startFirefox(profile);
  return { person: new FirefoxPerson(await context.newPage()), end: kill };
};

/** The agent works from a folder that is linked to the field app. */
async function startAgent(machine: Machine, url: string): Promise<McpHost> {
  await machine.signIn(url, 'agent@convoy.example', SEED.password);
  const folder = join(machine.work, 'field-app');
  mkdirSync(folder);
  const link = { url, workspace_id: SEED.workspace, project_id: SEED.fieldApp };
  writeFileSync(join(folder, 'convoy.json'), JSON.stringify(link));
  return McpHost.start(machine, { folder });
}

async function describeIt(person: Person, text: string): Promise<void> {
  await person.press('button', 'Edit description');
  await person.write('Description', text);
  await person.key('Control+Enter');
  await person.sees(text, DESCRIPTION);
}

/** A day of which each browser tells the same. */
function tellTheDay(open: Open): void {
  let app: WebApp;
  /** Between the owner and the server. */
  let cable: FlakyProxy;
  let machine: Machine;
  let agent: McpHost;
  let profile: string;
  let end = async () => {};
  beforeAll(async () => {
    [app, machine] = await Promise.all([WebApp.start(), Machine.start()]);
    cable = await FlakyProxy.start({ to: app.url, seed: 1 });
    profile = mkdtempSync(join(tmpdir(), 'convoy-profile-'));
  });
  afterAll(async () => {
    await end();
    await agent?.close();
    machine.remove();
    await cable.close();
    await app.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });

  it('loses nothing, passes no checkpoint by itself, and ends with the same work everywhere (P-NOLOSS, P-CONVERGE, P-CHECKPOINT)', async () => {
    let browser = await open(profile);
    end = browser.end;
    let owner = browser.person;
    await signIn(owner, cable.url, 'owner');
    await owner.isKept();
    const editorsPage = await app.signIn('editor');
    const editor = new ChromiumPerson(editorsPage);

    // In the morning the owner writes a task; the agent plans it, and the owner approves the plan.
    await openMilestone(owner, 'Field app', MILESTONE);
    await createTask(owner, PLANNED);
    await owner.press('button', 'Sync now');
    agent = await startAgent(machine, app.url);
    const { text, call } = agent;
    await expect.poll(() => text('list', { find: 'buoys' })).toContain(PLANNED);
    const key = /[A-Z]+-\d+/.exec(await text('list', { find: 'buoys' }))?.[0] ?? '';
    expect(await text('next', { task: key })).toContain(PLANNED);
    await text('request_review', { task: key, text: 'Count them from the boat, twice.' });
    expect(await call('move', { task: key })).toMatchObject({ isError: true });
    await owner.press('link', 'Convoy: your inbox');
    await owner.choose(PLANNED, '[aria-label="What waits for you"]');
    await owner.sees('Count them from the boat, twice.', '[aria-label="The open item"]');
    await owner.press('button', 'Approve');
    await owner.sees(`${key} is approved.`, 'body');
    await expect.poll(() => text('wait', { task: key, seconds: 1 })).toContain('Approved');

    // The owner leaves for hours without a network, and writes.
    await owner.seesStatus('Up to date');
    cable.become({ request: [0, 0], answer: [0, 0] });
    await openTask(owner, MILESTONE, CONTESTED);
    await describeIt(owner, 'The owner writes at sea.');
    await openTask(owner, MILESTONE, SHARED);
    await renameTask(owner, 'Let three inspectors share one tablet');
    await openMilestone(owner, 'Field app', MILESTONE);
    await createTask(owner, 'Written at sea');
    await owner.choose('Written at sea');
    await comment(owner, 'No signal here.');
    await owner.press('button', 'More actions');
    await owner.press('menuitem', 'Delete task');
    await owner.press('button', 'Undo');
    await owner.sees('Written at sea');

    // Meanwhile the editor changes the same, and the agent goes on; then the server stops, and both write on.
    await openTask(editor, MILESTONE, CONTESTED);
    await describeIt(editor, 'The editor writes ashore.');
    await openTask(editor, MILESTONE, SHARED);
    await editorsPage.getByLabel('Priority').selectOption('Urgent');
    await syncNow(editorsPage);
    await app.stopServer();
    await comment(editor, 'Written while no server answered.');
    await text('report', { task: key, text: 'Nineteen buoys, twice.' });
    await seen(statusOf(editorsPage, /to send|Offline/));

    // The owner's browser ends and is started again, still without network: all is there.
    await browser.end();
    browser = await open(profile);
    end = browser.end;
    owner = browser.person;
    await owner.goTo(cable.url);
    await openTask(owner, MILESTONE, 'Written at sea');
    await owner.sees('No signal here.');
    await openTask(owner, MILESTONE, CONTESTED);
    await owner.sees('The owner writes at sea.', DESCRIPTION);

    // In the evening the server and the network are back, and the owner decides about what both have written.
    await app.startServer();
    cable.become(null);
    await owner.sees('The editor writes ashore.', '[aria-label=Conflict]');
    await owner.sees('The owner writes at sea.', '[aria-label=Conflict]');
    await owner.press('button', 'Use yours: description');
    await owner.seesStatus('Up to date');
    await openTask(owner, MILESTONE, 'Let three inspectors share one tablet');
    await owner.sees('Written while no server answered.');
    await expect.poll(() => owner.inputValue('Priority')).toBe('urgent');
    await openTask(owner, MILESTONE, PLANNED);
    await owner.sees('Nineteen buoys, twice.');

    await openTask(editor, MILESTONE, CONTESTED);
    await editor.sees('The owner writes at sea.', DESCRIPTION);
    await openTask(editor, MILESTONE, 'Written at sea');
    await editor.sees('No signal here.');
    await editor.seesStatus('Up to date');
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
  });
}

describe('a day of two people and an agent, one of them offline in Chromium', () => tellTheDay(openChromium));

describe.skipIf(lacksFirefox)('a day of two people and an agent, one of them offline in Firefox', () =>
  tellTheDay(openFirefox),
);
