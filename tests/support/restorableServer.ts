/**
 * A server for each test, which can be put back to a backup of it.
 * Test files of one process run one after the other, so that each finds its own server in these variables.
 */

import { afterEach, beforeEach } from 'vitest';
import { type LocalStack, type PgliteBackend, startLocalStack } from '@/server';
import { openMigrated } from './template';
import { World } from './world';

export let world: World;
/** The database before the restore: `backend.dump()` is a backup. */
export let backend: PgliteBackend;
/** The server after the restore. */
export let restored: LocalStack | null;

export function serverForEachTest(): void {
  beforeEach(async () => {
    restored = null;
    backend = await openMigrated(true);
    world = await World.start({ kind: 'backend', backend });
  });
  afterEach(async () => {
    await restored?.close();
    await world.close();
  });
}

/** Puts the server back to what it was when the backup was taken, at the same address. */
export async function restoreFrom(backup: Blob): Promise<LocalStack> {
  const port = Number(new URL(world.stack.url).port);
  await world.stack.close();
  const started = await startLocalStack({ data: { kind: 'memory', template: backup }, port });
  if (!started.ok) throw new Error(started.error.message);
  restored = started.value;
  return started.value;
}
