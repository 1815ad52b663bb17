/** A person at the web app, in whichever browser: the same words for both, so that one story is told in each. */

import type { Page } from 'playwright-core';
import { WAIT_MS } from './patience';
import { gone, seen, statusOf } from './webApp';

export type Role = 'button' | 'link' | 'textbox' | 'heading' | 'tab' | 'menuitem' | 'searchbox';

export interface Person {
  goTo(url: string): Promise<void>;
  reload(): Promise<void>;
  /** Waits until the service worker answers: from then on the app needs no network. */
  isKept(): Promise<void>;
  /** Clicks what has this role and name, as soon as it acts. */
  press(role: Role, name: string): Promise<void>;
  /** Follows a link or presses a button by a part of its text. @param within a CSS selector */
  choose(text: string, within?: string): Promise<void>;
  /** Fills a plain field. */
  fill(name: string, text: string): Promise<void>;
  /** Writes into an editor of Markdown, which takes the place of its field when it is loaded. */
  write(name: string, text: string): Promise<void>;
  /** @param keys as in Control+Enter */
  key(keys: string): Promise<void>;
  sees(text: string, within?: string): Promise<void>;
  seesNoMore(text: string, within?: string): Promise<void>;
  seesHeading(name: string): Promise<void>;
  seesStatus(text: string): Promise<void>;
  /** Observers show a write a moment before it is acknowledged; its dialog closes when it is. */
  seesNoDialog(): Promise<void>;
  inputValue(label: string): Promise<string>;
}

/** As the pages of Playwright and puppeteer have it. */
interface AnyPage {
  setDefaultTimeout(ms: number): void;
  goto(url: string): Promise<unknown>;
  reload(): Promise<unknown>;
  waitForFunction(condition: () => boolean): Promise<unknown>;
}

export class AtPage<Kind extends AnyPage> {
  constructor(readonly page: Kind) {
    page.setDefaultTimeout(WAIT_MS);
  }

  async goTo(url: string): Promise<void> {
    await this.page.goto(url);
  }

  async reload(): Promise<void> {
    await this.page.reload();
  }

  async isKept(): Promise<void> {
    await this.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  }
}

/** In Chromium, by Playwright. */
export class ChromiumPerson extends AtPage<Page> implements Person {
  press(role: Role, name: string): Promise<void> {
    return this.page.getByRole(role, { name, exact: true }).first().click();
  }

  choose(text: string, within = 'main'): Promise<void> {
    return this.page.locator(within).getByText(text).first().click();
  }

  fill(name: string, text: string): Promise<void> {
    return this.page.getByRole('textbox', { name, exact: true }).fill(text);
  }

  write(name: string, text: string): Promise<void> {
    return this.fill(name, text);
  }

  key(keys: string): Promise<void> {
    return this.page.keyboard.press(keys);
  }

  sees(text: string, within = 'main'): Promise<void> {
    return seen(this.page.locator(within).getByText(text));
  }

  seesNoMore(text: string, within = 'main'): Promise<void> {
    return gone(this.page.locator(within).getByText(text));
  }

  seesHeading(name: string): Promise<void> {
    return seen(this.page.getByRole('heading', { name, level: 1 }));
  }

  seesStatus(text: string): Promise<void> {
    return seen(statusOf(this.page, text));
  }

  seesNoDialog(): Promise<void> {
    return gone(this.page.getByRole('dialog'));
  }

  inputValue(label: string): Promise<string> {
    return this.page.getByLabel(label, { exact: true }).inputValue();
  }
}

/** Signs an account of the demo in, and waits until all is synced. */
export async function signIn(person: Person, url: string, role: string): Promise<void> {
  await person.goTo(url);
  await person.choose(`${role}@convoy.example`, 'button');
  await person.press('button', 'Sign in');
  await person.sees('Lighthouse', 'nav');
  await person.seesStatus('Up to date');
}

/** Opens a milestone of the demo from any page. */
export async function openMilestone(person: Person, project: string, milestone: string): Promise<void> {
  await person.choose(project, 'nav');
  await person.seesHeading(project);
  await person.choose('Milestones', '[role=tablist]');
  await person.choose(milestone);
  await person.seesHeading(milestone);
}

export async function openTask(person: Person, milestone: string, title: string): Promise<void> {
  await openMilestone(person, 'Field app', milestone);
  await person.choose(title);
  await person.seesHeading(title);
}

/** Makes a task in the list of the page. */
export async function createTask(person: Person, title: string): Promise<void> {
  await person.press('button', 'New task');
  await person.fill('Title', title);
  await person.press('button', 'Create task');
  await person.seesNoDialog();
  await person.sees(title);
}

/** Gives the task of the page another title. */
export async function renameTask(person: Person, title: string): Promise<void> {
  await person.press('button', 'Edit title');
  await person.fill('Title', title);
  await person.key('Enter');
  await person.seesHeading(title);
}

export async function comment(person: Person, text: string): Promise<void> {
  await person.write('Comment', text);
  await person.press('button', 'Comment');
  await person.sees(text);
}
