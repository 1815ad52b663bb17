import { type RefObject, useLayoutEffect, useState } from 'react';

/** Rows rendered beyond what is visible, so that scrolling and tabbing find them there. */
const OVERSCAN = 12;

export interface RowWindow {
  first: number;
  /** Exclusive. */
  end: number;
}

/**
 * Which rows of a long list are worth rendering, as the page scrolls. Rows are of one height.
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
    // Captured, because scrolling does not bubble: whichever container scrolls, the list moves.
    window.addEventListener('scroll', measure, { passive: true, capture: true });
    window.addEventListener('resize', measure);
    return () => {
      window.removeEventListener('scroll', measure, { capture: true });
      window.removeEventListener('resize', measure);
    };
  }, [list, rowHeight]);

  return { first: Math.min(range.first, count), end: Math.max(0, Math.min(range.end, count)) };
}
