/** What the page can tell of its last use at once, before the library is loaded. */

import { SESSION_KEY } from '@/lib/watermelon/accounts/sessionKey';

/** Stands in the session storage while somebody works here without an account. */
export const WITHOUT_ACCOUNT = 'convoy:without-account';

/** @returns whether a database is going to be opened: somebody is signed in, or works without an account */
export function hasDatabaseToOpen(): boolean {
  return [SESSION_KEY, WITHOUT_ACCOUNT].some((key) => localStorage.getItem(key) !== null);
}
