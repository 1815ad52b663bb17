import { expect } from 'vitest';
import type { Device } from '@/lib/watermelon';
import { deviceSnapshot, serverSnapshot } from './snapshot';
import { settle, type World } from './world';

/** Expects devices to hold what the server holds for their users, field by field. */
export async function expectInStep(world: Pick<World, 'stack'>, ...devices: Device[]): Promise<void> {
  for (const device of devices) {
    const server = await serverSnapshot(world.stack.backend, device.userId);
    expect(await deviceSnapshot(device.database)).toEqual(server);
  }
}

/** Syncs the devices until quiet; expects them to be in step then, with nothing left to push. */
export async function expectConverged(world: Pick<World, 'stack'>, ...devices: Device[]): Promise<void> {
  await settle(...devices);
  await expectInStep(world, ...devices);
  for (const device of devices) expect(device.syncStatus.pending).toBe(0);
}
