/** The local databases of a device: one for each user, and one for work without an account. */

import type { StorageError } from '@/core/errors';
import type { Platform } from '@/core/platform';
import { ok, type Result } from '@/core/result';
import { type ConvoyDatabase, openDatabase } from '../database';
import { LOCAL_DATABASE } from '../models';
import type { AppSchema, DatabaseAdapter, SchemaMigrations } from '../models/watermelondb';
import { upgradeDatabase } from '../sync/state/schemaUpgrade';
import { SyncClock } from '../sync/state/syncClock';

/** The part of the platform that accounts need. */
export type AccountsPlatform = Pick<
  Platform<DatabaseAdapter, AppSchema, SchemaMigrations>,
  'openAdapter' | 'hasDatabase' | 'removeDatabase' | 'sessionStorage' | 'exclusively' | 'earlier'
>;

/** Stands for the user in the database without an account. */
export const LOCAL_USER = 'local';

/** @returns the name of a user's database on this device. */
export function databaseName(userId: string): string {
  return `convoy-${userId}`;
}

/** A database without a sync engine on it. */
export interface BareDatabase {
  database: ConvoyDatabase;
  close(): Promise<void>;
}

/** @returns a user's database, upgraded; or a storage error, `locked` while another tab has it open. */
export async function openBare(
  platform: AccountsPlatform,
  userId: string,
): Promise<Result<BareDatabase, StorageError>> {
  const adapter = await platform.openAdapter({ name: databaseName(userId), ...LOCAL_DATABASE });
  if (!adapter.ok) return adapter;
  const opened = await openDatabase({ adapter: adapter.value, clock: new SyncClock() });
  if (!opened.ok) return opened;
  await upgradeDatabase(opened.value);
  return ok({ database: opened.value, close: () => adapter.value.close() });
}
