/** Purges a stack's database soon after the start and daily, so that it does not grow without end. */

import { endUnusedSessions } from '../auth/sessions';
import type { SqlBackend } from './backend';

export interface PurgeTimes {
  /** ms from the start to the first purge. Default: 30 s. */
  firstMs?: number;
  /** ms between purges. Default: a day. */
  everyMs?: number;
}

const FIRST_MS = 30_000;
const EVERY_MS = 24 * 60 * 60_000;
/** Of a day: what somebody holds is left all the time. A call may be as good as another and leave as much. */
const MOST_CALLS = 1_000;

/** @returns a function that stops purging, and resolves when the running purge has ended */
export function purgeDaily(
  backend: SqlBackend,
  log: (message: string) => void,
  { firstMs = FIRST_MS, everyMs = EVERY_MS }: PurgeTimes = {},
): () => Promise<void> {
  let isStopped = false;
  let running: Promise<void> = Promise.resolve();
  let timer = setTimeout(run, firstMs).unref();

  function run(): void {
    // An unhandled rejection would end the process.
    running = purge().catch((error: unknown) => logFailure(String(error)));
    timer = setTimeout(run, everyMs).unref();
  }

  /** Each call does as much as one statement may, and says whether something is left. */
  async function purge(): Promise<void> {
    const ended = await backend.transaction(endUnusedSessions);
    if (!ended.ok) logFailure(ended.error.message);
    for (let calls = 0; calls < MOST_CALLS && !isStopped; calls += 1) {
      const done = await backend.transaction((connection) =>
        connection.query<{ left: string }>('select convoy.purge() as left'),
      );
      if (!done.ok) return logFailure(done.error.message);
      if (Number(done.value[0]?.left) === 0) return;
    }
  }

  function logFailure(why: string): void {
    log(`What is old could not be purged: ${why}`);
  }

  return () => {
    isStopped = true;
    clearTimeout(timer);
    return running;
  };
}
