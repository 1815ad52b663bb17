import { join } from 'node:path';
import { FileLock } from './fileLock';

/** ms between tries for the lock. */
const RETRY_MS = 50;

/** Runs work while no other process of this machine runs work of the same name in this folder. */
export async function exclusively<T>(
  folder: string,
  name: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const lock = new FileLock(join(folder, `${name}.lock`));
  try {
    while (!lock.tryTake()) {
      signal?.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    return await work();
  } finally {
    lock.close();
  }
}
