import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppServer } from '../../support/appServer';
import { lacksFirefox, TemporaryFirefox } from '../../support/firefox';
import { FirefoxPerson } from '../../support/firefoxPerson';
import { manyTasks } from '../../support/manyTasks';
import { createTask, openMilestone, signIn } from '../../support/person';
import { SEED, seedId } from '../../support/seed';

const LIST = '[aria-label="What waits for you"]';
const ITEM = '[aria-label="The open item"]';
const MANY = 10_000;

describe.skipIf(lacksFirefox)('in Firefox, the app', () => {
  let server: AppServer;
  let firefox: TemporaryFirefox;
  let owner: FirefoxPerson;
  beforeAll(async () => {
    [server, firefox] = await Promise.all([AppServer.start(), TemporaryFirefox.start()]);
    const context = await firefox.browser.createBrowserContext();
    owner = new FirefoxPerson(await context.newPage());
    await signIn(owner, server.stack.url, 'owner');
  });
  afterAll(async () => {
    await firefox.close();
    await server.close();
  });

  const stageOf = async (n: number) => {
    const [task] = await server.query<{ current_stage: string }>(
      `select current_stage from public.tasks where id = '${seedId('task', n)}'`,
    );
    return task?.current_stage;
  };

  it('approves a plan by A, approves none that changes under the open row, and sends a review back with a reason (P-CHECKPOINT)', async () => {
    await owner.press('link', 'Convoy: your inbox');
    await owner.choose('Show what has not reached the office yet', LIST);
    await owner.sees('The list of what waits reads the outbox itself', ITEM);
    await owner.settle('a');
    await owner.sees('FIELD-2 is approved.', 'body');
    await owner.choose('Add an outdoor theme', LIST);
    await owner.sees('A second set of colours', ITEM);
    await server.query(`insert into public.activity_feed (id, workspace_id, task_id, actor_id, activity_type, details)
      values (gen_random_uuid(), '${SEED.workspace}', '${seedId('task', 18)}', '${SEED.users.agent}', 'review_requested',
        '{"stage": "PLAN_REVIEW", "text": "Three sets of colours."}')`);
    await owner.press('button', 'Sync now');
    await owner.sees('A newer request has come in', ITEM);
    await owner.key('a');
    await owner.sees('A second set of colours', ITEM);
    await owner.press('button', 'Show it');
    await owner.sees('Three sets of colours.', ITEM);
    await owner.settle('a');
    await owner.seesNoMore('Add an outdoor theme', LIST);
    await owner.choose('Say in plain words who changed what', LIST);
    await owner.sees('Twelve sentences for the twelve', ITEM);
    await owner.settle('r');
    await owner.fill('What is missing?', 'Who is meant by “they”?');
    await owner.key('Control+Enter');
    await owner.seesNoMore('Say in plain words who changed what', LIST);
    await owner.press('button', 'Sync now');
    await expect.poll(() => Promise.all([2, 18, 36].map(stageOf))).toEqual(['COMMIT', 'IMPLEMENT', 'PLAN']);
  });

  it('five tabs show what one of them writes, also when the one that holds the storage is closed (P-DURABLE)', async () => {
    const tabs = [owner];
    while (tabs.length < 5) tabs.push(new FirefoxPerson(await owner.page.browserContext().newPage()));
    for (const [n, tab] of tabs.entries()) {
      await tab.page.bringToFront();
      await tab.goTo(server.stack.url);
      await openMilestone(tab, 'Field app', 'Pilot with two ports');
      await createTask(tab, `From tab ${n + 1}`);
    }
    await owner.page.close();
    const [, second, ...others] = tabs as [FirefoxPerson, FirefoxPerson, ...FirefoxPerson[]];
    owner = second;
    await owner.page.bringToFront();
    await createTask(owner, 'After one was closed');
    for (const tab of [owner, ...others]) {
      for (const n of [1, 2, 3, 4, 5]) await tab.sees(`From tab ${n}`);
      await tab.sees('After one was closed');
    }
    for (const { page } of others) await page.close();
  });

  it('shows ten thousand tasks by a screenful, finds one, and is at its last one after scrolling to it', async () => {
    await manyTasks(server.stack.backend, MANY);
    await owner.press('button', 'Sync now');
    await openMilestone(owner, 'Field app', 'Inspections work offline');
    const [all] = await server.query<{ count: number }>(
      `select count(*)::int from public.tasks where milestone_id = '${SEED.offlineMilestone}'`,
    );
    await owner.sees(`${all?.count.toLocaleString('en')} in all`);
    const rows = () => owner.page.$$eval('main a[href^="/tasks/"]', ({ length }) => length);
    expect(await rows()).toBeLessThan(120);
    await owner.page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    await owner.page.waitForSelector(`main li[aria-posinset="${all?.count}"]`, { visible: true });
    expect(await rows()).toBeLessThan(120);
    await owner.page.locator('input[type=search]').fill('bulk 7654');
    await owner.choose('Bulk 7654');
    await owner.seesHeading('Bulk 7654');
  });
});
