/** Database setup and initialization: WatermelonDB with Convoy's schema, models and tracking. */

import type { Observable } from 'rxjs';
import { v7 as uuidv7 } from 'uuid';
import { ConvoyError, type StorageError } from '@/core/errors';
import { fail, ok, type Result } from '@/core/result';
import type { Closable } from '@/core/storage';
import {
  type BulkRows,
  isSharedStore,
  type SalvageReport,
  type SharedStore,
  type StoredQuery,
} from '@/core/storage';
import type { SyncedTable } from '@/domain/schema';
import { ConvoyModel, modelClasses } from './models';
import { RecoverableModel } from './models/recoverableModel';
import { replicaOf } from './models/replica';
import { type EditClock, type EditContext, joinGroup } from './models/tracking';
import {
  type Collection,
  Database,
  type DatabaseAdapter,
  type Model,
  type ModelClass,
  Q,
  type Raw,
  sanitizedRaw,
  setIdGenerator,
  type WriterInterface,
} from './models/watermelondb';

export type { DatabaseAdapter } from './models/watermelondb';

type BatchOperation =
  | ['create' | 'update', string, unknown, before?: unknown]
  | ['markAsDeleted' | 'destroyPermanently', string, string]
  | ['fill', string, BulkRows];
/** The records of several models, in the models' order. */
type RecordsOf<Models extends readonly ModelClass<Model>[]> = {
  [Index in keyof Models]: Models[Index]['prototype'][];
};
type Change = { record: Model; type: 'created' | 'updated' | 'destroyed' };

/** What this needs of WatermelonDB's internals (0.28.0, pinned). */
interface Internals {
  adapter: {
    batch(operations: BatchOperation[]): Promise<void>;
    readonly underlyingAdapter: { flush?: () => Promise<void> };
  };
  collections: {
    get(table: string): {
      _applyChangesToCache(changes: Change[]): void;
      _cache: { get(id: string): Model | undefined; recordFromQueryResult(raw: Raw): Model };
      readonly schema: Parameters<typeof sanitizedRaw>[1] & { columnArray: { name: string }[] };
    };
  };
  _ensureInWriter(name: string): void;
  _notify(changes: [string, Change[]][]): void;
}

/**
 * WatermelonDB's Database with three differences in `batch`: what one batch writes is one group, a
 * deletion also stores what it was based on, and a batch that fails leaves the records in memory as
 * they were.
 */
export class ConvoyDatabase extends Database implements EditContext {
  readonly clock: EditClock;
  private readonly seen = new Map<string, number>();

  /** The storage, where others may have the same database open. */
  private readonly shared: SharedStore | null;
  private readonly foreignListeners: ((tables: string[]) => void)[] = [];

  constructor(options: { adapter: DatabaseAdapter; clock: EditClock }) {
    super({ adapter: options.adapter, modelClasses });
    this.clock = options.clock;
    this.shared = isSharedStore(options.adapter) ? options.adapter : null;
    this.shared?.attach(
      replicaOf(this, (tables) => {
        for (const listener of this.foreignListeners) listener(tables);
      }),
    );
  }

  /** Calls back with the tables that another tab or process wrote to. */
  onForeignWrites(listener: (tables: string[]) => void): void {
    this.foreignListeners.push(listener);
  }

  /** Writers take turns, those of other tabs and processes included, and see what the one before wrote. */
  override write<T>(work: (writer: WriterInterface) => Promise<T>, description?: string): Promise<T> {
    const { shared } = this;
    if (!shared) return super.write(work, description);
    return super.write((writer) => shared.whileSoleWriter(() => work(writer)), description);
  }

  /** What was saved, where the database was found damaged and made anew, until `forgetSalvaged`. */
  get salvaged(): SalvageReport | null {
    return this.shared?.salvaged ?? null;
  }

  async forgetSalvaged(): Promise<void> {
    await this.shared?.forgetSalvaged();
  }

