/** The browser of the end-to-end tests: whichever Chromium this machine has. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

const MAC_APPS = ['Chromium.app/Contents/MacOS/Chromium', 'Google Chrome.app/Contents/MacOS/Google Chrome'];

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
 * @returns the paths of the browsers to try, in order: `CHROMIUM_PATH` alone when it is set; else those
 * on the PATH, macOS applications, and what Playwright downloaded
 * @throws when `CHROMIUM_PATH` names a file that does not exist
 */
export function findBrowsers(env: NodeJS.ProcessEnv = process.env): string[] {
  const named = env.CHROMIUM_PATH;
  if (named) {
    if (!existsSync(named)) throw new Error(`CHROMIUM_PATH names ${named}, which does not exist.`);
    return [named];
  }
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const applications =
    process.platform === 'darwin' ? ['/Applications', join(homedir(), 'Applications')] : [];
  return [
    ...COMMANDS.flatMap((command) => folders.map((folder) => join(folder, command))),
    ...applications.flatMap((folder) => MAC_APPS.map((app) => join(folder, app))),
    chromium.executablePath(),
  ].filter((path) => existsSync(path));
}

/**
 * @returns a headless browser; the caller closes it
 * @throws with the command that installs one when none of this machine's starts
 */
export async function launchBrowser(): Promise<Browser> {
  const failures: string[] = [];
  // The next one is tried because a name on the PATH may be a stub: Ubuntu's asks for a snap.
  for (const executablePath of findBrowsers()) {
    try {
      return await chromium.launch({ executablePath, args: ARGS });
    } catch (error) {
      failures.push(`${executablePath}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const tried = failures.length > 0 ? `\n${failures.join('\n')}` : '';
  throw new Error(
    `No Chromium that starts. Install one with \`npm run test:setup\`, or set CHROMIUM_PATH.${tried}`,
  );
}

/** A browser with a profile on disk that can be killed with all its processes. */
export interface BrowserProcess {
  context: BrowserContext;
  /** SIGKILL to the whole process group; resolves when it is gone. */
  kill(): Promise<void>;
}

/**
 * Starts a browser on a profile folder, which it makes or goes on with.
 * @throws when none of this machine's browsers starts
 */
export async function startBrowserProcess(profile: string): Promise<BrowserProcess> {
  for (const executable of findBrowsers()) {
    const flags = ['--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'];
    const child = spawn(executable, [...ARGS, ...flags], {
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const gone = once(child, 'exit');
    const url = await new Promise<string | null>((resolve) => {
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        const found = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
        if (found) resolve(found);
      });
      gone.then(
        () => resolve(null),
        () => resolve(null),
      );
    });
    if (url === null) continue;
    const browser = await chromium.connectOverCDP(url);
    const [context] = browser.contexts();
    if (!context) throw new Error('The browser has no profile.');
    return {
      context,
      kill: async () => {
        process.kill(-(child.pid as number), 'SIGKILL');
        await gone;
        await browser.close().catch(() => undefined);
      },
    };
  }
  throw new Error('No Chromium that starts. Install one with `npm run test:setup`, or set CHROMIUM_PATH.');
}
