import { AGAIN_AND_AGAIN, later } from '../ui/later';
import styles from './TextDifference.module.css';

const DifferenceParts = later(
  async () => (await import('./DifferenceParts')).DifferenceParts,
  ({ before, after, side }: TextDifferenceProps) => (side === 'before' ? before : after),
  AGAIN_AND_AGAIN,
);

interface TextDifferenceProps {
  before: string;
  after: string;
  /** Shows one text alone, with what the other one does not have marked. Absent: both as one. */
  side?: 'before' | 'after' | undefined;
}

/** Two texts as they were typed, with what differs marked. */
export function TextDifference({ before, after, side }: TextDifferenceProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions have to be focusable
    <div className={styles.difference} dir="auto" tabIndex={0}>
      <DifferenceParts before={before} after={after} side={side} />
    </div>
  );
}
