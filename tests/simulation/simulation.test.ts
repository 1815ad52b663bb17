import { beforeAll, describe, expect, it } from 'vitest';
import { type Report, runAll, describe as tell } from './pool';
import { makeProgram } from './program';
import { readRegressions } from './regressions';
import type { Done } from './worker';

/** The first ones, and one in which the schema gets a migration. More of them run with `npm run simulate`. */
const SEEDS = [...Array.from({ length: 6 }, (_, n) => 1 + n), 34];
const AGAIN = 3;

const broken = (done: Done[]) =>
  done.filter(({ outcome }) => outcome.violations.length > 0).map((one) => tell(one));

describe('the simulation', () => {
  const regressions = readRegressions();
  let report: Report;
  let done: Done[];
  // In one process: to start it takes as long as several runs.
  beforeAll(async () => {
    const orders = [...SEEDS, AGAIN].map((seed) => ({ seed, shrink: false }));
    const kept = regressions.map(({ program }) => ({ program, shrink: false }) as const);
    ({ report, done } = await runAll({ series: [[...orders, ...kept]] }));
  });

  it(`the promises hold in ${SEEDS.length} seeds (P-NOLOSS, P-CONVERGE, P-GAPFREE, P-ONCE, P-PRIVATE, P-CHECKPOINT)`, () => {
    const seeds = done.slice(0, SEEDS.length);
    expect(broken(seeds)).toEqual([]);
    expect(report.seeds).toBe(SEEDS.length + 1 + regressions.length);
    // A simulation in which nothing happens finds nothing either.
    const sum = (count: (one: Done) => number) => seeds.reduce((all, one) => all + count(one), 0);
    expect(sum(({ outcome }) => outcome.operations)).toBeGreaterThan(SEEDS.length * 20);
    expect(sum(({ outcome }) => outcome.faults)).toBeGreaterThan(SEEDS.length * 4);
  });

  it('the kept regressions break no promise any more', () => {
    const found = done
      .slice(SEEDS.length + 1)
      .map(({ outcome }, n) => [regressions[n]?.name, outcome.violations]);
    expect(found).toEqual(regressions.map(({ name }) => [name, []]));
  });

  it('one seed gives the same run twice', () => {
    expect(done[SEEDS.length]?.outcome).toEqual(done[SEEDS.indexOf(AGAIN)]?.outcome);
    expect(makeProgram(AGAIN)).toEqual(makeProgram(AGAIN));
  });
});
