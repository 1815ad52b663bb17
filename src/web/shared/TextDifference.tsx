import { lazy, Suspense } from 'react';
import styles from './TextDifference.module.css';

// The library that compares is loaded when somebody is shown a difference.
const DifferenceParts = lazy(async () => ({
  default: (await import('./DifferenceParts')).DifferenceParts,
}));

interface TextDifferenceProps {
  before: string;
  after: string;
  /** Shows one text alone, with what the other one does not have marked. Absent: both as one. */
  side?: 'before' | 'after';
}

/** Two texts as they were typed, with what differs marked. */
export function TextDifference({ before, after, side }: TextDifferenceProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions have to be focusable
    <div className={styles.difference} dir="auto" tabIndex={0}>
      <Suspense fallback={side === 'before' ? before : after}>
        <DifferenceParts before={before} after={after} side={side} />
      </Suspense>
    </div>
  );
}
