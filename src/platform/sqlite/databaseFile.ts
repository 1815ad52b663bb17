/** Exports a whole local database as a file, and imports such a file. */

import { inTransaction, SqliteFailure, type SqliteHandle, type SqlValue, storageError } from './handle';
import { prepareDatabase, type SchemaOfCode, versionOf } from './prepare';

/** Key under which an exported file names its owner. */
const OWNER = 'owner';
/** Rows copied at a time. */
const ROWS = 1_000;
/** Bytes of the header that say whether the database has a write-ahead log (https://sqlite.org/fileformat2.html). */
const FORMAT_AT = [18, 19] as const;
const WITHOUT_LOG = 1;

/** @returns the content of a self-contained database file; works on a full disk too */
export function exportFile(handle: SqliteHandle, owner: string): Uint8Array {
  try {
    // Noted in the database itself: noting it in a copy would need several copies in memory.
    if (ownerOf(handle) !== owner) noteOwner(handle, owner);
  } catch (error) {
    if (!(error instanceof SqliteFailure) || error.detail.code !== 'quota') throw error;
    return exportUnopened(handle, owner);
  }
  return withoutLog(handle.serialize());
}

/** Exports a database that this code cannot open; nothing is written to it. */
export function exportUnopened(handle: SqliteHandle, owner: string): Uint8Array {
  const copy = handle.openCopy(withoutLog(handle.serialize()));
  try {
    noteOwner(copy, owner);
    return withoutLog(copy.serialize());
  } finally {
    copy.close();
  }
}

/**
 * Replaces all records by those of the file, and runs `also`, in one transaction. A file of an older version is
 * migrated first. Throws a `SqliteFailure`: `foreign_file`, `newer_schema`, `no_migration`, `quota`.
 */
export function importFile<T>(
  handle: SqliteHandle,
  bytes: Uint8Array,
  { owner, code, also }: { owner: string; code: SchemaOfCode; also: () => T },
): T {
  const file = ofFile(() => handle.openCopy(withoutLog(bytes)));
  try {
    ofFile(() => {
      refuseForeign(file, owner);
      prepareDatabase(file, code);
    });
    const tables = [...Object.keys(code.schema.tables), 'local_storage'];
    for (const table of tables) refuseOtherColumns(table, file, handle);
    return inTransaction(handle, () => {
      for (const table of tables) {
        handle.run(`delete from "${table}"`, [[]]);
        copyTable(file, handle, table);
      }
      return also();
    });
  } finally {
    file.close();
  }
}

function refuseForeign(file: SqliteHandle, owner: string): void {
  const said = file.select('pragma integrity_check(1)').rows[0]?.[0];
  if (said !== 'ok') throw foreign(String(said));
  if (versionOf(file) === 0) throw foreign('Convoy did not make it');
  if (ownerOf(file) !== owner) throw foreign('it belongs to another account');
}

function refuseOtherColumns(table: string, file: SqliteHandle, handle: SqliteHandle): void {
  const columnsIn = (one: SqliteHandle) =>
    one.select('select "name" from pragma_table_info(?) order by "name"', [table]).rows.join();
  if (ofFile(() => columnsIn(file)) !== columnsIn(handle)) throw foreign(`${table} has other columns`);
}

/** Codes by which a file is refused for what it is; any other failure of its SQLite means that it is no database of Convoy. */
const REFUSED: ReadonlySet<string> = new Set(['foreign_file', 'newer_schema', 'no_migration']);

/** Does work on the file alone. Its failures never count as damage of the database that it is to replace. */
function ofFile<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SqliteFailure) || REFUSED.has(error.detail.code)) throw error;
    throw foreign(error.message, error);
  }
}

function ownerOf(handle: SqliteHandle): SqlValue | undefined {
  return handle.select('select "value" from "local_storage" where "key" = ?', [OWNER]).rows[0]?.[0];
}

function noteOwner(handle: SqliteHandle, owner: string): void {
  handle.run('insert or replace into "local_storage" ("key", "value") values (?, ?)', [[OWNER, owner]]);
}

function foreign(reason: string, cause?: unknown): SqliteFailure {
  return new SqliteFailure(storageError('foreign_file', reason), { cause });
}

function copyTable(from: SqliteHandle, into: SqliteHandle, table: string): void {
  for (let last = 0; ; ) {
    const sql = `select rowid, * from "${table}" where rowid > ? order by rowid limit ${ROWS}`;
    const { columns, rows } = ofFile(() => from.select(sql, [last]));
    if (rows.length === 0) return;
    const names = columns.slice(1).map((name) => `"${name}"`);
    const insert = `insert into "${table}" (${names.join()}) values (${names.map(() => '?').join()})`;
    into.run(
      insert,
      rows.map((row) => row.slice(1)),
    );
    last = Number(rows.at(-1)?.[0]);
  }
}

/** SQLite refuses to open a copy in memory whose header names a write-ahead log. */
function withoutLog(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (const at of FORMAT_AT) if (at < copy.length) copy[at] = WITHOUT_LOG;
  return copy;
}
