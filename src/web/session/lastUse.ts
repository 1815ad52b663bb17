/** How the page was last used, known before the library is loaded. */

import { SESSION_KEY } from '@/lib/watermelon/accounts/sessionKey';
import { pageStorage } from '@/platform/web/pageStorage';

/** Key in the session storage, set while the device is used without an account. */
export const WITHOUT_ACCOUNT = 'convoy:without-account';

/** @returns whether the page will open a database: for a stored session, or for work without an account */
export function hasDatabaseToOpen(): boolean {
  return [SESSION_KEY, WITHOUT_ACCOUNT].some((key) => pageStorage().getItem(key) !== null);
}
