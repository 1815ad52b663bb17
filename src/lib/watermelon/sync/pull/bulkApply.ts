/**
 * Writes rows of a page in bulk (P31): most are new here or meet a record in step, and need no merge. They go to
 * storage as they are, without a record for each. Tombstones of records in step remove these likewise. What is here is
 * asked about by the ids of the page alone.
 */

import type { Columns, Page } from '@/core/protocol';
import type { BulkRows, StoredQuery } from '@/core/storage';
import { columnsOf, columnsSince, SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import { trackedColumns, UNCONFIRMED } from '../../models/tracking';
import type { RawValue } from '../../models/watermelondb';
import type { ApplyContext } from '../records/applyContext';
import { sameValue, toBulkRows } from '../records/codec';
import { pickRows } from '../records/readable';
import { AMONG, erase, IS_UNSYNCED } from '../records/statements';

/** The rows that a page wrote in bulk, and those that are left to be looked at one by one. */
interface Bulk {
  /** Rows and tombstones. */
  applied: number;
  left: Page;
}

/** Adds what nothing on this device has a say in to the unit of work. To be used only where local and remote ids are the same. */
export async function bulkApplyPage(context: ApplyContext, page: Page): Promise<Bulk> {
  const looked = await lookedAt(context, page);
  const bulk: Bulk = { applied: 0, left: { rows: {}, deleted: {} } };
  for (const table of SYNCED_TABLES) {
    const columns = page.rows[table];
    if (columns) applyRows(context, table, columns, looked, bulk);
    const tombstones = page.deleted[table];
    if (tombstones) await applyTombstones(context, table, tombstones, looked, bulk);
  }
  return bulk;
}

/** The state here of the records of a page. */
interface LookedAt {
  /** They have unsynced edits, or lost edits wait for them or their children: each is looked at. */
  concerned: ReadonlySet<string>;
  /** Values of tracked columns of records that were not confirmed yet, by id (P13). */
  unconfirmed: ReadonlyMap<string, readonly RawValue[]>;
}

async function lookedAt(context: ApplyContext, { rows, deleted }: Page): Promise<LookedAt> {
  const tables = SYNCED_TABLES.filter((table) => rows[table]);
  const ids = tables.map((table) => JSON.stringify(rows[table]?.id));
  const ofTables = (sql: (table: SyncedTable) => string): StoredQuery[] =>
    tables.map((table, n) => ({ sql: sql(table), args: [ids[n] as string] }));
  const isResync = (context.resyncing?.size ?? 0) > 0;
  const found = await context.work.readStored([
    { sql: ARE_AWAITED, args: [] },
    ...ofTables(unsyncedAmong),
    ...(isResync ? ofTables(unconfirmedAmong) : []),
  ]);
  const isAwaited = found[0]?.[0]?.[0] === 1;
  const unsynced = found.slice(1, 1 + tables.length).flat();
  const all = [...Object.values(rows).map(({ id }) => id), ...Object.values(deleted)].flat();
  const awaited = isAwaited ? await awaitedAmong(context, all) : [];
  return {
    concerned: new Set([...unsynced.map(([id]) => String(id)), ...awaited]),
    unconfirmed: new Map(
      found
        .slice(1 + tables.length)
        .flat()
        .map(([id, ...values]) => [String(id), values]),
    ),
  };
}

/** As `IS_LOST` of the ledger, in SQL. */
const IS_LOST = `"kind" in ('gone', 'deleted') and "lost" is not null`;

const ARE_AWAITED = `select exists (select 1 from "sync_conflicts" where ${IS_LOST})`;

/** A table in which nothing is unsynced is not looked through. */
const unsyncedAmong = (table: SyncedTable): string =>
  `select "id" from "${table}" where exists (select 1 from "${table}" where ${IS_UNSYNCED}) and ${AMONG} and "_status" <> 'synced'`;

const unconfirmedAmong = (table: SyncedTable): string =>
  `select ${['id', ...trackedColumns(table)].map((name) => `"${name}"`).join()} from "${table}"
    where ${AMONG} and "revision" = ${UNCONFIRMED} and "_status" = 'synced'`;

/** The columns that name a parent, in any table. */
const PARENTS = [
  ...new Set([
    'workspace_id',
    ...SYNCED_TABLES.flatMap((table) =>
      Object.entries(columnsOf(table)).flatMap(([name, { parent }]) => (parent ? [name] : [])),
    ),
  ]),
];

/** Of the ids in its one argument, those of records with lost edits, and of the parents that these need (D13). */
const AWAITED_AMONG = `select "value" from json_each(?) where "value" in (
  select "record_id" from "sync_conflicts" where ${IS_LOST}
  union all select "of"."value" from "sync_conflicts" as "entry", json_each("entry"."lost") as "of"
    where ${IS_LOST} and "of"."key" in (${PARENTS.map((name) => `'${name}'`).join()}))`;

async function awaitedAmong({ work }: ApplyContext, ids: readonly string[]): Promise<string[]> {
  const [found = []] = await work.readStored([{ sql: AWAITED_AMONG, args: [JSON.stringify(ids)] }]);
  return found.map(([id]) => String(id));
}

/** Rows that something here has a say in are left. */
function applyRows(
  context: ApplyContext,
  table: SyncedTable,
  columns: Columns,
  { concerned, unconfirmed }: LookedAt,
  bulk: Bulk,
): void {
  const isConcerned = columns.id.some((id) => concerned.has(id));
  const clean = isConcerned ? placesOf(columns.id, (id) => !concerned.has(id)) : undefined;
  const ready = toBulkRows(table, columns, clean);
  const older = unconfirmed.size > 0 ? olderRows(context, table, ready, unconfirmed) : new Set<string>();
  const rows = older.size > 0 ? ready.rows.filter(([id]) => !older.has(String(id))) : ready.rows;
  context.work.putRows(table, { ...ready, rows });
  bulk.applied += rows.length;
  const left = placesOf(columns.id, (id) => concerned.has(id) || older.has(id));
  if (left.length > 0) bulk.left.rows[table] = pickRows(columns, left);
}

/** @returns the ids of rows that differ from what the server once acknowledged to this device: a person decides about them (P13). */
function olderRows(
  { refillSince }: ApplyContext,
  table: SyncedTable,
  { columns, rows, same }: BulkRows,
  unconfirmed: LookedAt['unconfirmed'],
): Set<string> {
  const tracked = trackedColumns(table);
  const places = tracked.map((name) => columns.indexOf(name));
  const scopeAt = columns.indexOf('workspace_id');
  const differing = rows.filter((row) => {
    const before = unconfirmed.get(String(row[0]));
    if (!before) return false;
    const unseen = refillSince?.get(String(row[scopeAt]));
    const unseenColumns = unseen === undefined ? [] : columnsSince(table, unseen).map(([name]) => name);
    return tracked.some((name, n) => {
      const at = places[n] as number;
      const incoming = (at < 0 ? same[name] : row[at]) ?? null;
      return !unseenColumns.includes(name) && !sameValue(table, name, incoming, before[n] ?? null);
    });
  });
  return new Set(differing.map(([id]) => String(id)));
}

/** Tombstones of records that are not here are done with. */
async function applyTombstones(
  { work }: ApplyContext,
  table: SyncedTable,
  tombstones: readonly string[],
  { concerned }: LookedAt,
  bulk: Bulk,
): Promise<void> {
  const [found = []] = await work.readStored([
    {
      sql: `select "id", "_status" = 'synced' and "revision" <> ${UNCONFIRMED} from "${table}" where ${AMONG}`,
      args: [JSON.stringify(tombstones)],
    },
  ]);
  const isClean = ([id, clean]: readonly unknown[]) => clean === 1 && !concerned.has(String(id));
  const idsOf = (rows: typeof found) => rows.map(([id]) => String(id));
  work.run(table, erase(table, idsOf(found.filter(isClean))));
  const others = idsOf(found.filter((row) => !isClean(row)));
  if (others.length > 0) bulk.left.deleted[table] = others;
  bulk.applied += tombstones.length - others.length;
}

function placesOf(ids: readonly string[], isWanted: (id: string) => boolean): number[] {
  return ids.flatMap((id, at) => (isWanted(id) ? [at] : []));
}
