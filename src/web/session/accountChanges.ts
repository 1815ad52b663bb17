/**
 * A browser holds one session, so all of its tabs are with one account: whoever signs in, signs out or
 * begins without an account says so, and the other tabs follow. A session that ends by itself is no
 * such step; its tabs go on offline.
 */

/** Changed by each step of that kind, and by nothing else. */
const KEY = 'convoy:account';

/** @returns what stands for the latest step */
export function latestAccountChange(): string | null {
  return localStorage.getItem(KEY);
}

/** Tells the other tabs that the account is another one now. @returns what stands for this step */
export function announceAccountChange(account: string | null): string {
  const step = `${account ?? 'nobody'} ${crypto.randomUUID()}`;
  localStorage.setItem(KEY, step);
  return step;
}

/** Calls back whenever there may have been a step elsewhere, also while this page slept. @returns how to stop */
export function onAccountChangeElsewhere(listener: () => void): () => void {
  const onStorage = ({ key }: StorageEvent) => {
    if (key === KEY) listener();
  };
  const listeners: [EventTarget, string, (event: never) => void][] = [
    [window, 'storage', onStorage],
    [window, 'pageshow', listener],
    [document, 'resume', listener],
    [document, 'visibilitychange', listener],
  ];
  for (const [target, event, heard] of listeners) target.addEventListener(event, heard as EventListener);
  return () => {
    for (const [target, event, heard] of listeners) target.removeEventListener(event, heard as EventListener);
  };
}
