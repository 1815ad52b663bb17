/** Plans of writes, written through the server: each as one group of changes. */

import { v7 as uuidv7 } from 'uuid';
import { orThrow } from '@/core/errors';
import type { Activity, EntityOf, TaskDependency } from '@/domain/entities';
import type { SyncedTable } from '@/domain/schema';
import { noSuchRecord } from '@/domain/validation';
import type { PlanWriter } from '@/domain/writes/contextWrites';
import { newPlaces } from '@/domain/writes/newPlaces';
import type { PlanContext, Requested, WritePlan } from '@/domain/writes/plan';
import type { Change } from './remoteWriter';

/** The reads and the write of the server that plans need. */
export interface RemoteStore {
  /** @returns the live record, or null where the caller may see none; deletions also when restored. */
  find<Table extends SyncedTable>(table: Table, id: string): Promise<EntityOf[Table] | null>;
  dependency(taskId: string, dependsOnId: string): Promise<TaskDependency | null>;
  entries(taskId: string, types: readonly string[]): Promise<Activity[]>;
  isMember(workspaceId: string, userId: string): Promise<boolean>;
  /** Writes all changes, or throws a ConvoyError and writes none. */
  write(changes: readonly Change[]): Promise<void>;
  /** @returns the time as ISO 8601 in UTC. */
  now(): string;
  userId(): Promise<string | null>;
}

export function remotePlanWriter(store: RemoteStore): PlanWriter {
  const context: PlanContext = {
    find: store.find,
    dependency: store.dependency,
    entries: store.entries,
    isMember: store.isMember,
    newId: uuidv7,
    now: store.now,
    newPlace: newPlaces(() => Date.parse(store.now())),
    userId: store.userId,
  };
  return {
    writeOn: <T>(request: Requested) => writeOn(store, request, context) as Promise<T>,
    writeNew: async <T>(plan: Parameters<PlanWriter['writeNew']>[0]) =>
      (await writePlan(store, orThrow(plan(context)), null, 'id')) as T,
  };
}

async function writeOn(store: RemoteStore, request: Requested, context: PlanContext): Promise<unknown> {
  const { target, plan } = orThrow(request);
  const record = await existing(store, target.table, target.id, target.field);
  return writePlan(store, orThrow(await plan(record, context)), record, target.field);
}

/** @returns the plan's answer as the server has it now. */
async function writePlan(
  store: RemoteStore,
  plan: WritePlan,
  target: EntityOf[SyncedTable] | null,
  field: string,
): Promise<EntityOf[SyncedTable] | undefined> {
  const isOnTarget = plan.answer?.id === target?.id;
  if (plan.changes.length === 0 && target && isOnTarget) return target;
  await store.write(changesOf(plan));
  // Another user may have deleted the record since it was written.
  return plan.answer
    ? existing(store, plan.answer.table, plan.answer.id, isOnTarget ? field : 'id')
    : undefined;
}

/** Inserts and updates come before the activities that describe them, deletions after. */
function changesOf({ workspaceId: workspace_id, changes, activities }: WritePlan): Change[] {
  const planned = changes.map((change): Change => ({ ...change, workspace_id }));
  const told = activities.map(
    ({ id, draft }): Change => ({
      table: 'activity_feed',
      op: 'insert',
      id,
      workspace_id,
      values: { ...draft },
    }),
  );
  const isDeletion = (change: Change) => change.op === 'delete';
  return [...planned.filter((change) => !isDeletion(change)), ...told, ...planned.filter(isDeletion)];
}

/** @returns the record, or throws `validation/not_found` on the field that named it. */
async function existing<Table extends SyncedTable>(
  store: RemoteStore,
  table: Table,
  id: string,
  field: string,
): Promise<EntityOf[Table]> {
  return (await store.find(table, id)) ?? orThrow(noSuchRecord(field, table));
}
