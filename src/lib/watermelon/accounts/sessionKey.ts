/** Key of the session in the platform's session storage. */
export const SESSION_KEY = 'convoy:session';
