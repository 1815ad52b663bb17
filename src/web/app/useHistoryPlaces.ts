import { useEffect, useLayoutEffect, useRef } from 'react';
import { useLocation } from 'wouter';
import { screenOf } from '../hooks/useNavigateFromHere';

/** Where a person was on a page: how far it was scrolled, px, and the link that had the focus. */
interface Spot {
  scroll: number;
  href: string | null;
}

/** A list may need so long to be as high again as it was, ms: a slow device reads it anew. */
const PATIENCE_MS = 30_000;

/** A person who does one of these has left the place that Back would give back. */
const OWN_MOVES = ['keydown', 'pointerdown', 'wheel', 'touchstart'] as const;

/** Entries of the history whose places are remembered, the latest ones. */
const MOST_SPOTS = 100;

const spots = new Map<number, Spot>();
let entries = 0;
let isReturning = false;

/**
 * Back and Forward give back the place on the page: scroll and focus. A new screen begins at its top, with the focus there for
 * screen readers. Addresses that mean the same screen, by id and by key, are one.
 */
export function useHistoryPlaces(main: { current: HTMLElement | null }): void {
  const [location] = useLocation();
  const screen = screenOf(location);
  const shown = useRef(screen);
  const stopReturning = useRef(() => {});

  useEffect(() => {
    history.scrollRestoration = 'manual';
    // The entry is that of the event: a frame later the page may have left it.
    const remember = () => {
      if (isReturning) return;
      const { activeElement: focused } = document;
      const href =
        focused instanceof HTMLAnchorElement && main.current?.contains(focused)
          ? focused.getAttribute('href')
          : null;
      const entry = entryHere();
      spots.delete(entry);
      spots.set(entry, { scroll: window.scrollY, href });
      const [oldest] = spots.keys();
      if (spots.size > MOST_SPOTS && oldest !== undefined) spots.delete(oldest);
    };
    window.addEventListener('scroll', remember, { passive: true });
    document.addEventListener('focusin', remember);
    return () => {
      window.removeEventListener('scroll', remember);
      document.removeEventListener('focusin', remember);
    };
  }, [main]);

  useLayoutEffect(() => {
    const spot = spots.get(entryHere());
    if (shown.current === screen) return;
    shown.current = screen;
    stopReturning.current();
    if (spot) {
      stopReturning.current = returnTo(spot, main);
      return;
    }
    main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [screen, main]);
}

/** @returns the number of the history entry that is shown; gives it one where it has none. */
function entryHere(): number {
  const state = history.state as { convoyEntry?: number } | null;
  if (typeof state?.convoyEntry === 'number') return state.convoyEntry;
  // Later than all of before a reload.
  entries = Math.max(entries + 1, Date.now());
  history.replaceState({ ...state, convoyEntry: entries }, '');
  return entries;
}

/** Scrolls there as soon as the page is high enough, unless the person moves on before. @returns a function that gives up */
function returnTo({ scroll, href }: Spot, main: { current: HTMLElement | null }): () => void {
  const started = performance.now();
  let frame = 0;
  const stop = () => {
    isReturning = false;
    cancelAnimationFrame(frame);
    for (const move of OWN_MOVES) window.removeEventListener(move, stop, { capture: true });
  };
  const look = () => {
    window.scrollTo(0, scroll);
    const link =
      href === null ? null : main.current?.querySelector<HTMLElement>(`a[href="${CSS.escape(href)}"]`);
    const isThere = Math.abs(window.scrollY - scroll) <= 1 && (href === null || link);
    if (!isThere && performance.now() - started < PATIENCE_MS) {
      frame = requestAnimationFrame(look);
      return;
    }
    stop();
    link?.focus({ preventScroll: true });
  };
  isReturning = true;
  // Until the link is there, the keyboard is on the screen that is shown.
  main.current?.focus({ preventScroll: true });
  for (const move of OWN_MOVES) window.addEventListener(move, stop, { capture: true, passive: true });
  look();
  return stop;
}
