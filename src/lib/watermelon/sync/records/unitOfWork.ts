/**
 * A unit of work over local records: several steps may change the same record, and `commit` writes the outcome of
 * all steps, and their bookkeeping, in one local transaction.
 */

import type { BulkRows, RecordStatement, StoredQuery } from '@/core/storage';
import type { SyncedTable } from '@/domain/schema';
import type { ConvoyDatabase } from '../../database';
import type { ConvoyModel } from '../../models';
import type { Model, Raw, RawValue } from '../../models/watermelondb';
import { AMONG } from './statements';

type Fate = { kind: 'put'; raw: Raw } | { kind: 'destroy' };

export class UnitOfWork {
  private readonly loaded = new Map<string, ConvoyModel | null>();
  private readonly fates = new Map<string, Fate>();
  private readonly companions: (() => Model | null)[] = [];
  private readonly filled: [table: SyncedTable, rows: BulkRows][] = [];
  private readonly statements: [table: string, statement: RecordStatement][] = [];

  constructor(private readonly database: ConvoyDatabase) {}

  /** Loads records with one query, those marked as deleted included; later `get` calls need no query for these ids. */
  async load(table: SyncedTable, ids: readonly string[]): Promise<void> {
    const missing = ids.filter((id) => !this.isLoaded(table, id));
    if (missing.length === 0) return;
    for (const id of missing) this.loaded.set(key(table, id), null);
    for (const record of await this.database.fetchStored(table, AMONG, [JSON.stringify(missing)])) {
      this.loaded.set(key(table, record.id), record);
    }
  }

  /** @returns the rows of each query as they are stored, whatever the steps so far have changed. */
  readStored(queries: readonly StoredQuery[]): Promise<RawValue[][][]> {
    return this.database.readAll(queries);
  }

  private isLoaded(table: SyncedTable, id: string): boolean {
    const name = key(table, id);
    if (this.loaded.has(name)) return true;
    const record = this.database.inMemory<ConvoyModel>(table, id);
    if (record) this.loaded.set(name, record);
    return record !== null;
  }

  /** @returns a copy of the record as the steps so far leave it, or null when there is none. */
  async get(table: SyncedTable, id: string): Promise<Raw | null> {
    const fate = this.fates.get(key(table, id));
    if (fate) return fate.kind === 'put' ? { ...fate.raw } : null;
    await this.load(table, [id]);
    const record = this.loaded.get(key(table, id));
    return record ? { ...record.raw } : null;
  }

  /** Replaces the record by exactly `raw`, or creates it so. */
  put(table: SyncedTable, raw: Raw): void {
    this.fates.set(key(table, raw.id), { kind: 'put', raw });
  }

  destroy(table: SyncedTable, id: string): void {
    this.fates.set(key(table, id), { kind: 'destroy' });
  }

  /** Writes rows over whatever is stored (P31). The same records must not be read or put by this unit of work. */
  putRows(table: SyncedTable, rows: BulkRows): void {
    if (rows.rows.length > 0) this.filled.push([table, rows]);
  }

  /** Runs a statement over stored records. The same records must not be read or put by this unit of work. */
  run(table: string, statement: RecordStatement): void {
    if (statement.ids.length > 0) this.statements.push([table, statement]);
  }

  /** Adds bookkeeping to the same transaction. `prepare` is called by `commit`, and may return null. */
  also(prepare: () => Model | null): void {
    this.companions.push(prepare);
  }

  /** Writes everything in one transaction. To be called inside `database.write`. Rejects where the storage fails. */
  async commit(): Promise<void> {
    await this.loadFated();
    const prepared: (Model | null)[] = [];
    for (const [name, fate] of this.fates) {
      const [table] = parts(name);
      const record = this.loaded.get(name) ?? null;
      if (fate.kind === 'put') {
        prepared.push(
          record
            ? record.prepareReplace(fate.raw)
            : this.database.records(table).prepareCreateFromDirtyRaw(fate.raw),
        );
      } else if (record) {
        prepared.push(record.prepareDestroyPermanently());
      }
    }
    for (const prepare of this.companions) prepared.push(prepare());
    const models = prepared.filter((model) => model !== null);
    if (models.length + this.filled.length + this.statements.length === 0) return;
    await this.database.batchWithRows(models, this.filled, this.statements);
  }

  private async loadFated(): Promise<void> {
    const byTable = new Map<SyncedTable, string[]>();
    for (const name of this.fates.keys()) {
      const [table, id] = parts(name);
      const known = byTable.get(table);
      if (known) known.push(id);
      else byTable.set(table, [id]);
    }
    for (const [table, ids] of byTable) await this.load(table, ids);
  }
}

function key(table: SyncedTable, id: string): string {
  return `${table}/${id}`;
}

function parts(name: string): [SyncedTable, string] {
  const slash = name.indexOf('/');
  return [name.slice(0, slash) as SyncedTable, name.slice(slash + 1)];
}
