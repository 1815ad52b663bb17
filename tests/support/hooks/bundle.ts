import { fileURLToPath } from 'node:url';
import type { BrowserContext } from 'playwright-core';
import { bundled, serve } from '../bundled';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Every page of the context is then the hooks alone, on the real server's address. */
export async function serveHooks(context: BrowserContext): Promise<void> {
  const files = await bundled({
    root: path('.'),
    build: { rolldownOptions: { input: path('index.html') } },
    define: { 'process.env.NODE_ENV': '"development"' },
  });
  await serve(context, files, (path) => path.startsWith('/tasks/'));
}
