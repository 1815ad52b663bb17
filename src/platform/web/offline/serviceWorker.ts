/**
 * The service worker: keeps the app of one version, so that it opens without network and with the server stopped.
 * It answers for the page and its files alone; data travels past it. A newer version waits until a page says that a
 * person takes it.
 */

import { clientsClaim } from 'workbox-core';
import { cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import { TAKE_UPDATE } from './messages';

interface NotificationClick {
  notification: { close(): void };
  waitUntil(work: Promise<unknown>): void;
}

/** Of a service worker's scope, what is used here: the library of its types excludes that of the page. */
declare const self: {
  __WB_MANIFEST: { url: string; revision: string | null }[];
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'notificationclick', listener: (event: NotificationClick) => void): void;
  clients: {
    matchAll(options: { type: 'window' }): Promise<readonly { focus(): Promise<unknown> }[]>;
    openWindow(url: string): Promise<unknown>;
  };
  skipWaiting(): Promise<void>;
};

precacheAndRoute(self.__WB_MANIFEST);
cleanupOutdatedCaches();

// Files that it does not keep, and APIs, are the server's to answer.
const ofServer = [/\/[^/]+\.[a-z0-9]+$/i, /^\/(auth|rest|realtime)\/v1\//];
registerRoute(new NavigationRoute(createHandlerBoundToURL('/index.html'), { denylist: ofServer }));

// The page that installs the first one has modules that it has not loaded yet.
clientsClaim();
self.addEventListener('message', ({ data }) => {
  if (data === TAKE_UPDATE) void self.skipWaiting();
});

/** A notification leads to the page that is open, or to a new one; its first page is the inbox. */
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const open = self.clients
    .matchAll({ type: 'window' })
    .then(([page]) => (page ? page.focus() : self.clients.openWindow('/')));
  event.waitUntil(open);
});
