/** The conflict ledger of this device: its entries are written here, and discarded (D6, D8). */

import { v7 as uuidv7 } from 'uuid';
import { isBookkeeping, tales, toldBy } from '@/domain/activities';
import type { SyncedTable } from '@/domain/schema';
import { Conflict, type ConflictColumn } from '../../models';
import { type SyncBase, writeBase } from '../../models/tracking';
import { Q, type Raw } from '../../models/watermelondb';
import type { ApplyContext } from '../records/applyContext';
import { isEditable, SAME_IDS } from '../records/codec';
import { mayEdit } from './editRights';
import { type LedgerOwner, settledDetails } from './settledActivity';

/** Picks the entries whose lost edits wait for their records to come back (D13): by the index of the kinds that have any. */
export const IS_LOST = [Q.where('kind', Q.oneOf(['gone', 'deleted'])), Q.where('lost', Q.notEq(null))];

/**
 * Whether values of a conflict are in this ledger alone: it is open, its record is gone, or the values were too long
 * for the feed (D24).
 */
export function isOnlyHere(
  entry: Pick<Conflict, 'kind' | 'state' | 'recordTable' | 'recordId' | 'columns'>,
): boolean {
  switch (entry.kind) {
    case 'gone':
      return !isConsequence(entry) && !Object.values(entry.columns).some(({ by }) => by === 'restored');
    case 'withdrawn':
      return !isConsequence(entry);
    // The user deleted these values themselves.
    case 'deleted':
    case 'deletion':
      return false;
    case 'columns': {
      if (entry.state === 'open') return true;
      const { recordTable: table, recordId, columns } = entry;
      return settledDetails(SAME_IDS, { table, recordId, columns }).shortened === true;
    }
  }
}

/**
 * Whether what was lost holds nothing of its user's own: it tells of another change that was lost, or took a subtask along with
 * its task (U28). What was lost itself is in an entry of its own, and one event is one entry to people.
 */
export function isConsequence({
  kind,
  recordTable,
  columns,
}: Pick<Conflict, 'kind' | 'recordTable' | 'columns'>): boolean {
  if (kind !== 'gone' && kind !== 'withdrawn') return false;
  if (recordTable === 'activity_feed') {
    return isBookkeeping(columns.activity_type?.local, columns.details?.local);
  }
  if (kind === 'gone' || recordTable !== 'tasks') return false;
  return Object.keys(columns).every((name) => name === 'milestone_id');
}

/**
 * Discards an entry of the ledger: its values are in no export then, and are not reapplied.
 * @returns false when there is no such entry, or it is an open conflict that the user can settle
 */
export async function discardLost(owner: LedgerOwner, id: string): Promise<boolean> {
  const { database } = owner;
  return database.write(async () => {
    const entries = database.of(Conflict);
    const [entry] = await entries.query(Q.where('id', id)).fetch();
    if (!entry || (await canSettle(owner, entry))) return false;
    const along = (await entries.query(Q.where('record_table', 'activity_feed')).fetch()).filter(
      (one) => one !== entry && isConsequence(one) && tellsOf(one, entry),
    );
    await database.batch([entry, ...along].map((one) => one.prepareDestroyPermanently()));
    return true;
  }, 'ledger: discard');
}

/** Whether a lost entry of the feed tells of what another entry lost: it is not shown by itself, and goes with that one. */
function tellsOf(
  { columns: said }: Conflict,
  { recordTable: table, recordId: id, columns }: Conflict,
): boolean {
  const local = (of: Conflict['columns'], name: string) => of[name]?.local ?? null;
  const names = ['activity_type', 'task_id', 'entity_id', 'details'];
  const told = toldBy(Object.fromEntries(names.map((name) => [name, local(said, name)])));
  const [taskId, dependsOnId] = [local(columns, 'task_id'), local(columns, 'depends_on_task_id')];
  const lost = { table, id, taskId, dependsOnId, columns: Object.keys(columns) };
  return told !== null && (['insert', 'update'] as const).some((op) => tales({ ...lost, op }).includes(told));
}

/** Whether a conflict is open, its record is here, and the user may change it. */
async function canSettle(owner: LedgerOwner, entry: Conflict): Promise<boolean> {
  if (entry.kind !== 'columns' || entry.state !== 'open') return false;
  const record = await owner.database.findRecord(entry.recordTable, entry.recordId);
  return record !== null && mayEdit(owner, record.workspaceId, entry.recordTable);
}

/** The edits that a record loses. */
export interface LostValues {
  table: SyncedTable;
  raw: Raw;
  base: SyncBase;
  kind: 'gone' | 'deleted' | 'withdrawn';
  /** The edited columns that are lost; all of them unless said otherwise. */
  only?: readonly string[];
}

/**
 * Adds an entry with the values that a record loses to the transaction that takes them from it. Unless they were
 * withdrawn, the entry has all that is needed to reapply them (D13).
 */
export function keepInLedger(context: ApplyContext, lostValues: LostValues): void {
  const { table, raw, base, kind, only = Object.keys(base.columns) } = lostValues;
  const names =
    raw.remote_id === null
      ? Object.keys(raw).filter((name) => isEditable(table, name) && raw[name] !== null)
      : only;
  const columns = Object.fromEntries(
    names.map((name): [string, ConflictColumn] => [
      name,
      {
        base: base.columns[name]?.value ?? null,
        local: raw[name] ?? null,
        remote: null,
        chosen: null,
        by: 'remote',
      },
    ]),
  );
  const kept = Object.fromEntries(Object.entries(base.columns).filter(([name]) => only.includes(name)));
  const lost: Raw = { ...raw };
  writeBase(lost, { ...base, columns: kept, deletion: undefined });
  addConflict(context, {
    kind,
    state: 'settled',
    table,
    raw,
    columns,
    ...(kind !== 'withdrawn' && { lost }),
  });
}

/** Adds an entry to the ledger, in the transaction of the unit of work. */
export function addConflict(
  context: ApplyContext,
  entry: {
    kind: Conflict['kind'];
    state: Conflict['state'];
    table: SyncedTable;
    raw: Raw;
    columns: Record<string, ConflictColumn>;
    lost?: Raw;
  },
): void {
  context.work.also(() =>
    context.database.of(Conflict).prepareCreateFromDirtyRaw({
      id: uuidv7(),
      _status: 'synced',
      kind: entry.kind,
      state: entry.state,
      record_table: entry.table,
      record_id: entry.raw.id,
      workspace_id: entry.raw.workspace_id,
      columns: JSON.stringify(entry.columns),
      lost: entry.lost ? JSON.stringify(entry.lost) : null,
      device_id: context.deviceId,
      occurred_at: context.now + context.database.clock.offset(),
    }),
  );
}
