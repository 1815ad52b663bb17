/** What people read in windows that keep nothing (D44). */

export const NOT_DURABLE = 'Not durable in this window.';

/** @param isSecure whether the page came over https, or from this machine */
export function whyNotDurable(isSecure: boolean): string {
  return isSecure
    ? 'This browser keeps nothing of a private window.'
    : 'Browsers keep a database only for addresses with https, and for localhost.';
}

export const LOST_WITH_TAB = 'What is not synced is lost when this tab is closed or loaded again.';
