/** SQLite's WebAssembly build, loaded for files of the origin private file system. Runs in a worker. */

import init, { type Database, type Sqlite3Static } from '@sqlite.org/sqlite-wasm';
import { SqliteFailure, storageError } from '../../sqlite/handle';
import { compileSqlite } from './storageWorkers';

export type Sqlite = Sqlite3Static;
export type { Database };

/** Name of the latest exception of a file operation; SQLite itself reports only "I/O error". */
let refusal: string | null = null;

/** @returns the name of the `DOMException` behind the latest I/O error, once */
export function takeRefusal(): string | null {
  const name = refusal;
  refusal = null;
  return name;
}

function noteRefusal(...said: unknown[]): void {
  const exception = said.find((part) => part instanceof DOMException);
  if (exception) refusal = exception.name;
}

/** Chromium's private windows return error number -8 as an unsigned 32-bit value. */
const NO_SPACE = 2 ** 32 - 8;

/** Records writes that a full disk cut short: browsers may write a part without an exception. Call it once. */
export function noteShortWrites(): void {
  const { prototype } = (globalThis as unknown as { FileSystemSyncAccessHandle: { prototype: AccessHandle } })
    .FileSystemSyncAccessHandle;
  const { write } = prototype;
  prototype.write = function noted(buffer, options) {
    const written = write.call(this, buffer, options);
    if (written < buffer.byteLength || written === NO_SPACE) refusal = 'QuotaExceededError';
    return written;
  };
}

interface AccessHandle {
  write(buffer: ArrayBufferView, options?: { at?: number }): number;
}

/**
 * Loads SQLite. Throws a `SqliteFailure`, `not_loaded`, when it cannot be fetched.
 * @param known the module, where the page has compiled it
 */
export async function loadSqlite(known: WebAssembly.Module | null = null): Promise<Sqlite> {
  const quiet = () => undefined;
  Object.assign(globalThis, {
    sqlite3ApiConfig: { error: noteRefusal, warn: quiet, log: quiet, debug: quiet },
  });
  const compiled =
    known ??
    (await compileSqlite().catch((error: unknown) => {
      throw new SqliteFailure(storageError('not_loaded', String(error)), { cause: error });
    }));
  return (init as (module: object) => Promise<Sqlite>)(loader(compiled));
}

type OnInstance = (instance: WebAssembly.Instance, module: WebAssembly.Module) => void;

/**
 * Replaces the package's own loader, which never settles when the file cannot be fetched, and asks for the file
 * by a name that bundlers change.
 */
function loader(compiled: WebAssembly.Module): object {
  const instantiateWasm = async (imports: WebAssembly.Imports, onInstance: OnInstance) => {
    onInstance(await WebAssembly.instantiate(compiled, imports), compiled);
  };
  return Object.defineProperty({}, 'instantiateWasm', { get: () => instantiateWasm, set: () => undefined });
}
