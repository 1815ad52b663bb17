/** Prepares the records that a plan inserts, updates and deletes, for one batch. */

import type { SyncedTable } from '@/domain/schema';
import type { RecordValues } from '@/domain/validation';
import type { PlannedChange, WritePlan } from '@/domain/writes/plan';
import type { ConvoyDatabase } from '../database';
import type { ConvoyModel } from '../models';
import { trackExpected } from '../models/tracking';
import { Q } from '../models/watermelondb';
import { prepareDeletion, withDescendants } from '../sync/records/cascade';
import { toStored } from '../sync/records/codec';
import { dependencyActivities, neverSent, toldActivities } from './neverSent';

/** The database to write to, and the user who writes. */
export interface PlanAuthor {
  database: ConvoyDatabase;
  userId: string;
}

/**
 * Reads the records that a plan changes.
 * @param target the record that the plan is on, if any.
 * @returns a function that prepares all records; write them in one batch, with no await in between.
 */
export async function modelsOf(
  author: PlanAuthor,
  plan: WritePlan,
  target: ConvoyModel | null,
): Promise<() => ConvoyModel[]> {
  const stored = await storedRecords(author.database, plan.changes, target);
  const doomed = new Map<string, ConvoyModel[]>();
  const unsent = new Set<string>();
  const { database } = author;
  for (const { op, table, id } of plan.changes) {
    if (op !== 'delete') continue;
    const taken = await withDescendants(database, table, storedRecord(stored, id));
    const never = await neverSent(database, taken);
    for (const one of never) unsent.add(one);
    const known = new Set(taken.map((record) => record.id));
    // They go with what they name, and come back with it where the deletion is undone.
    doomed.set(id, [...taken, ...(await dependencyActivities(database, never, known))]);
  }
  const { workspaceId, changes } = plan;
  const activities = toldActivities(plan, changes, unsent);
  const prepare = (change: PlannedChange): ConvoyModel[] => {
    switch (change.op) {
      case 'insert':
        return [prepareInsert(author, workspaceId, change)];
      case 'update':
        return [prepareUpdate(author, storedRecord(stored, change.id), change)];
      case 'delete':
        return prepareDeletion(doomed.get(change.id) ?? [], change.id);
    }
  };
  const told = activities.map(({ id, draft }) => ({
    op: 'insert' as const,
    table: 'activity_feed' as const,
    id,
    values: { ...draft },
  }));
  const blanked = await blankedRecords(database, plan);
  // Records take their times as they are prepared. An entry that is itself what the caller writes, such as a request for
  // review, comes after those that tell of what the same plan changes.
  const written = [...changes.filter((one) => !isEntry(one)), ...told, ...changes.filter(isEntry)];
  return () => [...written.flatMap(prepare), ...blanked()];
}

const isEntry = ({ op, table }: PlannedChange): boolean => op === 'insert' && table === 'activity_feed';

/**
 * @returns a function that prepares the entries which lose their text here at once (F4): those that no server can have. Of the
 * others readers show none, and the answer to the push blanks them; were they blanked here and the deletion refused, the
 * text would be gone on this device alone.
 */
async function blankedRecords(
  database: ConvoyDatabase,
  { blanks = [] }: WritePlan,
): Promise<() => ConvoyModel[]> {
  if (blanks.length === 0) return () => [];
  const left = new Map(blanks.map(({ id, details }) => [id, toStored('activity_feed', 'details', details)]));
  const found = await database
    .records('activity_feed')
    .query(Q.where('id', Q.oneOf([...left.keys()])))
    .fetch();
  const unsent = await neverSent(database, found);
  const gone = found.filter(({ id }) => unsent.has(id));
  return () =>
    gone.map((record) => record.prepareReplace({ ...record.raw, details: left.get(record.id) ?? null }));
}

/** @returns the records that the changes are made to, by id. */
async function storedRecords(
  database: ConvoyDatabase,
  changes: readonly PlannedChange[],
  target: ConvoyModel | null,
): Promise<Map<string, ConvoyModel>> {
  const stored = new Map(target ? [[target.id, target]] : []);
  const others = changes.filter(({ op, id }) => op !== 'insert' && !stored.has(id));
  for (const table of new Set(others.map((change) => change.table))) {
    const ids = others.filter((change) => change.table === table).map(({ id }) => id);
    const found = await database
      .records(table)
      .query(Q.where('id', Q.oneOf(ids)))
      .fetch();
    for (const record of found) stored.set(record.id, record);
  }
  return stored;
}

function storedRecord(stored: ReadonlyMap<string, ConvoyModel>, id: string): ConvoyModel {
  const record = stored.get(id);
  if (!record) throw new Error(`The plan changes the record ${id}, which is not in the local database.`);
  return record;
}

function prepareInsert(
  { database, userId }: PlanAuthor,
  workspaceId: string,
  { table, id, values }: { table: SyncedTable; id: string; values: RecordValues },
): ConvoyModel {
  return database.records(table).prepareCreate((record) => {
    record.raw.id = id;
    record.setColumn('workspace_id', workspaceId);
    record.setColumn('last_modified_by', userId);
    // The server sets the same actor, whatever is sent (R6).
    if (table === 'activity_feed') record.setColumn('actor_id', userId);
    setColumns(record, table, values);
  });
}

function prepareUpdate(
  { userId }: PlanAuthor,
  record: ConvoyModel,
  { table, values, expected }: Extract<PlannedChange, { op: 'update' }>,
): ConvoyModel {
  const prepared = record.prepareUpdate((draft) => {
    setColumns(draft, table, values);
    draft.setBookkeeping('last_modified_by', userId);
  });
  if (expected) trackExpected(prepared.raw, Object.keys(expected));
  return prepared;
}

function setColumns(record: ConvoyModel, table: SyncedTable, values: RecordValues): void {
  for (const [name, value] of Object.entries(values)) record.setColumn(name, toStored(table, name, value));
}
