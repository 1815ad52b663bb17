/** Keeps a stack's database from growing without end: purges it soon after the start, and daily. */

import type { SqlBackend } from './backend';

export interface PurgeTimes {
  /** ms from the start to the first purge. Default: 30 s. */
  firstMs?: number;
  /** ms between purges. Default: a day. */
  everyMs?: number;
}

const FIRST_MS = 30_000;
const EVERY_MS = 24 * 60 * 60_000;

/** @returns how to end it: resolves when no purge is running any more. */
export function purgeDaily(
  backend: SqlBackend,
  log: (message: string) => void,
  { firstMs = FIRST_MS, everyMs = EVERY_MS }: PurgeTimes = {},
): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let timer = setTimeout(run, firstMs).unref();

  function run(): void {
    // Nobody waits for it: what it throws would end the process.
    running = purge().catch((error: unknown) => complain(String(error)));
    timer = setTimeout(run, everyMs).unref();
  }

  async function purge(): Promise<void> {
    const done = await backend.transaction((connection) => connection.query('select convoy.purge()'));
    if (!done.ok) complain(done.error.message);
  }

  function complain(why: string): void {
    log(`Old tombstones could not be purged: ${why}`);
  }

  return () => {
    clearTimeout(timer);
    return running;
  };
}
