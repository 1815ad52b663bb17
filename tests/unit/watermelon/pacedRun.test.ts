import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Done, PacedRun } from '@/lib/watermelon/observation/pacedRun';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Runs that fail so many times, and what was told of it. */
function failing(times: number, source = { isClosed: false }) {
  const told: unknown[] = [];
  let runs = 0;
  const work = (done: Done) => {
    runs += 1;
    done(runs <= times ? { error: `failure ${runs}` } : undefined);
  };
  const run = new PacedRun(source, work, (error) => told.push(error));
  return { run, told, runs: () => runs };
}

describe('a run that fails', () => {
  it('keeps its request, and is repeated in pauses that grow (P34)', () => {
    const { run, told, runs } = failing(3);
    run.request();
    expect(runs()).toBe(1);
    vi.advanceTimersByTime(250);
    expect(runs()).toBe(2);
    vi.advanceTimersByTime(60_000);
    expect([runs(), told]).toEqual([4, []]);
    run.request();
    expect(runs()).toBe(5);
  });

  it('is told once where it goes on failing, and not repeated any more (P34)', () => {
    const { run, told, runs } = failing(Number.POSITIVE_INFINITY);
    run.request();
    vi.advanceTimersByTime(60_000);
    const made = runs();
    run.request(true);
    vi.advanceTimersByTime(60_000);
    expect([runs(), told]).toEqual([made, [`failure ${made}`]]);
  });

  it('is the last one of what is closed', () => {
    const { run, told, runs } = failing(3, { isClosed: true });
    run.request();
    vi.advanceTimersByTime(60_000);
    expect([runs(), told]).toEqual([1, []]);
  });
});
