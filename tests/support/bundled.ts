/** Pages built as the app is, served on the real server's address in its place. */

import { fileURLToPath } from 'node:url';
import type { BrowserContext } from 'playwright-core';
import { build, type InlineConfig } from 'vite';

type File = { contentType: string; body: string | Buffer };
/** By their paths on the server. */
export type Bundle = ReadonlyMap<string, File>;

/** @param options what differs from how the app is built */
export async function bundled(options: InlineConfig): Promise<Bundle> {
  const built = await build({
    configFile: fileURLToPath(new URL('../../vite.config.ts', import.meta.url)),
    logLevel: 'error',
    mode: 'variant',
    ...options,
    build: { write: false, minify: false, sourcemap: false, ...options.build },
  });
  const [result] = Array.isArray(built) ? built : [built];
  if (!result || !('output' in result)) throw new Error('The page was not built.');
  return new Map(
    result.output.map((file) => {
      const body = file.type === 'chunk' ? file.code : Buffer.from(file.source);
      return [`/${file.fileName}`, { contentType: contentTypeOf(file.fileName), body }];
    }),
  );
}

const TYPES = { html: 'text/html', js: 'text/javascript', css: 'text/css', wasm: 'application/wasm' };

function contentTypeOf(name: string): string {
  const ending = name.slice(name.lastIndexOf('.') + 1);
  return TYPES[ending as keyof typeof TYPES] ?? 'application/octet-stream';
}

/** @param isPage whether a path is answered with the page. @returns how to end it */
export async function serve(
  context: BrowserContext,
  files: Bundle,
  isPage: (path: string) => boolean,
): Promise<() => Promise<void>> {
  const page = files.get('/index.html') as File;
  const isServed = ({ pathname }: URL) => files.has(pathname) || isPage(pathname);
  await context.route(isServed, (route) =>
    route.fulfill(files.get(new URL(route.request().url()).pathname) ?? page),
  );
  return () => context.unroute(isServed);
}
