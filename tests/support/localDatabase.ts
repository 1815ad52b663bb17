/** Real local databases in temporary folders. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConvoyDatabase } from '@/lib/watermelon';
import { type LocalAdapter, openDatabase } from '@/lib/watermelon/database';
import { LOCAL_DATABASE } from '@/lib/watermelon/models';
import { SyncClock } from '@/lib/watermelon/sync';
import { createPlatform } from '@/platform/node';

/** @returns a new folder and how to remove it. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'convoy-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** @returns the storage adapter on a file of the folder. */
export async function openAdapter(folder: string, name = 'local'): Promise<LocalAdapter> {
  const opened = await createPlatform({ folder }).openAdapter({ name, ...LOCAL_DATABASE });
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

export async function openLocalDatabase(folder: string, clock = new SyncClock()): Promise<ConvoyDatabase> {
  const opened = await openDatabase({ adapter: await openAdapter(folder), clock });
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}
