import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig, type HtmlTagDescriptor, type Plugin } from 'vite';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

const sqlite = path('./node_modules/@sqlite.org/sqlite-wasm/sqlite-wasm/jswasm/sqlite3.mjs');

/** Adds preload links, so that the browser fetches a script's dynamic imports while it still fetches the script. */
const preloadImports: Plugin = {
  name: 'convoy:preload-imports',
  transformIndexHtml: {
    order: 'post',
    handler(_html, { bundle = {}, chunk }) {
      const files = new Set(chunk?.dynamicImports);
      for (const file of files) {
        const imported = bundle[file];
        if (imported?.type === 'chunk') for (const needed of imported.imports) files.add(needed);
      }
      for (const known of [chunk?.fileName, ...(chunk?.imports ?? [])]) files.delete(known as string);
      return [...files].map((file): HtmlTagDescriptor => {
        const attrs = { rel: 'modulepreload', crossorigin: true, href: `/${file}` };
        return { tag: 'link', attrs, injectTo: 'head' };
      });
    },
  },
};

/** The web app, built to dist/web; `vite.server.config.ts` builds what runs on Node. */
export default defineConfig({
  root: path('./src/web'),
  plugins: [react(), preloadImports],
  resolve: {
    alias: [
      { find: '@', replacement: path('./src') },
      // The package's main entry adds workers that Convoy does not use.
      { find: /^@sqlite\.org\/sqlite-wasm$/, replacement: sqlite },
    ],
  },
  worker: { format: 'es' },
  // Pre-bundled, the package would look for its .wasm file at the wrong path.
  optimizeDeps: { exclude: ['@sqlite.org/sqlite-wasm'] },
  build: {
    target: 'es2022',
    outDir: path('./dist/web'),
    emptyOutDir: true,
    sourcemap: true,
    // One chunk of the data layer exceeds Vite's default limit slightly; it loads after the first paint.
    chunkSizeWarningLimit: 800,
  },
});
