/** Short-lived processes send what they wrote before they end, and wait for a bounded time. */

import type { Device } from '@/lib/watermelon/device/device';

/** How long they wait, ms. */
const SEND_MS = 3_000;

/** Sends what is unsynced and fetches what is new, for 3 s at most. */
export async function syncShortly({ device }: { device: Device }): Promise<void> {
  await withinMs(SEND_MS, device.sync());
}

/** Waits for the work, for so many ms at most; it goes on all the same. */
export async function withinMs(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
