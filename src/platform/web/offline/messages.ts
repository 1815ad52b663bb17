/** From a page to the service worker that waits: a person takes the newer version. */
export const TAKE_UPDATE = 'convoy:take-update';
