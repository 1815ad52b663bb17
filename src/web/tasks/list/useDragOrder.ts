import { type PointerEvent as ReactPointerEvent, useCallback, useRef, useState } from 'react';

/** Near the edge of the window the page scrolls along, px. */
const EDGE_PX = 96;
const SCROLL_PX = 14;

interface Options {
  /** @returns tops of the siblings' rows without the moved one, px from the top of the page, and the height of a row */
  siblings(id: string): { tops: readonly number[]; end: number; rowHeight: number };
  onDrop(id: string, at: number): void;
}

/** Drag of a row by its grip to another place among its siblings. Escape ends it. */
export function useDragOrder({ siblings, onDrop }: Options) {
  /** Where the row would come to be, px from the top of the page. */
  const [line, setLine] = useState<number | null>(null);
  const latest = useRef({ siblings, onDrop });
  latest.current = { siblings, onDrop };

  const start = useCallback((id: string, event: ReactPointerEvent<HTMLElement>) => {
    if (event.button !== 0) return;
    event.preventDefault();
    let at: number | null = null;
    const move = ({ clientY }: PointerEvent) => {
      const { tops, end, rowHeight } = latest.current.siblings(id);
      const y = clientY + window.scrollY;
      at = tops.filter((top) => top + rowHeight / 2 < y).length;
      setLine(tops[at] ?? end);
      if (clientY < EDGE_PX) window.scrollBy(0, -SCROLL_PX);
      else if (clientY > window.innerHeight - EDGE_PX) window.scrollBy(0, SCROLL_PX);
    };
    const stop = () => {
      window.removeEventListener('pointermove', move);
      window.removeEventListener('pointerup', drop);
      window.removeEventListener('pointercancel', stop);
      window.removeEventListener('keydown', onEscape);
      setLine(null);
    };
    const drop = () => {
      stop();
      if (at !== null) latest.current.onDrop(id, at);
    };
    const onEscape = ({ key }: KeyboardEvent) => {
      if (key === 'Escape') stop();
    };
    window.addEventListener('pointermove', move);
    window.addEventListener('pointerup', drop);
    window.addEventListener('pointercancel', stop);
    window.addEventListener('keydown', onEscape);
  }, []);

  return { line, start };
}
