import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { TEST_MS, WAIT_MS } from './tests/support/patience.ts';

const alias = { '@': fileURLToPath(new URL('./src', import.meta.url)) };

/**
 * Test projects by requirements: unit (none), contract and integration (PGlite, sockets), simulation (worker processes), e2e (a browser).
 * Those of proofs, which take longest, need all of it.
 */
function project(name: string, globalSetup: string[] = []) {
  return {
    resolve: { alias },
    test: {
      name,
      include: [`tests/${name}/**/*.test.{ts,tsx}`],
      testTimeout: TEST_MS,
      hookTimeout: TEST_MS,
      expect: { poll: { timeout: WAIT_MS, interval: 20 } },
      environment: 'node',
      globalSetup,
      // Files in one process share modules: compiling PostgreSQL's WebAssembly for each file would cost the most.
      isolate: false,
    },
  };
}

export default defineConfig({
  test: {
    // More workers than cores of a small machine: tests mostly wait for timers, processes and browsers.
    maxWorkers: 3,
    projects: [
      project('unit'),
      project('contract'),
      project('integration'),
      project('simulation'),
      project('e2e', ['tests/support/buildWeb.ts']),
      project('proofs', ['tests/support/buildWeb.ts']),
    ],
  },
});
