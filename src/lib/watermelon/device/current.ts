/** The device of this application: opened once, used by the module-level functions of `index.ts`. */

import type { Device } from './device';

export interface InitOptions {
  /** Opens the device; by default the one of the signed-in user, on this platform. */
  open?: () => Promise<Device>;
}

/** The only module state of the data layer. */
let current: Promise<Device> | null = null;

/**
 * Opens the local database. All calls share one device, those made while it is being opened included.
 * @returns the device. Rejects with a `ConvoyError` (storage) when it cannot be opened; the next call tries again.
 */
export function initDatabase(options: InitOptions = {}): Promise<Device> {
  current ??= (options.open ?? openDefault)().catch((error: unknown) => {
    current = null;
    throw error;
  });
  return current;
}

async function openDefault(): Promise<Device> {
  const { openDefaultDevice } = await import('./compose');
  return openDefaultDevice();
}

/** @returns the device of this application, opened where it is not open yet. */
export function currentDevice(): Promise<Device> {
  return initDatabase();
}

/** Closes the device of this application; the next call opens one anew, of another user perhaps. */
export async function closeDatabase(): Promise<void> {
  const device = current;
  current = null;
  if (device) await (await device).close();
}
