/**
 * The worker of a tab. It waits for the lock of the database; once it has it, it opens the database,
 * migrates it where that is due, and serves all tabs until it dies, is closed, or newer code wants it.
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
import { Owner, type Peer, told } from './owner';
import { readFile, readUnsynced } from './readUnopened';
import { loadSqlite, noteShortWrites } from './sqliteWasm';

type Start = Extract<ToWorker, { type: 'start' }>;

/** ms without a call until the log is copied into the database. */
const IDLE_MS = 2_000;
/** ms for which the lock of the database is kept while SQLite is on its way. */
const LOADING_MS = 2_000;

const page = globalThis as unknown as {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  close(): void;
};
const tell = (message: FromWorker) => page.postMessage(message);
const whenClosed = new AbortController();
let serve: ((call: Call) => void) | null = null;

// Before anybody says what for, and in every tab: any of them may have to take over while the server is away.
noteShortWrites();
let onSqlite: (sqlite: WebAssembly.Module | null) => void = () => undefined;
const loading = new Promise<WebAssembly.Module | null>((resolve) => {
  onSqlite = resolve;
}).then(loadSqlite);
loading.catch(() => undefined);
/** What did not come at first may come now. */
const loaded = () => loading.catch(() => loadSqlite());

page.onmessage = ({ data }) => {
  switch (data.type) {
    case 'sqlite':
      onSqlite(data.sqlite);
      break;
    case 'start':
      void stand(data);
      break;
    case 'read':
    case 'readFile':
      void read(data);
      break;
    case 'call':
      // Without an owner here the page asks again, whoever it is then.
      serve?.(data.call);
      break;
    case 'close':
      whenClosed.abort();
      break;
  }
};

/** Stands for the lock, holds it as long as the database is served, then ends. */
async function stand(start: Start): Promise<void> {
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

/** @returns 'late': SQLite is still on its way here, and others may serve the database meanwhile */
async function holdDatabase(start: Start): Promise<'late' | 'served'> {
  const sqlite = await Promise.race([loaded(), passed(LOADING_MS)]);
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

const passed = (ms: number) => new Promise<null>((resolve) => setTimeout(() => resolve(null), ms));

/** ms to wait for tabs that have the database open; they offer the same themselves. */
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
  const reason = told(error);
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
    // Without the note, which a full disk may refuse, the damage is found again where it is read again.
    onDamage: () => noteDamage(name).catch(() => undefined),
  });

  await new Promise<void>((resolve, reject) => {
    leave = reject;
    const announce = () => everybody.postMessage({ type: 'owner', id } satisfies Announcement);
    serve = (call) => {
      owner.handle(call);
      clearTimeout(checkpoint);
      checkpoint = setTimeout(() => tidy(handle), IDLE_MS);
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

/** Copies the log into the database, so that it does not grow. */
function tidy(handle: SqliteHandle): void {
  try {
    handle.exec('pragma wal_checkpoint(truncate)');
  } catch (error) {
    // For want of room, for instance. The log stays, and is as good.
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
    // A tab keeps this lock as long as it lives.
    onGone: (listener) => void navigator.locks.request(locks.alive(tab), { mode: 'shared' }, listener),
    close: () => channel.close(),
  };
}
