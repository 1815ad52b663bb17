/** Whether single letters are shortcuts, as each person chooses in each browser (WCAG 2.1.4). */

import { useSyncExternalStore } from 'react';

const KEY = 'convoy.singleKeys';
const listeners = new Set<() => void>();
let areOn = read();

function read(): boolean {
  try {
    return localStorage.getItem(KEY) !== 'off';
  } catch {
    return true;
  }
}

export const singleKeys = {
  areOn: () => areOn,
  turn(on: boolean) {
    areOn = on;
    try {
      localStorage.setItem(KEY, on ? 'on' : 'off');
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    for (const notify of listeners) notify();
  },
};

export function useSingleKeys(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => areOn,
  );
}
