/** The web app as people use it: the real local stack, and real browsers. */

import { setTimeout } from 'node:timers/promises';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import type { LocalStack } from '@/server';
import { AppServer, type AppServerOptions } from './appServer';
import { launchBrowser, NAMED, PLAIN_HOST } from './browser';
import { WAIT_MS } from './patience';

/** Between two looks at a page: each takes time of its process and of this one. */
const LOOK_MS = 100;

export class WebApp {
  private constructor(
    private readonly browser: Browser,
    private readonly server: AppServer,
    private readonly isPlain: boolean,
  ) {}

  /** @param isPlain over plain HTTP to a name that is not localhost, which is no secure context */
  static async start(options: AppServerOptions = {}): Promise<WebApp> {
    const { isPlain = false } = options;
    const browser = await launchBrowser(isPlain ? NAMED : []);
    return new WebApp(browser, await AppServer.start(options), isPlain);
  }

  /** The address that browsers open. */
  get url(): string {
    const { url } = this.stack;
    return this.isPlain ? url.replace('localhost', PLAIN_HOST) : url;
  }

  get stack(): LocalStack {
    return this.server.stack;
  }

  /** Pages have all parts of the app by then: the service worker, which keeps them for people, is off in most tests. */
  async stopServer(): Promise<void> {
    await Promise.all(this.browser.contexts().flatMap((context) => context.pages().map(untilFetched)));
    await this.server.stop();
  }

  startServer(): Promise<void> {
    return this.server.startAgain();
  }

  /**
   * A new browser profile: nothing stored, no account signed in.
   * @param options.isKept the app is kept by its service worker, whose requests no route of a test sees
   * @param options.timezoneId the time zone of the person, unless it is the machine's
   */
  async newProfile(
    options: { at?: string; isKept?: boolean; timezoneId?: string } = {},
  ): Promise<BrowserContext> {
    const context = await this.browser.newContext({
      timezoneId: options.timezoneId,
      baseURL: options.at ?? this.url,
      serviceWorkers: options.isKept ? 'allow' : 'block',
      viewport: { width: 1280, height: 800 },
    });
    context.setDefaultTimeout(WAIT_MS);
    return context;
  }

  /**
   * A page on which an account of the demo is signed in and synced.
   * @param address the app's, for a profile that does not know it
   */
  async signIn(role: string, context?: BrowserContext, address = '/'): Promise<Page> {
    const page = await (context ?? (await this.newProfile())).newPage();
    await page.goto(address);
    await page.getByRole('button', { name: `${role}@convoy.example` }).click();
    await page.locator('form').getByRole('button', { name: 'Sign in' }).click();
    await seen(places(page).getByRole('link', { name: /^Lighthouse/ }));
    await seen(statusOf(page, 'Up to date'));
    return page;
  }

  /** Runs SQL as the server itself, for changes that the app does not offer. */
  async sql(text: string): Promise<void> {
    await this.query(text);
  }

  /** Reads as the server itself. */
  query<Row>(text: string): Promise<Row[]> {
    return this.server.query<Row>(text);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.server.close();
  }
}

/** Parts that come when the page is idle, the last ones among them. */
const LATE_PARTS = ['work', 'DialogFrame', 'MenuPopup', 'SyncPage', 'DifferenceParts', 'Toaster', 'empty'];

/** Waits until a page that shows the app's frame has fetched what it needs without the server. */
export async function untilFetched(page: Page): Promise<void> {
  if (!(await page.locator('.shell').isVisible())) return;
  await page.waitForFunction((parts) => {
    const fetched = performance.getEntriesByType('resource').map(({ name }) => name);
    return parts.every((part) => fetched.some((name) => name.includes(`/assets/${part}-`)));
  }, LATE_PARTS);
}

/** Takes the network away, as from a person whose app has come whole. */
export async function goOffline(page: Page): Promise<void> {
  await untilFetched(page);
  await page.context().setOffline(true);
}

/** Waits until a person would see it. */
export function seen(locator: Locator): Promise<void> {
  return untilVisible(locator, true);
}

/**
 * Waits until a person would see it no more. Behind an open dialog no role is found: of what a dialog removes from the page, the dialog
 * is awaited first.
 */
export function gone(locator: Locator): Promise<void> {
  return untilVisible(locator, false);
}

/** Playwright's own `waitFor` looks every 500 ms after the first ones, which adds up to minutes over all tests. */
async function untilVisible(locator: Locator, isVisible: boolean): Promise<void> {
  const first = locator.first();
  const deadline = performance.now() + WAIT_MS;
  while ((await first.isVisible()) !== isVisible) {
    if (performance.now() > deadline) {
      const shown = await first.page().locator('body').innerText();
      throw new Error(
        `After ${WAIT_MS} ms still ${isVisible ? 'not seen' : 'seen'}: ${locator}\nThe page shows:\n${bothEnds(shown)}`,
      );
    }
    await setTimeout(LOOK_MS);
  }
}

/** A page begins with its name, and ends with its dialogs and notes. */
function bothEnds(text: string): string {
  return text.length <= 2_400 ? text : `${text.slice(0, 1_000)}\n…\n${text.slice(-1_400)}`;
}

