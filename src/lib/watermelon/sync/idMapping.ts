/**
 * Local ids ↔ remote ids. By default both are the same UUIDv7, made on the device, and mapping costs nothing.
 * They differ for records made with WatermelonDB's own 16-character ids, whose UUID is minted and stored before
 * their first push, and where the server already had the same record under another id.
 */

import { validate as isOfKnownVersion, v7 as uuidv7 } from 'uuid';
import { isUuid } from '@/core/text';
import type { SyncedTable } from '@/domain/schema';
import { columnsOf, SYNCED_TABLES } from '@/domain/schema';
import type { ConvoyDatabase } from '../database';
import { IdMapping } from '../models';
import { type Model, Q, type Raw } from '../models/watermelondb';

/** The mapping as pure functions. */
export interface IdMap {
  toLocal(remoteId: string): string;
  toRemote(localId: string): string;
}

/** The mapping of one database, held in memory and stored in `sync_id_mappings`. */
export class IdMappings implements IdMap {
  private readonly localToRemote = new Map<string, string>();
  private readonly remoteToLocal = new Map<string, string>();

  private constructor(private readonly database: ConvoyDatabase) {}

  /** @param mappings reloaded in place where given, since others hold the object */
  static async load(database: ConvoyDatabase, mappings = new IdMappings(database)): Promise<IdMappings> {
    const [stored = []] = await database.fetchAll(IdMapping);
    mappings.localToRemote.clear();
    mappings.remoteToLocal.clear();
    for (const { localId, remoteId } of stored) {
      // Earlier versions took UUIDs of other versions than RFC 9562 names for no UUIDs, and gave them an id that no server has.
      if (!isUuid(localId) || isOfKnownVersion(localId)) mappings.remember(localId, remoteId);
    }
    return mappings;
  }

  /** Whether every record of the server has the same id here. */
  get isIdentity(): boolean {
    return this.remoteToLocal.size === 0;
  }

  toLocal(remoteId: string): string {
    return this.remoteToLocal.get(remoteId) ?? remoteId;
  }

  toRemote(localId: string): string {
    return this.localToRemote.get(localId) ?? localId;
  }

  /** @returns the id under which the record with either id is stored here. */
  resolve(id: string): string {
    // The old id of a duplicate leads to the record that replaced it.
    return this.toLocal(this.toRemote(id));
  }

  /**
   * Makes a remote id for a record whose local id is no UUID.
   * @returns the prepared mapping, to be written with the batch; null when none is needed
   */
  mint(table: SyncedTable, localId: string): Model | null {
    if (isUuid(localId) || this.localToRemote.has(localId)) return null;
    return this.prepare(table, localId, uuidv7());
  }

  /** Maps `localId` to `remoteId`. @returns the prepared mapping, to be written with the batch */
  prepare(table: SyncedTable, localId: string, remoteId: string): Model {
    this.remember(localId, remoteId);
    return this.database.of(IdMapping).prepareCreate((mapping) => {
      mapping.recordTable = table;
      mapping.localId = localId;
      mapping.remoteId = remoteId;
    });
  }

  private remember(localId: string, remoteId: string): void {
    this.localToRemote.set(localId, remoteId);
    // The id of a merged duplicate is an alias only: the record that replaced it has the remote id as its own.
    if (!isUuid(localId)) this.remoteToLocal.set(remoteId, localId);
  }
}

/** @returns the columns that name records of `table`, or of any table. */
function referencesTo(table: SyncedTable): { table: SyncedTable; column: string }[] {
  return SYNCED_TABLES.flatMap((from) =>
    Object.entries(columnsOf(from))
      .filter(([, column]) => column.kind === 'ref' && (column.to === table || column.to === undefined))
      .map(([column]) => ({ table: from, column })),
  );
}

/** @returns every stored record that names `id`, with the column that does. */
export async function recordsNaming(
  database: ConvoyDatabase,
  table: SyncedTable,
  id: string,
): Promise<{ table: SyncedTable; column: string; raw: Raw }[]> {
  const found: { table: SyncedTable; column: string; raw: Raw }[] = [];
  for (const reference of referencesTo(table)) {
    const records = await database.get(reference.table).query(Q.where(reference.column, id)).fetch();
    for (const record of records) found.push({ ...reference, raw: record._raw as unknown as Raw });
  }
  return found;
}