  /** Calls back when the storage is in trouble: an old version of the code, damage, a full disk; with null when that has room again. */
  onStorageTrouble(listener: (error: StorageError | null) => void): void {
    this.shared?.onTrouble(listener);
  }

  /** Resolves when what other tabs and processes wrote until now is in memory. */
  async catchUp(): Promise<void> {
    await this.shared?.catchUp();
  }

  /** @returns the whole database as a file. Rejects with a `ConvoyError` (storage). */
  exportFile(owner: string): Promise<Uint8Array> {
    return this.withFile((shared) => shared.exportFile(owner));
  }

  /** Replaces everything by what an exported file holds; to be called inside `write`. Rejects as `SharedStore` says. */
  importFile(bytes: Uint8Array, owner: string): Promise<void> {
    (this as unknown as Internals)._ensureInWriter('Database.importFile()');
    return this.withFile((shared) => shared.importFile(bytes, owner));
  }

  private async withFile<T>(work: (shared: SharedStore) => Promise<T>): Promise<T> {
    if (this.shared) return work(this.shared);
    const message = 'What is kept in this window is in no file.';
    throw new ConvoyError({ kind: 'storage', code: 'unavailable', message });
  }

  /** Lets go of the file. Nothing can be read or written afterwards. */
  async close(): Promise<void> {
    // Writes that were asked for before are finished first.
    await super.write(async () => undefined, 'close');
    const storage = this.adapter.underlyingAdapter as unknown as Partial<Closable>;
    await storage.close?.();
  }

  /** @returns the revision of a scope up to which this device has seen everything; 0 for none. */
  seenRevision(scope: string): number {
    return this.seen.get(scope) ?? 0;
  }

  newId(): string {
    return uuidv7();
  }

  /** Before they are noted anew from what is stored. */
  forgetSeenRevisions(): void {
    this.seen.clear();
  }

  noteSeenRevision(scope: string, revision: number): void {
    this.seen.set(scope, revision);
  }

