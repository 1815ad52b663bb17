import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WAIT_MS } from '../support/patience';
import {
  comment,
  createTask,
  goOffline,
  openMilestone,
  openTask,
  renameTask,
  seen,
  statusOf,
  WebApp,
} from '../support/webApp';

const MILESTONE = 'Inspections work offline';

describe('without the network and without the server', () => {
  let app: WebApp;
  beforeAll(async () => {
    app = await WebApp.start();
  });
  afterAll(() => app.close());

  it('reads, creates, edits, comments and moves work offline, and reach every device on reconnection (P-LOCAL, P-CONVERGE)', async () => {
    const page = await app.signIn('editor');
    await openMilestone(page, 'Field app', MILESTONE);
    await page.evaluate(() => Object.assign(window, { isSamePage: true }));

    await goOffline(page);
    await app.stopServer();
    await seen(statusOf(page, 'Offline'));
    await createTask(page, 'Written with the radio off');
    await page.getByRole('main').getByRole('link', { name: 'Written with the radio off' }).click();
    await renameTask(page, 'Written and edited with the radio off');
    await comment(page, 'Nobody but me knows this yet.');
    await page.getByRole('button', { name: /^Plan review/ }).click();
    await seen(page.getByText('moved it from Plan to Plan review'));
    // Another task, never opened before: reading needs nobody either.
    await openMilestone(page, 'Sync service', 'Pull without gaps');
    await page.getByRole('main').getByRole('link', { name: 'Page towards a frozen target' }).click();
    await seen(page.getByText('A first sync of any size can be resumed'));
    await seen(statusOf(page, /\d+ changes to send/));

    await app.startServer();
    await page.context().setOffline(false);
    await seen(statusOf(page, 'Up to date'));
    expect(await page.evaluate(() => 'isSamePage' in window), 'the page was not reloaded').toBe(true);

    const other = await app.signIn('owner');
    await openTask(other, MILESTONE, 'Written and edited with the radio off');
    await seen(other.getByRole('listitem').filter({ hasText: 'Nobody but me knows this yet.' }));
    await seen(other.getByText('moved it from Plan to Plan review'));
    await other.context().close();
    await page.context().close();
  });

  it('the status tells an unreachable server from a missing network, and sync resumes by itself', async () => {
    const page = await app.signIn('editor');
    await openMilestone(page, 'Field app', MILESTONE);
    await app.stopServer();
    await createTask(page, 'Written while the server was down');
    await seen(statusOf(page, 'Offline — server not reachable'));
    expect(await page.evaluate(() => navigator.onLine)).toBe(true);
    await app.startServer();
    await seen(statusOf(page, 'Up to date'));
    await page.context().close();
  });

  it('acknowledged writes survive an immediate reload while still unsynced (P-DURABLE)', async () => {
    const page = await app.signIn('editor');
    await page.route('**/rest/v1/**', (route) => route.abort());
    await openMilestone(page, 'Field app', MILESTONE);
    const titles = ['one', 'two', 'three', 'four', 'five'].map((n) => `Reloaded at once, ${n}`);
    // The list renders a screenful; what is searched for is on it.
    const search = () =>
      page.getByRole('searchbox', { name: 'Find by key or title' }).fill('Reloaded at once');
    await search();
    for (const title of titles) {
      await createTask(page, title);
      await page.reload();
      await search();
      await seen(page.getByRole('main').getByRole('link', { name: title }));
    }
    await seen(statusOf(page, /10 changes to send/));
    await page.unroute('**/rest/v1/**');
    await page.getByRole('button', { name: 'Sync now' }).first().click();
    await seen(statusOf(page, 'Up to date'));
    await page.context().close();
  });

  it('the open page shows changes of others as soon as they are synced', async () => {
    const page = await app.signIn('editor');
    await openTask(page, MILESTONE, 'Let two inspectors share one tablet');
    const other = await app.signIn('owner');
    await openTask(other, MILESTONE, 'Let two inspectors share one tablet');
    await comment(other, 'The night shift agrees.');
    await seen(statusOf(other, 'Up to date'));
    const news = page.getByRole('listitem').filter({ hasText: 'The night shift agrees.' });
    await expect
      .poll(
        async () => {
          await page.getByRole('button', { name: 'Sync now' }).click();
          return news.count();
        },
        { timeout: WAIT_MS, interval: 500 },
      )
      .toBe(1);
    await other.context().close();
    await page.context().close();
  });
});
