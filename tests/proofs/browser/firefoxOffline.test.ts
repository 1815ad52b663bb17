import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppServer } from '../../support/appServer';
import { lacksFirefox, TemporaryFirefox } from '../../support/firefox';
import { FirefoxPerson } from '../../support/firefoxPerson';
import { ReleasedApp } from '../../support/releasedApp';

describe.skipIf(lacksFirefox)('in Firefox, the app that is kept', () => {
  let released: ReleasedApp;
  let server: AppServer;
  let firefox: TemporaryFirefox;
  beforeAll(async () => {
    released = new ReleasedApp();
    const { webRoot } = released;
    [server, firefox] = await Promise.all([AppServer.start({ webRoot }), TemporaryFirefox.start()]);
  });
  afterAll(async () => {
    await firefox.close();
    await server.close();
    released.remove();
  });

  /** A person with a device of their own. */
  const newcomer = async (role: string) => {
    const context = await firefox.browser.createBrowserContext();
    const person = new FirefoxPerson(await context.newPage());
    await person.signIn(server.stack.url, role);
    await person.choose('Field app', 'nav');
    await person.choose('Milestones');
    await person.choose('Inspections work offline');
    return person;
  };

  it('reads, creates, edits, comments and moves work, and reach every device on reconnection (P-LOCAL, P-CONVERGE)', async () => {
    const editor = await newcomer('editor');
    await editor.page.evaluate(() => Object.assign(window, { isSamePage: true }));

    await server.stop();
    await editor.press('button', 'New task');
    await editor.fill('Title', 'Written without the server');
    await editor.press('button', 'Create task');
    await editor.seesNoDialog();
    await editor.seesStatus('Offline — server not reachable');
    await editor.choose('Written without the server');
    await editor.press('button', 'Edit title');
    await editor.fill('Title', 'Written and edited without the server');
    await editor.page.keyboard.press('Enter');
    await editor.sees('Written and edited without the server');
    await editor.type('Comment', 'Nobody but me knows this yet.');
    await editor.press('button', 'Comment');
    await editor.sees('Nobody but me knows this yet.');
    await editor.choose('Plan review');
    await editor.sees('moved it from Plan to Plan review');
    // Another task, never opened before: reading needs nobody either.
    await editor.choose('Sync service', 'nav');
    await editor.choose('Milestones');
    await editor.choose('Pull without gaps');
    await editor.choose('Page towards a frozen target');
    await editor.sees('A first sync of any size can be resumed');
    await editor.seesStatus('changes to send');
    expect(await editor.page.evaluate(() => 'isSamePage' in window), 'the page was not reloaded').toBe(true);
    // The app itself is kept, too.
    await editor.page.reload();
    await editor.sees('A first sync of any size can be resumed');
    await editor.seesStatus('changes to send');

    await server.startAgain();
    await editor.seesStatus('Up to date');
    expect(await editor.page.evaluate(() => 'isSamePage' in window)).toBe(false);

    const owner = await newcomer('owner');
    await owner.choose('Written and edited without the server');
    await owner.sees('Nobody but me knows this yet.');
    await owner.sees('moved it from Plan to Plan review');
  });

  it('an old tab is told of a newer version, takes it when its person says so, and has what was written', async () => {
    const one = await newcomer('editor');
    const two = new FirefoxPerson(await one.page.browserContext().newPage());
    await two.page.goto(server.stack.url);
    await two.sees('Lighthouse', 'nav');
    for (const { page } of [one, two]) {
      await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    }
    await one.press('button', 'New task');
    await one.fill('Title', 'Written before the update');
    await one.press('button', 'Create task');
    await one.seesNoDialog();
    released.release('Convoy, next');
    await two.page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
    for (const person of [one, two]) await person.sees('A newer version of Convoy is ready.', '.update-note');
    await expect.poll(() => one.page.title()).toMatch(/· Convoy$/);
    await one.press('button', 'Reload');
    for (const { page } of [one, two])
      await page.waitForFunction(() => document.title.endsWith('· Convoy, next'));
    await one.sees('Written before the update');
  });
});
