/** The changes of a device that wait to be sent, as people know them: one for each thing that somebody did. */

import type { Observable } from 'rxjs';
import type { StoredQuery } from '@/core/storage';
import { isBookkeeping, RESERVED_ACTIVITIES } from '@/domain/activities';
import { SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import type { StoredValue } from '@/domain/setAsideText';
import type { ConvoyDatabase } from '../../database';
import { readBase } from '../../models/tracking';
import type { Raw } from '../../models/watermelondb';
import { observeRead } from '../../observation/observeRead';
import { IS_TO_SEND } from './statements';

/** A record that was made, changed or deleted here, and of which the server does not know yet. */
export interface PendingChange {
  table: SyncedTable;
  /** Local id of the record. */
  id: string;
  /** Local id of its workspace. */
  workspaceId: string;
  operation: 'insert' | 'update' | 'delete';
  /** The record as it is stored here. */
  record: Readonly<Record<string, StoredValue>>;
  /** Its edited columns, as it has them now; of a new record, all of them. */
  values: Readonly<Record<string, StoredValue>>;
  /** update: these columns as they were when last in step with the server. */
  base: Readonly<Record<string, StoredValue>>;
  /** Of the last edit, ms since the epoch by this device's clock. */
  at: number;
}

export interface PendingChanges {
  /** The newest first. */
  changes: PendingChange[];
  /** More wait than are told. */
  isCut: boolean;
}

/** Records that were deleted along with another one are told with it. */
const IS_TOLD = `${IS_TO_SEND} and ("_status" <> 'deleted'
  or coalesce(json_extract("sync_base", '$.deletion.root'), "id") = "id")`;

const AT = `coalesce(json_extract("sync_base", '$.deletion.at'), "updated_at", "created_at")`;

/** Entries that tell of another change alone would crowd out the others. */
const MAY_SAY_MORE = `("activity_type" not in (${RESERVED_ACTIVITIES.map((type) => `'${type}'`).join()})
  or "activity_type" = 'conflict_settled' or "details" ->> '$.reason' is not null)`;

/**
 * The changes that wait to be sent, now and whenever they are others, in pauses (P34).
 * @param most changes that are told
 */
export function observePending(database: ConvoyDatabase, most: number): Observable<PendingChanges> {
  return observeRead(database, SYNCED_TABLES, () => listPending(database, most));
}

async function listPending(database: ConvoyDatabase, most: number): Promise<PendingChanges> {
  const columns = SYNCED_TABLES.map((table) => storedColumns(database, table));
  const queries = SYNCED_TABLES.map(
    (table, n): StoredQuery => ({
      sql: `select ${AT}, ${columns[n]?.map((name) => `"${name}"`).join()} from "${table}" where ${IS_TOLD}
        ${table === 'activity_feed' ? `and ${MAY_SAY_MORE}` : ''} order by 1 desc limit ?`,
      args: [most + 1],
    }),
  );
  const found = await database.readAll(queries);
  const changes = SYNCED_TABLES.flatMap((table, n) =>
    (found[n] ?? [])
      .map(([at, ...values]) =>
        changeOf(
          table,
          Number(at),
          Object.fromEntries((columns[n] ?? []).map((name, place) => [name, values[place] ?? null])) as Raw,
        ),
      )
      .filter(({ record }) => !isBookkeepingEntry(table, record)),
  ).sort((one, other) => other.at - one.at || (one.id < other.id ? 1 : -1));
  return { changes: changes.slice(0, most), isCut: changes.length > most };
}

function isBookkeepingEntry(
  table: SyncedTable,
  { activity_type, details }: PendingChange['record'],
): boolean {
  return table === 'activity_feed' && isBookkeeping(activity_type, details);
}

function storedColumns(database: ConvoyDatabase, table: SyncedTable): string[] {
  return ['id', '_status', ...Object.keys(database.records(table).schema.columns)];
}

function changeOf(table: SyncedTable, at: number, raw: Raw): PendingChange {
  const edited = Object.entries(readBase(raw)?.columns ?? {});
  const record = raw as unknown as PendingChange['record'];
  const common = { table, id: raw.id, workspaceId: String(raw.workspace_id), record, at };
  if (raw._status === 'deleted') return { ...common, operation: 'delete', values: {}, base: {} };
  if (raw._status === 'created') return { ...common, operation: 'insert', values: record, base: {} };
  return {
    ...common,
    operation: 'update',
    values: Object.fromEntries(edited.map(([name]) => [name, record[name] ?? null])),
    base: Object.fromEntries(edited.map(([name, { value }]) => [name, value])),
  };
}
