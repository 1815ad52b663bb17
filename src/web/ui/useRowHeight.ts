import { useSyncExternalStore } from 'react';

/** In rem, equal to --task-row in styles/tasks.css. */
const WIDE_REM = 2.75;
const NARROW_REM = 4.25;
const narrow = window.matchMedia('(max-width: 48rem)');

function subscribe(listener: () => void): () => void {
  narrow.addEventListener('change', listener);
  return () => narrow.removeEventListener('change', listener);
}

/** The height of a row of the task list in px, at the current width and text size. */
export function useRowHeight(): number {
  return useSyncExternalStore(subscribe, () => {
    const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    return (narrow.matches ? NARROW_REM : WIDE_REM) * rem;
  });
}
