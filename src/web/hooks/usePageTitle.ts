import { useEffect } from 'react';

/** As the page was delivered: the name of the app. */
const APP = document.title;

let page = '';
let waiting = 0;

function show() {
  const name = page === '' ? APP : `${page} · ${APP}`;
  document.title = waiting > 0 ? `(${waiting}) ${name}` : name;
}

/** The title of the page in the browser's tab and history. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    page = title;
    show();
  }, [title]);
}

/** The number of items in the inbox, before the title and on the icon of the installed app. */
export function useTitleCount(count: number): void {
  useEffect(() => {
    waiting = count;
    show();
    // Browsers without badges have none to set, and some refuse.
    const badge = count > 0 ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.();
    badge?.catch(() => undefined);
  }, [count]);
}
