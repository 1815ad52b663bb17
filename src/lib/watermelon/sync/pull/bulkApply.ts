/**
 * Writes rows of a page in bulk (P31): most are new here or meet a record in step, and need no merge. They go to
 * storage as they are, without a record for each.
 */

import type { Page, PullAnswer } from '@/core/protocol';
import { SYNCED_TABLES } from '@/domain/schema';
import { Conflict } from '../../models';
import type { ApplyContext } from '../records/applyContext';
import { toBulkRows } from '../records/codec';
import { pickRows } from '../records/readable';
import { EDITED } from '../records/unsynced';
import { IS_LOST } from '../setAside/ledger';
import type { SyncContext } from '../state/syncContext';

/**
 * Whether rows without unsynced edits may be written in bulk: not while a scope is resynced or refilled, nor where ids
 * differ, nor while lost edits wait for records to come back (P31).
 */
export async function canBulkApply(
  { database, store, ids }: SyncContext,
  answer: PullAnswer,
): Promise<boolean> {
  if (!ids.isIdentity || store.mustPullFirst) return false;
  if (answer.scopes.some(({ reset }) => reset === true)) return false;
  const lost = database.of(Conflict).query(...IS_LOST);
  return (await lost.fetchCount()) === 0;
}

/**
 * Adds the rows of a page that meet no unsynced edit to the unit of work.
 * @returns how many, and the page with the rows that are left
 */
export async function bulkApplyPage(
  context: ApplyContext,
  page: Page,
): Promise<{ applied: number; left: Page }> {
  let applied = 0;
  const rows: Page['rows'] = {};
  for (const table of SYNCED_TABLES) {
    const columns = page.rows[table];
    if (!columns) continue;
    const edited = new Set([
      ...(await context.database.get(table).query(EDITED).fetchIds()),
      ...(await context.work.deletedIds(table)),
    ]);
    const [clean, others] = edited.size === 0 ? [undefined, []] : split(columns.id, edited);
    const ready = toBulkRows(table, columns, clean);
    context.work.putRows(table, ready);
    applied += ready.rows.length;
    if (others.length > 0) rows[table] = pickRows(columns, others);
  }
  return { applied, left: { rows, deleted: page.deleted } };
}

/** @returns the places of the ids that are not in the set, and of those that are. */
function split(ids: readonly string[], among: ReadonlySet<string>): [number[], number[]] {
  const parts: [number[], number[]] = [[], []];
  for (const [index, id] of ids.entries()) parts[among.has(id) ? 1 : 0].push(index);
  return parts;
}
