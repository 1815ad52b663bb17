/** Reads a database of any schema version, without migrating it. Runs in a worker that holds its lock. */

import type { SalvageRules, UnsyncedRecords } from '@/core/storage';
import { exportUnopened } from '../../sqlite/databaseFile';
import { replacementUnderWay, takeFiles } from './files';
import { latestComplete } from './openStore';
import type { Sqlite } from './sqliteWasm';
import { unsyncedOf } from './unsyncedOf';
import { WasmHandle } from './wasmHandle';

/** @returns the unsynced records. Throws a `SqliteFailure`. */
export function readUnsynced(sqlite: Sqlite, name: string, rules: SalvageRules): Promise<UnsyncedRecords> {
  return reading(sqlite, name, (handle) => unsyncedOf(handle, rules));
}

/** @returns the whole database as a file with this owner. Throws a `SqliteFailure`. */
export function readFile(sqlite: Sqlite, name: string, owner: string): Promise<Uint8Array> {
  return reading(sqlite, name, (handle) => exportUnopened(handle, owner));
}

async function reading<T>(sqlite: Sqlite, name: string, read: (handle: WasmHandle) => T): Promise<T> {
  const files = await takeFiles(sqlite, name);
  try {
    const file = await latestComplete(sqlite, files, await replacementUnderWay(name));
    const handle = new WasmHandle(sqlite, () => files.open(file));
    try {
      return read(handle);
    } finally {
      handle.close();
    }
  } finally {
    files.letGo();
  }
}
