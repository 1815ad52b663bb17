import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const alias = { '@': fileURLToPath(new URL('./src', import.meta.url)) };

/** Test projects by requirements: unit (none), contract and integration (PGlite, sockets), simulation (worker processes), e2e (a browser). */
function project(name: string, timeoutMs: number, globalSetup: string[] = []) {
  return {
    resolve: { alias },
    test: {
      name,
      include: [`tests/${name}/**/*.test.{ts,tsx}`],
      testTimeout: timeoutMs,
      hookTimeout: Math.max(timeoutMs, 180_000),
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
      project('unit', 20_000),
      project('contract', 120_000),
      project('integration', 120_000),
      project('simulation', 240_000),
      project('e2e', 120_000, ['tests/support/buildWeb.ts']),
    ],
  },
});
