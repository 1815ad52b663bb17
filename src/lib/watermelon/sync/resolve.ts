/** Conflicts that a push came back with: merge by policy, note in the ledger, push again or let go. */

import type { Json, PushChange } from '@/core/protocol';
import type { SyncedTable } from '@/core/schema';
import type { ConflictColumn } from '../models';
import { markEdited, readBase, type SyncBase } from '../models/tracking';
import type { Raw, RawValue } from '../models/watermelondb';
import type { Settling } from './applying';
import { addConflict } from './applyRows';
import { toRaw } from './codec';
import { undelete } from './deletion';
import { mergeRecord } from './mergeRecord';

/**
 * Settles one record whose columns others had changed.
 * @param theirs the columns in conflict, with the time of the other edit
 * @returns whether nothing of the local change is left
 */
export function resolveConflict(
  to: Settling,
  change: PushChange,
  local: Raw,
  row: Record<string, Json>,
  theirs: Record<string, string | null>,
): boolean {
  const { table } = change;
  const remote = toRaw(table, row, to.ids);
  const base = readBase(local) ?? { revision: 0, groups: [], columns: {} };
  const columns = editedColumns(change, local, base, remote);
  const names = Object.keys(columns);
  const pick = (value: (name: string) => RawValue) =>
    Object.fromEntries(names.map((name) => [name, value(name)]));
  const merged = mergeRecord({
    table,
    base: pick((name) => columns[name]?.value ?? null),
    local: pick((name) => local[name] ?? null),
    remote: pick((name) => remote[name] ?? null),
    policies: to.session.policies[table],
    localTimes: Object.fromEntries(names.map((name) => [name, editTime(columns[name])])),
    remoteTimes: Object.fromEntries(
      names.map((name) => [name, theirs[name] ? Date.parse(theirs[name]) : null]),
    ),
  });

  const result: Raw = { ...remote };
  const left: SyncBase['columns'] = {};
  const ledger: Record<string, ConflictColumn> = {};
  for (const [name, { value, how, by }] of Object.entries(merged)) {
    const remoteValue = remote[name] ?? null;
    result[name] = value;
    if (value !== remoteValue) {
      const edit = columns[name];
      left[name] = { value: remoteValue, editedAt: edit?.editedAt ?? to.now, offset: edit?.offset ?? 0 };
    }
    if (how === 'conflict') {
      const side = { base: columns[name]?.value ?? null, local: local[name] ?? null, remote: remoteValue };
      ledger[name] = { ...side, chosen: value, by: by ?? 'remote' };
    }
  }
  if (Object.keys(ledger).length > 0) {
    const state = Object.values(ledger).some((column) => column.by === 'open') ? 'open' : 'settled';
    addConflict(to, { kind: 'columns', state, table, raw: local, columns: ledger });
  }
  markEdited(result, { revision: Number(remote.revision), groups: base.groups, columns: left });
  to.draft.put(table, result);
  return Object.keys(left).length === 0;
}

/** An insert has no base: the server's own values stand in where the device knows of no earlier ones. */
function editedColumns(change: PushChange, local: Raw, base: SyncBase, remote: Raw): SyncBase['columns'] {
  if (change.op !== 'insert') return base.columns;
  const created = base.created ?? { editedAt: 0, offset: 0 };
  const given = Object.keys(change.values ?? {}).filter((name) => local[name] !== remote[name]);
  return Object.fromEntries(given.map((name) => [name, { value: null, ...created }]));
}

function editTime(edit: SyncBase['columns'][string] | undefined): number | null {
  return edit ? edit.editedAt + edit.offset : null;
}

/** Others edited what was deleted here, unseen: the deletion is taken back, and stands in the ledger. */
export async function restoreDeletion(
  to: Settling,
  table: SyncedTable,
  root: Raw,
  row: Record<string, Json>,
): Promise<void> {
  addConflict(to, {
    kind: 'deletion',
    state: 'settled',
    table,
    raw: root,
    columns: { deleted_at: { base: null, local: to.now, remote: null, chosen: null, by: 'remote' } },
  });
  await undelete(to.draft, root.id);
  to.draft.put(table, toRaw(table, row, to.ids));
}
