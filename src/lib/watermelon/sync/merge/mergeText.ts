/**
 * Three-way merge of texts by words, or by characters in scripts that put no spaces between words, after diff3 (Khanna, Kunal, Pierce 2007), on the shortest differences after
 * Myers (1986). It runs inside a local transaction, which keeps other writers waiting, so its work is bounded.
 */

/** Words, characters, and the spaces between them, as numbers. */
type Tokens = readonly number[];

/** Replaces the tokens of the base from `from` up to `to` by `tokens`. */
interface Change {
  from: number;
  to: number;
  tokens: Tokens;
}

const UNREACHED = -1;
/** Most comparisons for one difference: about 2,000 changed tokens, less than 100 ms. */
const MOST_STEPS = 2_000_000;

/** @returns the merged text, or null where both sides changed the same passage differently. */
export function mergeText(base: string, local: string, remote: string): string | null {
  const words: string[] = [];
  const numbers = new Map<string, number>();
  const tokensOf = (text: string) =>
    partsOf(text).map((word) => {
      const number = numbers.get(word) ?? words.push(word) - 1;
      numbers.set(word, number);
      return number;
    });
  const before = tokensOf(base);
  const changes = [local, remote].flatMap((text, side) =>
    changesOf(before, tokensOf(text)).map((change) => ({ ...change, side })),
  );
  changes.sort((one, other) => one.from - other.from);

  const merged: Tokens[] = [];
  let done = 0;
  while (changes.length > 0) {
    // Changes that overlap or touch form one passage.
    const from = changes[0]?.from ?? 0;
    let to = from;
    let count = 0;
    for (const change of changes) {
      if (change.from > to) break;
      to = Math.max(to, change.to);
      count += 1;
    }
    const passage = changes.splice(0, count);
    const [ours = [], theirs = []] = [0, 1].map((side) => {
      const own = passage.filter((change) => change.side === side);
      return own.length > 0 ? [withChanges(before, own, from, to)] : [];
    });
    const [wanted = [], other = wanted] = [...ours, ...theirs];
    if (!isEqual(wanted, other)) return null;
    merged.push(before.slice(done, from), wanted);
    done = to;
  }
  merged.push(before.slice(done));
  return merged
    .flat()
    .map((number) => words[number])
    .join('');
}

/**
 * Scripts that put no spaces between words. Ranges of Unicode and not the dictionaries of `Intl.Segmenter`, which differ
 * between engines: all devices merge alike.
 */
const WITHOUT_SPACES = [
  // Thai, Lao, Tibetan, Myanmar, Khmer, and others of South-East Asia.
  '\\u0e00-\\u109f\\u1780-\\u17ff\\u1950-\\u19ff\\u1a20-\\u1aaf\\ua9e0-\\ua9ff\\uaa60-\\uaadf',
  // Kana, Han, Yi, with their punctuation and the forms of other widths; without Hangul, which has spaces.
  '\\u2e80-\\u312f\\u3190-\\u4dbf\\u4e00-\\ua4cf\\uf900-\\ufaff\\uff00-\\uff9f\\u{1aff0}-\\u{1b2ff}\\u{20000}-\\u{3ffff}',
].join('');
/** Vowels of Thai and Lao that are written before their consonant. */
const BEFORE = '\\u0e40-\\u0e44\\u0ec0-\\u0ec4';
/** Vowels that are no marks, voicing marks of half width, joiners and variation selectors. */
const AFTER =
  '\\p{M}\\u0e30\\u0e32\\u0e33\\u0e45\\u0eb0\\u0eb2\\u0eb3\\uff9e\\uff9f\\u200c\\u200d\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}';
/** Signs of Khmer, Myanmar and Tai Tham that put the next letter under this one. */
const STACKING = '\\u1039\\u17d2\\u1a60';
const CHARACTERS = new RegExp(
  `[${BEFORE}]*[${WITHOUT_SPACES}](?:[${STACKING}][${WITHOUT_SPACES}]|[${AFTER}])*|[^${WITHOUT_SPACES}]+`,
  'gu',
);

/**
 * @returns the parts that a merge takes or leaves as wholes; joined, they are the text: words and spaces, and in scripts
 * without spaces characters, each with what is written around it
 */
export function partsOf(text: string): string[] {
  return text.split(/(\s+)/).flatMap((word) => word.match(CHARACTERS) ?? [word]);
}

/** @returns the passage of the base from `from` up to `to` as one side has it. */
function withChanges(base: Tokens, changes: readonly Change[], from: number, to: number): Tokens {
  const parts: Tokens[] = [];
  let done = from;
  for (const change of changes) {
    parts.push(base.slice(done, change.from), change.tokens);
    done = change.to;
  }
  return [...parts, base.slice(done, to)].flat();
}

function isEqual(one: Tokens, other: Tokens): boolean {
  return one.length === other.length && one.every((token, at) => token === other[at]);
}

/** @returns the shortest changes from `before` to `after`; one change of all but the common ends where these take too long. */
function changesOf(before: Tokens, after: Tokens): Change[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  const [left, right] = [before.slice(start), after.slice(start)];
  const found = shortestChanges(left, right) ?? [wholeChange(left, right)];
  return found.map(({ from, to, tokens }) => ({ from: from + start, to: to + start, tokens }));
}

function wholeChange(before: Tokens, after: Tokens): Change {
  let [to, end] = [before.length, after.length];
  while (to > 0 && end > 0 && before[to - 1] === after[end - 1]) {
    to -= 1;
    end -= 1;
  }
  return { from: 0, to, tokens: after.slice(0, end) };
}

/** @returns the shortest changes, or null where finding them takes too many steps. */
function shortestChanges(before: Tokens, after: Tokens): Change[] | null {
  const reached = furthestPoints(before, after);
  if (!reached) return null;
  const changes: Change[] = [];
  let [x, y] = [before.length, after.length];
  let [to, end] = [x, y];
  const note = () => {
    if (x < to || y < end) changes.push({ from: x, to, tokens: after.slice(y, end) });
  };
  // Where several differences are shortest, tokens are kept as early as possible, in the new text before the old one.
  for (let edits = reached.length - 1; x > 0 || y > 0; ) {
    const at = (x - y + edits) / 2;
    const [below = UNREACHED, above = UNREACHED] = reached[edits - 1]?.subarray(at, at + 2) ?? [];
    if (y > 0 && above >= x) {
      y -= 1;
      edits -= 1;
    } else if (x > 0 && below >= x - 1) {
      x -= 1;
      edits -= 1;
    } else {
      note();
      x -= 1;
      y -= 1;
      [to, end] = [x, y];
    }
  }
  note();
  return changes.reverse();
}

/**
 * @returns a row for each number of edits, up to the number that reaches the end of both texts; null after too many
 * steps. A row holds how far into `before` the edits lead on each diagonal, lowest first, between two unreached ones.
 */
function furthestPoints(before: Tokens, after: Tokens): Int32Array[] | null {
  const all: Int32Array[] = [];
  let last = new Int32Array(2).fill(UNREACHED);
  for (let edits = 0, steps = 0; steps <= MOST_STEPS; edits += 1) {
    const points = new Int32Array(edits + 3).fill(UNREACHED);
    all.push(points);
    for (let at = 0; at <= edits; at += 1) {
      const from = Math.max(last[at + 1] as number, (last[at] as number) + 1);
      const diagonal = 2 * at - edits;
      let x = from;
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x += 1;
      points[at + 1] = x;
      if (x >= before.length && x - diagonal >= after.length) return all;
      steps += 1 + x - from;
    }
    last = points;
  }
  return null;
}
