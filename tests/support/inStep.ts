import { expect } from 'vitest';
import type { Device } from '@/lib/watermelon';
import type { Work } from './releases';
import { deviceSnapshot, type Snapshot, serverSnapshot } from './snapshot';
import { settle, type World } from './world';

/** Expects devices to hold the server's rows for their users, column by column. */
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

/** Expects the edits in what a server or a device holds. */
export function expectDone(work: readonly Work[], held: Snapshot): void {
  for (const item of work) {
    const row = held[`${item.table}/${item.id}`];
    if (item.what === 'deleted') expect(row).toBeUndefined();
    else expect(row).toMatchObject(item.values);
  }
}
