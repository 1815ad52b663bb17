import { useEffect, useRef, useState } from 'react';
import { count } from './count';

interface ShowMoreProps {
  /** What there is more of, in the plural. */
  noun: string;
  shown: number;
  /** The number there is in all; null: all are shown. */
  all: number | null;
  onMore: () => void;
}

/** Says how much of a list is shown, and a button for more of it. Nothing where all of it has been shown from the start. */
export function ShowMore({ noun, shown, all, onMore }: ShowMoreProps) {
  const [isAsked, setAsked] = useState(false);
  const end = useRef<HTMLParagraphElement>(null);
  const isWhole = all === null;
  useEffect(() => {
    // The button that had the focus is gone: the keyboard goes on from here.
    if (isAsked && isWhole && document.activeElement === document.body) end.current?.focus();
  }, [isAsked, isWhole]);
  if (isWhole) {
    return (
      isAsked && (
        <p ref={end} className="show-more muted" tabIndex={-1}>
          All {count(shown, noun, noun)} are shown.
        </p>
      )
    );
  }
  return (
    <p className="show-more">
      <button
        type="button"
        className="button"
        onClick={() => {
          setAsked(true);
          onMore();
        }}
      >
        Show more {noun}
      </button>
      <span className="muted" role="status">
        {shown.toLocaleString('en')} of {all.toLocaleString('en')} are shown.
      </span>
    </p>
  );
}
