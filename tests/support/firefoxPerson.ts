/** A person at the web app in Firefox, by puppeteer. */

import type { Page } from 'puppeteer-core';
import { AtPage, type Person, type Role } from './person';

const named = (role: Role, name: string) => `::-p-aria([role="${role}"][name="${name}"])`;

export class FirefoxPerson extends AtPage<Page> implements Person {
  async press(role: Role, name: string): Promise<void> {
    await this.page
      .locator(named(role, name))
      .filter((element) => element.getAttribute('aria-disabled') !== 'true')
      .click();
  }

  async choose(text: string, within = 'main'): Promise<void> {
    await this.page.locator(`${within} ::-p-text(${text})`).click();
  }

  async fill(name: string, text: string): Promise<void> {
    await this.page.locator(named('textbox', name)).fill(text);
  }

  async write(name: string, text: string): Promise<void> {
    const field = `[aria-label="${name}"]`;
    await this.page.locator(`>>> :is(textarea, .cm-content)${field}`).click();
    await this.page.locator(`>>> .cm-content${field}`).click();
    await this.key('Control+a');
    await this.page.keyboard.type(text);
  }

  async key(keys: string): Promise<void> {
    const all = keys.split('+') as Parameters<Page['keyboard']['press']>[0][];
    const last = all.pop();
    for (const one of all) await this.page.keyboard.down(one);
    if (last !== undefined) await this.page.keyboard.press(last);
    for (const one of all) await this.page.keyboard.up(one);
  }

  async sees(text: string, within = 'main'): Promise<void> {
    await this.page.locator(`${within} ::-p-text(${text})`).wait();
  }

  async seesNoMore(text: string, within = 'main'): Promise<void> {
    await this.page.waitForSelector(`${within} ::-p-text(${text})`, { hidden: true });
  }

  async seesHeading(name: string): Promise<void> {
    await this.page.locator(named('heading', name)).wait();
  }

  async seesStatus(text: string): Promise<void> {
    await this.sees(text, '[aria-label="Sync status"]');
  }

  async seesNoDialog(): Promise<void> {
    await this.page.waitForSelector('[role=dialog]', { hidden: true });
  }

  /** Approves or sends back the open item by its key, which does nothing until a person can have seen the request. */
  async settle(key: 'a' | 'r'): Promise<void> {
    await this.page
      .locator(named('button', 'Approve'))
      .filter((element) => element.getAttribute('aria-disabled') !== 'true')
      .wait();
    await this.key(key);
  }

  inputValue(label: string): Promise<string> {
    return this.page.evaluate((name) => {
      const labels = [...document.querySelectorAll('label')];
      const control = labels.find(({ textContent }) => textContent?.trim() === name)?.control;
      return control instanceof HTMLSelectElement || control instanceof HTMLInputElement ? control.value : '';
    }, label);
  }
}
