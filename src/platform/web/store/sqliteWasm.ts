/** SQLite's WebAssembly build, loaded for files of the origin private file system. Runs in a worker. */

import init, { type Database, type Sqlite3Static } from '@sqlite.org/sqlite-wasm';
import { SqliteFailure, storageError } from '../../sqlite/handle';
import { compileSqlite } from './spareWorker';

export type Sqlite = Sqlite3Static;
export type { Database };

/** What the browser said last when it refused to read or write a file; SQLite only says "I/O error". */
let refusal: string | null = null;

/** @returns the name of the `DOMException` behind the latest I/O error, and forgets it */
export function takeRefusal(): string | null {
  const name = refusal;
  refusal = null;
  return name;
}

function noteRefusal(...said: unknown[]): void {
  const exception = said.find((part) => part instanceof DOMException);
  if (exception) refusal = exception.name;
}

/** Chromium's private windows return their error number -8, as if it were unsigned. */
const NO_SPACE = 2 ** 32 - 8;

/** Where the room ends, a browser may also write a part and say nothing. To be called once. */
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
 * Makes SQLite ready. Throws a `SqliteFailure`, `not_loaded`, when it cannot be fetched.
 * @param known what was compiled by the page
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
 * The package would set a loader of its own, which waits for ever when the file does not come, and looks for it
 * under a name that bundlers change.
 */
function loader(compiled: WebAssembly.Module): object {
  const instantiateWasm = async (imports: WebAssembly.Imports, onInstance: OnInstance) => {
    onInstance(await WebAssembly.instantiate(compiled, imports), compiled);
  };
  return Object.defineProperty({}, 'instantiateWasm', { get: () => instantiateWasm, set: () => undefined });
}
