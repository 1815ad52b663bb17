import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const alias = { '@': fileURLToPath(new URL('./src', import.meta.url)) };

/** Test projects by what they need: unit (nothing), contract and integration (PGlite, sockets), simulation (processes of its own), e2e (a browser). */
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
      // The files of a process share their modules, PostgreSQL as WebAssembly above all: compiling it costs the most.
      isolate: false,
    },
  };
}

export default defineConfig({
  test: {
    // Tests wait for timers, processes and browsers: more of them than a small machine has cores.
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
