import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import { compression } from 'vite-plugin-compression2';
import { VitePWA } from 'vite-plugin-pwa';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

const sqlite = path('./node_modules/@sqlite.org/sqlite-wasm/sqlite-wasm/jswasm/sqlite3.mjs');

/** The browser's form of it asks the document, which the worker that parses Markdown has not. */
const characterNames = path('./node_modules/decode-named-character-reference/index.js');

/**
 * By chunk, the modules that it is made of besides what stands above it: what is painted first, what the first list of work needs, what stands there
 * until there is a workspace, what the open item of the inbox shows, and the lists and pages of tasks. Modules that travel as one file take 5 % fewer bytes than as the twenty that are
 * shared with later parts, and each file that the service worker answers with takes some 3 ms of a page that opens.
 */
const EARLY = [
  { name: 'paint', from: ['./src/web/main.tsx'].map(path), ids: new Set<string>() },
  {
    name: 'start',
    from: ['./src/web/app/App.tsx', './src/lib/watermelon/device/compose.ts'].map(path),
    ids: new Set<string>(),
  },
  { name: 'empty', from: ['./src/web/places/WorkspacesPage.tsx'].map(path), ids: new Set<string>() },
  { name: 'item', from: ['./src/web/inbox/ItemPane.tsx'].map(path), ids: new Set<string>() },
  {
    name: 'work',
    from: [
      './src/web/places/MilestonePage.tsx',
      './src/web/places/ProjectPage.tsx',
      './src/web/tasks/MyTasksPage.tsx',
      './src/web/tasks/TaskAddress.tsx',
    ].map(path),
    ids: new Set<string>(),
  },
];

/** Finds these modules. */
const findEarly: Plugin = {
  name: 'convoy:find-early',
  buildEnd() {
    for (const { from, ids } of EARLY) {
      ids.clear();
      for (const id of from) ids.add(id);
      for (const id of ids) {
        // The index files of Base UI import all of a component, and most of that is for later.
        if (id.includes('@base-ui/')) ids.delete(id);
        else for (const next of this.getModuleInfo(id)?.importedIds ?? []) ids.add(next);
      }
    }
  },
};

/** The app is kept by a service worker and can be installed, so that it opens without network. */
const installable = VitePWA({
  strategies: 'injectManifest',
  registerType: 'prompt',
  injectRegister: null,
  srcDir: '../platform/web/offline',
  filename: 'serviceWorker.ts',
  injectManifest: {
    // Firefox has no service workers that are modules.
    rollupFormat: 'iife',
    // Icons and the manifest come by themselves.
    globPatterns: ['**/*.{html,js,css,wasm}'],
    maximumFileSizeToCacheInBytes: 4 * 2 ** 20,
  },
  manifest: {
    id: '/',
    name: 'Convoy',
    short_name: 'Convoy',
    description: 'A workspace in which people and AI coding agents build software together.',
    start_url: '/',
    display: 'standalone',
    background_color: '#1d5c63',
    theme_color: '#1d5c63',
    icons: [
      { src: '/convoy.svg', sizes: 'any', type: 'image/svg+xml' },
      { src: '/convoy-192.png', sizes: '192x192', type: 'image/png' },
      { src: '/convoy-512.png', sizes: '512x512', type: 'image/png' },
      { src: '/convoy-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
    ],
  },
});

/** Files whose names change with their content; a server compresses the others as it sends them. */
const compressed = compression({ algorithms: ['brotliCompress'], include: /assets\/.*\.(js|css|wasm)$/ });

/** The web app, built to dist/web; `vite.server.config.ts` builds what runs on Node. */
export default defineConfig(({ mode }) => ({
  root: path('./src/web'),
  // Tests build variants in memory, which are in no cache.
  plugins: [react(), findEarly, mode === 'production' && [installable, compressed]],
  resolve: {
    alias: [
      { find: '@', replacement: path('./src') },
      // The package's main entry adds workers that Convoy does not use.
      { find: /^@sqlite\.org\/sqlite-wasm$/, replacement: sqlite },
      { find: /^\.\.?\/__wmelonRxShim$/, replacement: path('./src/platform/web/watermelonRx.ts') },
      { find: /^decode-named-character-reference$/, replacement: characterNames },
      {
        find: /^@supabase\/(storage|functions)-js$/,
        replacement: path('./src/platform/web/supabaseParts.ts'),
      },
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
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            ...EARLY.map(({ name, ids }, place) => ({
              name,
              test: (id: string) => ids.has(id),
              priority: 2 * (EARLY.length - place),
            })),
            // Before the parts that stand below what is needed first: menus, dialogs and toasts need no page of work.
            { name: 'controls', test: /@base-ui|@floating-ui/, priority: 2 * (EARLY.length - 2) + 1 },
          ],
        },
      },
    },
  },
}));
