/** Where the session is kept in the platform's session storage. */
export const SESSION_KEY = 'convoy:session';
