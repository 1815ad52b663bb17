/**
 * The worker of a tab. It waits for the lock of the database; with the lock it is the owner: it opens the
 * database, migrates it where needed, and serves all tabs until it dies, is closed, or newer code connects.
 */

import type { StorageError } from '@/core/errors';
import { newerSchema } from '../../sqlite/changeLog';
import { SqliteFailure, type SqliteHandle, storageError } from '../../sqlite/handle';
import { hasDamageNote, noteDamage, takeFiles } from './files';
import {
  type Announcement,
  type Call,
  channels,
  type FromWorker,
  locks,
  type ToWorker,
  versionOf,
} from './messages';
import { type OpenedStore, openStore } from './openStore';
import { asSendable, Owner, type Peer } from './owner';
import { readFile, readUnsynced } from './readAnyVersion';
import { loadSqlite, noteShortWrites } from './sqliteWasm';

type Start = Extract<ToWorker, { type: 'start' }>;

/** ms without a call after which the write-ahead log is copied into the database. */
const IDLE_MS = 2_000;
/** ms for which the lock of the database is held while SQLite is still loading. */
const LOADING_MS = 2_000;

const page = globalThis as unknown as {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  close(): void;
};
const tell = (message: FromWorker) => page.postMessage(message);
const whenClosed = new AbortController();
let serve: ((call: Call) => void) | null = null;

// SQLite is loaded at once, in every tab: any tab may have to become the owner while the server is unreachable.
noteShortWrites();
let onSqlite: (sqlite: WebAssembly.Module | null) => void = () => undefined;
const loading = new Promise<WebAssembly.Module | null>((resolve) => {
  onSqlite = resolve;
}).then(loadSqlite);
loading.catch(() => undefined);
/** Loads SQLite again where the first attempt failed. */
const loaded = () => loading.catch(() => loadSqlite());

page.onmessage = ({ data }) => {
  switch (data.type) {
    case 'sqlite':
      onSqlite(data.sqlite);
      break;
    case 'start':
      void serveInTurn(data);
      break;
    case 'read':
    case 'readFile':
      void read(data);
      break;
    case 'call':
      // If this worker no longer is the owner, the page sends the call again to the next one.
      serve?.(data.call);
      break;
    case 'close':
      whenClosed.abort();
      break;
  }
};

/** Waits for the lock of the database, serves the database while it holds the lock, then ends the worker. */
async function serveInTurn(start: Start): Promise<void> {
  const { name, id } = start;
  void navigator.locks.request(locks.alive(id), () => {
    tell({ type: 'started' });
    return new Promise(() => undefined);
  });
  try {
    const { signal } = whenClosed;
    const inTurn = () => navigator.locks.request(locks.database(name), { signal }, () => holdDatabase(start));
    while ((await inTurn()) === 'late') await loaded().catch(() => undefined);
  } catch (error) {
    if (!whenClosed.signal.aborted) tell({ type: 'failed', error: reasonOf(error) });
  }
  tell({ type: 'closed' });
  page.close();
}

/** @returns 'late': SQLite is still loading here, so another tab's worker may serve the database first */
async function holdDatabase(start: Start): Promise<'late' | 'served'> {
  const sqlite = await Promise.race([loaded(), delay(LOADING_MS)]);
  if (!sqlite) return 'late';
  const suspected = hasDamageNote(start.name);
  const files = await takeFiles(sqlite, start.name);
  try {
    const opened = await openStore(sqlite, files, start, await suspected);
    try {
      await serveUntilClosed(start, opened);
    } finally {
      opened.handle.close();
    }
  } finally {
    files.letGo();
  }
  return 'served';
}

const delay = (ms: number) => new Promise<null>((resolve) => setTimeout(() => resolve(null), ms));

/** ms to wait for the lock; a tab that has the database open can export it itself. */
const READ_PATIENCE_MS = 5_000;

async function read(asked: Extract<ToWorker, { type: 'read' | 'readFile' }>): Promise<void> {
  const { name } = asked;
  try {
    const sqlite = await loaded();
    const signal = AbortSignal.timeout(READ_PATIENCE_MS);
    await navigator.locks.request(locks.database(name), { signal }, async () => {
      if (asked.type === 'readFile') tell({ type: 'file', bytes: await readFile(sqlite, name, asked.owner) });
      else tell({ type: 'unsynced', records: await readUnsynced(sqlite, name, asked.salvage) });
    });
  } catch (error) {
    const isBusy = error instanceof DOMException && error.name === 'TimeoutError';
    tell({ type: 'failed', error: isBusy ? storageError('locked', 'a tab has it open') : reasonOf(error) });
  }
  page.close();
}

function reasonOf(error: unknown): StorageError {
  const reason = asSendable(error);
  return typeof reason === 'string' ? storageError('unavailable', reason) : reason;
}

async function serveUntilClosed(start: Start, { handle, store }: OpenedStore): Promise<void> {
  const { name, id, tab, schema } = start;
  const everybody = new BroadcastChannel(channels.public(name));
  const inbox = new BroadcastChannel(channels.inbox(name, id));
  const version = versionOf(schema);
  let checkpoint: ReturnType<typeof setTimeout> | undefined;
  let leave: (reason: Error) => void = () => undefined;
  const owner = new Owner({
    store,
    version,
    reach: (other) => (other === tab ? ownPage() : otherPage(name, other)),
    onNewerCode: (newer) => leave(newerSchema(newer.schema, version.schema)),
    // A full disk may refuse the note; then the next read of the damaged place reports the damage again.
    onDamage: () => noteDamage(name).catch(() => undefined),
  });

  await new Promise<void>((resolve, reject) => {
    leave = reject;
    const announce = () => everybody.postMessage({ type: 'owner', id } satisfies Announcement);
    serve = (call) => {
      owner.handle(call);
      clearTimeout(checkpoint);
      checkpoint = setTimeout(() => checkpointLog(handle), IDLE_MS);
    };
    inbox.onmessage = ({ data }: MessageEvent<Call>) => serve?.(data);
    everybody.onmessage = ({ data }: MessageEvent<Announcement>) => {
      if (data.type === 'whoOwns') announce();
    };
    whenClosed.signal.addEventListener('abort', () => resolve());
    if (whenClosed.signal.aborted) resolve();
    tell({ type: 'owner', id });
    announce();
  }).finally(() => {
    serve = null;
    clearTimeout(checkpoint);
    owner.close();
    everybody.close();
    inbox.close();
  });
}

/** Copies the write-ahead log into the database, so that the log does not grow. */
function checkpointLog(handle: SqliteHandle): void {
  try {
    handle.exec('pragma wal_checkpoint(truncate)');
  } catch (error) {
    // On a full disk, for instance. The log stays, and the database is valid with it.
    if (!(error instanceof SqliteFailure)) throw error;
  }
}

function ownPage(): Peer {
  return { send: (reply) => tell({ type: 'reply', reply }), onGone: () => undefined, close: () => undefined };
}

function otherPage(name: string, tab: string): Peer {
  const channel = new BroadcastChannel(channels.inbox(name, tab));
  return {
    send: (reply) => channel.postMessage(reply),
    // A tab holds this lock for as long as it lives.
    onGone: (listener) => void navigator.locks.request(locks.alive(tab), { mode: 'shared' }, listener),
    close: () => channel.close(),
  };
}
