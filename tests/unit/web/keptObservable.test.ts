import { Observable, type Subscriber } from 'rxjs';
import { beforeEach, expect, it, vi } from 'vitest';
import { keptObservable } from '@/web/hooks/keptObservable';

const database = {};
/** Those that look at the source now, in the order in which they came. */
let lookers: Subscriber<string>[];

const source = () =>
  keptObservable(
    database,
    'members',
    () =>
      new Observable<string>((subscriber) => {
        lookers.push(subscriber);
        return () => {
          lookers = lookers.filter((one) => one !== subscriber);
        };
      }),
  );

beforeEach(async () => {
  vi.useFakeTimers();
  lookers = [];
  return async () => {
    await vi.advanceTimersByTimeAsync(60_000);
    vi.useRealTimers();
  };
});

it('asks once for all who look, and tells those who come later the last value at once', async () => {
  const told: string[] = [];
  expect(source().latest).toBeUndefined();
  const first = source().subscribe((value) => told.push(`first ${value}`));
  lookers[0]?.next('owner');
  expect(source().latest).toBe('owner');
  const second = source().subscribe((value) => told.push(`second ${value}`));
  lookers[0]?.next('viewer');
  expect(told).toEqual(['first owner', 'second owner', 'first viewer', 'second viewer']);
  expect(lookers).toHaveLength(1);
  for (const one of [first, second]) one.unsubscribe();
});

it('goes on for 30 s after it was left, and then asks anew', async () => {
  source().subscribe().unsubscribe();
  await vi.advanceTimersByTimeAsync(29_000);
  lookers[0]?.next('changed meanwhile');
  expect(source().latest).toBe('changed meanwhile');
  await vi.advanceTimersByTimeAsync(2_000);
  expect(lookers).toHaveLength(0);
  expect(source().latest).toBeUndefined();
});

it('asks anew after an error', async () => {
  const errors: unknown[] = [];
  source().subscribe({ error: (error) => errors.push(error) });
  lookers[0]?.error('closed');
  expect(errors).toEqual(['closed']);
  const told: string[] = [];
  const again = source().subscribe((value) => told.push(value));
  lookers[0]?.next('there again');
  expect(told).toEqual(['there again']);
  again.unsubscribe();
});

it('looks again for whoever comes back to it after it has stopped', async () => {
  const kept = source();
  kept.subscribe().unsubscribe();
  await vi.advanceTimersByTimeAsync(31_000);
  const told: string[] = [];
  const again = kept.subscribe((value) => told.push(value));
  lookers[0]?.next('there again');
  expect(told).toEqual(['there again']);
  again.unsubscribe();
});
