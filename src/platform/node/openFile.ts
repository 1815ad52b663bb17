/** Opens a database file, and replaces a damaged file by a new one with what could be salvaged. */

import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { AppSchema } from '@nozbe/watermelondb';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import type { LocalDatabaseOptions } from '@/core/platform';
import { SqliteFailure, storageError } from '../sqlite/handle';
import { salvageInto } from '../sqlite/salvage';
import { SqliteStore } from '../sqlite/store';
import { BetterSqliteHandle } from './betterSqlite';

type Options = LocalDatabaseOptions<AppSchema, SchemaMigrations>;

export interface OpenedFile {
  store: SqliteStore;
  /** Has the file's integrity checked when it is opened next. */
  noteDamage: () => void;
  /** Whether the path now leads to another file or to none: writes to this file would be lost. */
  isReplaced: () => boolean;
}

/** Suffixes of the files that SQLite keeps beside a database. */
const BESIDE = ['-wal', '-shm', '-journal'];

/**
 * Opens a database that is ready for this schema, without a lock.
 * @returns null where it may have to be set up, migrated, checked or salvaged
 */
export function openReady(path: string, options: Options): OpenedFile | null {
  const file = fileAt(path);
  if (file === null) return null;
  let handle: BetterSqliteHandle | null = null;
  try {
    handle = new BetterSqliteHandle(path);
    const isReady = SqliteStore.isReady(handle, options);
    // Checked last: a process that puts a damaged file aside writes the note first.
    if (isReady && !existsSync(damageNote(path)) && fileAt(path) === file) {
      return opened(path, SqliteStore.open(handle, options));
    }
  } catch (error) {
    // `openFile`, under the lock, finds the cause again.
    if (!(error instanceof SqliteFailure)) throw error;
  }
  handle?.close();
  return null;
}

/** @returns whether there is a database, including a damaged one that is being replaced */
export function hasFile(path: string): boolean {
  return existsSync(path) || existsSync(damageNote(path));
}

/** Removes a database with its journals. Journals go first: SQLite would apply a leftover one to a new database of this name. */
export function removeFile(path: string): void {
  for (const suffix of [...BESIDE, '']) {
    rmSync(replacement(path) + suffix, { force: true });
    rmSync(path + suffix, { force: true });
  }
  rmSync(damageNote(path), { force: true });
}

/** A note that the file may be damaged; once that is certain, it contains the name under which the file is kept. */
const damageNote = (path: string) => `${path}-damaged`;
/** Path at which the replacement of a damaged database is built. */
const replacement = (path: string) => `${path}-new`;

/** @returns the identity of the file at a path, device and inode; null: there is none */
function fileAt(path: string): string | null {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found ? `${found.dev}.${found.ino}` : null;
}

function opened(path: string, store: SqliteStore): OpenedFile {
  const file = fileAt(path);
  return {
    store,
    noteDamage: () => {
      if (!existsSync(damageNote(path))) writeFileSync(damageNote(path), '');
    },
    isReplaced: () => fileAt(path) !== file,
  };
}

/** Opens, sets up, migrates or replaces a database; call it under the lock. Throws a `SqliteFailure`. */
export function openFile(path: string, options: Options): OpenedFile {
  const note = damageNote(path);
  const keptAs = existsSync(note) ? readFileSync(note, 'utf8') : null;
  // An earlier replacement was interrupted, by a crash or a full disk: it is finished first.
  if (keptAs) return replace(path, join(dirname(path), keptAs), options);
  try {
    return opened(path, openSound(path, options, keptAs !== null));
  } catch (error) {
    if (!(error instanceof SqliteFailure) || error.detail.code !== 'corrupt') throw error;
  }
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-');
  const aside = path.replace(/\.db$/, `.damaged-${stamp}.db`);
  writeFileSync(note, basename(aside));
  return replace(path, aside, options);
}

function openSound(path: string, options: Options, isSuspect: boolean): SqliteStore {
  const handle = new BetterSqliteHandle(path);
  try {
    if (isSuspect) {
      const said = handle.select('pragma integrity_check(1)').rows[0]?.[0];
      if (said !== 'ok') throw new SqliteFailure(storageError('corrupt', String(said)));
      rmSync(damageNote(path), { force: true });
    }
    return SqliteStore.open(handle, options);
  } catch (error) {
    handle.close();
    throw error;
  }
}

/**
 * Puts a damaged file aside and builds a new one with what could be salvaged. The new file gets its name only
 * when complete, and the note stays until then, so a crash after any step is recovered from.
 */
function replace(path: string, keptAs: string, options: Options): OpenedFile {
  // SQLite finds a database's log by name, so the database itself is moved last.
  for (const suffix of [...BESIDE, '']) {
    const isMoved = existsSync(keptAs);
    if (!isMoved && existsSync(path + suffix)) renameSync(path + suffix, keptAs + suffix);
  }
  if (!existsSync(path)) {
    const made = replacement(path);
    for (const suffix of [...BESIDE, '']) rmSync(made + suffix, { force: true });
    makeReplacement(made, keptAs, options);
    renameSync(made, path);
  }
  rmSync(damageNote(path), { force: true });
  return opened(path, openSound(path, options, false));
}

function makeReplacement(path: string, keptAs: string, options: Options): void {
  const handle = new BetterSqliteHandle(path);
  try {
    SqliteStore.open(handle, options);
    const damaged = new BetterSqliteHandle(keptAs);
    try {
      salvageInto(damaged, handle, options, keptAs);
    } finally {
      damaged.close();
    }
  } finally {
    // Closing the last connection copies the log into the file.
    handle.close();
  }
}
