/**
 * A browser holds one session, so all of its tabs use one account: a tab that signs in, signs out or starts without
 * an account announces it, and the other tabs follow. A session that expires is no such change; its tabs continue
 * offline.
 */

import { v7 as uuidv7 } from 'uuid';
import { pageStorage } from '@/platform/web/pageStorage';

/** Key in localStorage, written by each change of the account and by nothing else. */
const KEY = 'convoy:account';

/** @returns the token of the latest change of the account */
export function latestAccountChange(): string | null {
  return pageStorage().getItem(KEY);
}

/** Announces a change of the account to the other tabs. @returns the token of this change */
export function announceAccountChange(account: string | null): string {
  const step = `${account ?? 'nobody'} ${uuidv7()}`;
  try {
    pageStorage().setItem(KEY, step);
  } catch {
    // It is full. The other tabs find out when they use the session.
    return latestAccountChange() ?? step;
  }
  return step;
}

/** Calls back when another tab may have changed the account, also while this page was frozen. @returns how to stop */
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
