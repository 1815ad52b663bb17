/** The words in which two texts differ. Pure, and bounded: texts are by anybody. */

import { diffLines, diffWordsWithSpace } from 'diff';

export interface DifferencePart {
  text: string;
  /** In both texts, in the later one alone, or in the earlier one alone. */
  kind: 'both' | 'added' | 'removed';
}

/** Beyond it lines are compared, and not words. */
const MOST_FOR_WORDS = 8_000;
/** Most words or lines in which they may differ; beyond it they are two texts. */
const MOST_EDITS = 1_000;

/** @returns the parts in order: those of both kinds but the added ones make the earlier text, and those but the removed ones the later */
export function differenceOf(before: string, after: string): DifferencePart[] {
  if (before === after) return before === '' ? [] : [{ text: before, kind: 'both' }];
  const options = { maxEditLength: MOST_EDITS };
  const parts =
    before.length + after.length > MOST_FOR_WORDS
      ? diffLines(before, after, options)
      : diffWordsWithSpace(before, after, options);
  if (parts === undefined) {
    return [
      { text: before, kind: 'removed' as const },
      { text: after, kind: 'added' as const },
    ].filter(({ text }) => text !== '');
  }
  return parts.map(({ value, added, removed }) => ({
    text: value,
    kind: added ? 'added' : removed ? 'removed' : 'both',
  }));
}
