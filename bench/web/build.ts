/** Builds the pages as the app is built: each with what its subject needs, and nothing of the other's. */

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** @returns the folder the pages are in, which is the caller's to remove */
export async function buildPages(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'convoy-bench-web-'));
  await build({
    configFile: path('../../vite.config.ts'),
    mode: 'variant',
    root: path('./page'),
    logLevel: 'error',
    build: {
      outDir: folder,
      emptyOutDir: true,
      sourcemap: false,
      rolldownOptions: { input: [path('./page/index.html'), path('./page/stock.html')] },
    },
  });
  return folder;
}
