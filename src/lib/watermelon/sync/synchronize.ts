/** Orchestration: push, pull, resolve, until quiet. One sync at a time for each database. */

import { BehaviorSubject, type Observable, Subject } from 'rxjs';
import { ConvoyError, reactionTo, type SyncError } from '@/core/errors';
import type { SyncTransport } from '@/core/protocol';
import type { ConvoyDatabase } from '../database';
import { DeviceState, IdMapping, OutboxBatch, ScopeCursor } from '../models';
import { IdMappings } from './idMapping';
import type { Policies } from './merge/policies';
import { newPullCounts, pullSync } from './pullSync';
import { newPushCounts, pushSync } from './pushSync';
import { countPending } from './records/unsynced';
import { completeRevision, DeviceStore } from './state/deviceStore';
import { upgradeRecords } from './state/schemaUpgrade';
import { NOTHING_DONE, type SyncResult, type SyncStatus } from './state/status';
import type { SyncClock } from './state/syncClock';
import type { SyncContext } from './state/syncContext';
import { prepareLogEntry } from './state/syncLog';

/** Push-pull rounds of one sync; what is left then waits for the next. */
const MOST_ROUNDS = 8;
/** Times a sync begins anew because somebody else has written what it worked from. */
const MOST_ATTEMPTS = 3;
/** Rows in a page, unless said otherwise. */
const PAGE_ROWS = 2_000;

/** Tables of which a session keeps the content in memory. */
const HELD_TABLES: ReadonlySet<string> = new Set([
  ScopeCursor.table,
  DeviceState.table,
  OutboxBatch.table,
  IdMapping.table,
] as unknown[] as string[]);

const OVERTAKEN = {
  kind: 'storage',
  code: 'overtaken',
  message: 'Another tab or program has synced meanwhile.',
} as const;

export interface SyncEngineOptions {
  database: ConvoyDatabase;
  /** null: this database belongs to no account yet. */
  transport: SyncTransport | null;
  userId: string;
  clock: SyncClock;
  policies: Policies;
  /** Rows asked for in one page of a pull. */
  pageRows?: number;
  /** Whether the device believes it has a network. */
  isOnline: () => boolean;
  /** Runs work while no other tab or process syncs this database. */
  exclusively: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;
}

/** Keeps one local database in step with the server. */
export class SyncEngine {
  private readonly status = new BehaviorSubject<SyncStatus>({
    kind: 'idle',
    pending: 0,
    quarantined: 0,
    lastSyncedAt: null,
    progress: null,
    error: null,
  });
  private session: SyncContext | null = null;
  /** Somebody else has written what the session holds. */
  private isStale = false;
  /** The session that is being loaded. */
  private opening: Promise<SyncContext> | null = null;
  /** Held by others too, so it outlives the session. */
  private ids: IdMappings | null = null;
  private running: Promise<SyncResult> | null = null;
  private readonly runs = new Subject<Promise<SyncResult>>();
  /** The counts that are being made; nobody may close the database under them. */
  private counting: Promise<void> = Promise.resolve();
  private cancelled = new AbortController();

  constructor(private readonly options: SyncEngineOptions) {
    options.database.onForeignWrites((tables) => this.noticeForeignWrites(tables));
  }

  /** The state of this device, now and whenever it changes. */
  observeStatus(): Observable<SyncStatus> {
    return this.status.asObservable();
  }

  get currentStatus(): SyncStatus {
    return this.status.value;
  }

  /**
   * Pushes, pulls and resolves until nothing is left. Calls while one runs share it.
   * @returns what was done; failures of the network, of the session and of the server are part of it
   */
  sync(): Promise<SyncResult> {
    if (this.running) return this.running;
    const running = this.run().finally(() => {
      this.running = null;
    });
    this.running = running;
    this.runs.next(running);
    return running;
  }

  /** Runs work while nobody syncs this database; a sync that is asked for meanwhile does nothing. */
  async whileIdle<T>(work: () => Promise<T>): Promise<T> {
    while (this.running) await this.running;
    const working = this.options.exclusively(async () => {
      const done = await work();
      // What it may have replaced is read anew before anybody goes on; where that fails, by the next sync.
      await this.open().catch(() => undefined);
      return done;
    }, this.cancelled.signal);
    this.running = working
      .then(
        () => undefined,
        () => undefined,
      )
      .then(() => {
        this.running = null;
        return { ...NOTHING_DONE };
      });
    const done = await working;
    await this.refreshCounts();
    return done;
  }

  /** Every sync when it begins, whoever asked for it. */
  observeRuns(): Observable<Promise<SyncResult>> {
    return this.runs.asObservable();
  }

