import { expect, it } from 'vitest';
import { makeVariant } from '../support/variant';
import { MUTANTS } from './mutants';
import { runAll } from './pool';

/** Seeds tried, from a little before the one that is known to find the bug. */
const MARGIN = 12;

const MEASURED = MUTANTS.flatMap((mutant) =>
  mutant.foundBy === null ? [] : [{ ...mutant, foundBy: mutant.foundBy }],
);

it.each(MEASURED)('finds a planted bug: $name', async ({ name, edits, foundBy }) => {
  const variant = makeVariant(name, edits);
  try {
    const orders = Array.from({ length: MARGIN }, (_, n) => ({ seed: foundBy + n, shrink: false }));
    const { report } = await runAll({ orders, root: variant.root, workers: 1, stopAtFirst: true });
    expect(report.violations).toBeGreaterThan(0);
  } finally {
    variant.remove();
  }
});
