/** The browser of the end-to-end tests: whichever Chromium this machine has. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { type BrowserKind, type BrowserProcess, startFirst } from './executables';

export const CHROMIUM: BrowserKind = {
  name: 'Chromium',
  variable: 'CHROMIUM_PATH',
  commands: [
    // Draws no window: browser tests take about 60 % of the time.
    'chromium-headless-shell',
    'chromium',
    'chromium-browser',
    'google-chrome',
    'google-chrome-stable',
    'chrome',
  ],
  macApps: ['Chromium.app/Contents/MacOS/Chromium', 'Google Chrome.app/Contents/MacOS/Google Chrome'],
  downloaded: () => chromium.executablePath(),
};

const ARGS = [
  // Chromium refuses to run as root, which containers do, with its sandbox on.
  '--no-sandbox',
  '--disable-gpu',
  // The rest keeps the browser from contacting any host but the page under test.
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * For pages that live for seconds: V8's optimising compiler of WebAssembly would take more time than SQLite saves
 * by it. The code is the same, compiled by the faster compiler alone.
 */
const SHORT_LIVED = '--js-flags=--liftoff-only';

/** A name of this machine that browsers started with `NAMED` know: over plain HTTP it is no secure context. */
export const PLAIN_HOST = 'convoy.test';
export const NAMED = [`--host-resolver-rules=MAP ${PLAIN_HOST} 127.0.0.1`];

/**
 * @param more arguments of the browser
 * @returns a headless browser; the caller closes it
 * @throws with the command that installs one when none of this machine's starts
 */
export function launchBrowser(more: readonly string[] = []): Promise<Browser> {
  return startFirst(CHROMIUM, (executablePath) =>
    chromium.launch({ executablePath, args: [...ARGS, SHORT_LIVED, ...more] }),
  );
}

/**
 * Opens a browser on a profile folder, which it makes or goes on with. Closing it ends it as a person does: what pages
 * have put into their storage is on disk.
 */
export function openProfile(profile: string): Promise<BrowserContext> {
  const viewport = { width: 1280, height: 800 };
  return startFirst(CHROMIUM, (executablePath) =>
    chromium.launchPersistentContext(profile, { executablePath, viewport, args: [...ARGS, SHORT_LIVED] }),
  );
}

/** A Chromium that other tools can drive, too. */
export interface ChromiumProcess extends BrowserProcess<BrowserContext> {
  /** At which it is driven. */
  port: number;
}

/**
 * Starts a browser on a profile folder, which it makes or goes on with.
 * @throws when none of this machine's browsers starts
 */
export function startBrowserProcess(profile: string): Promise<ChromiumProcess> {
  return startFirst(CHROMIUM, async (executable) => {
    const flags = ['--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'];
    const child = spawn(executable, [...ARGS, ...flags], {
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const gone = once(child, 'exit');
    const url = await new Promise<string>((resolve, reject) => {
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        const found = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
        if (found) resolve(found);
      });
      gone.then(() => reject(new Error(said)), reject);
    });
    const browser = await chromium.connectOverCDP(url);
    const [context] = browser.contexts();
    if (!context) throw new Error('The browser has no profile.');
    return {
      context,
      port: Number(new URL(url).port),
      kill: async () => {
        process.kill(-(child.pid as number), 'SIGKILL');
        await gone;
        await browser.close().catch(() => undefined);
      },
    };
  });
}
