/** Opens a database file, and puts one that is damaged aside for a new one. */

import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { AppSchema } from '@nozbe/watermelondb';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import type { LocalDatabaseOptions } from '@/core/platform';
import { SqliteFailure, storageError } from '../sqlite/handle';
import { takePlaceOf } from '../sqlite/salvage';
import { SqliteStore } from '../sqlite/store';
import { BetterSqliteHandle } from './betterSqlite';

type Options = LocalDatabaseOptions<AppSchema, SchemaMigrations>;

export interface OpenedFile {
  store: SqliteStore;
  /** Has the file checked when it is opened next. */
  noteDamage: () => void;
}

/**
 * Opens a database at which nothing has to be done first; any number of processes may at once.
 * @returns null where it has to be set up, migrated, checked or salvaged, as far as that shows
 */
export function openReady(path: string, options: Options): OpenedFile | null {
  if (!existsSync(path)) return null;
  let handle: BetterSqliteHandle | null = null;
  try {
    handle = new BetterSqliteHandle(path);
    const isReady = SqliteStore.isReady(handle, options);
    // Looked for last: whoever puts a damaged file aside notes that first.
    if (isReady && !existsSync(damageNote(path))) return sound(path, SqliteStore.open(handle, options));
  } catch (error) {
    // Whoever opens it alone finds out what is wrong.
    if (!(error instanceof SqliteFailure)) throw error;
  }
  handle?.close();
  return null;
}

const damageNote = (path: string) => `${path}-damaged`;

function sound(path: string, store: SqliteStore): OpenedFile {
  return { store, noteDamage: () => writeFileSync(damageNote(path), '') };
}

/** @param path of the file; throws a `SqliteFailure`. To be called by one process at a time. */
export function openFile(path: string, options: Options): OpenedFile {
  const noted = damageNote(path);
  try {
    return sound(path, openSound(path, options, existsSync(noted)));
  } catch (error) {
    if (!(error instanceof SqliteFailure) || error.detail.code !== 'corrupt') throw error;
  }
  writeFileSync(noted, '');
  const keptAs = putAside(path);
  const handle = new BetterSqliteHandle(path);
  const store = SqliteStore.open(handle, options);
  const damaged = new BetterSqliteHandle(keptAs);
  try {
    takePlaceOf(damaged, handle, options, keptAs);
    return sound(path, store);
  } finally {
    damaged.close();
    rmSync(noted, { force: true });
  }
}

function openSound(path: string, options: Options, isSuspect: boolean): SqliteStore {
  const handle = new BetterSqliteHandle(path);
  try {
    if (isSuspect) {
      const said = handle.select('pragma integrity_check(1)').rows[0]?.[0];
      if (said !== 'ok') throw new SqliteFailure(storageError('corrupt', String(said)));
      rmSync(`${path}-damaged`, { force: true });
    }
    return SqliteStore.open(handle, options);
  } catch (error) {
    handle.close();
    throw error;
  }
}

/** SQLite finds the log of a database by its name. */
function putAside(path: string): string {
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-');
  const keptAs = path.replace(/\.db$/, `.damaged-${stamp}.db`);
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, keptAs + suffix);
  }
  return keptAs;
}
