/** SQL over many synced records of one table at once, without a record for each. Pure. */

import { v7 as uuidv7 } from 'uuid';
import type { RecordStatement } from '@/core/storage';
import { COMMON_COLUMNS, columnsOf, endingColumns, type SyncedTable } from '@/domain/schema';
import { type Archived, OutboxBatch } from '../../models';
import { IN_DOUBT } from '../../models/tracking';

/** Meets the records whose ids are in its one argument, a JSON array. */
export const AMONG = '"id" in (select "value" from json_each(?))';

/** Meets the records that are marked as deleted; by the index on the status, as the next one. */
export const IS_DELETED = `"_status" = 'deleted'`;

/** Meets the records that hold something that the server has not acknowledged. */
export const IS_UNSYNCED = `"_status" in ('created', 'updated', 'deleted')`;

/**
 * Meets all but those that were deleted before they were ever pushed, of which the server has to hear nothing (D14). While a batch is on
 * its way, or a record in doubt, nobody knows that of them.
 */
export const MAY_BE_KNOWN = `("_status" <> 'deleted' or "remote_id" is not null or "revision" = ${IN_DOUBT}
  or exists (select 1 from "${OutboxBatch.table}"))`;

/** Meets those that hold something that the server has not acknowledged, and has to hear of. */
export const IS_TO_SEND = `${IS_UNSYNCED} and ${MAY_BE_KNOWN}`;

/** Meets the records that a user wrote last, acknowledged or not; its two arguments are the user's id. */
export const IS_OWN = `(coalesce("last_modified_by", ?) = ? or "_status" = 'updated')`;

/** Removes the records. */
export function erase(table: SyncedTable, ids: readonly string[]): RecordStatement {
  return { sql: `delete from "${table}" where ${AMONG}`, args: [JSON.stringify(ids)], ids };
}

/** Gives the records a mark in place of their revision. */
export function markAs(table: SyncedTable, ids: readonly string[], mark: number): RecordStatement {
  return {
    sql: `update "${table}" set "revision" = ? where ${AMONG}`,
    args: [mark, JSON.stringify(ids)],
    ids,
  };
}

/** Makes records in step of those that were marked as deleted, and have no edits. */
export function undelete(table: SyncedTable, ids: readonly string[]): RecordStatement {
  return {
    sql: `update "${table}" set "_status" = 'synced', "_changed" = '', "sync_base" = null, "is_synced" = 1,
      "sync_status" = 'synced' where ${AMONG}`,
    args: [JSON.stringify(ids)],
    ids,
  };
}

/**
 * Makes new records of synced ones that the server has lost, to be pushed again.
 * @param recreated the id of each, and the group that it is pushed in
 */
export function recreate(
  table: SyncedTable,
  recreated: readonly [id: string, group: string][],
): RecordStatement {
  const ended = endingColumns(table).map((name) => `"${name}" = null, `);
  return {
    sql: `update "${table}" set ${ended.join('')}"_status" = 'created', "_changed" = '', "remote_id" = null, "revision" = 0,
      "is_synced" = 0, "sync_status" = 'created',
      "sync_base" = json_object('revision', 0, 'groups', json_array("again"."group"), 'columns', json('{}'),
        'created', json_object('editedAt', cast("created_at" as integer), 'offset', 0))
      from (select "value" ->> 0 as "id", "value" ->> 1 as "group" from json_each(?)) as "again"
      where "${table}"."id" = "again"."id"`,
    args: [JSON.stringify(recreated)],
    ids: recreated.map(([id]) => id),
  };
}

export interface Archiving {
  reason: Archived['reason'];
  /** Device time, ms. */
  now: number;
  /** Meets those of the records whose values are to be kept; all unless given. */
  only?: { sql: string; args: readonly string[] };
}

/** Archives values of records as `archive` does one by one. The statement writes `sync_archive`. */
export function archiveAll(
  table: SyncedTable,
  ids: readonly string[],
  { reason, now, only }: Archiving,
): RecordStatement {
  const pairs = ids.map((id): [string, string] => [uuidv7(), id]);
  const isWhole = reason === 'history_changed' ? 'true' : `"_status" = 'created'`;
  const whole = wholeOf(table);
  return {
    sql: `insert into "sync_archive" ("id", "_status", "_changed", "record_table", "record_id", "workspace_id", "reason",
        "operation", "values", "occurred_at")
      select "entry"."id", 'synced', '', '${table}', "${table}"."id", "workspace_id", ?,
        case when "_status" = 'deleted' then 'delete' when ${isWhole} then 'insert' else 'update' end,
        case when "_status" = 'deleted' or ${isWhole} then ${whole} else (
          select json_group_object("one"."key", "one"."value") from json_each(${whole}) as "one"
          where "one"."key" in (select "edit"."key" from json_each("${table}"."sync_base", '$.columns') as "edit")) end, ?
      from (select "value" ->> 0 as "id", "value" ->> 1 as "of" from json_each(?)) as "entry"
      join "${table}" on "${table}"."id" = "entry"."of"${only ? ` where ${only.sql}` : ''}`,
    args: [reason, now, JSON.stringify(pairs), ...(only?.args ?? [])],
    ids: pairs.map(([id]) => id),
  };
}

const PLAIN = ['_status', '_changed', 'workspace_id', 'remote_id', 'sync_base', 'sync_error', 'sync_status'];

/** @returns SQL for the JSON text of a stored record. Names are of their table: SQLite's `json_each` has columns of its own, such as `key`. */
function wholeOf(table: SyncedTable): string {
  const names = [...PLAIN, ...Object.keys(columnsOf(table)), ...Object.keys(COMMON_COLUMNS)];
  const members = names.map((name) => `'${name}', "${table}"."${name}"`);
  const isSynced = `json(iif("${table}"."is_synced", 'true', 'false'))`;
  return `json_object('id', "${table}"."id", 'is_synced', ${isSynced}, ${members.join()})`;
}
