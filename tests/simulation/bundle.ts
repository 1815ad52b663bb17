/** The worker as one module, so that its process starts quickly. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'vite';

export interface Bundle {
  script: string;
  remove(): void;
}

export async function bundleWorker(): Promise<Bundle> {
  const root = resolve('.');
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  // In the tree, so that it finds the tree's packages and SQL.
  const folder = mkdtempSync(join(cache, 'simulation-'));
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    resolve: { alias: { '@': join(root, 'src') } },
    build: {
      ssr: 'tests/simulation/worker.ts',
      outDir: folder,
      minify: false,
      target: 'node20',
      rolldownOptions: { output: { entryFileNames: 'worker.mjs' } },
    },
  });
  return {
    script: join(folder, 'worker.mjs'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
