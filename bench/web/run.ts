/**
 * `npm run bench:web`: Convoy's storage in a browser beside stock WatermelonDB's (LokiJS over IndexedDB), in one run and
 * in turns. docs/performance.md says what is measured and how.
 *
 *   --quick     5,000 tasks instead of 100,000, fewer rounds; ends within a minute
 *   --tasks N   another number of tasks; at least 5,000
 *   --rounds N  fresh pages of each subject
 *   --json      one JSON value on standard output
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBrowserProcess } from '../../tests/support/browser';
import { StorageLab } from '../../tests/support/storageLab';
import { Checks } from '../measure';
import { buildPages } from './build';
import { asWebTable, SUBJECTS, Taken } from './results';
import { fillDatabase, measureRound } from './rounds';

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    tasks: { type: 'string' },
    rounds: { type: 'string' },
  },
});
const tasks = Number(flags.tasks ?? (flags.quick ? 5_000 : 100_000));
const rounds = Number(flags.rounds ?? (flags.quick ? 3 : 7));

/** Of 100,000 tasks. */
const TARGETS = "Targets at 100,000 tasks: cold start within 250 ms, the page's heap within 12 MB.";

const say = (line: string) => (flags.json ? console.error(line) : console.log(line));
const started = performance.now();
const seconds = () => `${((performance.now() - started) / 1000).toFixed(0)} s`;

const pages = await buildPages();
const profile = mkdtempSync(join(tmpdir(), 'convoy-bench-profile-'));
const lab = await StorageLab.start(pages);
// With a profile on disk: what pages store in private windows stays in memory.
const browser = await startBrowserProcess(profile);
const checks = new Checks();
const taken = new Taken();
try {
  for (const subject of SUBJECTS) {
    await fillDatabase(browser.context, lab.url, subject, tasks, checks);
    say(`${tasks} tasks stored for ${subject} after ${seconds()}`);
  }
  for (let round = 0; round < rounds; round += 1) {
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

const results = taken.results(tasks);
if (flags.json) process.stdout.write(`${JSON.stringify(results)}\n`);
else console.log(`\n${asWebTable(results)}\n\n${TARGETS}`);
for (const broken of checks.broken) say(`does not hold: ${broken}`);
process.exitCode = checks.broken.length > 0 ? 1 : 0;
