/**
 * The files of a database: a folder of the origin private file system, managed by SQLite's own VFS
 * `opfs-sahpool`. Only the worker that holds the Web Lock of the database may touch them.
 */

import { SqliteFailure, storageError } from '../../sqlite/handle';
import type { Database, Sqlite } from './sqliteWasm';

/** Folder of all databases. */
const ROOT = 'convoy';
/** The VFS keeps its files in a folder of this name. */
const OPAQUE = '.opaque';
/** File that exists while a database is suspected to be damaged. */
const DAMAGED = 'damaged';
/** File that holds the name of the replacement that is being built. */
const REPLACING = 'replacing';
/** Files in the pool: the database, its log, and SQLite's temporary files. */
const CAPACITY = 6;
/** ms to wait for a worker that is ending to close the files. */
const PATIENCE_MS = 5_000;
const RETRY_MS = 40;

/** Members of a folder that TypeScript's DOM declarations lack. */
interface Folder {
  values(): AsyncIterable<{ kind: string; createSyncAccessHandle(): Promise<{ close(): void }> }>;
}

interface SyncFile {
  createSyncAccessHandle(): Promise<{
    truncate(size: number): void;
    write(bytes: Uint8Array, options: { at: number }): number;
    flush(): void;
    close(): void;
  }>;
}

/** The files of one database, by their names. */
export interface Files {
  names(): string[];
  /** Opens or creates a database file. */
  open(name: string): Database;
  /** Removes a closed database file, its log and its journal. */
  remove(name: string): void;
  /** Adds files to the pool for one more database. */
  makeRoom(): Promise<void>;
  /** Releases the files to other workers; all databases must be closed. */
  letGo(): void;
}

/** Takes the files of a database. Throws a `SqliteFailure`, `locked`, when they stay open elsewhere. */
export async function takeFiles(sqlite: Sqlite, name: string, patienceMs = PATIENCE_MS): Promise<Files> {
  const deadline = performance.now() + patienceMs;
  while (!(await areFree(name))) {
    if (performance.now() > deadline) throw new SqliteFailure(storageError('locked'));
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  const pool = await withoutWiping(() =>
    sqlite.installOpfsSAHPoolVfs({
      name: 'convoy',
      directory: `${ROOT}/${name}`,
      initialCapacity: CAPACITY,
      // Verbosity 1: the VFS logs errors only.
      ...{ verbosity: 1, forceReinitIfPreviouslyFailed: true },
    }),
  );
  return {
    names: () => pool.getFileNames().map((path) => path.replace(/^\//, '')),
    open: (file) => new pool.OpfsSAHPoolDb(`/${file}`),
    remove: (file) => {
      for (const suffix of ['', '-wal', '-journal']) pool.unlink(`/${file}${suffix}`);
    },
    makeRoom: async () => {
      await pool.reserveMinimumCapacity(pool.getFileCount() + CAPACITY);
    },
    letGo: () => {
      pool.pauseVfs();
    },
  };
}

/** @returns whether damage was noted, and no integrity check has passed since */
export async function hasDamageNote(name: string): Promise<boolean> {
  try {
    await (await folderOf(name)).getFileHandle(DAMAGED);
    return true;
  } catch {
    return false;
  }
}

/** Has the database's integrity checked when it is opened next; `isDamaged` false cancels that. */
export async function noteDamage(name: string, isDamaged = true): Promise<void> {
  const folder = await folderOf(name);
  if (isDamaged) await folder.getFileHandle(DAMAGED, { create: true });
  else await folder.removeEntry(DAMAGED).catch(() => undefined);
}

/** @returns the name of the replacement that was being built when a worker ended; null: none was */
export async function replacementUnderWay(name: string): Promise<string | null> {
  try {
    const file = await (await (await folderOf(name)).getFileHandle(REPLACING)).getFile();
    return await file.text();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotFoundError') return null;
    throw error;
  }
}

/** Notes, on disk, which replacement is being built; null: none is, or it is complete. */
export async function noteReplacement(name: string, replacement: string | null): Promise<void> {
  const folder = await folderOf(name);
  if (replacement === null) {
    await folder.removeEntry(REPLACING).catch(() => undefined);
    return;
  }
  const file = (await folder.getFileHandle(REPLACING, { create: true })) as unknown as SyncFile;
  const handle = await file.createSyncAccessHandle();
  try {
    handle.truncate(0);
    handle.write(new TextEncoder().encode(replacement), { at: 0 });
    handle.flush();
  } finally {
    handle.close();
  }
}

async function folderOf(name: string): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return (await root.getDirectoryHandle(ROOT, { create: true })).getDirectoryHandle(name, { create: true });
}

/** @returns whether there are files of a database */
export async function hasFiles(name: string): Promise<boolean> {
  try {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT);
    await root.getDirectoryHandle(name);
    return true;
  } catch {
    return false;
  }
}

/** Removes a database for good. Rejects with a `DOMException` where its files stay open elsewhere. */
export async function removeFiles(name: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT);
      await root.removeEntry(name, { recursive: true });
      return;
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      if (error.name === 'NotFoundError') return;
      // A worker that has just ended still has the files open for a moment.
      if (error.name !== 'NoModificationAllowedError' || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** The VFS opens all files at once, and fails for good when one is open elsewhere; so each is tried first. */
async function areFree(name: string): Promise<boolean> {
  try {
    let folder = await navigator.storage.getDirectory();
    for (const part of [ROOT, name, OPAQUE]) folder = await folder.getDirectoryHandle(part);
    const tried: Promise<void>[] = [];
    for await (const file of (folder as unknown as Folder).values()) {
      if (file.kind === 'file') tried.push(file.createSyncAccessHandle().then((handle) => handle.close()));
    }
    await allSettled(tried);
    return true;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    if (error.name === 'NotFoundError') return true;
    if (error.name === 'NoModificationAllowedError' || error.name === 'InvalidStateError') return false;
    throw new SqliteFailure(storageError('unavailable', `${error.name}: ${error.message}`), { cause: error });
  }
}

/** Waits for all promises, so that no file stays open, then throws the first failure. */
async function allSettled(promises: Promise<void>[]): Promise<void> {
  for (const one of await Promise.allSettled(promises)) if (one.status === 'rejected') throw one.reason;
}

/**
 * When its initialisation fails, the VFS deletes its folder with all databases in it. Until it has finished,
 * no code in this worker can delete a folder.
 */
async function withoutWiping<T>(install: () => Promise<T>): Promise<T> {
  const { prototype } = FileSystemDirectoryHandle;
  const { removeEntry } = prototype;
  prototype.removeEntry = function keepFolders(name, options) {
    if (options?.recursive)
      return Promise.reject(
        new DOMException('Folders are kept while the VFS starts.', 'NoModificationAllowedError'),
      );
    return removeEntry.call(this, name, options);
  };
  try {
    return await install();
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    const code = name === 'QuotaExceededError' ? 'quota' : 'unavailable';
    throw new SqliteFailure(storageError(code, `${name}: ${message}`), { cause: error });
  } finally {
    prototype.removeEntry = removeEntry;
  }
}
