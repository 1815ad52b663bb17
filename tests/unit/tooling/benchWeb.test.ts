import { describe, expect, it } from 'vitest';
import { Taken } from '../../../bench/web/results';

describe('the results of the browser benchmark', () => {
  it('are medians, and ratios to the stock subject, of memory where no time was taken', () => {
    const taken = new Taken();
    taken.add('query', 'convoy', 'ms', [9, 3, 6]);
    taken.add('query', 'stock', 'ms', [12, 12]);
    taken.add('memory', 'convoy', 'heapMb', [5]);
    taken.add('memory', 'stock', 'heapMb', [20]);
    taken.add('of its worker', 'convoy', 'heapMb', [1, null]);
    const found = taken
      .results(5_000)
      .map(({ work, subject, ms, heapMb, ratio }) => [work, subject, ms, heapMb, ratio]);
    expect(found).toEqual([
      ['query', 'convoy', 6, null, 0.5],
      ['query', 'stock', 12, null, 1],
      ['memory', 'convoy', null, 5, 0.25],
      ['memory', 'stock', null, 20, 1],
      ['of its worker', 'convoy', null, 1, null],
    ]);
  });
});
