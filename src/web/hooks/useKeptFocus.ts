import { useEffect } from 'react';

/**
 * Keeps the place of the keyboard when the focused element leaves the page, as a row does that was just removed: the
 * browser would start again at the top of the page. The focus goes to the nearest region that is left.
 */
export function useKeptFocus(main: { current: HTMLElement | null }): void {
  useEffect(() => {
    const element = main.current;
    if (element === null) return;
    let regions: HTMLElement[] = [];
    let last: Element | null = null;
    const remember = ({ target }: FocusEvent) => {
      // A dialog stands outside: it gives the focus back to where it was, unless that is gone by then.
      if (!(target instanceof Element) || !element.contains(target)) return;
      last = target;
      regions = regionsAround(target, element);
    };
    const observer = new MutationObserver(() => {
      if (document.activeElement !== document.body || regions.length === 0 || last?.isConnected) return;
      const left = regions.find((region) => region.isConnected);
      regions = [];
      if (left === undefined) return;
      if (!left.hasAttribute('tabindex')) left.tabIndex = -1;
      left.focus({ preventScroll: true });
    });
    // A focus that the user takes away by a click has no place to be kept.
    const forget = () => {
      regions = [];
    };
    document.addEventListener('focusin', remember);
    document.addEventListener('pointerdown', forget, { capture: true });
    observer.observe(element, { childList: true, subtree: true });
    observer.observe(document.body, { childList: true });
    return () => {
      document.removeEventListener('focusin', remember);
      document.removeEventListener('pointerdown', forget, { capture: true });
      observer.disconnect();
    };
  }, [main]);
}

/** @returns the regions that an element is in, the nearest first, and the main part of the page last. */
function regionsAround(element: Element, main: HTMLElement): HTMLElement[] {
  const regions: HTMLElement[] = [];
  for (let at = element.parentElement; at !== null && main.contains(at); at = at.parentElement) {
    if (at.matches('section') || at === main) regions.push(at);
  }
  return regions;
}
