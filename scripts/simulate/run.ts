/**
 * `npm run simulate -- [--seeds N] [--seed X] [--mutant NAME] [--workers N] [--json]`
 *
 * Runs N seeds from X (one, where only --seed is given) and says which promises were broken. A seed
 * that breaks one is shrunk to the shortest list of steps that still does. See docs/simulation.md.
 *
 * `npm run simulate -- --mutants` plants every bug in turn and says by which seed it is found.
 */

import { isCaught, MUTANTS } from '../../tests/simulation/mutants';
import { misplaced } from '../../tests/simulation/planted';
import { describe, runAll, seedsFrom } from '../../tests/simulation/pool';
import { readOptions } from '../support/options';

/** A run of so many seeds in which some kind of work or fault never happens is no proof. */
const ENOUGH_FOR_ALL_KINDS = 300;

const { values } = readOptions({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    workers: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});

/** The work tells how far it is after so many seeds. */
const TOLD_EVERY = 100;

/** Seeds from the first one on that a planted bug is given. */
const MOST_SEEDS = 100;

if (values.mutants) {
  const found: Record<string, string> = {};
  const faults = MUTANTS.map((mutant) => [mutant.name, misplaced(mutant).join('; ')] as const);
  const unplanted = new Map(faults.filter(([, reason]) => reason !== ''));
  for (const [name, reason] of unplanted) console.error(`${name.padEnd(32)}${reason}`);
  await runAll({
    series: MUTANTS.filter(({ name }) => !unplanted.has(name)).map(({ name: mutant }) =>
      seedsFrom(1, MOST_SEEDS, { mutant, shrink: false }),
    ),
    workers: Number(values.workers),
    stopAt: isCaught,
    onDone: (one) => {
      const { mutant = '' } = one.order;
      const { seed, violations } = one.outcome;
      if (isCaught(one)) found[mutant] = `seed ${seed}, ${violations[0]?.rule}`;
      else if (seed < MOST_SEEDS) return;
      if (!values.json) console.log(`${mutant.padEnd(32)}${found[mutant] ?? `not in ${MOST_SEEDS} seeds`}`);
    },
  });
  if (values.json) console.log(JSON.stringify(found));
  process.exit(Object.keys(found).length === MUTANTS.length ? 0 : 1);
}

const from = Number(values.seed ?? 1);
const count = Number(values.seeds ?? (values.seed === undefined ? 20 : 1));
const workers = Number(values.workers);
if (![from, count, workers].every((number) => Number.isSafeInteger(number) && number >= 0)) {
  throw new Error('--seeds, --seed and --workers are whole numbers.');
}
const { mutant } = values;
if (mutant !== undefined) {
  const known = MUTANTS.find(({ name }) => name === mutant);
  if (!known) {
    throw new Error(`There is no such mutant. There are: ${MUTANTS.map(({ name }) => name).join(', ')}`);
  }
  const [reason] = misplaced(known);
  if (reason !== undefined) throw new Error(`${mutant}: ${reason}`);
}

let told = 0;
const orders = seedsFrom(from, count, { mutant, shrink: mutant === undefined });
const { report } = await runAll({
  series: mutant === undefined ? orders.map((order) => [order]) : [orders],
  workers,
  stopAt: mutant === undefined ? undefined : isCaught,
  onDone: (done) => {
    told += 1;
    if (done.outcome.violations.length > 0) console.error(describe(done));
    if (told % TOLD_EVERY === 0) console.error(`${told} of ${count} seeds are done`);
  },
});
const { coverage, ...sums } = report;
const { work, faults, ...steps } = coverage;
if (values.json) console.log(JSON.stringify(report));
else {
  const table = { ...sums, ...steps, ...work, ...faults };
  for (const [name, value] of Object.entries(table)) console.log(`${name.padEnd(26)}${value}`);
}
const missing = Object.entries({ ...work, ...faults }).flatMap(([kind, count]) =>
  count === 0 ? [kind] : [],
);
const isThin = mutant === undefined && count >= ENOUGH_FOR_ALL_KINDS && missing.length > 0;
if (isThin) console.error(`Never happened: ${missing.join(', ')}`);
process.exitCode = report.violations > 0 || isThin ? 1 : 0;
