/** Work that happens while a request of a device is on its way. */

import type { SyncResult } from '@/lib/watermelon';
import type { TestDevice } from './world';

/**
 * Starts a sync and runs `work` while its next push or pull is held back; then lets it go.
 * @returns the result of that sync
 */
export async function meanwhile(
  device: TestDevice,
  direction: 'push' | 'pull',
  work: () => Promise<unknown>,
): Promise<SyncResult> {
  const before = device.transport.count(direction);
  const release = device.transport.holdNext(direction);
  const syncing = device.sync();
  while (device.transport.count(direction) === before) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  try {
    await work();
  } finally {
    release();
  }
  return syncing;
}
