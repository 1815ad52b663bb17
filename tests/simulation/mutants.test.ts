import { expect, it } from 'vitest';
import { makeVariant } from '../support/variant';
import { isCaught, MUTANTS } from './mutants';
import { runAll } from './pool';

/** Seeds tried, from the one known to find the bug: after a change of the code a later one finds it. */
const MARGIN = 12;

it.concurrent.each(MUTANTS)(
  'the simulation finds the planted bug $name',
  async ({ name, edits, foundBy }) => {
    const variant = makeVariant(name, edits);
    try {
      const orders = Array.from({ length: MARGIN }, (_, n) => ({ seed: foundBy + n, shrink: false }));
      const { done } = await runAll({ orders, root: variant.root, workers: 1, stopAt: isCaught });
      expect(done.filter(({ outcome }) => isCaught(outcome))).toHaveLength(1);
    } finally {
      variant.remove();
    }
  },
);