  /** Ends the sync that is running, its request included; no more are started. Batches in flight stay stored. */
  async stop(): Promise<void> {
    this.cancelled.abort();
    await Promise.allSettled([this.running, this.counting]);
  }

  /** @returns the id mappings of this database: always the same object. */
  async idMappings(): Promise<IdMappings> {
    return (await this.open()).ids;
  }

  /** The scopes of this device, and the revision up to which everything of each is here. */
  heldRevisions(): ReadonlyMap<string, number> {
    const scopes = this.session?.store.scopes ?? new Map();
    return new Map([...scopes].map(([id, { cursor }]) => [id, completeRevision(cursor)]));
  }

  /** Counts what is unsynced and refused, for the status. Rejects where the storage fails. */
  refreshCounts(): Promise<void> {
    if (this.cancelled.signal.aborted) return Promise.resolve();
    this.counting = Promise.all([this.counting.catch(() => undefined), this.count()]).then(() => undefined);
    return this.counting;
  }

  private async count(): Promise<void> {
    const { database } = this.options;
    const { pending, quarantined } = await countPending(database);
    const known = this.status.value;
    if (known.pending !== pending || known.quarantined !== quarantined) this.report({ pending, quarantined });
  }

  private async run(): Promise<SyncResult> {
    const { transport, clock, isOnline, exclusively } = this.options;
    const { signal } = this.cancelled;
    const result: SyncResult = { ...NOTHING_DONE };
    if (transport === null || signal.aborted) return { ...result, status: 'signed_out' };
    const startedAt = clock.now();
    if (!isOnline()) {
      result.status = 'offline';
      await this.finish(result, startedAt);
      return result;
    }
    this.report({ kind: 'syncing', error: null, progress: null });
    try {
      await exclusively(async () => {
        const error = await this.fromLatest(result);
        if (error) endWith(result, error);
        // Under the lock: whoever has it next reads what this writes.
        await this.finish(result, startedAt);
      }, signal);
    } catch (thrown) {
      // A bug or the local storage: memory may be ahead of it, so what was loaded is loaded anew.
      this.session = null;
      // Where that fails too, the next sync tries again.
      await this.open().catch(() => undefined);
      endWith(result, errorOf(thrown));
      await this.finish(result, startedAt);
    }
    return result;
  }

  /** The lock is had: works from what is stored now, and anew where that turns out to be of before. */
  private async fromLatest(result: SyncResult): Promise<SyncError | null> {
    for (let attempt = 1; ; attempt += 1) {
      // Whoever synced this database before may have been another tab or process.
      await this.options.database.catchUp();
      try {
        return await this.rounds(await this.open(), result);
      } catch (thrown) {
        // What somebody sent to the storage right before their death may arrive when the lock is had.
        const isOvertaken = thrown instanceof ConvoyError && thrown.code === OVERTAKEN.code;
        if (!isOvertaken || attempt === MOST_ATTEMPTS) throw thrown;
        this.isStale = true;
      }
    }
  }

