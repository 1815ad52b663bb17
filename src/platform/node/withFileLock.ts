import { join } from 'node:path';
import { FileLock } from './fileLock';

/** ms between attempts to take the lock. */
const RETRY_MS = 50;

/**
 * Runs work while no other process of this machine runs work of the same name in this folder.
 * @param kept open locks by name, reused by later calls: opening a lock file takes longer than locking it
 */
export async function withFileLock<T>(
  folder: string,
  name: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
  kept: Map<string, FileLock> | null = null,
): Promise<T> {
  const lock = kept?.get(name) ?? new FileLock(join(folder, `${name}.lock`));
  // A concurrent call in this process opens a lock of its own, and so waits as another process would.
  kept?.delete(name);
  let isHeld = false;
  try {
    while (!lock.tryTake()) {
      signal?.throwIfAborted();
      await passed(RETRY_MS, signal);
    }
    isHeld = true;
    return await work();
  } finally {
    if (isHeld && kept && !kept.has(name)) {
      lock.release();
      kept.set(name, lock);
    } else lock.close();
  }
}

/** Resolves after `ms`, or as soon as the signal is aborted. */
function passed(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });
}
