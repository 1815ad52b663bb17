import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import type { BrowserContext } from 'playwright-core';
import { build } from 'vite';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

async function bundle(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    root: path('.'),
    plugins: [react()],
    resolve: { alias: { '@': path('../../../src') } },
    build: {
      write: false,
      minify: false,
      target: 'es2022',
      lib: { entry: path('probe.tsx'), formats: ['es'], fileName: 'probe' },
      rolldownOptions: { output: { codeSplitting: false } },
    },
    define: { 'process.env.NODE_ENV': '"development"' },
  });
  const [result] = Array.isArray(built) ? built : [built];
  if (!result || !('output' in result)) throw new Error('The page of the hooks was not built.');
  return result.output[0].code;
}

const HTML =
  '<!doctype html><title>Hooks</title><div id="app"></div><script type="module" src="/probe.js"></script>';

/** Every page of the context is then the hooks alone, on the real server's address. */
export async function serveHooks(context: BrowserContext): Promise<void> {
  const code = await bundle();
  await context.route('**/probe.js', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: code }),
  );
  await context.route(
    (url) => url.pathname.startsWith('/tasks/'),
    (route) => route.fulfill({ contentType: 'text/html', body: HTML }),
  );
}
