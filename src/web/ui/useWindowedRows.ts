import { type RefObject, useLayoutEffect, useState } from 'react';

/** Rows rendered above and below the visible ones, for scrolling and for the Tab key. */
const OVERSCAN = 12;

export interface RowWindow {
  first: number;
  /** Exclusive. */
  end: number;
}

/**
 * The rows of a long list that need rendering at the current scroll position. All rows have the same height.
 * @param rowHeight px
 */
export function useWindowedRows(
  list: RefObject<HTMLElement | null>,
  count: number,
  rowHeight: number,
): RowWindow {
  const [range, setRange] = useState<RowWindow>({ first: 0, end: 60 });

  useLayoutEffect(() => {
    const measure = () => {
      const top = list.current?.getBoundingClientRect().top ?? 0;
      const first = Math.max(0, Math.floor(-top / rowHeight) - OVERSCAN);
      const end = Math.ceil((window.innerHeight - top) / rowHeight) + OVERSCAN;
      setRange((before) => (before.first === first && before.end === end ? before : { first, end }));
    };
    measure();
    // Captured, because scroll events do not bubble and any container of the list may scroll.
    window.addEventListener('scroll', measure, { passive: true, capture: true });
    window.addEventListener('resize', measure);
    return () => {
      window.removeEventListener('scroll', measure, { capture: true });
      window.removeEventListener('resize', measure);
    };
  }, [list, rowHeight]);

  return { first: Math.min(range.first, count), end: Math.max(0, Math.min(range.end, count)) };
}
