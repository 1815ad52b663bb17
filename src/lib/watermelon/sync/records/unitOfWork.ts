/**
 * A unit of work over local records: several steps may change the same record, and `commit` writes the outcome of
 * all steps, and their bookkeeping, in one local transaction.
 */

import type { BulkRows } from '@/core/storage';
import type { SyncedTable } from '@/domain/schema';
import type { ConvoyDatabase } from '../../database';
import type { ConvoyModel } from '../../models';
import { type Model, Q, type Raw } from '../../models/watermelondb';

const IDS_PER_QUERY = 500;

type Fate = { kind: 'put'; raw: Raw } | { kind: 'destroy' };

export class UnitOfWork {
  private readonly loaded = new Map<string, ConvoyModel | null>();
  private readonly fates = new Map<string, Fate>();
  private readonly companions: (() => Model | null)[] = [];
  private readonly filled: [table: SyncedTable, rows: BulkRows][] = [];
  private readonly deleted = new Map<SyncedTable, Set<string>>();

  constructor(private readonly database: ConvoyDatabase) {}

  /** Loads records with few queries, those marked as deleted included; later `get` calls need no query for these ids. */
  async load(table: SyncedTable, ids: readonly string[]): Promise<void> {
    const missing = ids.filter((id) => !this.isLoaded(table, id));
    if (missing.length === 0) return;
    const collection = this.database.records(table);
    for (const id of missing) this.loaded.set(key(table, id), null);
    for (let start = 0; start < missing.length; start += IDS_PER_QUERY) {
      const chunk = missing.slice(start, start + IDS_PER_QUERY);
      for (const record of await collection.query(Q.where('id', Q.oneOf(chunk))).fetch()) {
        this.loaded.set(key(table, record.id), record);
      }
    }
    const deleted = await this.deletedIds(table);
    for (const id of missing) {
      if (deleted.has(id)) this.loaded.set(key(table, id), await collection.find(id));
    }
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

  /** Adds bookkeeping to the same transaction. `prepare` is called by `commit`, and may return null. */
  also(prepare: () => Model | null): void {
    this.companions.push(prepare);
  }

  /** @returns ids of records marked as deleted and not yet acknowledged. */
  async deletedIds(table: SyncedTable): Promise<Set<string>> {
    let ids = this.deleted.get(table);
    if (!ids) {
      ids = new Set(await this.database.deletedIds(table));
      this.deleted.set(table, ids);
    }
    return ids;
  }

  /** Writes everything in one transaction. To be called inside `database.write`. Rejects where the storage fails. */
  async commit(): Promise<void> {
    for (const name of this.fates.keys()) {
      const [table, id] = parts(name);
      await this.load(table, [id]);
    }
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
    await this.database.batchWithRows(models, this.filled);
  }
}

function key(table: SyncedTable, id: string): string {
  return `${table}/${id}`;
}

function parts(name: string): [SyncedTable, string] {
  const slash = name.indexOf('/');
  return [name.slice(0, slash) as SyncedTable, name.slice(slash + 1)];
}
