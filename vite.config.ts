import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** The web app, built to dist/web; `vite.server.config.ts` builds what runs on Node. */
export default defineConfig({
  root: path('./src/web'),
  plugins: [react()],
  resolve: { alias: { '@': path('./src') } },
  build: {
    target: 'es2022',
    outDir: path('./dist/web'),
    emptyOutDir: true,
    sourcemap: true,
    // One chunk of the data layer is a little larger than Vite likes; it loads after the first paint.
    chunkSizeWarningLimit: 800,
  },
});
