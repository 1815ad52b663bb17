/** A device whose process dies between two writes of a sync. */

import type { LocalAdapter } from '@/lib/watermelon/database';
import { meanwhile } from './meanwhile';
import type { TestDevice } from './world';

type Callback = (result: { error: Error }) => void;

/**
 * Syncs with so many writes to the database; the next ones fail. The process starts again then.
 * @param work done while the first pull is on its way: the writes are those after it
 * @returns the device after that, and whether the sync came to its end
 */
export async function syncBrokenOff(
  device: TestDevice,
  writes: number,
  work?: () => Promise<unknown>,
): Promise<{ device: TestDevice; isOver: boolean }> {
  const { underlyingAdapter: adapter } = device.database.adapter as unknown as {
    underlyingAdapter: LocalAdapter;
  };
  const batch = adapter.batch.bind(adapter);
  let left = work ? Number.POSITIVE_INFINITY : writes;
  adapter.batch = (operations, callback) => {
    left -= 1;
    if (left >= 0) batch(operations, callback);
    else (callback as unknown as Callback)({ error: new Error('The process has died.') });
  };
  const { error } = await (work
    ? meanwhile(device, 'pull', async () => {
        await work();
        left = writes;
      })
    : device.sync());
  return { device: await device.restart(), isOver: error === null && left >= 0 };
}
