import { beforeAll, expect, it } from 'vitest';
import { isCaught, MUTANTS } from './mutants';
import { runAll, seedsFrom } from './pool';
import type { Done } from './worker';

/** Seeds tried, from the one known to find the bug: after a change of the code a later one finds it. */
const MARGIN = 12;

let done: Done[];
// In one process: to start it takes as long as several runs.
beforeAll(async () => {
  const series = MUTANTS.map(({ name, foundBy }) =>
    seedsFrom(foundBy, MARGIN, { mutant: name, shrink: false }),
  );
  ({ done } = await runAll({ series, workers: 1, stopAt: isCaught }));
});

it.each(MUTANTS)('the simulation finds the planted bug $name', ({ name }) => {
  expect(done.filter(({ order, outcome }) => order.mutant === name && isCaught(outcome))).toHaveLength(1);
});
