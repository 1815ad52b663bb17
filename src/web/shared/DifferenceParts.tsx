import styles from './TextDifference.module.css';
import { differenceOf } from './textDifference';

interface DifferencePartsProps {
  before: string;
  after: string;
  side?: 'before' | 'after' | undefined;
}

/** Two texts in parts: common ones, and ones that one of them does not have, which are marked. */
export function DifferenceParts({ before, after, side }: DifferencePartsProps) {
  const hidden = side === undefined ? null : side === 'before' ? 'added' : 'removed';
  const parts = differenceOf(before, after).filter(({ kind }) => kind !== hidden);
  if (parts.length === 0) return <span className={styles.nothing}>nothing</span>;
  let at = 0;
  return parts.map(({ text, kind }) => {
    at += text.length;
    const key = `${at} ${kind}`;
    if (kind === 'added') return <ins key={key}>{text}</ins>;
    if (kind === 'both') return <span key={key}>{text}</span>;
    return side === undefined ? <del key={key}>{text}</del> : <mark key={key}>{text}</mark>;
  });
}
