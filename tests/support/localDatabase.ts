/** Real local databases in temporary folders. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
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

/** @returns the tables and indexes of a file of the folder, by name. */
export function objectsOf(folder: string, name = 'local'): Record<string, unknown> {
  const file = new Sqlite(join(folder, `${name}.db`), { readonly: true });
  const objects = file.prepare('select "name", "sql" from "sqlite_master" order by "name"').all();
  file.close();
  return Object.fromEntries((objects as { name: string; sql: string }[]).map(({ name, sql }) => [name, sql]));
}

export async function openLocalDatabase(folder: string, clock = new SyncClock()): Promise<ConvoyDatabase> {
  const opened = await openDatabase({ adapter: await openAdapter(folder), clock });
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}
