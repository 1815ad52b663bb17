/** Reads of the remote Context Service: calls of the database functions, and rows as plain objects. */

import { ConvoyError } from '@/core/errors';
import type { Json } from '@/core/protocol';
import { canonicalTime } from '@/core/text';
import type { TaskContext } from '@/domain/entities';
import { COMMON_COLUMNS, columnsOf, type SyncedTable } from '@/domain/schema';
import type { ConvoyClient } from './client';
import type { Database } from './database.types.generated';
import { callRpc, type RpcName } from './rpc';

/** A record as a plain object of `domain/entities`, before its type is told. */
export type PlainRecord = Record<string, Json> & { id: string; workspace_id: string };

type Functions = Database['public']['Functions'];

export class RemoteRecords {
  constructor(
    private readonly client: ConvoyClient,
    private readonly timeoutMs: number,
  ) {}

  /** @returns one record of a function that returns one, or null. */
  async one<Name extends RpcName>(
    table: SyncedTable,
    name: Name,
    args: Functions[Name]['Args'],
  ): Promise<PlainRecord | null> {
    const answer = await this.call(name, args);
    return answer === null ? null : toRecord(table, answer);
  }

  async many<Name extends RpcName>(
    table: SyncedTable,
    name: Name,
    args: Functions[Name]['Args'],
  ): Promise<PlainRecord[]> {
    return toRecords(table, await this.call(name, args));
  }

  async context(taskId: string): Promise<TaskContext | null> {
    const answer = await this.call('get_task_context', { task_id: taskId });
    if (answer === null) return null;
    const parts = asObject(answer);
    const optional = (table: SyncedTable, part: unknown) =>
      part === null || part === undefined ? null : toRecord(table, part);
    const context = {
      task: toRecord('tasks', parts.task),
      milestone: optional('milestones', parts.milestone),
      project: optional('projects', parts.project),
      workspace: optional('workspaces', parts.workspace),
      parent_task: optional('tasks', parts.parent_task),
      subtasks: toRecords('tasks', parts.subtasks),
      dependencies: toRecords('tasks', parts.dependencies),
      activities: toRecords('activity_feed', parts.activities),
      patterns: toRecords('patterns', parts.patterns),
      best_practices: toRecords('best_practices', parts.best_practices),
      workflow: optional('workflows', parts.workflow),
      missing: [],
    };
    // The shapes are those of the database's columns; a contract test compares them with the entities.
    return context as unknown as TaskContext;
  }

  /** @returns the live record, or null when there is none that the caller may see. */
  get(table: SyncedTable, id: string): Promise<PlainRecord | null> {
    return this.one(table, 'get_record', { table_name: table, record_id: id });
  }

  private async call<Name extends RpcName>(name: Name, args: Functions[Name]['Args']): Promise<unknown> {
    const called = await callRpc(this.client, name, args, { timeoutMs: this.timeoutMs });
    if (!called.ok) throw new ConvoyError(called.error);
    return called.value.data;
  }
}

function toRecords(table: SyncedTable, rows: unknown): PlainRecord[] {
  if (!Array.isArray(rows)) throw malformed();
  return rows.map((row) => toRecord(table, row));
}

/** Times in canonical form (milliseconds, UTC), everything else as it came. */
function toRecord(table: SyncedTable, row: unknown): PlainRecord {
  const record = { ...asObject(row) } as PlainRecord;
  if (typeof record.id !== 'string' || typeof record.workspace_id !== 'string') throw malformed();
  for (const [name, column] of [...Object.entries(columnsOf(table)), ...Object.entries(COMMON_COLUMNS)]) {
    if (column.kind === 'time' && typeof record[name] === 'string')
      record[name] = canonicalTime(record[name]);
  }
  return record;
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed();
  return value as Record<string, unknown>;
}

function malformed(): ConvoyError {
  const message = 'The server gave an answer that cannot be understood.';
  return new ConvoyError({ kind: 'protocol', code: 'malformed', message });
}
