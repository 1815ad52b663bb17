/** A person at the web app in Firefox, who finds things as webApp.ts does: by what they are and how they are called. */

import type { Page } from 'puppeteer-core';
import { WAIT_MS } from './patience';

type Role = 'button' | 'link' | 'textbox' | 'heading';

const named = (role: Role, name: string) => `::-p-aria([role="${role}"][name="${name}"])`;

export class FirefoxPerson {
  constructor(readonly page: Page) {
    page.setDefaultTimeout(WAIT_MS);
  }

  /** Signs an account of the demo in, and waits until all is synced. */
  async signIn(url: string, role: string): Promise<void> {
    await this.page.goto(url);
    await this.page.locator(`button ::-p-text(${role}@convoy.example)`).click();
    await this.page.locator('form button[type=submit]').click();
    await this.sees('Lighthouse', 'nav');
    await this.seesStatus('Up to date');
  }

  async press(role: Role, name: string): Promise<void> {
    await this.page.locator(named(role, name)).click();
  }

  /** Follows a link or presses a button by a part of its text. @param within a CSS selector */
  async choose(text: string, within = 'main'): Promise<void> {
    await this.page.locator(`${within} ::-p-text(${text})`).click();
  }

  /** Types into the editor of the page, which takes the place of the field when it is loaded. */
  async type(name: string, text: string): Promise<void> {
    await this.page.locator(named('textbox', name)).click();
    await this.page.locator('>>> .cm-content').click();
    await this.page.keyboard.type(text);
  }

  async fill(name: string, text: string): Promise<void> {
    await this.page.locator(named('textbox', name)).fill(text);
  }

  async sees(text: string, within = 'main'): Promise<void> {
    await this.page.locator(`${within} ::-p-text(${text})`).wait();
  }

  async seesStatus(text: string): Promise<void> {
    await this.sees(text, '[aria-label="Sync status"]');
  }

  /** Observers show a write a moment before it is acknowledged; its dialog closes when it is. */
  async seesNoDialog(): Promise<void> {
    await this.page.waitForSelector('[role=dialog]', { hidden: true });
  }
}
