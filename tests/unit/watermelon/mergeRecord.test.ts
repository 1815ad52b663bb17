import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { charactersIn } from '@/core/text';
import type { RawValue } from '@/lib/watermelon/models/watermelondb';
import { mergeRecord, type Policy } from '@/lib/watermelon/sync';

function merge(
  values: {
    base: Record<string, RawValue>;
    local: Record<string, RawValue>;
    remote: Record<string, RawValue>;
  },
  policies: Record<string, Policy>,
  times: { local?: number | null; remote?: number | null } = {},
) {
  const all = (time: number | null | undefined) =>
    Object.fromEntries(Object.keys(values.base).map((name) => [name, time ?? null]));
  return mergeRecord({
    table: 'tasks',
    ...values,
    policies,
    localTimes: all(times.local),
    remoteTimes: all(times.remote),
  });
}

const value = fc.oneof(fc.constant(null), fc.string({ maxLength: 6 }));
const policy = fc.constantFrom<Policy>('remote', 'later', 'text');

describe('mergeRecord', () => {
  it('takes the side that changed where only one did, whatever the policy', () => {
    fc.assert(
      fc.property(value, value, policy, (base, changed, by) => {
        const local = merge(
          { base: { title: base }, local: { title: changed }, remote: { title: base } },
          { title: by },
        );
        const remote = merge(
          { base: { title: base }, local: { title: base }, remote: { title: changed } },
          { title: by },
        );
        expect(local.title?.value).toEqual(changed);
        expect(remote.title?.value).toEqual(changed);
        expect([local.title?.how, remote.title?.how]).not.toContain('conflict');
      }),
    );
  });

  it('is no conflict where both sides want the same', () => {
    fc.assert(
      fc.property(value, value, policy, (base, wanted, by) => {
        const sides = { base: { title: base }, local: { title: wanted }, remote: { title: wanted } };
        expect(merge(sides, { title: by }).title).toEqual({ value: wanted, how: 'same' });
      }),
    );
  });

  it('is deterministic, and idempotent: merging the outcome again changes nothing', () => {
    fc.assert(
      fc.property(
        value,
        value,
        value,
        policy,
        fc.nat(9),
        fc.nat(9),
        (base, local, remote, by, mine, theirs) => {
          const sides = { base: { title: base }, local: { title: local }, remote: { title: remote } };
          const once = merge(sides, { title: by }, { local: mine, remote: theirs });
          expect(merge(sides, { title: by }, { local: mine, remote: theirs })).toEqual(once);
          const outcome = once.title?.value ?? null;
          const again = merge(
            { base: { title: remote }, local: { title: outcome }, remote: { title: remote } },
            { title: by },
          );
          expect(again.title?.value).toEqual(outcome);
        },
      ),
    );
  });

  it('later: both devices choose the same value, whichever side is called local', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat(99), fc.nat(99), (a, b, timeA, timeB) => {
        fc.pre(a !== b && timeA !== timeB && a !== '' && b !== '');
        const here = merge(
          { base: { title: '' }, local: { title: a }, remote: { title: b } },
          { title: 'later' },
          { local: timeA, remote: timeB },
        );
        const there = merge(
          { base: { title: '' }, local: { title: b }, remote: { title: a } },
          { title: 'later' },
          { local: timeB, remote: timeA },
        );
        expect(here.title?.value).toBe(there.title?.value);
        expect(here.title?.value).toBe(timeA > timeB ? a : b);
      }),
    );
  });

  it('later: an unknown time never beats the server', () => {
    const sides = { base: { title: 'a' }, local: { title: 'b' }, remote: { title: 'c' } };
    expect(merge(sides, { title: 'later' }, { local: 5 }).title).toMatchObject({ value: 'c', by: 'later' });
  });

  it('merges the stage unit as one: the server keeps stage and status together (U6)', () => {
    const merged = merge(
      {
        base: { current_stage: 'PLAN', status: 'todo' },
        local: { current_stage: 'PLAN', status: 'done' },
        remote: { current_stage: 'IMPLEMENT', status: 'todo' },
      },
      { current_stage: 'remote', status: 'remote' },
    );
    expect(merged.current_stage).toMatchObject({ value: 'IMPLEMENT', how: 'conflict', by: 'remote' });
    expect(merged.status).toMatchObject({ value: 'todo', how: 'conflict', by: 'remote' });
  });

  it('text: joins edits of different passages', () => {
    const merged = merge(
      {
        base: { description: 'one two three\nfour five six' },
        local: { description: 'ONE two three\nfour five six' },
        remote: { description: 'one two three\nfour five SIX' },
      },
      { description: 'text' },
    );
    expect(merged.description).toEqual({
      value: 'ONE two three\nfour five SIX',
      how: 'conflict',
      by: 'text',
    });
  });

  it('text: leaves overlapping edits to a person, with the server value meanwhile', () => {
    const merged = merge(
      { base: { description: 'red' }, local: { description: 'green' }, remote: { description: 'blue' } },
      { description: 'text' },
    );
    expect(merged.description).toEqual({ value: 'blue', how: 'conflict', by: 'open' });
  });

  it('text: asks a person where both edits together are too long for the column', () => {
    const max = 100_000;
    const passages = ['a ', ' b ', ' c'];
    fc.assert(
      fc.property(fc.integer({ min: -4, max: 4 }), fc.constantFrom('x', '字', '😀'), (over, letter) => {
        const half = Math.floor((max - 8) / 2);
        const grown = letter.repeat(Math.floor(half / letter.length));
        const added = `${'y'.repeat(half + over)}`;
        const [one = '', two = '', three = ''] = passages;
        const sides = {
          base: { description: `${one}1${two}2${three}` },
          local: { description: `${one}1${grown}${two}2${three}` },
          remote: { description: `${one}1${two}2${added}${three}` },
        };
        const merged = merge(sides, { description: 'text' }).description;
        const both = `${one}1${grown}${two}2${added}${three}`;
        if (charactersIn(both) <= max) expect(merged).toEqual({ value: both, how: 'conflict', by: 'text' });
        else expect(merged).toEqual({ value: sides.remote.description, how: 'conflict', by: 'open' });
      }),
      { numRuns: 20 },
    );
  });

  it('measures a merged text in characters, as the limit is', () => {
    const [one, two] = ['first passage ', ' second passage'];
    const grown = '\u{1f600}'.repeat(60_000);
    const sides = {
      base: { description: `${one}1${two}` },
      local: { description: `${one}${grown}1${two}` },
      remote: { description: `${one}1${two} and more` },
    };
    const merged = merge(sides, { description: 'text' }).description;
    expect(merged).toEqual({ value: `${one}${grown}1${two} and more`, how: 'conflict', by: 'text' });
  });

  it('settles nothing of an edit that depends on what is no longer so, and keeps what others did not touch (D15)', () => {
    const depends = (expectation: 'stale' | 'unjudged' | undefined, remote: string | null) =>
      mergeRecord({
        table: 'tasks',
        base: { title: 'a' },
        local: { title: 'b' },
        remote: { title: remote },
        policies: { title: 'later' },
        localTimes: { title: 9 },
        remoteTimes: { title: 1 },
        expectations: { title: expectation },
      }).title;
    expect(depends('stale', 'a')).toEqual({ value: 'a', how: 'conflict', by: 'open' });
    expect(depends('stale', 'c')).toEqual({ value: 'c', how: 'conflict', by: 'open' });
    expect(depends('stale', 'b')).toEqual({ value: 'b', how: 'same' });
    expect(depends('unjudged', 'a')).toEqual({ value: 'b', how: 'local' });
    expect(depends('unjudged', 'c')).toEqual({ value: 'c', how: 'conflict', by: 'open' });
    expect(depends(undefined, 'c')).toEqual({ value: 'b', how: 'conflict', by: 'later' });
  });

  it('compares JSON by content, not by text', () => {
    const merged = mergeRecord({
      table: 'projects',
      base: { tech_stack: '{"a":1}' },
      local: { tech_stack: '{"a":1,"b":2}' },
      remote: { tech_stack: '{"b":2, "a":1}' },
      policies: { tech_stack: 'remote' },
      localTimes: {},
      remoteTimes: {},
    });
    expect(merged.tech_stack?.how).toBe('same');
  });
});
