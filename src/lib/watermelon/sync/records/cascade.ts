/** Deleting a record on this device takes its descendants along, as the server's cascade does. */

import type { StoredQuery } from '@/core/storage';
import { columnsOf, SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import type { ConvoyDatabase } from '../../database';
import type { ConvoyModel } from '../../models';
import { isMarked, markClean, markCreated, markEdited, readBase } from '../../models/tracking';
import { Q, type Raw } from '../../models/watermelondb';
import { IS_DELETED, undelete } from './statements';
import type { UnitOfWork } from './unitOfWork';

/** @returns the tables whose records are deleted with a record of `table`, and the column that names it. */
function childrenOf(table: SyncedTable): { table: SyncedTable; column: string }[] {
  if (table === 'workspaces') {
    return (['projects', 'workflows', 'patterns', 'best_practices', 'activity_feed'] as const).map(
      (child) => ({
        table: child,
        column: 'workspace_id',
      }),
    );
  }
  return SYNCED_TABLES.flatMap((child) =>
    Object.entries(columnsOf(child))
      .filter(([, column]) => column.parent === true && column.to === table)
      .map(([column]) => ({ table: child, column })),
  );
}

/** @returns a record and all its descendants. */
export async function withDescendants(
  database: ConvoyDatabase,
  table: SyncedTable,
  record: ConvoyModel,
): Promise<ConvoyModel[]> {
  const affected = new Map<string, ConvoyModel>([[record.id, record]]);
  let generation = [{ table, ids: [record.id] }];
  while (generation.length > 0) {
    const next: typeof generation = [];
    for (const { table: parent, ids } of generation) {
      for (const child of childrenOf(parent)) {
        const found = await database
          .records(child.table)
          .query(Q.where(child.column, Q.oneOf(ids)))
          .fetch();
        const fresh = found.filter((candidate) => !affected.has(candidate.id));
        for (const candidate of fresh) affected.set(candidate.id, candidate);
        if (fresh.length > 0) next.push({ table: child.table, ids: fresh.map(({ id }) => id) });
      }
    }
    generation = next;
  }
  return [...affected.values()];
}

/** Prepares the deletion of a record and of what it takes along. @param doomed all of them */
export function prepareDeletion(doomed: readonly ConvoyModel[], root: string): ConvoyModel[] {
  const isUnseen = doomed.some(({ raw }) => isMarked(raw));
  return doomed.map((record) => record.prepareMarkAsDeleted(root, isUnseen));
}

/** Restores everything that the deletion of `root` took along on this device. */
export async function restoreDeleted(work: UnitOfWork, root: string): Promise<void> {
  for (const { table, raw } of await deletedWith(work, root)) restoreRecord(work, table, raw);
}

/** Met by deleted records that come back as the server has them: without edits, known to it, and not gone there. */
const COMES_BACK_CLEAN = `coalesce("remote_id" is not null and "sync_base" ->> '$.columns' = '{}' and "sync_base" ->> '$.deletion.gone' is null, false)`;

/**
 * As `restoreDeleted`, for a unit of work that has changed none of these records: those without edits come back without a
 * record for each.
 */
export async function restoreInBulk(work: UnitOfWork, root: string): Promise<void> {
  const found = await work.readStored(
    SYNCED_TABLES.map((table) => ({
      sql: `select "id", ${COMES_BACK_CLEAN} from "${table}" where ${IS_DELETED} and "sync_base" ->> '$.deletion.root' = ?`,
      args: [root],
    })),
  );
  for (const [n, table] of SYNCED_TABLES.entries()) {
    const idsWhere = (isClean: number) =>
      (found[n] ?? []).flatMap(([id, clean]) => (clean === isClean ? [String(id)] : []));
    work.run(table, undelete(table, idsWhere(1)));
    const others = idsWhere(0);
    await work.load(table, others);
    for (const id of others) {
      const raw = await work.get(table, id);
      if (raw) restoreRecord(work, table, raw);
    }
  }
}

/** Restores one record that is marked as deleted, with the edits it had. */
export function restoreRecord(work: UnitOfWork, table: SyncedTable, raw: Raw): void {
  const base = readBase(raw);
  if (base?.deletion?.gone && Object.keys(base.columns).length === 0) {
    work.destroy(table, raw.id);
    return;
  }
  // Of a record that is gone the edits are pushed, and lost with it to the ledger when the server says so (D8).
  if (base && raw.remote_id === null) markCreated(raw, base);
  else if (base) markEdited(table, raw, base);
  else markClean(raw);
  work.put(table, raw);
}

const PENDING_DELETIONS: StoredQuery = {
  sql: SYNCED_TABLES.map(
    (table) => `select "workspace_id", min("sync_base" ->> '$.deletion.seen') from "${table}"
      where ${IS_DELETED} and "remote_id" is not null group by "workspace_id"`,
  ).join(' union all '),
  args: [],
};

/** @returns by workspace, the earliest revision that one of its unsynced deletions has seen. */
export async function pendingDeletions(database: ConvoyDatabase): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  const [found = []] = await database.readAll([PENDING_DELETIONS]);
  for (const [scope, least] of found) {
    if (least === null) continue;
    const known = seen.get(scope as string) ?? Number.POSITIVE_INFINITY;
    seen.set(scope as string, Math.min(Number(least), known));
  }
  return seen;
}

