import fc from 'fast-check';
import { diff3Merge } from 'node-diff3';
import { describe, expect, it } from 'vitest';
import { mergeText } from '@/lib/watermelon/sync/merge/mergeText';

/** The reference: the same merge without bounds, cubic in the length. */
function mergeUnbounded(base: string, local: string, remote: string): string | null {
  const tokens = (text: string) => text.split(/(\s+)/);
  const regions = diff3Merge(tokens(local), tokens(base), tokens(remote), { excludeFalseConflicts: true });
  if (regions.some(({ ok }) => !ok)) return null;
  return regions.flatMap(({ ok }) => ok ?? []).join('');
}

const fewWords = fc
  .array(fc.constantFrom('a', 'b', 'c', ' ', ' ', '\n', '  '), { maxLength: 24 })
  .map((parts) => parts.join(''));

/** A text and some words of it replaced, removed or added to. */
const edited = (text: string) =>
  fc
    .array(fc.tuple(fc.nat(), fc.constantFrom('', 'new', 'a', 'b c', ' ', '\n')), { maxLength: 4 })
    .map((edits) => {
      const parts = text.split(/(\s+)/);
      for (const [at, part] of edits) parts[at % parts.length] = part;
      return parts.join('');
    });
const versions = fc.oneof(
  fc.tuple(fewWords, fewWords, fewWords),
  fewWords.chain((base) => fc.tuple(fc.constant(base), edited(base), edited(base))),
);

const LENGTHS = [12_000, 100_000];

/** Prose of about so many characters in few lines, with the words that every text repeats. */
function prose(length: number, seed = 1): string {
  const words: string[] = [];
  let left = length;
  for (let n = seed; left > 0; n = (n * 48_271) % 2_147_483_647) {
    const word = n % 3 === 0 ? 'the' : `w${n % 700}`;
    words.push(word, n % 101 === 0 ? '\n' : ' ');
    left -= word.length + 1;
  }
  return words.join('').slice(0, length);
}

describe('mergeText', () => {
  it('merges as diff3 does, ties included', () => {
    fc.assert(
      fc.property(versions, ([base, local, remote]) => {
        expect(mergeText(base, local, remote)).toBe(mergeUnbounded(base, local, remote));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is the same whichever side is called local', () => {
    fc.assert(
      fc.property(versions, ([base, local, remote]) => {
        expect(mergeText(base, remote, local)).toBe(mergeText(base, local, remote));
      }),
    );
  });

  it.each(LENGTHS)('joins edits of different passages of a text of %i characters', (length) => {
    const base = prose(length);
    const [half, end] = [base.indexOf(' ', length / 2), base.lastIndexOf(' ')];
    const local = `Mine. ${base.slice(0, half)} mine ${base.slice(half)}`;
    const remote = `${base.slice(0, end)} theirs`;
    const both = `Mine. ${base.slice(0, half)} mine ${base.slice(half, end)} theirs`;
    expect(mergeText(base, local, remote)).toBe(both);
  });

  it.each(LENGTHS)('leaves texts of %i characters that have nothing in common to a person', (length) => {
    expect(mergeText(prose(length), prose(length, 2), prose(length, 3))).toBeNull();
    expect(mergeText('', prose(length, 2), prose(length, 3))).toBeNull();
    const spaced = (letter: string) => `${letter} `.repeat(length / 2);
    expect(mergeText(spaced('x'), spaced('y'), spaced('z'))).toBeNull();
  });

  it('takes a passage with too many changes whole, and joins it with edits elsewhere', () => {
    const [begin, end] = [prose(4_000), prose(4_000, 2)];
    const [old, rewritten] = [prose(60_000, 3), prose(60_000, 4)];
    const base = `${begin}\n${old}\n${end}`;
    const local = `${begin}\n${rewritten}\n${end}`;
    const elsewhere = `First. ${base} Last.`;
    expect(mergeText(base, local, elsewhere)).toBe(`First. ${local} Last.`);
    expect(mergeText(base, elsewhere, local)).toBe(`First. ${local} Last.`);
    expect(mergeText(base, local, base.replace(' the ', ' THE ').replace(old, `${old} more`))).toBeNull();
  });
});
