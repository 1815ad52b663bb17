/**
 * `npm run bench:web`: Convoy's storage in a browser beside stock WatermelonDB's (LokiJS over IndexedDB), in one run and
 * in turns. docs/performance.md says what is measured and how.
 *
 *   --quick     5,000 tasks instead of 100,000, fewer rounds; ends within a minute
 *   --tasks N   another number of tasks; at least 5,000
 *   --rounds N  fresh pages of each subject
 *   --watched   only first syncs of 20,000, 40,000 and 80,000 tasks that a list watches
 *   --first-load [--built DIR]  only a first visit by a slow connection, of the app in dist/web or another folder
 *   --json      one JSON value on standard output
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readOptions } from '../../scripts/support/options';
import { startBrowserProcess } from '../../tests/support/browser';
import { StorageLab } from '../../tests/support/storageLab';
import { Checks } from '../measure';
import { buildPages } from './build';
import { measureFirstLoad } from './firstLoad';
import { asWebTable, SUBJECTS, Taken, type WebResult } from './results';
import { fillDatabase, measureRound } from './rounds';
import { measureWatched } from './watched';

const { values: flags } = readOptions({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    tasks: { type: 'string' },
    rounds: { type: 'string' },
    watched: { type: 'boolean', default: false },
    'first-load': { type: 'boolean', default: false },
    built: { type: 'string', default: 'dist/web' },
  },
});
const tasks = Number(flags.tasks ?? (flags.quick ? 5_000 : 100_000));
const rounds = Number(flags.rounds ?? (flags.quick ? 3 : 7));

/** Of 100,000 tasks. */
const TARGETS = "Targets at 100,000 tasks: cold start within 250 ms, the page's heap within 12 MB.";

const say = (line: string) => (flags.json ? console.error(line) : console.log(line));
const started = performance.now();
const seconds = () => `${((performance.now() - started) / 1000).toFixed(0)} s`;

const checks = new Checks();
const results = flags['first-load']
  ? await measureFirstLoad(resolve(flags.built), Number(flags.rounds ?? 3))
  : await measureStorage();
if (flags.json) process.stdout.write(`${JSON.stringify(results)}\n`);
else console.log(`\n${asWebTable(results)}\n\n${flags.watched || flags['first-load'] ? '' : TARGETS}`);
for (const broken of checks.broken) say(`does not hold: ${broken}`);
process.exitCode = checks.broken.length > 0 ? 1 : 0;

async function measureStorage(): Promise<WebResult[]> {
  const pages = await buildPages();
  const profile = mkdtempSync(join(tmpdir(), 'convoy-bench-profile-'));
  const lab = await StorageLab.start(pages);
  // With a profile on disk: what pages store in private windows stays in memory.
  const browser = await startBrowserProcess(profile);
  const taken = new Taken();
  let watched: WebResult[] = [];
  try {
    const sizes = flags.quick ? [5_000] : [20_000, 40_000, 80_000];
    watched = await measureWatched(browser.context, lab.url, sizes, checks);
    say(`watched syncs after ${seconds()}`);
    for (const subject of flags.watched ? [] : SUBJECTS) {
      await fillDatabase(browser.context, lab.url, subject, tasks, checks);
      say(`${tasks} tasks stored for ${subject} after ${seconds()}`);
    }
    for (let round = 0; round < (flags.watched ? 0 : rounds); round += 1) {
      const inTurn = round % 2 === 0 ? SUBJECTS : [...SUBJECTS].reverse();
      for (const subject of inTurn) {
        await measureRound({ context: browser.context, url: lab.url, subject, checks, taken });
      }
      say(`round ${round + 1} after ${seconds()}`);
    }
  } finally {
    await browser.kill();
    await lab.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    rmSync(pages, { recursive: true, force: true });
  }
  return [...taken.results(tasks), ...watched];
}