type DeletedRecord = { table: SyncedTable; id: string };

const DELETED_RECORDS: StoredQuery = {
  sql: SYNCED_TABLES.map(
    (table) =>
      `select '${table}', "id", "sync_base" ->> '$.deletion.root' from "${table}" where ${IS_DELETED}`,
  ).join(' union all '),
  args: [],
};

/** Deleted records by their root, for each unit of work: a push may hold many deletions. */
const byRoot = new WeakMap<UnitOfWork, Promise<Map<string, DeletedRecord[]>>>();

/** @returns the records that the deletion of `root` marked as deleted here, itself included. */
export async function deletedWith(
  work: UnitOfWork,
  root: string,
): Promise<{ table: SyncedTable; raw: Raw }[]> {
  const index = byRoot.get(work) ?? indexDeleted(work);
  byRoot.set(work, index);
  const found: { table: SyncedTable; raw: Raw }[] = [];
  const marked = (await index).get(root) ?? [];
  for (const table of new Set(marked.map((item) => item.table))) {
    await work.load(
      table,
      marked.flatMap((item) => (item.table === table ? [item.id] : [])),
    );
  }
  for (const { table, id } of marked) {
    const raw = await work.get(table, id);
    if (raw && (id === root || readBase(raw)?.deletion?.root === root)) found.push({ table, raw });
  }
  return found;
}

/** @returns the ids of those of these records that stand under `root`, at any depth. */
export function standingUnder(
  root: string,
  records: readonly { table: SyncedTable; raw: Raw }[],
): ReadonlySet<string> {
  const children = new Map<string, string[]>();
  for (const { table, raw } of records) {
    const parents = Object.entries(columnsOf(table)).flatMap(([name, { parent }]) =>
      parent ? [raw[name]] : [],
    );
    for (const parent of [...parents, raw.workspace_id]) {
      if (typeof parent !== 'string' || parent === raw.id) continue;
      const known = children.get(parent);
      if (known) known.push(raw.id);
      else children.set(parent, [raw.id]);
    }
  }
  const below = new Set<string>();
  for (const queue = [root]; ; ) {
    const id = queue.pop();
    if (id === undefined) return below;
    for (const child of children.get(id) ?? []) {
      if (below.has(child)) continue;
      below.add(child);
      queue.push(child);
    }
  }
}

async function indexDeleted(work: UnitOfWork): Promise<Map<string, DeletedRecord[]>> {
  const index = new Map<string, DeletedRecord[]>();
  const [found = []] = await work.readStored([DELETED_RECORDS]);
  for (const [table, id, root] of found as [SyncedTable, string, string | null][]) {
    for (const name of new Set([id, root ?? id])) {
      const known = index.get(name);
      if (known) known.push({ table, id });
      else index.set(name, [{ table, id }]);
    }
  }
  return index;
}
