/**
 * The world that most sync tests begin in: a server, and two devices that are in step with it.
 * Test files of one process run one after the other, so that each finds its own world in these variables.
 */

import { afterAll, beforeAll, beforeEach } from 'vitest';
import { settle, type TestDevice, World } from './world';

export let world: World;
/** A device of the owner. */
export let here: TestDevice;
/** A device of the editor. */
export let there: TestDevice;

async function openDevices(): Promise<void> {
  here = await world.device('owner');
  there = await world.device('editor');
  await settle(here, there);
}

/** Closes `here` and opens its database again, as after a restart of its process. */
export async function restartHere(): Promise<void> {
  here = await here.restart();
}

function serverForFile(): void {
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());
}

/** Every test of the file gets two new devices; they share the server. */
export function devicesForEachTest(): void {
  serverForFile();
  beforeEach(openDevices);
}

/** The tests of the file share the server and both devices. */
export function devicesForFile(): void {
  serverForFile();
  beforeAll(openDevices);
}
