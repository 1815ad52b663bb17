/** Parses Markdown beside the page: a text by anybody may take as long as it likes, and the page goes on. */

import { parseMarkdown } from './parse';

/** Of a worker's scope, what is used here: the library of its types excludes that of the page. */
declare const self: {
  addEventListener(type: 'message', listener: (event: { data: string }) => void): void;
  postMessage(message: unknown): void;
};

self.addEventListener('message', ({ data }) => self.postMessage(parseMarkdown(data)));
self.postMessage('ready');
