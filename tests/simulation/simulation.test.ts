import { describe, expect, it } from 'vitest';
import { runAll, describe as tell } from './pool';
import { makeProgram } from './program';
import { readRegressions } from './regressions';
import type { Done } from './worker';

/** More of them run with `npm run simulate`. */
const SEEDS = 12;

const broken = (done: Done[]) =>
  done.filter(({ outcome }) => outcome.violations.length > 0).map((one) => tell(one));

describe('the simulation', () => {
  it(`P-NOLOSS P-CONVERGE P-GAPFREE P-ONCE P-PRIVATE P-CHECKPOINT hold in ${SEEDS} seeds`, async () => {
    const orders = Array.from({ length: SEEDS }, (_, n) => ({ seed: 1 + n, shrink: false }));
    const { report, done } = await runAll({ orders, workers: 1 });
    expect(broken(done)).toEqual([]);
    expect(report.seeds).toBe(SEEDS);
    // A simulation in which nothing happens finds nothing either.
    expect(report.operations).toBeGreaterThan(SEEDS * 20);
    expect(report.faults).toBeGreaterThan(SEEDS * 4);
  });

  it('breaks no promise any more that a regression once broke', async () => {
    const regressions = readRegressions();
    const orders = regressions.map(({ program }) => ({ program, shrink: false }) as const);
    const { done } = await runAll({ orders, workers: 1 });
    const found = done.map(({ outcome }, n) => [regressions[n]?.name, outcome.violations]);
    expect(found).toEqual(regressions.map(({ name }) => [name, []]));
  });

  it('is the same run again from the same seed', async () => {
    const orders = [3, 3].map((seed) => ({ seed, shrink: false }));
    const { done } = await runAll({ orders, workers: 1 });
    const [first, again] = done.map(({ outcome }) => outcome);
    expect(again).toEqual(first);
    expect(makeProgram(3)).toEqual(makeProgram(3));
  });
});
