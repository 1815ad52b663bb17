/** Rows and tombstones of the server → local records, for the pages of a pull and the effects of a push. */

import type { Columns, Json, Page } from '@/core/protocol';
import { columnsOf, columnsSince, SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import type { ConflictColumn } from '../../models';
import {
  expectedOfNew,
  followStatus,
  markEdited,
  readBase,
  type SyncBase,
  stampsOf,
  trackedColumns,
  UNCONFIRMED,
  writeBase,
} from '../../models/tracking';
import type { Raw, RawValue } from '../../models/watermelondb';
import type { ApplyContext } from '../records/applyContext';
import { defaultOf, isEditable, rowsOf, sameValue, toRaw } from '../records/codec';
import { archive, mayBeLost } from '../setAside/archive';
import { addConflict, keepInLedger } from '../setAside/ledger';

/** The effects of applying a page, for the result of the sync. */
export interface PageCounts {
  /** Rows and tombstones. */
  rows: number;
  /** Tombstones of records with unsynced edits. */
  conflicts: number;
  /** Rows of records that were not here before. */
  appeared: number;
}

/**
 * Applies a page row by row.
 * @param except local ids of records whose rows the caller applies itself; they are counted all the same
 */
export async function applyPage(
  context: ApplyContext,
  page: Page,
  except?: ReadonlySet<string>,
): Promise<PageCounts> {
  const counts = { rows: 0, conflicts: 0, appeared: 0 };
  for (const table of SYNCED_TABLES) {
    const columns = page.rows[table];
    if (columns) {
      await context.work.load(
        table,
        columns.id.map((id) => context.ids.toLocal(id)),
      );
      for (const row of rowsOf(columns as Columns)) {
        counts.rows += 1;
        if (except?.has(context.ids.toLocal(row.id as string))) continue;
        if (await applyRow(context, table, row)) counts.appeared += 1;
      }
    }
    const tombstones = (page.deleted[table] ?? []).map((id) => context.ids.toLocal(id));
    await context.work.load(table, tombstones);
    for (const id of tombstones) {
      counts.rows += 1;
      if (await applyTombstone(context, table, id)) counts.conflicts += 1;
    }
  }
  return counts;
}

/** @returns whether the record is new here. */
async function applyRow(
  context: ApplyContext,
  table: SyncedTable,
  row: Record<string, Json>,
): Promise<boolean> {
  const incoming = toRaw(table, row, context.ids);
  const current = await context.work.get(table, incoming.id);
  if (current?.revision === UNCONFIRMED) openConflictWithRestored(context, table, incoming, current);
  if (current) openConflictWithUnseen(context, table, incoming, current);
  context.work.put(table, current ? withLocalEdits(table, incoming, current) : incoming);
  return current === null;
}

/** @returns the columns of a newer schema version whose values for this record are not here yet (P14). */
function unseenColumns(context: ApplyContext, table: SyncedTable, raw: Raw): string[] {
  const version = context.refillSince?.get(raw.workspace_id as string);
  return version === undefined ? [] : columnsSince(table, version).map(([name]) => name);
}

/** Opens a conflict for edits made on a new column's default before the server's value was here (P14). */
function openConflictWithUnseen(
  context: ApplyContext,
  table: SyncedTable,
  incoming: Raw,
  current: Raw,
): void {
  const base = readBase(current);
  if (!base || current._status !== 'updated') return;
  const blind = unseenColumns(context, table, current).filter((name) => {
    const edit = base.columns[name];
    const differs = (a: RawValue) => !sameValue(table, name, a, incoming[name] ?? null);
    return edit?.value === defaultOf(table, name) && differs(edit.value) && differs(current[name] ?? null);
  });
  if (blind.length === 0) return;
  const columns = blind.map((name): [string, ConflictColumn] => {
    const [local, remote] = [current[name] ?? null, incoming[name] ?? null];
    delete base.columns[name];
    return [name, { base: null, local, remote, chosen: remote, by: 'open' }];
  });
  addConflict(context, {
    kind: 'columns',
    state: 'open',
    table,
    raw: { ...current },
    columns: Object.fromEntries(columns),
  });
  markEdited(table, current, base);
}

/** Opens a conflict for values that a restored server has older than it had acknowledged them to this device (P13). */
function openConflictWithRestored(
  context: ApplyContext,
  table: SyncedTable,
  incoming: Raw,
  current: Raw,
): void {
  // Nobody edits an entry of the feed; the server alone blanks one, and does it again (F4).
  if (table === 'activity_feed') return;
  const edited = readBase(current)?.columns ?? {};
  const unseen = unseenColumns(context, table, current);
  const older = trackedColumns(table).filter(
    (name) =>
      !(name in edited) &&
      !unseen.includes(name) &&
      !sameValue(table, name, incoming[name] ?? null, current[name] ?? null),
  );
  if (older.length === 0) return;
  const columns = older.map((name): [string, ConflictColumn] => {
    const [local, remote] = [current[name] ?? null, incoming[name] ?? null];
    return [name, { base: null, local, remote, chosen: remote, by: 'open' }];
  });
  const entry = { kind: 'columns', state: 'open', columns: Object.fromEntries(columns) } as const;
  addConflict(context, { ...entry, table, raw: current });
}

/**
 * @returns the record with a row of the server under the unsynced edits of this device (rule P11): columns without an
 * edit take the server's value; edited ones keep their value and base until the next push merges them.
 */
export function withLocalEdits(table: SyncedTable, incoming: Raw, current: Raw): Raw {
  const base = readBase(current);
  if (!base || current._status === 'synced') return incoming;
  // An entry of the feed has no edits: one that differs was blanked on the server (F4).
  if (table === 'activity_feed' && current._status === 'created') return incoming;
  const kept: Raw = { ...incoming, sync_error: current.sync_error ?? null };
  const stamps = stampsOf(incoming);
  if (current._status === 'created') {
    // This device pushes the record as new, but the server has it: the local values become edits of it.
    const { columns, revision } = editsOfNew(table, incoming, current, base);
    for (const name of Object.keys(columns)) kept[name] = current[name] ?? null;
    markEdited(table, kept, { ...base, revision, columns, stamps });
    return kept;
  }
  const columns: SyncBase['columns'] = {};
  for (const [name, edit] of Object.entries(base.columns)) {
    columns[name] = { ...edit, server: incoming[name] ?? null };
    kept[name] = current[name] ?? null;
  }
  if (current._status === 'deleted') {
    kept._status = 'deleted';
    // A row that arrives is there, whatever tombstone came before it.
    const deletion = base.deletion && { ...base.deletion, gone: undefined };
    writeBase(kept, { ...base, columns, server: stamps, deletion });
    followStatus(kept);
  } else markEdited(table, kept, { ...base, columns, server: stamps });
  return kept;
}

/**
 * @returns the columns in which a record that this device made differs from the server's row, as edits of it, and the revision
 *   that they have seen. Where others have changed such a column since it was sent, these edits have seen nothing of the row:
 *   the server has to compare them all.
 */
function editsOfNew(
  table: SyncedTable,
  incoming: Raw,
  current: Raw,
  base: SyncBase,
): Pick<SyncBase, 'columns' | 'revision'> {
  const isSame = (name: string, a: RawValue | undefined, b: RawValue | undefined) =>
    sameValue(table, name, a ?? null, b ?? null);
  const { sent } = base;
  const differing = Object.keys(incoming).filter(
    (name) =>
      name in current &&
      isEditable(table, name) &&
      // The server fills in a key that was not given.
      !(columnsOf(table)[name]?.isKey && current[name] === null) &&
      !isSame(name, incoming[name], current[name]) &&
      // A value that is as it was sent is no edit: others have changed it since.
      !(sent && isSame(name, sent[name], current[name])),
  );
  const isSeen = !sent || differing.every((name) => isSame(name, sent[name], incoming[name]));
  const from = isSeen ? incoming : sent;
  const made = base.created ?? { editedAt: 0, offset: 0 };
  // Where a batch in flight holds the record, its answer says what was inserted.
  const inserted = (name: string) => (sent ?? incoming)[name] ?? null;
  const columns = differing.map((name) => [
    name,
    { value: from[name] ?? null, ...made, ...expectedOfNew(base, name, inserted) },
  ]);
  return { columns: Object.fromEntries(columns), revision: isSeen ? Number(incoming.revision) : 0 };
}

/** Whether this device has deleted the record itself, or along with another one, in a batch whose answer is not known yet. */
function isInDoubt({ deletedInDoubt }: ApplyContext, current: Raw): boolean {
  const root = current._status === 'deleted' ? readBase(current)?.deletion?.root : undefined;
  return deletedInDoubt !== undefined && root !== undefined && deletedInDoubt.has(root);
}

function noteGone({ work }: ApplyContext, table: SyncedTable, current: Raw): void {
  const base = readBase(current);
  if (!base?.deletion) return;
  const noted: Raw = { ...current };
  writeBase(noted, { ...base, deletion: { ...base.deletion, gone: true } });
  work.put(table, noted);
}

/** Removes a record that the server has deleted. @returns whether unsynced edits went to the ledger (D8) */
export async function applyTombstone(
  context: ApplyContext,
  table: SyncedTable,
  id: string,
): Promise<boolean> {
  const current = await context.work.get(table, id);
  if (!current) return false;
  if (isInDoubt(context, current)) {
    noteGone(context, table, current);
    return false;
  }
  if (mayBeDeletedUnseen(context, table, current)) archive(context, table, current, 'history_changed');
  context.work.destroy(table, id);
  const base = readBase(current);
  if (!base || current._status === 'synced' || current._status === 'deleted') return false;
  keepInLedger(context, { table, raw: current, base, kind: 'gone' });
  return true;
}

/**
 * Whether the record may have been deleted on a restored server without the edits that it had before: whoever deleted it
 * there never saw them. Each user's devices keep those of that user; what a service wrote is nobody's, and all keep it (D8).
 */
function mayBeDeletedUnseen(context: ApplyContext, table: SyncedTable, raw: Raw): boolean {
  if (!mayBeLost(table, raw)) return false;
  const base = readBase(raw);
  const { last_modified_by } = base?.server ?? base?.stamps ?? stampsOf(raw);
  return last_modified_by === null || last_modified_by === context.userId;
}
