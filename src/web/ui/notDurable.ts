/** Words for people in windows that keep nothing (D44). */

export const NOT_DURABLE = 'Not durable in this window.';

/**
 * @param isSecure whether the page came over https, or from this machine
 * @param isBlocked whether the browser refuses even the smallest storage
 */
export function whyNotDurable(isSecure: boolean, isBlocked: boolean): string {
  if (isBlocked) return `This browser stores nothing for this site. ${ALLOW}`;
  return isSecure
    ? 'This browser keeps nothing of a private window.'
    : 'Browsers keep a database only for addresses with https, and for localhost.';
}

const ALLOW = 'Allow its cookies and site data in the settings of the browser, then load the page again.';

/** Where the database lasts, and the session does not. */
export const SIGN_IN_AGAIN = 'You will have to sign in again whenever this page is loaded.';
export const WHY_SIGN_IN_AGAIN = `Your work is kept, but this browser does not let the page remember an account. ${ALLOW}`;

export const LOST_WITH_TAB = 'What is not synced is lost when this tab is closed or loaded again.';
