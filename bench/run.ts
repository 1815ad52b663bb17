/**
 * `npm run bench`: how near Convoy comes to the physical limit, and how stock WatermelonDB does, in one
 * run and in turns. docs/performance.md says what is measured and how.
 *
 *   --quick          the small size alone, fewer repetitions; ends within a minute
 *   --only W1,W5     these works alone
 *   --sizes S,L      sizes; also 20k, 40k, 80k tasks. W12 at three or more draws docs/images/watched.svg
 *   --repetitions N  of heavy works; 3, or 2 with --quick
 *   --subjects ...   limit, stock, convoy
 *   --growth         first syncs of 10,000 to 300,000 tasks instead; draws docs/images/growth.svg
 *   --profile DIR    CPU profiles of the subjects' processes
 *   --json           one JSON value on standard output
 */

import { readOptions } from '../scripts/support/options';
import { bundle } from './bundle';
import { COUNTS } from './data/workspace';
import { drawGrowth, measureGrowth } from './growth';
import { Checks, type Result } from './measure';
import { asTable } from './report';
import type { SubjectName } from './subjects/main';
import { agentsDoor } from './works/agentsDoor';
import { Bench } from './works/bench';
import { contextAsText } from './works/contextText';
import { crowdOfWriters } from './works/crowd';
import { firstSync } from './works/firstSync';
import { changesOfOthers, editAndPush, emptyCalls, idleSync } from './works/inStep';
import { nextTask } from './works/next';
import { opening } from './works/opening';
import { boundedContext, contexts, crowdedContext, localAgainstRemote, requests } from './works/reading';
import { drawWatched, watchedSync } from './works/watched';
import { purge, resync } from './works/wholeScopes';
import { BenchWorld } from './world';

const { values: flags } = readOptions({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: 'W1,W2,W3,W4,W5,W6,W7,W8,W9,W10,W11,W12,W13,W14,W15' },
    sizes: { type: 'string' },
    repetitions: { type: 'string' },
    subjects: { type: 'string', default: 'limit,stock,convoy' },
    growth: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});

/** Workspaces of 10,000 tasks. */
const SIZES: Readonly<Record<string, number>> = { S: 1, '20k': 2, '40k': 4, M: 5, '80k': 8, L: 10 };
const sizes = (flags.sizes ?? (flags.quick ? 'S' : 'S,L')).split(',');
const only = new Set(flags.only.split(','));
const options = {
  subjects: flags.subjects.split(',') as SubjectName[],
  repetitions: Number(flags.repetitions ?? (flags.quick ? 2 : 3)),
  profile: flags.profile ?? null,
};
/** Sizes at which the question makes sense; everywhere, unless said otherwise. */
const WORKS: [name: string, run: (bench: Bench) => Promise<void>, size?: string][] = [
  ['W1', firstSync],
  ['W2', idleSync],
  ['W3', changesOfOthers],
  ['W4', editAndPush],
  ['W5', contexts],
  ['W7', localAgainstRemote],
  ['W8', requests, 'S'],
  ['W9', crowdedContext, 'S'],
  ['W10', nextTask, 'L'],
  ['W10', agentsDoor, 'L'],
  ['W15', boundedContext, 'S'],
  ['W9', contextAsText, 'S'],
  ['W6', opening],
  ['W12', watchedSync],
  ['W13', resync],
  ['W14', purge],
  // Last: the workspaces that it writes in stay with the user.
  ['W11', crowdOfWriters, 'S'],
];

const say = (line: string) => (flags.json ? console.error(line) : console.log(line));
const started = performance.now();
const seconds = () => `${((performance.now() - started) / 1000).toFixed(0)} s`;

await bundle();
const world = await BenchWorld.start(options.profile);
const checks = new Checks();
const results: Result[] = [];
try {
  if (flags.growth) {
    const done = (size: string) => say(`${size} tasks after ${seconds()}`);
    results.push(...(await measureGrowth(world, checks, options.profile, done)));
    drawGrowth(results);
  } else {
    results.push(...(await measureWorks()));
    if (only.has('W12') && sizes.length > 2)
      drawWatched(results, (size) => (SIZES[size] ?? 1) * COUNTS.tasks);
  }
} finally {
  await world.stop();
}

/** Every wanted work at every size. */
async function measureWorks(): Promise<Result[]> {
  const measured: Result[] = [];
  const loaded = [];
  for (const name of sizes) loaded.push(await world.addSize(name, SIZES[name] ?? 1));
  await world.addStock();
  say(`${loaded.map(({ name, rows }) => `${name} = ${rows} rows`).join(', ')}; ready after ${seconds()}`);
  for (const size of loaded) {
    const bench = new Bench(world, size, checks, options);
    const wanted = WORKS.filter(([name, , at]) => only.has(name) && (at === undefined || at === size.name));
    for (const [name, run] of wanted) {
      if (name !== 'W1' && bench.callMs.size === 0) await emptyCalls(bench);
      await run(bench);
      say(`${size.name} ${name} after ${seconds()}`);
    }
    await bench.endAll();
    measured.push(...bench.results);
  }
  return measured;
}

if (flags.json) process.stdout.write(`${JSON.stringify(results)}\n`);
else console.log(`\n${asTable(results)}`);
for (const broken of checks.broken) say(`does not hold: ${broken}`);
process.exitCode = checks.broken.length > 0 ? 1 : 0;
