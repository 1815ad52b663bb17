import { describe, expect, it } from 'vitest';
import { COUNTS, HEAD, makeWorkspace, ROWS_OF_WORKSPACE } from '../../../bench/data/workspace';
import { Samples } from '../../../bench/measure';

describe('the benchmark data', () => {
  const rows = makeWorkspace(3);

  it('is the same for the same seed, and different for another', () => {
    expect(makeWorkspace(3)).toEqual(rows);
    expect(makeWorkspace(4).tasks[0]?.id).not.toBe(rows.tasks[0]?.id);
  });

  it('has 35,321 rows, with unique ids and revisions up to the head', () => {
    expect(ROWS_OF_WORKSPACE).toBe(35_321);
    const all = Object.values(rows).flat();
    expect(all).toHaveLength(ROWS_OF_WORKSPACE);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(Math.max(...all.map(({ revision }) => revision))).toBe(HEAD);
    const tasks = new Set(rows.tasks.map(({ id }) => id));
    expect(rows.activity_feed.every(({ task_id }) => tasks.has(String(task_id)))).toBe(true);
    expect(rows.tasks).toHaveLength(COUNTS.tasks);
  });
});

describe('a benchmark result', () => {
  it('is the median, and its ratio to the limit of the same run', () => {
    const samples = new Samples();
    for (const ms of [9, 1, 2]) samples.add('limit', ms);
    for (const ms of [3, 50, 4]) samples.add('convoy', ms, { requests: 1 });
    expect(samples.results('W2', 'S')).toMatchObject([
      { subject: 'limit', ms: 2, ratio: 1, requests: null },
      { subject: 'convoy', ms: 4, ratio: 2, requests: 1 },
    ]);
  });
});
