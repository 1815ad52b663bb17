/** SQLite in the origin private file system, shared by all tabs. */

import type { AppSchema } from '@nozbe/watermelondb';
import type { DatabaseAdapter } from '@nozbe/watermelondb/adapters/type';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import { ConvoyError, type StorageError } from '@/core/errors';
import type { LocalDatabaseOptions } from '@/core/platform';
import { fail, ok, type Result } from '@/core/result';
import type { SalvageRules, SharedStore, UnsyncedRecords } from '@/core/storage';
import { asDatabaseAdapter, SqliteAdapter } from '../sqlite/adapter';
import { storageError } from '../sqlite/handle';
import { silenceWatermelon } from '../watermelonLogger';
import { hasFiles, removeFiles } from './store/files';
import { type FromWorker, locks, type ToWorker } from './store/messages';
import { newWorker } from './store/storageWorkers';
import { WebPort } from './store/webPort';

type Options = LocalDatabaseOptions<AppSchema, SchemaMigrations>;

/** Opens or creates a database. Any number of tabs may have it open. */
export async function openAdapter(
  options: Options,
): Promise<Result<DatabaseAdapter & SharedStore, StorageError>> {
  const port = await openPort(options);
  return port.ok ? ok(asDatabaseAdapter(new SqliteAdapter({ ...options, port: port.value }))) : port;
}

/** @param patienceMs ms to wait for the write lock before it is taken from the tab that holds it */
export async function openPort(
  { name, schema, migrations, salvage }: Options,
  patienceMs?: number,
): Promise<Result<WebPort, StorageError>> {
  silenceWatermelon();
  const stops: (() => void)[] = [];
  const opened = await WebPort.open({
    name,
    schema,
    migrations,
    salvage,
    patienceMs,
    onClosed: () => {
      for (const stop of stops) stop();
    },
  });
  if (opened.ok) stops.push(suspendWhileAway(opened.value));
  return opened;
}

/** @returns whether this browser has a database of that name; it is not opened */
export async function hasDatabase(name: string): Promise<boolean> {
  return hasFiles(name);
}

/**
 * Removes a database of this browser for good. Rejects with a `ConvoyError` (storage, `locked`) while a tab has
 * it open.
 * @param patienceMs ms to wait for tabs to close it
 */
export async function removeDatabase(name: string, patienceMs = 0): Promise<void> {
  const options = patienceMs > 0 ? { signal: AbortSignal.timeout(patienceMs) } : { ifAvailable: true };
  try {
    await navigator.locks.request(locks.database(name), options, async (lock) => {
      if (!lock) throw new DOMException('A tab has it open.', 'NoModificationAllowedError');
      await removeFiles(name);
    });
  } catch (error) {
    if (error instanceof DOMException) throw new ConvoyError(storageError('locked', error.message));
    throw error;
  }
}

/** Reads the unsynced records of a database that cannot be opened. */
export function readUnsynced(
  name: string,
  salvage: SalvageRules,
): Promise<Result<UnsyncedRecords, StorageError>> {
  return askWorker({ type: 'read', name, salvage }, (answer) =>
    answer.type === 'unsynced' ? answer.records : null,
  );
}

/** Exports a database that cannot be opened as a file. @param owner the owner noted in the file */
export function readFile(name: string, owner: string): Promise<Result<Uint8Array, StorageError>> {
  return askWorker({ type: 'readFile', name, owner }, (answer) =>
    answer.type === 'file' ? answer.bytes : null,
  );
}

/** Asks a new worker one question, and ends the worker. */
function askWorker<T>(
  question: ToWorker,
  valueIn: (answer: FromWorker) => T | null,
): Promise<Result<T, StorageError>> {
  const worker = newWorker();
  return new Promise<Result<T, StorageError>>((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      const answer = valueIn(data);
      if (answer !== null) resolve(ok(answer));
      if (data.type === 'failed') resolve(fail(data.error));
    };
    worker.onerror = () => resolve(fail(storageError('not_loaded')));
    worker.postMessage(question);
  }).finally(() => worker.terminate());
}

/** Suspends the port while the page is frozen or in the back/forward cache. */
function suspendWhileAway(port: WebPort): () => void {
  let isAway = false;
  const leave = () => {
    if (!isAway) port.suspend();
    isAway = true;
  };
  const comeBack = () => {
    if (isAway) port.resume();
    isAway = false;
  };
  const listeners: [EventTarget, string, () => void][] = [
    [window, 'pagehide', leave],
    [document, 'freeze', leave],
    [window, 'pageshow', comeBack],
    [document, 'resume', comeBack],
  ];
  for (const [target, event, listener] of listeners) target.addEventListener(event, listener);
  return () => {
    for (const [target, event, listener] of listeners) target.removeEventListener(event, listener);
  };
}
