import { beforeAll, expect, it } from 'vitest';
import { isCaught, MUTANTS } from '../../simulation/mutants';
import { misplaced } from '../../simulation/planted';
import { runAll, seedsFrom } from '../../simulation/pool';
import type { Done } from '../../simulation/worker';

/** Seeds tried, from the one known to find the bug: after a change of the code a later one finds it. */
const MARGIN = 12;

/** Every sixth; `npm run simulate -- --mutants` plants them all, which takes as long as a third of the other tests. */
const SAMPLE = MUTANTS.filter((mutant, n) => n % 6 === 0 && misplaced(mutant).length === 0);

let done: Done[];
// In one process: to start it takes as long as several runs.
beforeAll(async () => {
  const series = SAMPLE.map(({ name, foundBy }) =>
    seedsFrom(foundBy, MARGIN, { mutant: name, shrink: false }),
  );
  ({ done } = await runAll({ series, workers: 1, stopAt: isCaught }));
});

it.each(SAMPLE)('the simulation finds the planted bug $name', ({ name }) => {
  expect(done.filter((one) => one.order.mutant === name && isCaught(one))).toHaveLength(1);
});
