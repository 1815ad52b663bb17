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
import { newWorker } from './store/spareWorker';
import { WebPort } from './store/webPort';

type Options = LocalDatabaseOptions<AppSchema, SchemaMigrations>;

/** Opens or makes a database. Any number of tabs may have it open. */
export async function openOpfs(
  options: Options,
): Promise<Result<DatabaseAdapter & SharedStore, StorageError>> {
  const port = await openPort(options);
  return port.ok ? ok(asDatabaseAdapter(new SqliteAdapter({ ...options, port: port.value }))) : port;
}

/** @param patienceMs how long to wait for a tab that writes and does not come to an end */
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
 * Removes a database of this browser, with everything in it. Rejects with a `ConvoyError` (storage,
 * `locked`) while a tab has it open.
 * @param patienceMs how long to wait for tabs that are about to close it
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

/** Reads what is unsynced in a database that cannot be opened. */
export function readUnsynced(
  name: string,
  salvage: SalvageRules,
): Promise<Result<UnsyncedRecords, StorageError>> {
  return asked({ type: 'read', name, salvage }, (told) => (told.type === 'unsynced' ? told.records : null));
}

/** Reads the whole of a database that cannot be opened. @param owner whose name the file bears */
export function readFile(name: string, owner: string): Promise<Result<Uint8Array, StorageError>> {
  return asked({ type: 'readFile', name, owner }, (told) => (told.type === 'file' ? told.bytes : null));
}

/** What a worker of its own answers. */
function asked<T>(
  question: ToWorker,
  answerIn: (told: FromWorker) => T | null,
): Promise<Result<T, StorageError>> {
  const worker = newWorker();
  return new Promise<Result<T, StorageError>>((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      const answer = answerIn(data);
      if (answer !== null) resolve(ok(answer));
      if (data.type === 'failed') resolve(fail(data.error));
    };
    worker.onerror = () => resolve(fail(storageError('not_loaded')));
    worker.postMessage(question);
  }).finally(() => worker.terminate());
}

/** A page that is put away or frozen lets go of the database, and is back when it is shown again. */
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
