import { defaultRangeExtractor, useWindowVirtualizer, type Virtualizer } from '@tanstack/react-virtual';
import {
  type ReactNode,
  type RefObject,
  useCallback,
  useDeferredValue,
  useLayoutEffect,
  useState,
} from 'react';
import type { RowHeights } from './rowHeight';
import styles from './TaskList.module.css';

export interface VirtualRow {
  key: string;
  kind: 'task' | 'group' | 'new';
}

export type Rows = Virtualizer<Window, Element>;

/** The bar at the top covers what is below it, px; at the bottom phones have their tabs. */
const COVERED_PX = 72;
/** A row for a new task is measured when it is there, px. */
const NEW_ROW_PX = 80;

/** About how far down a page its list begins, px, until that is measured. */
const TOP_PX = 180;

/** Rows in the page above and below those in view. */
const OVERSCAN = 8;

interface Options {
  list: RefObject<HTMLElement | null>;
  rows: readonly VirtualRow[];
  heights: RowHeights;
  /** Rows that stay in the page wherever it is scrolled to: that with the focus, and a new one. */
  kept: readonly number[];
}

/** Which rows of a long list are in the page: those in view, and a few around them. */
export function useVirtualRows({ list, rows, heights, kept }: Options): Rows {
  const [top, setTop] = useState(TOP_PX);
  // Rows out of view come a frame after those in view.
  const overscan = useDeferredValue(OVERSCAN, 0);
  // A new function has the places of all rows computed anew, as new rows need it and scrolling does not.
  const getItemKey = useCallback((index: number) => rows[index]?.key ?? index, [rows]);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: (index) => {
      const kind = rows[index]?.kind;
      return kind === 'new' ? NEW_ROW_PX : kind === 'group' ? heights.group : heights.task;
    },
    getItemKey,
    overscan,
    scrollMargin: top,
    scrollPaddingStart: COVERED_PX,
    scrollPaddingEnd: COVERED_PX,
    initialRect: { width: window.innerWidth, height: window.innerHeight },
    rangeExtractor: (range) => {
      const shown = defaultRangeExtractor(range);
      const others = kept.filter((index) => index >= 0 && index < range.count && !shown.includes(index));
      return others.length === 0 ? shown : [...shown, ...others].sort((a, b) => a - b);
    },
  });
  // The page above the list may grow and shrink at any time.
  useLayoutEffect(() => {
    const element = list.current;
    if (element) setTop(Math.round(element.getBoundingClientRect().top + window.scrollY));
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: sizes are estimated anew when rows are of other heights
  useLayoutEffect(() => virtual.measure(), [virtual, heights.task, heights.group]);
  return virtual;
}

interface VirtualListProps {
  list: RefObject<HTMLUListElement | null>;
  label: string;
  rows: readonly VirtualRow[];
  virtual: Rows;
  /** Rows of the list that are not here yet: the page has their room already. */
  missing: { count: number; height: number };
  children: (index: number) => ReactNode;
}

export function VirtualList({ list, label, rows, virtual, missing, children }: VirtualListProps) {
  return (
    <ul
      ref={list}
      aria-label={label}
      className={styles.items}
      style={{ height: virtual.getTotalSize() + missing.count * missing.height }}
    >
      {virtual.getVirtualItems().map(({ key, index, start }) => {
        const kind = rows[index]?.kind;
        return (
          <li
            key={key}
            ref={kind === 'new' ? virtual.measureElement : undefined}
            data-index={index}
            className={styles.item}
            style={{ transform: `translateY(${start - virtual.options.scrollMargin}px)` }}
            aria-setsize={rows.length + missing.count}
            aria-posinset={index + 1}
          >
            {children(index)}
          </li>
        );
      })}
    </ul>
  );
}
