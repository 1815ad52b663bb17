/** The Firefox of the end-to-end tests, driven over WebDriver BiDi. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import puppeteer, { type Browser } from 'puppeteer-core';
import { type BrowserKind, type BrowserProcess, findExecutables, startFirst } from './executables';
import { TEST_MS } from './patience';

export const FIREFOX: BrowserKind = {
  name: 'Firefox',
  variable: 'FIREFOX_PATH',
  commands: ['firefox-esr', 'firefox'],
  macApps: ['Firefox.app/Contents/MacOS/firefox'],
  // scripts/test/setup.sh makes this link where it downloads one.
  downloaded: () => fileURLToPath(new URL('../../.cache/firefox', import.meta.url)),
};

/** Firefox lives for seconds here: what it prepares for later only costs time. */
const PREFERENCES = {
  'dom.ipc.processPrelaunch.enabled': false,
  // Of the compilers of WebAssembly the faster one: SQLite is not there long enough for the optimising one.
  'javascript.options.wasm_optimizingjit': false,
};

/** Whether tests do without Firefox here. tests/platform-skips.json lists the platforms on which they may not. */
export const lacksFirefox = process.platform !== 'linux' && findExecutables(FIREFOX).length === 0;

/**
 * Starts Firefox on a profile folder, which it makes or goes on with.
 * @throws when none of this machine's starts
 */
export function startFirefox(profile: string): Promise<BrowserProcess<Browser>> {
  return startFirst(FIREFOX, async (executablePath) => {
    const browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath,
      headless: true,
      userDataDir: profile,
      defaultViewport: { width: 1280, height: 800 },
      timeout: TEST_MS,
      protocolTimeout: TEST_MS,
      extraPrefsFirefox: PREFERENCES,
    });
    const { pid } = browser.process() as { pid: number };
    return {
      context: browser,
      kill: async () => {
        // The processes of its pages are in its group.
        process.kill(-pid, 'SIGKILL');
        // Resolves when it is gone and its profile is as puppeteer found it.
        await browser.close();
      },
    };
  });
}

/** A Firefox whose profile is removed with it. */
export class TemporaryFirefox {
  private constructor(
    readonly browser: Browser,
    private readonly end: () => Promise<void>,
  ) {}

  static async start(): Promise<TemporaryFirefox> {
    const profile = mkdtempSync(join(tmpdir(), 'convoy-firefox-'));
    const { context, kill } = await startFirefox(profile);
    return new TemporaryFirefox(context, async () => {
      await kill();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    });
  }

  close(): Promise<void> {
    return this.end();
  }
}
