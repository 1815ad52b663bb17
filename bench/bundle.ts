/** Bundles the measured code as it is shipped, so that no TypeScript loader adds time or memory. */

import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export const ENTRIES = { server: path('../dist/bench/server.js'), subject: path('../dist/bench/subject.js') };

export async function bundle(): Promise<void> {
  await build({
    configFile: false,
    logLevel: 'error',
    resolve: { alias: { '@': path('../src') } },
    publicDir: false,
    build: {
      ssr: true,
      target: 'node20',
      outDir: path('../dist/bench'),
      emptyOutDir: true,
      sourcemap: true,
      rolldownOptions: {
        input: { server: path('./server.ts'), subject: path('./subjects/main.ts') },
        output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  });
}