/** The status line with this text. */
export function statusOf(page: Page, text: string | RegExp): Locator {
  return page.getByRole('region', { name: 'Sync status' }).getByRole('link').filter({ hasText: text });
}

/**
 * Presses Sync now and waits until nothing is left to send. The status alone does not tell: right
 * after a write, and right after the click, it still is that of the last sync.
 */
export async function syncNow(page: Page): Promise<void> {
  const button = page.getByRole('region', { name: 'Sync status' }).getByRole('button', { name: 'Sync now' });
  const pulled = page.waitForResponse('**/rest/v1/rpc/sync_pull');
  await button.click();
  await pulled;
  await seen(statusOf(page, 'Up to date'));
}

/** The sidebar. */
export function places(page: Page): Locator {
  return page.getByRole('navigation', { name: 'Workspaces' });
}

/** Opens a project of the demo from any page. */
export async function openProject(page: Page, project: string): Promise<void> {
  await places(page).getByRole('link', { name: project, exact: true }).click();
  await seen(page.getByRole('main').getByRole('heading', { name: project, level: 1 }));
}

/** Opens a milestone of the demo from any page, without loading the app anew. */
export async function openMilestone(page: Page, project: string, milestone: string): Promise<void> {
  const main = page.getByRole('main');
  await openProject(page, project);
  await page.getByRole('tab', { name: 'Milestones' }).click();
  await main.getByRole('link', { name: milestone }).click();
  await seen(main.getByRole('heading', { name: milestone }));
}

/** Opens a task of "Field app", likewise. */
export async function openTask(page: Page, milestone: string, title: string): Promise<void> {
  await openMilestone(page, 'Field app', milestone);
  await page.getByRole('main').getByRole('link', { name: title }).first().click();
  await seen(page.getByRole('heading', { name: title, level: 1 }));
  await acknowledged(page);
}

/** Chooses an action of the menu of a workspace, project or milestone. */
export async function choose(page: Page, action: string): Promise<void> {
  await page.getByRole('button', { name: /^More actions/ }).click();
  await page.getByRole('menuitem', { name: action }).click();
}

/** Makes a task in the list of the page. */
export async function createTask(page: Page, title: string): Promise<void> {
  await page.getByRole('button', { name: 'New task' }).click();
  await page.getByRole('textbox', { name: 'Title' }).fill(title);
  await page.getByRole('button', { name: 'Create task' }).click();
  await seen(page.getByRole('main').getByRole('link', { name: title }));
  await acknowledged(page);
}

/** Observers show a write a moment before it is acknowledged; its dialog closes when it is. */
async function acknowledged(page: Page): Promise<void> {
  await gone(page.getByRole('dialog'));
}

/** Makes a workspace with a project and a milestone, and goes there: the form of each leads to that of the next. */
export async function buildUp(page: Page, name: string): Promise<void> {
  const made = async (what: string, called: string) => {
    const form = page.getByRole('dialog', { name: `New ${what}` });
    await form.getByLabel('Name').fill(called);
    await form.getByRole('button', { name: `Create ${what}` }).click();
    await gone(form);
    // The form of the next place may be over it by then.
    await seen(page.locator('h1').filter({ hasText: called }));
  };
  await page.getByRole('button', { name: 'New workspace' }).click();
  await made('workspace', name);
  await made('project', `${name}: project`);
  await page.getByRole('tab', { name: 'Milestones' }).click();
  await page.getByRole('button', { name: 'New milestone' }).click();
  await made('milestone', `${name}: milestone`);
}

/** Gives the task of the page another title. */
export async function renameTask(page: Page, title: string): Promise<void> {
  await page.getByRole('button', { name: 'Edit title' }).click();
  await page.getByRole('textbox', { name: 'Title' }).fill(title);
  await page.keyboard.press('Enter');
  await seen(page.getByRole('heading', { name: title, level: 1 }));
}

/** Deletes the task of the page, which goes to where the task was. */
export async function deleteTask(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Delete task' }).click();
  await seen(page.getByRole('button', { name: 'Undo' }));
}

/** The text of a field, whether it is plain or an editor. */
export function typedIn(field: Locator): Promise<string> {
  return field.evaluate((element) =>
    element instanceof HTMLTextAreaElement || element instanceof HTMLInputElement
      ? element.value
      : [...element.querySelectorAll('.cm-line')].map((line) => line.textContent).join('\n'),
  );
}

export async function comment(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Comment' }).fill(text);
  const send = page.getByRole('button', { name: 'Comment', exact: true });
  await seen(send);
  await send.click();
  await seen(page.getByRole('listitem').filter({ hasText: text }));
}

/** Opens the members of the demo's workspace from any page. */
export async function openMembers(page: Page): Promise<void> {
  await places(page).getByRole('link', { name: 'Members', exact: true }).click();
  await seen(page.getByRole('main').getByRole('heading', { name: 'Members' }));
}

/** Chooses "Sign out" in the menu of the account; a dialog then asks. */
export async function askToSignOut(page: Page): Promise<void> {
  await page
    .getByRole('banner')
    .getByRole('button', { name: /^Account of / })
    .click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
}
