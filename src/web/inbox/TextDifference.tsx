import { type Change, diffLines, diffWordsWithSpace } from 'diff';
import { useMemo } from 'react';
import styles from './panes.module.css';

/** Time for a comparison by words, ms; longer ones are by lines. */
const BY_WORDS_MS = 100;

/** The difference between two texts as they were typed. */
export function TextDifference({ before, after }: { before: string; after: string }) {
  const changes = useMemo(
    (): Change[] => diffWordsWithSpace(before, after, { timeout: BY_WORDS_MS }) ?? diffLines(before, after),
    [before, after],
  );
  return (
    <p className={styles.difference} dir="auto">
      {changes.map(({ value, added, removed }, index) => {
        // Parts of a text have no other identity than their place.
        const key = index;
        if (added) return <ins key={key}>{value}</ins>;
        if (removed) return <del key={key}>{value}</del>;
        return <span key={key}>{value}</span>;
      })}
    </p>
  );
}
