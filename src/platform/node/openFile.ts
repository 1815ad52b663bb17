/** Opens a database file, and puts one that is damaged aside for a new one. */

import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
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
  /** Whether the path leads to another file by now, or to none: what is written here is lost. */
  isReplaced: () => boolean;
}

/** What SQLite keeps beside a database. */
const BESIDE = ['-wal', '-shm', '-journal'];

/**
 * Opens a database at which nothing has to be done first; any number of processes may at once.
 * @returns null where it has to be set up, migrated, checked or salvaged, as far as that shows
 */
export function openReady(path: string, options: Options): OpenedFile | null {
  const file = fileAt(path);
  if (file === null) return null;
  let handle: BetterSqliteHandle | null = null;
  try {
    handle = new BetterSqliteHandle(path);
    const isReady = SqliteStore.isReady(handle, options);
    // Looked for last: whoever puts a damaged file aside notes that first.
    if (isReady && !existsSync(damageNote(path)) && fileAt(path) === file) {
      return opened(path, SqliteStore.open(handle, options));
    }
  } catch (error) {
    // Whoever opens it alone finds out what is wrong.
    if (!(error instanceof SqliteFailure)) throw error;
  }
  handle?.close();
  return null;
}

/** @returns whether there is a database, one that is being replaced included */
export function hasFile(path: string): boolean {
  return existsSync(path) || existsSync(damageNote(path));
}

/** Removes a database with all that belongs to it. The journals go first: one beside a new database would be its own. */
export function removeFile(path: string): void {
  for (const suffix of [...BESIDE, '']) {
    rmSync(replacement(path) + suffix, { force: true });
    rmSync(path + suffix, { force: true });
  }
  rmSync(damageNote(path), { force: true });
}

/** There while a file is suspected to be damaged; once that is certain it holds the name under which the file is kept. */
const damageNote = (path: string) => `${path}-damaged`;
/** Where the database is made that takes the place of a damaged one. */
const replacement = (path: string) => `${path}-new`;

/** @returns what tells a file from another one that takes its place; null: there is none */
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

/** @param path of the file; throws a `SqliteFailure`. To be called by one process at a time. */
export function openFile(path: string, options: Options): OpenedFile {
  const note = damageNote(path);
  const keptAs = existsSync(note) ? readFileSync(note, 'utf8') : null;
  // Somebody died over it, or had no room for it: what they began is finished.
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
 * Puts a damaged file aside and makes one with what could be saved of it. A new file stands in its place
 * only when that is complete, and the note is there until then, so that each step may be the last.
 */
function replace(path: string, keptAs: string, options: Options): OpenedFile {
  // SQLite finds the log of a database by its name: the database itself is moved last.
  for (const suffix of [...BESIDE, '']) {
    const isMoved = existsSync(keptAs);
    if (!isMoved && existsSync(path + suffix)) renameSync(path + suffix, keptAs + suffix);
  }
  if (!existsSync(path)) {
    const made = replacement(path);
    for (const suffix of [...BESIDE, '']) rmSync(made + suffix, { force: true });
    salvageInto(made, keptAs, options);
    renameSync(made, path);
  }
  rmSync(damageNote(path), { force: true });
  return opened(path, openSound(path, options, false));
}

function salvageInto(path: string, keptAs: string, options: Options): void {
  const handle = new BetterSqliteHandle(path);
  try {
    SqliteStore.open(handle, options);
    const damaged = new BetterSqliteHandle(keptAs);
    try {
      takePlaceOf(damaged, handle, options, keptAs);
    } finally {
      damaged.close();
    }
  } finally {
    // With the last connection SQLite brings the log into the file.
    handle.close();
  }
}
