/** Reads of the remote Context Service: calls of database functions, whose rows become entities. */

import { ConvoyError } from '@/core/errors';
import type { Json } from '@/core/protocol';
import { isUuid, storedTime } from '@/core/text';
import { foldActivities } from '@/domain/comments';
import { CONTEXT_PARTS, type FullLimits } from '@/domain/contextLimits';
import type { Activity, EntityOf, TaskContext, TaskDependency } from '@/domain/entities';
import { COMMON_COLUMNS, columnsOf, type SyncedTable } from '@/domain/schema';
import type { ConvoyClient } from './client';
import type { Database } from './database.types.generated';
import { callRpc, type RpcName } from './rpc';

type Functions = Database['public']['Functions'];

export class RemoteRecords {
  constructor(
    private readonly client: ConvoyClient,
    private readonly timeoutMs: number,
  ) {}

  /** @returns the record that a function answers with, or null. */
  async one<Table extends SyncedTable, Name extends RpcName>(
    table: Table,
    name: Name,
    args: Functions[Name]['Args'],
  ): Promise<EntityOf[Table] | null> {
    const answer = await this.call(name, args);
    return answer === null ? null : toRecord(table, answer);
  }

  /** @returns the records that a function answers with. */
  async many<Table extends SyncedTable, Name extends RpcName>(
    table: Table,
    name: Name,
    args: Functions[Name]['Args'],
  ): Promise<EntityOf[Table][]> {
    return toRecords(table, await this.call(name, args));
  }

  /** @returns the context of a task within limits, which the server reads no further than. */
  async context(taskId: string, limits: FullLimits): Promise<TaskContext | null> {
    const answer = await this.call('get_bounded_context', {
      task_id: taskId,
      limits: limits as unknown as Json,
    });
    if (answer === null) return null;
    const parts = asObject(answer);
    const optional = <Table extends SyncedTable>(table: Table, part: unknown) =>
      part === null || part === undefined ? null : toRecord(table, part);
    return {
      task: toRecord('tasks', parts.task),
      milestone: optional('milestones', parts.milestone),
      project: optional('projects', parts.project),
      workspace: optional('workspaces', parts.workspace),
      parent_task: optional('tasks', parts.parent_task),
      subtasks: toRecords('tasks', parts.subtasks),
      dependencies: toRecords('tasks', parts.dependencies),
      activities: foldActivities(toRecords('activity_feed', parts.activities)),
      patterns: toRecords('patterns', parts.patterns),
      best_practices: toRecords('best_practices', parts.best_practices),
      workflow: optional('workflows', parts.workflow),
      missing: [],
      left_out: toLeftOut(parts.left_out),
    };
  }

  /**
   * @returns the live record, or null where the caller may see none; deletions also when restored.
   * An id that is no UUID names no record of the server.
   */
  async find<Table extends SyncedTable>(table: Table, id: string): Promise<EntityOf[Table] | null> {
    if (!isUuid(id)) return null;
    return table === 'deletions'
      ? this.one(table, 'get_deletion', { deletion_id: id })
      : this.one(table, 'get_record', { table_name: table, record_id: id });
  }

  /** @returns the entries of these kinds in a task's feed, in the order in which the server took them. */
  async entries(task_id: string, types: readonly string[]): Promise<Activity[]> {
    return this.many('activity_feed', 'get_task_entries', { task_id, types: [...types] });
  }

  async dependency(task_id: string, depends_on_task_id: string): Promise<TaskDependency | null> {
    if (!isUuid(task_id) || !isUuid(depends_on_task_id)) return null;
    return this.one('task_dependencies', 'get_task_dependency', { task_id, depends_on_task_id });
  }

  /** @returns a record that is part of another answer */
  toEntity<Table extends SyncedTable>(table: Table, row: unknown): EntityOf[Table] {
    return toRecord(table, row);
  }

  /** @returns the unchecked answer of a function. Rejects with a `ConvoyError`. */
  async call<Name extends RpcName>(name: Name, args: Functions[Name]['Args']): Promise<unknown> {
    const called = await callRpc(this.client, name, args, { timeoutMs: this.timeoutMs });
    if (!called.ok) throw new ConvoyError(called.error);
    return called.value.data;
  }
}

function toRecords<Table extends SyncedTable>(table: Table, rows: unknown): EntityOf[Table][] {
  if (!Array.isArray(rows)) throw malformed();
  return rows.map((row) => toRecord(table, row));
}

/**
 * @returns the row as an entity: times in canonical form (milliseconds, UTC), other values as they came.
 * Its columns are those of the database; a contract test compares them with the entities.
 */
export function toRecord<Table extends SyncedTable>(table: Table, row: unknown): EntityOf[Table] {
  const record = { ...asObject(row) };
  if (typeof record.id !== 'string' || typeof record.workspace_id !== 'string') throw malformed();
  for (const [name, column] of [...Object.entries(columnsOf(table)), ...Object.entries(COMMON_COLUMNS)]) {
    if (column.kind === 'time' && typeof record[name] === 'string') record[name] = storedTime(record[name]);
  }
  return record as unknown as EntityOf[Table];
}

function toLeftOut(value: unknown): TaskContext['left_out'] {
  const given = asObject(value);
  const known = CONTEXT_PARTS.filter((part) => given[part] !== undefined);
  const entries = known.map((part) => {
    const { all, because } = asObject(given[part]);
    if (typeof all !== 'number' || (because !== 'items' && because !== 'bytes')) throw malformed();
    return [part, { all, because }];
  });
  return Object.fromEntries(entries);
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed();
  return value as Record<string, unknown>;
}

function malformed(): ConvoyError {
  const message =
    'The answer of the server is not in the expected form. Try again; if it persists, update the app.';
  return new ConvoyError({ kind: 'protocol', code: 'malformed', message });
}
