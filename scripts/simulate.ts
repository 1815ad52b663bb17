/**
 * `npm run simulate -- [--seeds N] [--seed X] [--mutant NAME] [--workers N] [--json]`
 *
 * Runs N seeds from X (one, where only --seed is given) and says which promises were broken. A seed
 * that breaks one is shrunk to the shortest list of steps that still does. See docs/simulation.md.
 */

import { parseArgs } from 'node:util';
import { MUTANTS } from '../tests/simulation/mutants';
import { describe, runAll } from '../tests/simulation/pool';
import { makeVariant } from '../tests/support/variant';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    mutant: { type: 'string' },
    workers: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});

const from = Number(values.seed ?? 1);
const count = Number(values.seeds ?? (values.seed === undefined ? 20 : 1));
const workers = Number(values.workers);
if (![from, count, workers].every((number) => Number.isSafeInteger(number) && number >= 0)) {
  throw new Error('--seeds, --seed and --workers are whole numbers.');
}
const mutant = values.mutant === undefined ? null : MUTANTS.find(({ name }) => name === values.mutant);
if (mutant === undefined) {
  throw new Error(`There is no such mutant. There are: ${MUTANTS.map(({ name }) => name).join(', ')}`);
}

const variant = mutant && makeVariant(mutant.name, mutant.edits);
try {
  const { report } = await runAll({
    orders: Array.from({ length: count }, (_, n) => ({ seed: from + n, shrink: mutant === null })),
    root: variant?.root,
    workers,
    stopAtFirst: mutant !== null,
    onDone: (done) => {
      if (done.outcome.violations.length > 0) console.error(describe(done));
    },
  });
  if (values.json) console.log(JSON.stringify(report));
  else for (const [name, value] of Object.entries(report)) console.log(`${name.padEnd(12)}${value}`);
  process.exitCode = report.violations > 0 ? 1 : 0;
} finally {
  variant?.remove();
}