  private async rounds(sync: SyncContext, result: SyncResult): Promise<SyncError | null> {
    const { signal } = this.cancelled;
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const known = this.status.value.pending;
      const [pushed, pulled] = [newPushCounts(), newPullCounts()];
      try {
        const error =
          (await pushSync(sync, signal, pushed, {
            inFlightOnly: sync.store.mustPullFirst,
            onSent: (sent) => this.reportSent(sent),
          })) ?? (await pullSync(sync, signal, pulled, (progress) => this.report({ progress })));
        if (error) return error;
      } finally {
        add(result, { ...pushed, pulled: 0 });
        add(result, { ...pulled, pushed: 0, rejected: 0 });
      }
      await this.refreshCounts();
      const moved = pushed.pushed + pushed.conflicts + pushed.rejected + pulled.reapplied;
      const { pending } = this.status.value;
      // What was written after this push had its turn has not been tried.
      const isStuck = moved === 0 && !pushed.pullFirst && pending <= known;
      if (pending === 0 || isStuck) return null;
    }
    result.status = 'partial';
    return null;
  }

  /** Whoever asks while it is being loaded waits for that, and does not go on with what was loaded before. */
  private async open(): Promise<SyncContext> {
    if (!this.opening && this.session && !this.isStale) return this.session;
    this.opening ??= this.load().finally(() => {
      this.opening = null;
    });
    return this.opening;
  }

  private async load(): Promise<SyncContext> {
    let sync: SyncContext;
    do {
      this.isStale = false;
      try {
        sync = await this.loadOnce();
      } catch (thrown) {
        this.isStale = true;
        throw thrown;
      }
      // Written once more meanwhile: what was read may be of before.
    } while (this.isStale);
    return sync;
  }

  private async loadOnce(): Promise<SyncContext> {
    const { database, transport, userId, clock, policies, pageRows = PAGE_ROWS } = this.options;
    const ids = await IdMappings.load(database, this.ids ?? undefined);
    this.ids = ids;
    const store = await DeviceStore.load(database, ids);
    await upgradeRecords(database, store);
    if (!this.session) clock.restore(store.facts.clockOffset);
    const unreachable = { pull: unavailable, push: unavailable };
    const loaded: SyncContext = {
      database,
      write: (work, description) =>
        database.write(async () => {
          if (this.session !== loaded || this.isStale) throw new ConvoyError(OVERTAKEN);
          return work();
        }, description),
      transport: transport ?? unreachable,
      userId,
      store,
      ids,
      clock,
      policies,
      pageRows,
    };
    this.session = loaded;
    const [known, stored] = [this.status.value.lastSyncedAt, store.facts.lastSyncedAt];
    this.report({
      lastSyncedAt: known === null || stored === null ? (known ?? stored) : Math.max(known, stored),
    });
    return loaded;
  }

  /** What this engine holds in memory is read anew when somebody else has written it. */
  private noticeForeignWrites(tables: string[]): void {
    if (!tables.some((table) => HELD_TABLES.has(table))) return;
    this.isStale = true;
    // Nobody waits for it: a sync opens what it needs by itself.
    if (!this.running) void this.open().catch(() => undefined);
  }

  private async finish(result: SyncResult, startedAt: number): Promise<void> {
    const { clock } = this.options;
    // Whatever a sync that was told to end ended with, it is no failure (rule D32).
    if (this.cancelled.signal.aborted) {
      Object.assign(result, { status: 'signed_out', reaction: null, error: null });
    }
    result.durationMs = clock.now() - startedAt;
    const done = result.status === 'ok' || result.status === 'partial';
    const lastSyncedAt = done ? clock.now() : this.status.value.lastSyncedAt;
    const changed = result.pushed + result.pulled + result.rejected > 0 || result.error !== null;
    try {
      if (changed) await this.writeLog(result, startedAt, lastSyncedAt);
      // One that found nothing has counted last of all.
      if (changed || !done) await this.refreshCounts();
    } catch (thrown) {
      // The store is failing: the sync's own result says so already, unless this is the first sign of it.
      endWith(result, result.error ?? errorOf(thrown));
      result.status = 'error';
    }
    const kind = result.status === 'offline' ? 'offline' : result.error ? 'error' : 'idle';
    this.report({ kind, lastSyncedAt, progress: null, error: result.error });
  }

  private async writeLog(result: SyncResult, startedAt: number, lastSyncedAt: number | null): Promise<void> {
    const { database } = this.options;
    await database.write(async () => {
      // Opened here: a sync that failed may have held what is no longer so.
      const { store, clock } = await this.open();
      await database.batch([
        ...(await prepareLogEntry(database, result, startedAt)),
        store.prepareFacts({ clockOffset: clock.offset(), lastSyncedAt }),
      ]);
    }, 'sync: log');
  }

  /** What is left to send, while batch after batch is taken; counted anew when the push is over. */
  private reportSent(changes: number): void {
    this.report({ pending: Math.max(0, this.status.value.pending - changes) });
  }

  private report(changes: Partial<SyncStatus>): void {
    this.status.next({ ...this.status.value, ...changes });
  }
}

function endWith(result: SyncResult, error: SyncError): void {
  result.error = error;
  result.reaction = reactionTo(error);
  result.status =
    result.reaction === 'wait' ? 'offline' : result.reaction === 'sign_in' ? 'signed_out' : 'error';
}

/** Storage says what is wrong with it; anything else is a bug. */
function errorOf(thrown: unknown): SyncError {
  if (thrown instanceof ConvoyError && thrown.detail.kind === 'storage') return thrown.detail;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { kind: 'unexpected', code: 'unexpected', message };
}

async function unavailable(): Promise<never> {
  throw new Error('A database without an account has no server to sync with.');
}

type Done = Pick<SyncResult, 'pushed' | 'pulled' | 'conflicts' | 'rejected' | 'sent' | 'received'>;

function add(result: SyncResult, done: Done): void {
  result.pushed += done.pushed;
  result.pulled += done.pulled;
  result.conflicts += done.conflicts;
  result.rejected += done.rejected;
  result.sent += done.sent;
  result.received += done.received;
}