  override async batch(...records: unknown[]): Promise<void> {
    const given = (Array.isArray(records[0]) ? records[0] : records) as (Model | null | false | undefined)[];
    await this.batchWithRows(
      given.filter((record): record is Model => Boolean(record)),
      [],
    );
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

  /** @returns ids of the records that are marked as deleted and not yet acknowledged. */
  async deletedIds(table: SyncedTable): Promise<string[]> {
    return (await this.adapter.getDeletedRecords(table as never)) as string[];
  }

  /** Emits whenever a record of one of these tables was written, here or by another tab or process. */
  changesIn(tables: readonly SyncedTable[]): Observable<unknown> {
    return this.withChangesForTables([...tables] as never[]);
  }

  /** @returns the record where it is in memory. Inside `write` that is what is stored. */
  inMemory<T extends Model>(table: string, id: string): T | null {
    return ((this as unknown as Internals).collections.get(table)._cache.get(id) as T | undefined) ?? null;
  }

  /** Whether the storage takes rows without a record for each, and answers queries without. */
  get supportsRows(): boolean {
    return this.shared !== null;
  }

  /** Answers queries at one moment, from storage. To be called where `supportsRows`. */
  async readAll(queries: readonly StoredQuery[]): Promise<(string | number | null)[][][]> {
    return this.shared?.readAll(queries) ?? [];
  }

  /**
   * Whole small tables, past WatermelonDB's queries: what a device reads whenever it is opened.
   * @returns the records of each model; where the storage answers queries, as of one moment and in one round trip
   */
  async fetchAll<Models extends readonly ModelClass<Model>[]>(...models: Models): Promise<RecordsOf<Models>> {
    if (!this.supportsRows) {
      const fetched = await Promise.all(models.map((model) => this.of(model).query().fetch()));
      return fetched as RecordsOf<Models>;
    }
    const internals = this as unknown as Internals;
    const collections = models.map(({ table }) => internals.collections.get(table as string));
    const columns = collections.map(({ schema }) => [
      'id',
      '_status',
      '_changed',
      ...schema.columnArray.map(({ name }) => name),
    ]);
    const found = await this.readAll(
      models.map(({ table }, n) => ({
        sql: `select ${columns[n]?.map((name) => `"${name}"`).join()} from "${table}" where "_status" <> 'deleted'`,
        args: [],
      })),
    );
    const records = collections.map(({ schema, _cache: cache }, n) =>
      (found[n] ?? []).map((row) => {
        const known = cache.get(row[0] as string);
        if (known) return known;
        const raw = Object.fromEntries((columns[n] ?? []).map((name, at) => [name, row[at] ?? null]));
        return cache.recordFromQueryResult(sanitizedRaw(raw as never, schema) as unknown as Raw);
      }),
    );
    return records as unknown as RecordsOf<Models>;
  }

  /** A batch with rows of tables beside the prepared records, in one transaction. To be called where `supportsRows`. */
  async batchWithRows(prepared: Model[], filled: readonly [table: string, rows: BulkRows][]): Promise<void> {
    const internals = this as unknown as Internals;
    internals._ensureInWriter('Database.batch()');
    this.formGroup(prepared);

    const operations: BatchOperation[] = filled.map(([table, rows]) => ['fill', table, rows]);
    const changes = new Map<string, Change[]>();
    try {
      for (const record of prepared) {
        const table = (record.constructor as typeof Model).table as unknown as string;
        const change = { record, type: addOperations(operations, table, record) };
        const known = changes.get(table);
        if (known) known.push(change);
        else changes.set(table, [change]);
      }
      await internals.adapter.batch(operations);
    } catch (error) {
      for (const record of prepared) {
        if (record._preparedState !== 'create') record._preparedState = null;
        if (record instanceof RecoverableModel) record.restore();
      }
      throw error;
    }
    for (const record of prepared) if (record instanceof RecoverableModel) record._rawBefore = null;
    const all = [...changes];
    for (const [table, ofTable] of all) internals.collections.get(table)._applyChangesToCache(ofTable);
    internals._notify(all);
    // A store that writes behind is waited for: what is acknowledged is on disk.
    await internals.adapter.underlyingAdapter.flush?.();
  }

  /** Edits written by one batch are pushed as one group: taken or refused together. */
  private formGroup(prepared: Model[]): void {
    const edited = prepared.filter(
      (record) => record instanceof ConvoyModel && record._isEdit,
    ) as ConvoyModel[];
    if (edited.length < 2) return;
    const group = uuidv7();
    for (const record of edited) joinGroup(record.raw, group);
  }
}

function addOperations(operations: BatchOperation[], table: string, record: Model): Change['type'] {
  const state = record._preparedState;
  if (state === null) throw new Error(`${table} ${record.id} was passed to batch without a prepared change`);
  if (state !== 'create') record._preparedState = null;
  switch (state) {
    case 'create':
      operations.push([state, table, record._raw]);
      return 'created';
    case 'update':
      operations.push([state, table, record._raw, beforeOf(record)]);
      return 'updated';
    case 'markAsDeleted':
      // The adapter's own operation stores nothing but the status.
      if (record instanceof ConvoyModel) operations.push(['update', table, record._raw, beforeOf(record)]);
      operations.push([state, table, record.id]);
      return 'destroyed';
    case 'destroyPermanently':
      operations.push([state, table, record.id]);
      return 'destroyed';
  }
}

/** What is stored of a record; null where that is not known. */
function beforeOf(record: Model): unknown {
  return record instanceof RecoverableModel ? record._rawBefore : null;
}

/**
 * Opens a local database.
 * @returns the database once its storage is ready, or a storage error; nothing is reset or lost then.
 */
export async function openDatabase(options: {
  adapter: DatabaseAdapter;
  clock: EditClock;
}): Promise<Result<ConvoyDatabase, StorageError>> {
  // WatermelonDB tries it out. A real id would load the runtime's random numbers, which reading needs none of.
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
    const message = `The local database could not be opened: ${error instanceof Error ? error.message : String(error)}`;
    return fail({ kind: 'storage', code: 'unavailable', message });
  }
}
