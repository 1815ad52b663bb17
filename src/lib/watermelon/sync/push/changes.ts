/** Unsynced records → the changes of a push. Pure. */

import { recreatedColumns } from '@/domain/schema';
import { expectedBy, trackedColumns } from '../../models/tracking';
import type { IdMap } from '../idMapping';
import type { SyncedChange } from '../records/codec';
import { toWire } from '../records/codec';
import type { UnsyncedRecord } from '../records/unsynced';

/** @returns for a deleted record the id of the deletion that it can be restored by: that of the record which took it along. */
export function deletionsOf(unsynced: readonly UnsyncedRecord[]): (item: UnsyncedRecord) => string | null {
  const byRoot = new Map(
    unsynced.flatMap(({ raw, base }) => (base.deletion?.id ? [[raw.id, base.deletion.id] as const] : [])),
  );
  return ({ base: { deletion } }) => deletion?.id ?? byRoot.get(deletion?.root ?? '') ?? null;
}

/**
 * @param group number of the record's group in the batch
 * @param deletionId of a deleted record: id of the deletion that it can be restored by
 * @returns the change that makes the server's row what this record is
 */
export function toChange(
  { table, raw, base }: UnsyncedRecord,
  group: number,
  ids: IdMap,
  deletionId: string | null,
): SyncedChange {
  const head = {
    table,
    id: ids.toRemote(raw.id),
    workspace_id: ids.toRemote(raw.workspace_id as string),
    group,
  };
  if (raw._status === 'deleted') {
    const { root = raw.id, seen = base.revision } = base.deletion ?? {};
    const values = {
      ...(deletionId !== null && { deletion_id: deletionId }),
      ...(root !== raw.id && { along_with: ids.toRemote(root) }),
    };
    return { ...head, op: 'delete', base: seen, values };
  }
  const wire = (column: string) => toWire(table, column, raw[column] ?? null, ids);
  const iso = (edit: { editedAt: number; offset: number }) =>
    new Date(edit.editedAt + edit.offset).toISOString();
  if (raw._status === 'created') {
    // A record that the server has lost brings what the server had set.
    const sent = [...trackedColumns(table), ...recreatedColumns(table)];
    const given = sent.filter((column) => (raw[column] ?? null) !== null);
    return {
      ...head,
      op: 'insert',
      base: null,
      values: Object.fromEntries(given.map((column) => [column, wire(column)])),
      edited_at: base.created ? { created_at: iso(base.created) } : {},
    };
  }
  const columns = Object.entries(base.columns);
  const expected = Object.entries(expectedBy(base.columns));
  return {
    ...head,
    op: 'update',
    base: base.revision,
    ...(expected.length > 0 && {
      expected: Object.fromEntries(expected.map(([name, value]) => [name, toWire(table, name, value, ids)])),
    }),
    values: Object.fromEntries(columns.map(([column]) => [column, wire(column)])),
    edited_at: Object.fromEntries(columns.map(([column, edit]) => [column, iso(edit)])),
  };
}
