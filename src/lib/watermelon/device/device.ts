/** A device: one user's local database with its sync engine and its Context Service. */

import type { Observable } from 'rxjs';
import { ConvoyError, type StorageError } from '@/core/errors';
import type { MachineClaims } from '@/core/platform';
import type { PokeSource } from '@/core/pokes';
import type { Json, SyncTransport } from '@/core/protocol';
import { fail, ok, type Result } from '@/core/result';
import type { SalvageReport, StorageWarning } from '@/core/storage';
import type { ContextService } from '@/domain/contextService';
import type { InvitationService } from '@/domain/invitations';
import type { SyncedTable } from '@/domain/schema';
import type { MemberKind } from '@/domain/vocabulary';
import { LocalStore } from '../context/localStore';
import { ProvisionalClaims } from '../context/provisionalClaims';
import { createLocalContextService, type LocalContextService } from '../context/service';
import { type ConvoyDatabase, type LocalAdapter, openDatabase } from '../database';
import {
  type Acceptance,
  type AcceptResult,
  countUnsynced,
  discardArchived,
  discardLost,
  discardQuarantined,
  editQuarantined,
  exportUnsynced,
  type GroupBounds,
  type IdMappings,
  NetworkHint,
  observePending,
  observeSyncLog,
  observeUnreadable,
  type PendingChanges,
  readSyncLog,
  retryQuarantined,
  reverseSettlement,
  type Settlement,
  SyncClock,
  SyncEngine,
  type SyncLogItem,
  type SyncResult,
  type SyncStatus,
  type SyncTiming,
  settleConflict,
  startAutoSync,
  type TablePolicies,
  type Unreadable,
  type UnsyncedCounts,
  type UnsyncedExport,
  withPolicies,
} from '../sync';
import { exportDatabase, importDatabase } from './databaseFile';

export interface DeviceOptions {
  /** Closed with the device. */
  adapter: LocalAdapter;
  /** The user whose database this is; each user has a database of their own. */
  userId: string;
  /** Whether the user is a person or an agent. Default: `human`. */
  kind?: MemberKind;
  /** null: there is no account, and nothing is sent. */
  transport: SyncTransport | null;
  /** Asked for records that are not in the local database; null: nothing is asked. */
  remote: ContextService | null;
  isOnline?: () => boolean;
  onConnectivity?: (listener: (online: boolean) => void) => () => void;
  /** Calls back when the app becomes visible. */
  onVisible?: (listener: () => void) => () => void;
  /** Tells when there is something to pull. */
  pokes?: PokeSource | null;
  /** Asks the server about invitations; null, the default: nobody is signed in. */
  invitations?: InvitationService | null;
  /** Claims of this machine that were made without the server; null, the default: the database is all that agents here share. */
  claims?: MachineClaims | null;
  /** Runs work while no other tab or process syncs this database. */
  exclusively?: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;
  /** Device time, ms since the epoch. */
  now?: () => number;
  policies?: Partial<Record<SyncedTable, TablePolicies>>;
  /** Moves what an earlier release left elsewhere into the database. @returns the ids of those records by table; null: nothing */
  adopt?: (database: ConvoyDatabase) => Promise<SalvageReport['saved'] | null>;
  /** Most rows asked for in one page of a pull. */
  pageRows?: number;
  /** The bounds of one group of changes (D35). */
  groupBounds?: GroupBounds;
  /** Time that one page or batch is to take on its way, ms; a slow connection carries smaller ones (D55). Default: 10,000. */
  transferMs?: number;
  /** Whether to sync without being asked; default true. A function is given what begins it, to be called once, when it may. */
  autoSync?: boolean | ((begin: () => void) => void);
  /** Overrides the default timing of automatic syncs. */
  timing?: Partial<SyncTiming>;
}

