/** Opens a database file, and puts one that is damaged aside for a new one. */

import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { AppSchema } from '@nozbe/watermelondb';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import type { LocalDatabaseOptions } from '@/core/platform';
import type { SalvageReport } from '@/core/storage';
import { SqliteFailure, storageError } from '../sqlite/handle';
import { salvage } from '../sqlite/salvage';
import { SqliteStore } from '../sqlite/store';
import { BetterSqliteHandle } from './betterSqlite';

type Options = LocalDatabaseOptions<AppSchema, SchemaMigrations>;

export interface OpenedFile {
  store: SqliteStore;
  salvaged: SalvageReport | null;
  /** Has the file checked when it is opened next. */
  noteDamage: () => void;
}

/** @param path of the file; throws a `SqliteFailure`. To be called by one process at a time. */
export function openFile(path: string, options: Options): OpenedFile {
  const noted = `${path}-damaged`;
  const noteDamage = () => writeFileSync(noted, '');
  try {
    return { store: openSound(path, options, existsSync(noted)), salvaged: null, noteDamage };
  } catch (error) {
    if (!(error instanceof SqliteFailure) || error.detail.code !== 'corrupt') throw error;
  }
  const keptAs = putAside(path);
  const handle = new BetterSqliteHandle(path);
  const store = SqliteStore.open(handle, options);
  const damaged = new BetterSqliteHandle(keptAs);
  try {
    const found = salvage(damaged, handle, options.schema, options.salvage);
    return { store, salvaged: { ...found, keptAs }, noteDamage };
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
