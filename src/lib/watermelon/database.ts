/** The local database: WatermelonDB with Convoy's schema, models, edit tracking and storage shared by tabs. */

import { type Observable, Subject, skip } from 'rxjs';
import { v7 as uuidv7 } from 'uuid';
import { ConvoyError, type StorageError } from '@/core/errors';
import { fail, ok, type Result } from '@/core/result';
import type {
  BulkRows,
  RecordStatement,
  SalvageReport,
  SharedStore,
  StorageWarning,
  StoredQuery,
} from '@/core/storage';
import { SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import { ConvoyModel, DeviceState, modelClasses, ScopeCursor } from './models';
import { addOperations, type BatchOperation } from './models/batchOperations';
import { RecordCache } from './models/recordCache';
import { RecoverableModel } from './models/recoverableModel';
import { type Change, replicaOf } from './models/replica';
import { type EditClock, type EditContext, expectsAction, joinGroup } from './models/tracking';
import {
  type Collection,
  Database,
  type DatabaseAdapter,
  Model,
  type ModelClass,
  Q,
  type RawValue,
  setIdGenerator,
  type WriterInterface,
} from './models/watermelondb';
import { fetchWhole, type RecordsOf } from './models/wholeTables';
import { LiveQuery } from './observation/liveQuery';
import { notifyEach } from './observation/notify';
import { Standing } from './observation/standing';

/** The storage of a database: WatermelonDB's adapter, shared by tabs or processes. */
export type LocalAdapter = DatabaseAdapter & SharedStore;

/** The internals of WatermelonDB (0.28.0, pinned) that are used here. */
interface Internals {
  adapter: {
    batch(operations: BatchOperation[]): Promise<void>;
  };
  collections: {
    get(table: string): {
      _applyChangesToCache(changes: Change[]): void;
      _cache: {
        get(id: string): Model | undefined;
        add(record: Model): void;
        delete(record: Model): void;
      };
    };
  };
  _ensureInWriter(name: string): void;
}

/**
 * WatermelonDB's Database with four differences in `batch`: the edits of one batch are one group (D3), a deletion also
 * stores its base, a batch that fails leaves the records in memory as they were, and one that is stored resolves
 * whatever its observers do.
 */
export class ConvoyDatabase extends Database implements EditContext {
  readonly clock: EditClock;
  /** How far this device has seen each workspace, and which of them are being purged. */
  readonly standing = new Standing();
  /** The storage: other tabs or processes may have the same database open. */
  private readonly shared: SharedStore;
  private readonly unnamedWrites = new Subject<readonly string[]>();
  /** Reads fail for good. */
  isClosed = false;
  /** The records in memory are told of writes that no change names. */
  private isTakingOver = false;

  constructor(options: { adapter: LocalAdapter; clock: EditClock }) {
    super({ adapter: options.adapter, modelClasses });
    this.clock = options.clock;
    this.shared = options.adapter;
    for (const table of Object.keys(this.schema.tables)) this.makeLive(this.get(table));
    const replica = replicaOf(this, (tables) => this.unnamedWrites.next(tables));
    this.shared.attach({
      ...replica,
      takeOver: (changes) => this.takingOver(() => replica.takeOver(changes)),
    });
    const stores = [ScopeCursor.table, DeviceState.table] as unknown[] as string[];
    this.onUnnamedWrites(stores, () => this.freshen());
    // Lists change with it, though none of these records is written.
    this.standing
      .observeLeaving()
      .pipe(skip(1))
      .subscribe(() => this.unnamedWrites.next(SYNCED_TABLES));
  }

  /** Where it fails, the next write tries again. */
  private freshen(): void {
    this.standing.markStale();
    void this.read(() => this.standing.freshen()).catch(() => undefined);
  }

  private takingOver(work: () => void): void {
    this.isTakingOver = true;
    try {
      work();
    } finally {
      this.isTakingOver = false;
    }
  }

  /** Gives a collection observers that cost what they show, and a memory that keeps what is held elsewhere. */
  private makeLive(collection: Collection<Model>): void {
    (collection as unknown as { _cache: { map: unknown } })._cache.map = new RecordCache();
    const query = (...clauses: never[]) => new LiveQuery(collection, clauses.flat());
    collection.query = query as unknown as typeof collection.query;
  }

  /**
   * Calls back, with all tables written to, after writes to one of these that no change names: those of other tabs and processes, and of pages.
   * @returns a function that ends it
   */
  onUnnamedWrites(tables: readonly string[], subscriber: (written: readonly string[]) => void): () => void {
    const subscription = this.unnamedWrites.subscribe((written) => {
      if (written.some((table) => tables.includes(table))) subscriber(written);
    });
    return () => subscription.unsubscribe();
  }

  /**
   * Calls back after writes to one of these tables. `isOwn`: by a change of this tab, which its observers were told of.
   * @returns a function that ends it
   */
  onWrites(tables: readonly string[], subscriber: (isOwn: boolean) => void): () => void {
    const ends = [
      this.experimentalSubscribe([...tables] as never[], () => {
        if (!this.isTakingOver) subscriber(true);
      }),
      this.onUnnamedWrites(tables, () => subscriber(false)),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  /** As WatermelonDB's `write`, but writers of other tabs and processes take turns too, each from the latest state (D42). */
  override write<T>(work: (writer: WriterInterface) => Promise<T>, description?: string): Promise<T> {
    const fromLatest = async (writer: WriterInterface) => {
      await this.standing.freshen();
      return work(writer);
    };
    return super.write((writer) => this.shared.whileSoleWriter(() => fromLatest(writer)), description);
  }

  /** The records that were salvaged when the database was found damaged and recreated, until `forgetSalvaged`; else null. */
  get salvaged(): SalvageReport | null {
    return this.shared.salvaged;
  }

  /** Whether what is written here outlives this window or process. */
  get isDurable(): boolean {
    return this.shared.isDurable;
  }

  /** Warnings about the place of the storage. */
  get warning(): StorageWarning | null {
    return this.shared.warning;
  }

  /** Dismisses the report of what was salvaged. Rejects with a `ConvoyError` (storage). */
  async forgetSalvaged(): Promise<void> {
    await this.shared.forgetSalvaged();
  }

  /** Calls back with the error when newer code has taken over the storage, or it is damaged or full; with null when there is room again. */
  onStorageTrouble(listener: (error: StorageError | null) => void): void {
    this.shared.onTrouble(listener);
  }

  /** Resolves when all foreign writes until now are in memory. */
  async catchUp(): Promise<void> {
    await this.shared.catchUp();
  }

  /** @returns the whole database as a SQLite file that only `owner` can import. Rejects with a `ConvoyError` (storage). */
  exportFile(owner: string): Promise<Uint8Array> {
    return this.shared.exportFile(owner);
  }

  /** Replaces the whole database by an exported file; to be called inside `write`. Rejects as `SharedStore.importFile`. */
  importFile(bytes: Uint8Array, owner: string): Promise<void> {
    (this as unknown as Internals)._ensureInWriter('Database.importFile()');
    return this.shared.importFile(bytes, owner);
  }

  /** Closes the storage. Nothing can be read or written afterwards. */
  async close(): Promise<void> {
    // Waits for the writes that were queued before.
    await super.write(async () => undefined, 'close');
    this.isClosed = true;
    await this.shared.close();
  }

  /** @returns the revision of a scope up to which this device has seen everything; 0 for none. */
  seenRevision(scope: string): number {
    return this.standing.seenRevision(scope);
  }

  newId(): string {
    return uuidv7();
  }

  /** @returns whether records of this workspace are still to be purged, and not to be shown (P12). */
  isLeaving(scope: RawValue | undefined): boolean {
    const { leaving } = this.standing;
    return leaving.size > 0 && typeof scope === 'string' && leaving.has(scope);
  }

  /** Takes records and arrays of records, in any mixture; WatermelonDB's own drops what stands behind an array. */
  override async batch(...records: unknown[]): Promise<void> {
    const given = records.flat().filter(Boolean);
    for (const record of given) {
      if (!(record instanceof Model)) throw new TypeError('Only records can be passed to batch.');
    }
    await this.batchWithRows(given as Model[], []);
  }

  /** Replaces WatermelonDB's, in which an observer that throws fails the write and keeps the news from the others. */
  _notify(changes: [string, Change[]][]): void {
    notifyEach(this, changes);
  }

  /** @returns the collection of a model, typed by it. */
  of<T extends Model>(model: ModelClass<T>): Collection<T> {
    return this.get<T>(model.table as never);
  }

  /** @returns the collection of a synced table. */
  records(table: SyncedTable): Collection<ConvoyModel> {
    return this.get<ConvoyModel>(table);
  }

  /** @returns the record; null where there is none, or it is marked as deleted. */
  async findRecord(table: SyncedTable, id: string): Promise<ConvoyModel | null> {
    const [record] = await this.records(table).query(Q.where('id', id)).fetch();
    return record ?? null;
  }

  /** @returns the records that meet an SQL condition, those marked as deleted included. */
  async fetchStored(
    table: SyncedTable,
    condition: string,
    args: readonly (string | number)[] = [],
  ): Promise<ConvoyModel[]> {
    const all = Q.unsafeSqlQuery(`select * from "${table}" where ${condition}`, [...args]);
    return this.records(table).query(all).fetch();
  }

  /** Emits whenever a record of these tables was written, by this tab or another. */
  changesIn(tables: readonly SyncedTable[]): Observable<unknown> {
    return this.withChangesForTables([...tables] as never[]);
  }

  /** @returns the record where it is in memory, else null. Inside `write`, memory is as the storage is. */
  inMemory<T extends Model>(table: string, id: string): T | null {
    return ((this as unknown as Internals).collections.get(table)._cache.get(id) as T | undefined) ?? null;
  }

  /** @returns the rows of each query, all as of one moment; no record is made in memory. */
  readAll(queries: readonly StoredQuery[]): Promise<(string | number | null)[][][]> {
    return this.shared.readAll(queries);
  }

  /**
   * Reads whole small tables past WatermelonDB's queries: a device does so whenever it is opened.
   * @returns the records of each model, as of one moment and in one round trip
   */
  fetchAll<Models extends readonly ModelClass<Model>[]>(...models: Models): Promise<RecordsOf<Models>> {
    return fetchWhole(this, models);
  }

  /**
   * As `batch`, and writes rows of tables in the same transaction. To be called inside `write`. Rejects where the storage
   * fails; the records are then as before.
   * @param filled rows by table
   * @param statements by table, to be run in this order, before the records are written
   */
  async batchWithRows(
    prepared: Model[],
    filled: readonly [table: string, rows: BulkRows][],
    statements: readonly [table: string, statement: RecordStatement][] = [],
  ): Promise<void> {
    const internals = this as unknown as Internals;
    internals._ensureInWriter('Database.batch()');
    this.formGroup(prepared);

    const operations: BatchOperation[] = [
      ...filled.map(([table, rows]): BatchOperation => ['fill', table, rows]),
      ...statements.map(([table, statement]): BatchOperation => ['run', table, statement]),
    ];
    const changes = new Map<string, Change[]>();
    let held: readonly Model[] = [];
    try {
      for (const record of prepared) {
        const table = (record.constructor as typeof Model).table as unknown as string;
        const change = { record, type: addOperations(operations, table, record) };
        const known = changes.get(table);
        if (known) known.push(change);
        else changes.set(table, [change]);
      }
      held = this.holdNew(prepared);
      await internals.adapter.batch(operations);
    } catch (error) {
      this.letGo(held);
      for (const record of prepared) {
        if (record._preparedState !== 'create') record._preparedState = null;
        if (record instanceof RecoverableModel) record.restore();
      }
      throw error;
    }
    for (const record of prepared) if (record instanceof RecoverableModel) record._rawBefore = null;
    const all = [...changes];
    for (const [table, ofTable] of all) internals.collections.get(table)._applyChangesToCache(ofTable);
    this._notify(all);
  }

  /**
   * Puts the new records of a batch into memory before it is stored: rows that it fills are told before it ends, and a
   * query that runs then would make a second instance of a record.
   */
  private holdNew(prepared: readonly Model[]): Model[] {
    const added = prepared.filter((record) => record._preparedState === 'create');
    for (const record of added) {
      this.cacheOf(record).add(record);
      record._preparedState = null;
    }
    return added;
  }

  /** They were not stored. */
  private letGo(added: readonly Model[]): void {
    for (const record of added) {
      this.cacheOf(record).delete(record);
      record._preparedState = 'create';
    }
  }

  private cacheOf(record: Model) {
    const table = (record.constructor as typeof Model).table as unknown as string;
    return (this as unknown as Internals).collections.get(table)._cache;
  }

  /** The edits of one batch form a group: they are pushed, and taken or refused, together (D3). */
  private formGroup(prepared: Model[]): void {
    const edited = prepared.filter(
      (record) => record instanceof ConvoyModel && record._isEdit,
    ) as ConvoyModel[];
    // An edit that is alone goes with the action that it builds on (D15).
    if (edited.length < 2 && !edited.some(({ raw }) => expectsAction(raw))) return;
    const group = uuidv7();
    for (const record of edited) joinGroup(record.table as unknown as string, record.raw, group);
  }
}

/**
 * Opens a local database.
 * @returns the database once its storage is ready; or a storage error, and the storage is as it was
 */
export async function openDatabase(options: {
  adapter: LocalAdapter;
  clock: EditClock;
}): Promise<Result<ConvoyDatabase, StorageError>> {
  // WatermelonDB tries the generator out. A real id would load the runtime's random numbers, and delay the opening.
  let isTrial = true;
  setIdGenerator(() => (isTrial ? 'trial' : uuidv7()));
  isTrial = false;
  const database = new ConvoyDatabase(options);
  try {
    const adapter = database.adapter as unknown as { initializingPromise?: Promise<unknown> };
    await adapter.initializingPromise;
    await database.localStorage.get('ready');
    return ok(database);
  } catch (error) {
    if (error instanceof ConvoyError && error.detail.kind === 'storage') return fail(error.detail);
    const message = `The local database could not be opened: ${error instanceof Error ? error.message : String(error)}`;
    return fail({ kind: 'storage', code: 'unavailable', message });
  }
}