export interface Device {
  readonly database: ConvoyDatabase;
  readonly userId: string;
  /** Without an account nothing is sent: the work stays on this device until a user takes it along. */
  readonly hasAccount: boolean;
  /** Whether the user is a person or an agent. */
  readonly kind: MemberKind;
  readonly contextService: LocalContextService;
  /** Pushes, pulls and merges until nothing is left. Failures are part of the result; it never rejects. */
  sync(): Promise<SyncResult>;
  observeSyncStatus(): Observable<SyncStatus>;
  readonly syncStatus: SyncStatus;
  /** Retries a refused change and those refused together with it. @returns false where it cannot be made again now */
  retryQuarantined(id: string): Promise<boolean>;
  discardQuarantined(id: string): Promise<boolean>;
  /** Changes the values of a refused change before it is retried. Values as the Context Service takes them. */
  editQuarantined(id: string, values: Record<string, Json>): Promise<boolean>;
  /** Settles an open conflict, or a settled one anew, by an edit of this user (D10). */
  settleConflict(id: string, how: Settlement): Promise<boolean>;
  /**
   * Reverses a settlement of the feed, made on any device (D10). Rejects with `conflict` where somebody has changed the
   * record since, and with `rejected/unconfirmed_checkpoint` for each checkpoint that it moves a task past and the user
   * has not confirmed.
   * @param confirmed the checkpoints that the person saw and confirmed
   */
  reverseSettlement(activityId: string, confirmed?: readonly string[]): Promise<void>;
  /** The records that were salvaged from a damaged database when this one was opened; null where it was sound, or the report was dismissed. */
  readonly salvaged: SalvageReport | null;
  /** Records that an earlier release had left in another kind of storage, and that are here now: ids by table; null: nothing. */
  readonly moved: SalvageReport['saved'] | null;
  /** Dismisses that report for all later openings (D49). Rejects with a `ConvoyError` (storage). */
  forgetSalvaged(): Promise<void>;
  /** Whether what is written here outlives this window. */
  readonly isDurable: boolean;
  /** A warning about the place where it is kept, such as a network file system; null: none. */
  readonly storageWarning: StorageWarning | null;
  /** Calls back with the error when newer code has taken over the storage, or it is damaged or full; with null when there is room again. */
  onStorageTrouble(listener: (error: StorageError | null) => void): void;
  /** Everything on this device that is not on the server, as JSON. */
  exportUnsynced(): Promise<UnsyncedExport>;
  /** The whole local database as a SQLite file (D60). */
  exportDatabase(): Promise<Result<Uint8Array, StorageError>>;
  /** Replaces the whole local database by such a file; fails with `unsynced_work` while something is not on the server. */
  importDatabase(file: Uint8Array): Promise<Result<null, StorageError>>;
  /** How much is not on the server, in records, changes and conflicts. */
  countUnsynced(): Promise<UnsyncedCounts>;
  /** The changes that wait to be sent, the newest first; at most so many, now and whenever they are others. */
  observePending(most: number): Observable<PendingChanges>;
  /** The results of the last syncs, newest first: at most 200, without those that found nothing to do. */
  syncLog(): Promise<SyncLogItem[]>;
  /** The sync log now and whenever a sync is added to it. */
  observeSyncLog(): Observable<SyncLogItem[]>;
  /** Rows of the server that this device could not store, now and whenever they change (P33). */
  observeUnreadable(): Observable<Unreadable[]>;
  /** Discards archived values; unknown ids are passed over. */
  discardArchived(ids: readonly string[]): Promise<void>;
  /**
   * Discards what stands in the ledger alone: lost edits, which are not reapplied then, and conflicts that the user can no
   * longer settle. @returns false without such an entry
   */
  discardLost(id: string): Promise<boolean>;
  /** Invites, and asks for invitations, on the server; null without an account. `acceptInvitation` works offline too. */
  readonly invitations: Omit<InvitationService, 'accept'> | null;
  /**
   * Accepts an invitation. It is stored at once; where the server cannot be reached it is sent by a later sync.
   * Rejects with a `ConvoyError` (storage).
   */
  acceptInvitation(id: string): Promise<AcceptResult>;
  /** Accepted invitations that wait for the server, or that it has refused; now and whenever they change. */
  observeAcceptances(): Observable<readonly Acceptance[]>;
  /** Removes such an acceptance: it is not sent, or no longer shown. */
  dismissAcceptance(id: string): Promise<void>;
  /**
   * Ends the running sync and closes the database: no timer, connection or request is left (K9). What is
   * unsynced stays in the local database.
   */
  close(): Promise<void>;
}

/** @returns the device once its database can be used, or the storage error why it cannot. */
export async function openDevice(options: DeviceOptions): Promise<Result<Device, StorageError>> {
  const clock = new SyncClock(options.now);
  const opened = await openDatabase({ adapter: options.adapter, clock });
  if (!opened.ok) return opened;
  const database = opened.value;
  const network = new NetworkHint(options.isOnline ?? alwaysOnline);
  const engine = makeEngine(options, database, clock, network);
  const loaded = await loadEngine(engine, database, options.adopt);
  if (!loaded.ok) return loaded;
  return ok(makeDevice(options, { database, engine, ...loaded.value, clock, network }));
}

function makeEngine(
  options: DeviceOptions,
  database: ConvoyDatabase,
  clock: SyncClock,
  network: NetworkHint,
): SyncEngine {
  return new SyncEngine({
    database,
    transport: options.transport,
    userId: options.userId,
    clock,
    policies: withPolicies(options.policies ?? {}),
    network,
    pageRows: options.pageRows,
    groupBounds: options.groupBounds,
    transferMs: options.transferMs,
    exclusively: options.exclusively ?? ((work) => work()),
    invitations: options.invitations ?? null,
  });
}

