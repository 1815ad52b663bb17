/** The device of this application: set up once, used by the module-level functions. */

import type { Device } from './device';

export interface InitOptions {
  /** Opens the device; default: as the platform and its session say. */
  open?: () => Promise<Device>;
}

/** The one piece of module state: which device the functions of this module speak for. */
let current: Promise<Device> | null = null;

/**
 * Opens the local database. Calls after the first, and calls while it runs, share one device.
 * @returns the device; rejects with a `ConvoyError` (storage) when it cannot be opened, and may then be called again.
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

/** @returns the device that `initDatabase` opened; opens it if nobody has yet. */
export function currentDevice(): Promise<Device> {
  return initDatabase();
}

/** Closes the device, so that another user's can be opened. */
export async function closeDatabase(): Promise<void> {
  const device = current;
  current = null;
  if (device) await (await device).close();
}
