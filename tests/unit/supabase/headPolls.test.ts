import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fail, ok } from '@/core/result';
import { ALL_SCOPES, type AskHeads, HeadPolls } from '@/lib/supabase/headPolls';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const FIRST_MS = 25_000;
const MOST_MS = 480_000;

/** Polls at a server that has these heads. */
function start() {
  const heads = new Map<string, number>();
  const asked: (readonly string[] | null)[] = [];
  const told: [string, number | null][] = [];
  const failures: number[] = [];
  const watched = new Set<string>();
  const ask: AskHeads = async (scopes) => {
    asked.push(scopes);
    const retryAfterMs = failures.shift();
    if (retryAfterMs !== undefined) return fail({ retryAfterMs });
    return ok(new Map([...heads].filter(([scope]) => scopes?.includes(scope) ?? true)));
  };
  const polls = new HeadPolls(
    ask,
    (scope, head) => told.push([scope, head]),
    () => watched,
    { random: () => 0.5 },
  );
  /** @returns the polls made within this time. */
  const within = async (ms: number) => {
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(ms);
    return asked.length - before;
  };
  return { polls, heads, asked, told, failures, watched, within };
}

describe('polls of heads', () => {
  it('ask for what is missing alone, ever more seldom, at most 12 times in an idle hour (K7, K8)', async () => {
    const { polls, heads, asked, told, within } = start();
    heads.set('a', 5).set('b', 9);
    polls.run(true);
    expect(await within(MOST_MS)).toBe(0);
    polls.miss('a');
    expect(await within(FIRST_MS + 1)).toBe(1);
    expect(asked).toEqual([['a']]);
    expect(told).toEqual([['a', 5]]);
    const inAnHour = await within(3_600_000);
    expect(inAnHour).toBeLessThanOrEqual(12);
    expect(inAnHour).toBeGreaterThan(7);
    // It is told once.
    expect(told).toEqual([['a', 5]]);
    heads.set('a', 6);
    while (told.length < 2) await within(1_000);
    expect(told).toEqual([
      ['a', 5],
      ['a', 6],
    ]);
    // After news the pace is quick again.
    expect(await within(FIRST_MS)).toBe(1);
    polls.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ask once more for what is joined again, and then no more (K7)', async () => {
    const { polls, heads, told, asked, within } = start();
    heads.set('a', 5);
    polls.run(true);
    polls.miss('a');
    heads.set('a', 6);
    polls.regain('a');
    expect(await within(0)).toBe(1);
    expect(asked).toEqual([['a']]);
    expect(told).toEqual([['a', 6]]);
    expect(await within(3_600_000)).toBe(0);
  });

  it('ask for what was joined again until an answer comes, and not before the time that the server named (K7, K11)', async () => {
    const { polls, failures, within } = start();
    failures.push(90_000);
    polls.run(true);
    polls.miss('a');
    polls.regain('a');
    expect(await within(0)).toBe(1);
    expect(await within(89_000)).toBe(0);
    expect(await within(2_000)).toBe(1);
    expect(await within(3_600_000)).toBe(0);
  });

  it('of the user’s own topic are about all scopes, those that are gone and those that are new (K2, K7)', async () => {
    const { polls, heads, asked, told, watched, within } = start();
    watched.add('a').add('gone');
    heads.set('a', 5).set('new', 1);
    polls.run(true);
    polls.miss(ALL_SCOPES);
    polls.miss('a');
    expect(await within(FIRST_MS + 1)).toBe(1);
    expect(asked).toEqual([null]);
    expect(new Map(told)).toEqual(
      new Map([
        ['a', 5],
        ['gone', null],
        ['new', 1],
      ]),
    );
  });

  it('rest while nothing flows: the sync that ends the gap brings everything (K7)', async () => {
    const { polls, within } = start();
    polls.run(true);
    polls.miss('a');
    polls.miss('b');
    polls.run(false);
    expect(await within(3_600_000)).toBe(0);
    polls.regain('a');
    polls.run(true);
    expect(await within(0)).toBe(0);
    expect(await within(FIRST_MS + 1)).toBe(1);
    polls.forget('b');
    await within(MOST_MS);
    expect(await within(3_600_000)).toBe(0);
  });
});
