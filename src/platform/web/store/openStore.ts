/**
 * Opens the database in its files, and replaces a damaged one by a new one with what could be salvaged. Files
 * of the VFS cannot be renamed, so each replacement has the next number in its name.
 */

import type { AppSchema } from '@nozbe/watermelondb';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import type { LocalDatabaseOptions } from '@/core/platform';
import { SqliteFailure, storageError } from '../../sqlite/handle';
import { salvageInto } from '../../sqlite/salvage';
import { SqliteStore } from '../../sqlite/store';
import { type Files, noteDamage, noteReplacement, replacementUnderWay } from './files';
import type { Sqlite } from './sqliteWasm';
import { WasmHandle } from './wasmHandle';

type Options = LocalDatabaseOptions<AppSchema, SchemaMigrations>;

export interface OpenedStore {
  handle: WasmHandle;
  store: SqliteStore;
}

const FIRST = 'convoy.db';
/** The `application_id` of a replacement into which everything that could be salvaged has been copied. */
const COMPLETE = 0x636f6e76;

/**
 * Throws a `SqliteFailure`.
 * @param isSuspect damage was noted: checks the integrity of the whole database
 */
export async function openStore(
  sqlite: Sqlite,
  files: Files,
  options: Options,
  isSuspect: boolean,
): Promise<OpenedStore> {
  const underWay = await replacementUnderWay(options.name);
  const name = latestComplete(sqlite, files, underWay);
  // It was complete, and the worker ended before it could take back the note.
  if (name === underWay) await noteReplacement(options.name, null);
  // Removes replacements that a crash left incomplete.
  for (const other of files.names()) if (numberOf(other) > numberOf(name)) files.remove(other);
  try {
    const opened = openSound(sqlite, files, name, options, isSuspect);
    if (isSuspect) await noteDamage(options.name, false);
    return opened;
  } catch (error) {
    if (!(error instanceof SqliteFailure) || error.detail.code !== 'corrupt') throw error;
  }
  await files.makeRoom();
  await noteReplacement(options.name, after(name));
  const opened = openSound(sqlite, files, after(name), options, false);
  try {
    const damaged = new WasmHandle(sqlite, () => files.open(name));
    try {
      salvageInto(damaged, opened.handle, options, name);
    } finally {
      damaged.close();
    }
    opened.handle.exec(`pragma application_id = ${COMPLETE}`);
    await noteReplacement(options.name, null);
    await noteDamage(options.name, false);
    return opened;
  } catch (error) {
    opened.handle.close();
    throw error;
  }
}

function openSound(sqlite: Sqlite, files: Files, name: string, options: Options, isSuspect: boolean) {
  const handle = new WasmHandle(sqlite, () => files.open(name));
  try {
    if (isSuspect) {
      const said = handle.select('pragma integrity_check(1)').rows[0]?.[0];
      if (said !== 'ok') throw new SqliteFailure(storageError('corrupt', String(said)));
    }
    return { handle, store: SqliteStore.open(handle, options) };
  } catch (error) {
    handle.close();
    throw error;
  }
}

/**
 * A replacement that cannot be read is complete where it was damaged later, and holds the latest work then. It is not
 * where its building broke off, by a power cut for instance: the note beside the files tells.
 */
function isComplete(sqlite: Sqlite, files: Files, name: string, underWay: string | null): boolean {
  try {
    const handle = new WasmHandle(sqlite, () => files.open(name));
    try {
      return handle.select('pragma application_id').rows[0]?.[0] === COMPLETE;
    } finally {
      handle.close();
    }
  } catch (error) {
    if (error instanceof SqliteFailure && error.detail.code === 'corrupt') return name !== underWay;
    throw error;
  }
}

const numberOf = (name: string) => Number(/^convoy-(\d+)\.db$/.exec(name)?.[1] ?? (name === FIRST ? 1 : 0));

/**
 * @param underWay the replacement that was being built last
 * @returns the name of the database file in use: the newest replacement that is complete, else the first one
 */
export function latestComplete(sqlite: Sqlite, files: Files, underWay: string | null): string {
  const newestFirst = files.names().sort((one, other) => numberOf(other) - numberOf(one));
  const found = newestFirst.find((name) => numberOf(name) > 1 && isComplete(sqlite, files, name, underWay));
  return found ?? FIRST;
}

function after(name: string): string {
  return `convoy-${numberOf(name) + 1}.db`;
}
