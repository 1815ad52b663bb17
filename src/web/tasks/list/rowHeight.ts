import { useSyncExternalStore } from 'react';

/** In rem, as in TaskList.module.css: rows of one line, and rows of two on narrow screens. */
const WIDE_REM = 2.125;
const NARROW_REM = 3.5;
const narrow = window.matchMedia('(max-width: 48rem)');

function subscribe(listener: () => void): () => void {
  narrow.addEventListener('change', listener);
  return () => narrow.removeEventListener('change', listener);
}

export interface RowHeights {
  /** px, at the text size of the browser */
  task: number;
  group: number;
  isNarrow: boolean;
}

/** The heights of rows at the present width and text size. */
export function useRowHeights(): RowHeights {
  const isNarrow = useSyncExternalStore(subscribe, () => narrow.matches);
  const rem = useSyncExternalStore(subscribe, () =>
    Number.parseFloat(getComputedStyle(document.documentElement).fontSize),
  );
  return { task: (isNarrow ? NARROW_REM : WIDE_REM) * rem, group: WIDE_REM * rem, isNarrow };
}
