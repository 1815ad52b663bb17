/** Reads a database of any schema version, without migrating it. Runs in a worker that holds its lock. */

import type { SalvageRules, UnsyncedRecords } from '@/core/storage';
import { exportUnopened } from '../../sqlite/databaseFile';
import { asObjects } from '../../sqlite/store';
import { takeFiles } from './files';
import { latestComplete } from './openStore';
import type { Sqlite } from './sqliteWasm';
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
    const handle = new WasmHandle(sqlite, () => files.open(latestComplete(sqlite, files)));
    try {
      return read(handle);
    } finally {
      handle.close();
    }
  } finally {
    files.letGo();
  }
}

function unsyncedOf(handle: WasmHandle, rules: SalvageRules): UnsyncedRecords {
  const tables = handle.select(
    `select "name" from "sqlite_master" where "type" = 'table'
     and exists (select 1 from pragma_table_info("sqlite_master"."name") where "name" = '_status')`,
  );
  const found: UnsyncedRecords = {};
  for (const [name] of tables.rows) {
    const table = String(name);
    // Tables that only newer code knows have no rule: their unsynced records are read.
    const rule = rules[table] ?? 'unsynced';
    if (rule === 'none') continue;
    const condition = rule === 'all' ? 'true' : `"_status" <> 'synced'`;
    const rows = asObjects(handle.select(`select * from "${table}" where ${condition}`));
    if (rows.length > 0) found[table] = rows;
  }
  return found;
}
