/** The activity that tells of a settled conflict: what it says, how it is made and read (D10). */

import type { Json } from '@/core/protocol';
import { jsonBytes } from '@/core/text';
import { isSyncedTable, type SyncedTable } from '@/domain/schema';
import type { MemberKind } from '@/domain/vocabulary';
import type { ConvoyDatabase } from '../../database';
import type { ConflictColumn, ConvoyModel } from '../../models';
import { trackedColumns } from '../../models/tracking';
import type { RawValue } from '../../models/watermelondb';
import type { IdMap } from '../idMapping';
import { canonicalJson, toWire } from '../records/codec';

/** The details of a `conflict_settled` activity. Values are wire values. */
export interface SettledDetails {
  table: SyncedTable;
  record_id: string;
  columns: Record<string, { base: Json; local: Json; remote: Json; chosen: Json; by: string }>;
  /** The values were too long for the feed; the device that settled it has them in its ledger. */
  shortened?: true;
}

/** The database whose ledger it is, with its user. */
export interface LedgerOwner {
  database: ConvoyDatabase;
  ids: IdMap;
  userId: string;
  kind: MemberKind;
}

/** Most bytes of the details: details may have 64 KiB. */
const MOST_DETAIL_BYTES = 60_000;

/** @returns the details for a settled conflict; without the values where these are too long for the feed. */
export function settledDetails(
  ids: IdMap,
  entry: { table: SyncedTable; recordId: string; columns: Record<string, ConflictColumn> },
): SettledDetails {
  const { table, recordId, columns } = entry;
  const known = Object.entries(columns).filter(([name]) => trackedColumns(table).includes(name));
  const details: SettledDetails = {
    table,
    record_id: ids.toRemote(recordId),
    columns: Object.fromEntries(
      known.map(([name, { base, local, remote, chosen, by }]) => {
        const wire = (value: RawValue) => toWire(table, name, value, ids);
        return [
          name,
          { base: wire(base), local: wire(local), remote: wire(remote), chosen: wire(chosen), by },
        ];
      }),
    ),
  };
  if (jsonBytes(details as unknown as Json) <= MOST_DETAIL_BYTES) return details;
  const empty = { base: null, local: null, remote: null, chosen: null };
  const shortened = known.map(([name, { by }]) => [name, { ...empty, by }]);
  return { ...details, columns: Object.fromEntries(shortened), shortened: true };
}

/** @returns the prepared activity, a new record that is still to be pushed. */
export function prepareSettledActivity(
  owner: Pick<LedgerOwner, 'database' | 'ids' | 'userId'>,
  workspaceId: string,
  details: SettledDetails,
): ConvoyModel {
  const onTask = details.table === 'tasks';
  const recordId = owner.ids.toLocal(details.record_id);
  return owner.database.records('activity_feed').prepareCreate((draft) => {
    const values: Record<string, RawValue> = {
      workspace_id: workspaceId,
      task_id: onTask ? recordId : null,
      entity_type: onTask ? null : details.table,
      entity_id: onTask ? null : recordId,
      actor_id: owner.userId,
      last_modified_by: owner.userId,
      activity_type: 'conflict_settled',
      details: canonicalJson(details as unknown as Json),
    };
    for (const [name, value] of Object.entries(values)) draft.setColumn(name, value);
  });
}

/** @returns the details of an activity, or null where it does not have what is needed to reverse it. */
export function asSettled(details: Json): SettledDetails | null {
  if (details === null || typeof details !== 'object' || Array.isArray(details)) return null;
  const { table, record_id, columns } = details;
  if (typeof table !== 'string' || !isSyncedTable(table) || typeof record_id !== 'string') return null;
  if (columns === null || typeof columns !== 'object' || Array.isArray(columns)) return null;
  const sides = Object.values(columns as Record<string, Json>);
  const complete = sides.every(
    (side) =>
      side !== null && typeof side === 'object' && 'local' in side && 'remote' in side && 'chosen' in side,
  );
  return complete && sides.length > 0 ? (details as unknown as SettledDetails) : null;
}
