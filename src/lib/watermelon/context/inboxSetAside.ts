/** The part of an inbox that is of this device alone: what is set aside here until a person decides. */

import {
  type Inbox,
  type InboxConflict,
  type InboxLoss,
  type InboxRefusal,
  MOST_IN_INBOX,
  nameIn,
} from '@/domain/inbox';
import type { SyncedTable } from '@/domain/schema';
import { Conflict, Quarantined } from '../models';
import { Q, type Raw } from '../models/watermelondb';
import { IS_LOST, isConsequence } from '../sync/setAside/ledger';
import type { LocalStore } from './localStore';

const NEWEST = [Q.sortBy('occurred_at', Q.desc), Q.take(MOST_IN_INBOX + 1)];

/** @returns open conflicts, refused changes, and edits whose record others deleted (D8), the newest first */
export async function readSetAside(
  store: LocalStore,
): Promise<Pick<Inbox, 'conflicts' | 'refused' | 'deleted' | 'is_cut'>> {
  const { database } = store;
  const ledger = database.of(Conflict);
  const [open, lost, refused] = await Promise.all([
    ledger.query(Q.where('kind', 'columns'), Q.where('state', 'open'), ...NEWEST).fetch(),
    // Edits of a record that its own user deleted were theirs to lose.
    ledger.query(...IS_LOST, Q.where('kind', 'gone'), ...NEWEST).fetch(),
    database
      .of(Quarantined)
      .query(...NEWEST)
      .fetch(),
  ]);
  const shown = <T extends { workspaceId: string }>(entries: T[]) =>
    entries.slice(0, MOST_IN_INBOX).filter(({ workspaceId }) => !store.isLeaving(workspaceId));
  return {
    conflicts: await Promise.all(shown(open).map((entry) => conflictOf(store, entry))),
    deleted: await Promise.all(
      shown(lost.filter((entry) => !isConsequence(entry))).map((entry) => conflictOf(store, entry)),
    ),
    refused: await Promise.all(shown(refused).map((entry) => refusalOf(store, entry))),
    is_cut: [open, lost, refused].some(({ length }) => length > MOST_IN_INBOX),
  };
}

async function conflictOf(store: LocalStore, entry: Conflict): Promise<InboxConflict & InboxLoss> {
  const { id, columns, recordTable, recordId, workspaceId, occurredAt, lost } = entry;
  const values = await valuesOf(store, recordTable, recordId, lost ?? {});
  return {
    id,
    table: recordTable,
    record_id: recordId,
    workspace_id: workspaceId,
    name: nameIn(values),
    task_id: taskIn(recordTable, recordId, values),
    at: occurredAt.toISOString(),
    columns: Object.keys(columns),
  };
}

async function refusalOf(store: LocalStore, entry: Quarantined): Promise<InboxRefusal> {
  const { id, recordTable, recordId, workspaceId, occurredAt, groupId, operation, change } = entry;
  const values = await valuesOf(store, recordTable, recordId, change.values);
  return {
    id,
    table: recordTable,
    record_id: recordId,
    workspace_id: workspaceId,
    name: nameIn(values),
    task_id: taskIn(recordTable, recordId, values),
    at: occurredAt.toISOString(),
    group_id: groupId,
    operation,
    code: entry.code,
    column: entry.column,
    message: entry.message,
  };
}

/** The record as it is here; where it is not, what the entry kept of it. */
async function valuesOf(
  store: LocalStore,
  table: SyncedTable,
  id: string,
  kept: Partial<Raw>,
): Promise<Partial<Raw>> {
  const record = await store.record(table, id);
  return record ? { ...kept, ...record.raw } : kept;
}

function taskIn(table: SyncedTable, id: string, { task_id }: Partial<Raw>): string | null {
  if (table === 'tasks') return id;
  return typeof task_id === 'string' ? task_id : null;
}