/** Loads what the engine works from; the database is closed where that fails. */
async function loadEngine(
  engine: SyncEngine,
  database: ConvoyDatabase,
  adopt: DeviceOptions['adopt'],
): Promise<Result<Pick<DeviceParts, 'ids' | 'moved'>, StorageError>> {
  try {
    const ids = await engine.idMappings();
    const moved = (await adopt?.(database)) ?? null;
    await Promise.all([engine.refreshCounts(), engine.loadAcceptances()]);
    return ok({ ids, moved });
  } catch (error) {
    // Loading writes after an upgrade, and the disk may be full.
    await database.close();
    if (error instanceof ConvoyError && error.detail.kind === 'storage') return fail(error.detail);
    throw error;
  }
}

interface DeviceParts {
  database: ConvoyDatabase;
  engine: SyncEngine;
  ids: IdMappings;
  moved: SalvageReport['saved'] | null;
  clock: SyncClock;
  network: NetworkHint;
}

function makeDevice(options: DeviceOptions, parts: DeviceParts): Device {
  const { userId, transport } = options;
  const { database, engine, ids, clock } = parts;
  const owner = { database, ids, userId, kind: options.kind ?? 'human' };
  const stopAutoSync = startAutoSyncOf(options, parts);
  return {
    database,
    userId,
    hasAccount: transport !== null,
    kind: owner.kind,
    contextService: makeContextService(options, parts),
    sync: () => {
      // An agent may ask again and again, and waits as the server wishes (K11).
      if (owner.kind === 'human') transport?.endWait?.();
      return engine.sync({ byHand: true });
    },
    observeSyncStatus: () => engine.observeStatus(),
    get syncStatus() {
      return engine.currentStatus;
    },
    retryQuarantined: (id) => retryQuarantined(database, id),
    discardQuarantined: (id) => discardQuarantined(database, id),
    editQuarantined: (id, values) => editQuarantined(database, id, values),
    settleConflict: (id, how) => settleConflict(owner, id, how),
    reverseSettlement: (activityId, confirmed) => reverseSettlement(owner, activityId, confirmed),
    get salvaged() {
      return database.salvaged;
    },
    moved: parts.moved,
    forgetSalvaged: () => database.forgetSalvaged(),
    isDurable: database.isDurable,
    storageWarning: database.warning,
    onStorageTrouble: (listener) => database.onStorageTrouble(listener),
    exportUnsynced: () => exportUnsynced(database, userId, clock.now()),
    exportDatabase: () => exportDatabase(database, userId),
    importDatabase: (file) => importDatabase({ database, engine, userId }, file),
    countUnsynced: () => countUnsynced(database, userId),
    observePending: (most) => observePending(database, most),
    syncLog: () => readSyncLog(database),
    observeSyncLog: () => observeSyncLog(database),
    observeUnreadable: () => observeUnreadable(database),
    discardArchived: (archived) => discardArchived(database, archived),
    discardLost: (id) => discardLost(owner, id),
    invitations: options.invitations ?? null,
    acceptInvitation: (id) => engine.acceptInvitation(id),
    observeAcceptances: () => engine.observeAcceptances(),
    dismissAcceptance: (id) => engine.dismissAcceptance(id),
    close: async () => {
      await Promise.all([stopAutoSync(), engine.stop()]);
      await database.close();
    },
  };
}

/** @returns how to stop it; nothing is started without an account, or where `autoSync` is false. */
function startAutoSyncOf(options: DeviceOptions, { engine, database }: DeviceParts): () => Promise<void> {
  const { transport, autoSync = true, onVisible, pokes, timing } = options;
  if (!transport || !autoSync) return async () => undefined;
  const onConnectivity = options.onConnectivity ?? (() => () => undefined);
  const start = () => startAutoSync({ engine, database, onConnectivity, onVisible, pokes, timing });
  if (autoSync === true) return start();
  let stop: (() => Promise<void>) | null = null;
  let isClosed = false;
  autoSync(() => {
    if (!isClosed) stop = start();
  });
  return async () => {
    isClosed = true;
    await stop?.();
  };
}

function makeContextService(
  { userId, kind = 'human', remote, claims = null }: DeviceOptions,
  { database, engine, ids, clock, network }: DeviceParts,
): LocalContextService {
  const store = new LocalStore(database, (id) => ids.resolve(id));
  const requestSync = () => void engine.sync();
  const provisional = new ProvisionalClaims(database, claims, userId, () => clock.now() + clock.offset());
  const service = createLocalContextService(
    { store, userId, kind, clock, remote, isOnline: network.isOnline, requestSync },
    provisional,
  );
  engine.afterReached = (signal) => service.settleClaims(signal);
  return service;
}

const alwaysOnline = () => true;
