/**
 * Of the processes of one user, one runs timers and pokes: whoever holds the leader's lock, which the system releases when it
 * dies. The others write; the leader sees what they wrote and syncs it, as it does its own.
 */

import { join } from 'node:path';
import { FileLock } from '@/platform/node/fileLock';

/** ms between attempts of a process that waits to become the leader. */
const RETRY_MS = 1_000;

/**
 * Calls back once, when this process becomes the leader of the user with this folder.
 * @returns how to stop waiting, or leading
 */
export function whenLeader(folder: string, lead: () => void): () => void {
  const lock = new FileLock(join(folder, 'leader.lock'));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const attempt = () => {
    if (lock.tryTake()) return lead();
    timer = setTimeout(attempt, RETRY_MS);
    timer.unref();
  };
  attempt();
  return () => {
    clearTimeout(timer);
    lock.close();
  };
}
