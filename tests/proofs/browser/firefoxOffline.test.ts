import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppServer } from '../../support/appServer';
import { lacksFirefox, TemporaryFirefox } from '../../support/firefox';
import { FirefoxPerson } from '../../support/firefoxPerson';
import { comment, createTask, openMilestone, renameTask, signIn } from '../../support/person';
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
    await signIn(person, server.stack.url, role);
    await openMilestone(person, 'Field app', 'Inspections work offline');
    return person;
  };

  it('reads, creates, edits, comments and moves work, and reach every device on reconnection (P-LOCAL, P-CONVERGE)', async () => {
    const editor = await newcomer('editor');
    await editor.page.evaluate(() => Object.assign(window, { isSamePage: true }));

    await server.stop();
    await createTask(editor, 'Written without the server');
    await editor.seesStatus('Offline — server not reachable');
    await editor.choose('Written without the server');
    await renameTask(editor, 'Written and edited without the server');
    await comment(editor, 'Nobody but me knows this yet.');
    await editor.choose('Plan review');
    await editor.sees('moved it from Plan to Plan review');
    // Another task, never opened before: reading needs nobody either.
    await openMilestone(editor, 'Sync service', 'Pull without gaps');
    await editor.choose('Page towards a frozen target');
    await editor.sees('A first sync of any size can be resumed');
    await editor.seesStatus('changes to send');
    expect(await editor.page.evaluate(() => 'isSamePage' in window), 'the page was not reloaded').toBe(true);
    // The app itself is kept, too.
    await editor.reload();
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
    await two.goTo(server.stack.url);
    await two.sees('Lighthouse', 'nav');
    for (const person of [one, two]) await person.isKept();
    await createTask(one, 'Written before the update');
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
