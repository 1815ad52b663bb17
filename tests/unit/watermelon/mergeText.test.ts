import fc from 'fast-check';
import { diff3Merge } from 'node-diff3';
import { describe, expect, it } from 'vitest';
import { mergeText, partsOf } from '@/lib/watermelon/sync/merge/mergeText';

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

const WITHOUT_SPACES: readonly [
  script: string,
  base: string,
  local: string,
  remote: string,
  merged: string,
][] = [
  [
    'Chinese',
    '我们明天在办公室开会讨论计划',
    '我们后天在办公室开会讨论计划',
    '我们明天在办公室开会讨论新计划',
    '我们后天在办公室开会讨论新计划',
  ],
  [
    'Japanese',
    '会議は明日の朝に事務所で行います',
    '会議は明後日の朝に事務所で行います',
    '会議は明日の朝に事務所で行いません',
    '会議は明後日の朝に事務所で行いません',
  ],
  [
    'Thai',
    'เราจะประชุมพรุ่งนี้ที่สำนักงานใหญ่',
    'เราจะประชุมวันนี้ที่สำนักงานใหญ่',
    'เราจะประชุมพรุ่งนี้ที่สำนักงานเล็ก',
    'เราจะประชุมวันนี้ที่สำนักงานเล็ก',
  ],
  [
    'Khmer',
    'យើងប្រជុំថ្ងៃស្អែកនៅការិយាល័យធំ',
    'យើងប្រជុំថ្ងៃនេះនៅការិយាល័យធំ',
    'យើងប្រជុំថ្ងៃស្អែកនៅការិយាល័យតូច',
    'យើងប្រជុំថ្ងៃនេះនៅការិយាល័យតូច',
  ],
  ['Han beyond the first plane', '𠀀𠀁𠀂𠀃𠀄𠀅', '𠀀𡀁𠀂𠀃𠀄𠀅', '𠀀𠀁𠀂𠀃𡀄𠀅', '𠀀𡀁𠀂𠀃𡀄𠀅'],
];
const TEXTS = [
  ...WITHOUT_SPACES.map(([, base]) => base),
  'ﾊﾟﾝｶﾞ が\u3099 葛\u{e0100}城 မြန်မာဘာသာ ພາສາລາວ བོད་སྐད་ ကမ္ဘာ ស្ត្រី',
  'mixed 漢字かな words, 한국어 띄어쓰기 and 👩‍👩‍👧 emoji e\u0301\u200d',
];

describe('texts in scripts without spaces', () => {
  it.each(WITHOUT_SPACES)('joins edits of one sentence in %s', (_, base, local, remote, merged) => {
    expect(mergeText(base, local, remote)).toBe(merged);
    expect(mergeText(base, remote, local)).toBe(merged);
  });

  it.each(WITHOUT_SPACES)('leaves two edits of the same characters in %s to a person', (_, base, local) => {
    const [before, after] = [partsOf(base), partsOf(local)];
    const from = before.findIndex((part, at) => part !== after[at]);
    const other = [...before.slice(0, from), '々', ...before.slice(from + 1)].join('');
    expect(mergeText(base, local, other)).toBeNull();
  });

  it('moves a character with its marks, and words of other scripts whole', () => {
    for (const text of TEXTS) {
      const parts = partsOf(text);
      expect(parts.join('')).toBe(text);
      // The engine's own graphemes: no part ends within one.
      const ends = new Set([...new Intl.Segmenter('en').segment(text)].map(({ index }) => index));
      let at = 0;
      for (const part of parts) {
        expect(at === text.length || ends.has(at), `${text} at ${at}`).toBe(true);
        at += part.length;
      }
    }
    expect(partsOf('one two')).toEqual(['one', ' ', 'two']);
    expect(partsOf('한국어 단어')).toEqual(['한국어', ' ', '단어']);
    expect(partsOf('ประชุมที่')).toEqual(
      ['ป', 'ร', 'ะ', 'ชุ', 'ม', 'ที่'].join('|').replace('ร|ะ', 'ระ').split('|'),
    );
    expect(partsOf('ស្ត្រី')).toEqual(['ស្ត្រី']);
  });

  it('loses no text, keeps what both sides left, and is the same on both devices', () => {
    const characters = fc.constantFrom(
      '我',
      '们',
      'か',
      'が',
      'ก',
      'ที่',
      'ស្ត្រី',
      '。',
      ' ',
      'word',
      '𠀀',
      '\u0301',
      'e\u0301',
    );
    const text = fc.array(characters, { maxLength: 16 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, text, text, (base, local, remote) => {
        expect(partsOf(base).join('')).toBe(base);
        const merged = mergeText(base, local, remote);
        expect(mergeText(base, remote, local)).toBe(merged);
        expect(mergeText(base, local, base)).toBe(local);
        expect(mergeText(base, local, local)).toBe(local);
        if (merged === null) return;
        const [before, after] = [partsOf(base), [...partsOf(local), ...partsOf(remote)]];
        for (const part of partsOf(merged)) expect([...before, ...after].join(' ')).toContain(part);
      }),
      { numRuns: 1_000 },
    );
  });

  it('bounds the work for long ones', () => {
    const long = (seed: number) =>
      Array.from({ length: 100_000 }, (_, n) => String.fromCodePoint(0x4e00 + ((n * seed) % 9973))).join('');
    expect(mergeText(long(7), long(11), long(13))).toBeNull();
    const base = long(7);
    expect(mergeText(base, `新${base}`, `${base}末`)).toBe(`新${base}末`);
  });
});
