/**
 * The folder of PGlite's database:
 *
 *   stack.json   version of the layout    lock.db     locked by the process that uses the folder
 *   database/    the database             holder.json its process id, for the error message of a second process
 *
 * Only `reset` removes any of it.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import Sqlite from 'better-sqlite3';
import { fail, ok, type Result } from '@/core/result';
import type { StorageWarning } from '@/core/storage';
import { networkWarning } from '@/platform/node/networkFileSystem';
import type { StackError } from '../errors';
import { replaceFile, syncFolder, syncTree } from './durableFolder';
import { openPgliteFolder, PGLITE_POSTGRES_VERSION, type PgliteBackend } from './pglite';

const FORMAT = 1;

export interface DataFolder {
  /** Opens the database; creates it when missing. */
  open(): Promise<Result<PgliteBackend, StackError>>;
  /** Releases the lock to the next process. */
  release(): void;
  /** The folder is on a network file system; null: it is not. */
  warning: StorageWarning | null;
}

/**
 * Locks a data folder for this process.
 * @param reset empties it first; refused for a folder that is in use, or is no data folder
 * @param fileSystemOf names the network file system that holds a folder; for tests
 */
export function takeDataFolder(
  folder: string,
  reset = false,
  fileSystemOf?: (path: string) => string | null,
): Result<DataFolder, StackError> {
  const path = resolve(folder);
  const unfit = checkFolder(path);
  if (unfit) return fail(unfit);
  const lock = lockFolder(path);
  if (!lock.ok) return lock;
  if (reset) {
    for (const name of ['database', 'database.partial', 'stack.json']) {
      rmSync(join(path, name), { recursive: true, force: true });
    }
  }
  return ok({
    open: () => openDatabase(path),
    release: lock.value,
    warning: networkWarning(path, fileSystemOf),
  });
}

/** Refuses a folder with other content: a typo in `--data` must not turn it into a data folder. */
function checkFolder(path: string): StackError | null {
  try {
    // Only for its owner: the database contains the signing secret and password hashes.
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const entries = readdirSync(path);
    if (entries.length === 0 || entries.includes('stack.json') || entries.includes('lock.db')) return null;
    return {
      code: 'data_foreign',
      message: `${path} is not empty and is not a data folder of Convoy. Choose another one with --data.`,
    };
  } catch (error) {
    return {
      code: 'data_foreign',
      message: `${path} cannot be used as a data folder (${reason(error)}). Choose another one with --data.`,
    };
  }
}

/**
 * Uses SQLite's file lock, which the operating system releases when the process dies, so there are no stale
 * locks.
 */
function lockFolder(path: string): Result<() => void, StackError> {
  const holder = join(path, 'holder.json');
  try {
    const lock = new Sqlite(join(path, 'lock.db'), { timeout: 0 });
    try {
      lock.exec('begin exclusive');
    } catch (error) {
      lock.close();
      throw error;
    }
    writeFileSync(holder, JSON.stringify({ pid: process.pid, since: new Date().toISOString() }));
    return ok(() => {
      if (!lock.open) return;
      rmSync(holder, { force: true });
      lock.close();
    });
  } catch (error) {
    if (error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
      return fail({
        code: 'data_locked',
        message: `The data folder ${path} is in use by another process${holderOf(holder)}. Stop it, or choose another folder with --data.`,
      });
    }
    return fail({
      code: 'data_broken',
      message: `The data folder ${path} cannot be locked (${reason(error)}). Check that it is writable and on a local disk, or choose another one with --data.`,
    });
  }
}

async function openDatabase(path: string): Promise<Result<PgliteBackend, StackError>> {
  const database = join(path, 'database');
  const marker = join(path, 'stack.json');
  const marked = readMarker(path, marker);
  if (!marked.ok) return marked;

  if (!existsSync(database)) {
    if (existsSync(marker)) return fail(broken(path, 'its database is missing'));
    const created = await createDatabase(path, database);
    if (!created.ok) return created;
  }
  let backend: PgliteBackend | undefined;
  try {
    backend = await openPgliteFolder(database);
    // Written after the open: PostgreSQL refuses a database of another version, and the marker must not claim otherwise.
    if (marked.value === 'absent') {
      replaceFile(marker, `${JSON.stringify({ format: FORMAT, postgres: PGLITE_POSTGRES_VERSION })}\n`);
    }
    return ok(backend);
  } catch (error) {
    await backend?.close();
    return fail(broken(path, reason(error)));
  }
}

/** Created under another name and renamed when complete: a killed start leaves no partial database. */
async function createDatabase(path: string, database: string): Promise<Result<void, StackError>> {
  const partial = `${database}.partial`;
  try {
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial);
    await (await openPgliteFolder(partial)).close();
    syncTree(partial);
    renameSync(partial, database);
    syncFolder(dirname(database));
    return ok(undefined);
  } catch (error) {
    return fail({
      code: 'data_broken',
      message: `No database could be created in ${path} (${reason(error)}). Check free space and permissions.`,
    });
  }
}

/**
 * A marker that cannot be parsed counts as absent: a power cut tore it. Only format 1 was ever written in place, so the
 * database beside it has format 1.
 */
function readMarker(path: string, marker: string): Result<'fits' | 'absent', StackError> {
  if (!existsSync(marker)) return ok('absent');
  let text: string;
  try {
    text = readFileSync(marker, 'utf8');
  } catch (error) {
    return fail(broken(path, `stack.json: ${reason(error)}`));
  }
  const content = parse(text);
  if (content === undefined) return ok('absent');
  const misfit = checkMarker(path, content);
  return misfit ? fail(misfit) : ok('fits');
}

/** @returns undefined for text that is no JSON */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function checkMarker(path: string, content: unknown): StackError | null {
  const { format, postgres } = Object(content) as Record<string, unknown>;
  if (typeof format !== 'number') return broken(path, 'stack.json has no format');
  if (format > FORMAT || postgres !== PGLITE_POSTGRES_VERSION) {
    return {
      code: 'data_newer',
      message: `The data folder ${path} was made by another version of Convoy (format ${format}, PostgreSQL ${String(postgres)}; this one reads format ${FORMAT}, PostgreSQL ${PGLITE_POSTGRES_VERSION}). Use that version, choose another folder with --data, or start over with --reset, which deletes what is in it.`,
    };
  }
  return null;
}

function broken(path: string, why: string): StackError {
  return {
    code: 'data_broken',
    message: `The database in ${path} does not open (${why}). Nothing was deleted. Put back a copy of the folder, choose another one with --data, or start over with --reset, which deletes what is in it.`,
  };
}

function holderOf(holder: string): string {
  try {
    const { pid } = JSON.parse(readFileSync(holder, 'utf8')) as { pid: number };
    return ` (process ${pid})`;
  } catch {
    return '';
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
