/** Stock WatermelonDB: its own adapter for Node, models and `synchronize()`, over plain functions of the same server. */

import { join } from 'node:path';
import { appSchema, Database, Model, Q, tableSchema } from '@nozbe/watermelondb';
import sqliteModule from '@nozbe/watermelondb/adapters/sqlite/index.js';
import * as syncModule from '@nozbe/watermelondb/sync/index.js';
import loggerModule from '@nozbe/watermelondb/utils/common/logger/index.js';
import { columnsOf } from '@/domain/schema';
import { GLOBAL_SCOPE_ID, STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import type { ConvoyClient } from '@/lib/supabase/client';
import { signedIn } from './client';
import { MIRRORED, mirroredColumns } from './columns';
import type { Edit, Setup, Subject, Synced } from './subject';
import { traffic } from './traffic';

const SQLiteAdapter = ((sqliteModule as { default?: unknown }).default ?? sqliteModule) as new (
  options: object,
) => never;
const logger = ((loggerModule as { default?: unknown }).default ?? loggerModule) as { silence(): void };
type Synchronize = typeof import('@nozbe/watermelondb/sync')['synchronize'];
const synchronize = ((syncModule as { default?: { synchronize?: Synchronize } }).default?.synchronize ??
  syncModule.synchronize) as Synchronize;

const tables = MIRRORED.map((name) =>
  tableSchema({
    name,
    columns: mirroredColumns(name)
      .filter(([column]) => column !== 'revision')
      .map(([column, kind]) => ({
        name: column,
        type: kind === 'number' || kind === 'time' ? ('number' as const) : ('string' as const),
        isOptional: true,
        isIndexed: column === 'workspace_id' || columnsOf(name)[column]?.kind === 'ref',
      })),
  }),
);
const modelClasses = MIRRORED.map(
  (name) =>
    class extends Model {
      static override table = name;
    },
);

type Raw = Record<string, string | number | null> & { id: string };
const raw = (record: Model) => record._raw as unknown as Raw;

export class Stock implements Subject {
  private opened: Database | null = null;
  private client: ConvoyClient | null = null;

  constructor(private readonly setup: Setup) {}

  async open(): Promise<void> {
    logger.silence();
    const schema = appSchema({ version: 1, tables });
    const adapter = new SQLiteAdapter({ schema, dbName: join(this.setup.folder, 'stock.db') });
    this.opened = new Database({ adapter, modelClasses });
  }

  async sync(): Promise<Synced> {
    const client = await this.connected();
    const before = traffic.received;
    let pulled = 0;
    await synchronize({
      database: this.database,
      sendCreatedAsUpdated: true,
      pullChanges: async ({ lastPulledAt }) => {
        const { data, error } = await client.rpc(
          'stock_pull' as never,
          { last_pulled_at: lastPulledAt ?? null } as never,
        );
        if (error) throw new Error(error.message);
        const answer = data as unknown as {
          changes: Record<string, { updated: unknown[] }>;
          timestamp: number;
        };
        for (const { updated } of Object.values(answer.changes)) pulled += updated.length;
        return answer as never;
      },
      pushChanges: async ({ changes }) => {
        const { error } = await client.rpc('stock_push' as never, { changes } as never);
        if (error) throw new Error(error.message);
      },
    });
    return { pulled, received: traffic.received - before };
  }

  async prepareEdits(edits: readonly Edit[]): Promise<() => Promise<void>> {
    const records = await this.fetch(
      'tasks',
      edits.map(({ id }) => id),
    );
    return () =>
      this.database.write(async () => {
        await this.database.batch(
          records.map((record, n) =>
            record.prepareUpdate(() => record._setRaw('title' as never, (edits[n] as Edit).title)),
          ),
        );
      });
  }

  async titles(ids: readonly string[]): Promise<string[]> {
    return (await this.fetch('tasks', ids)).map((record) => String(raw(record).title));
  }

  async firstRow(taskId: string): Promise<string> {
    return String(raw(await this.database.get('tasks').find(taskId)).title);
  }

  async context(taskId: string) {
    const find = async (table: string, id: string | number | null | undefined) =>
      id ? await this.database.get(table).find(String(id)) : null;
    const query = (table: string, ...clauses: Q.Clause[]) =>
      this.database
        .get(table)
        .query(...clauses)
        .fetch();
    const task = await this.database.get('tasks').find(taskId);
    const { workspace_id, milestone_id, parent_task_id, workflow_id } = raw(task);
    const milestone = await find('milestones', milestone_id);
    const projectId = (milestone && raw(milestone).project_id) ?? null;
    const knowledge = (table: string) =>
      query(
        table,
        Q.where('workspace_id', Q.oneOf([GLOBAL_SCOPE_ID, String(workspace_id)])),
        Q.or(Q.where('project_id', null), Q.where('project_id', projectId)),
        Q.sortBy('name'),
        Q.sortBy('id'),
      );
    const dependencies = async () => {
      const links = await query('task_dependencies', Q.where('task_id', taskId));
      const ids = links.map((link) => String(raw(link).depends_on_task_id));
      return query('tasks', Q.where('id', Q.oneOf(ids)), Q.sortBy('title'), Q.sortBy('id'));
    };
    const [project, workspace, parent, workflow, subtasks, depends, activities, patterns, practices] =
      await Promise.all([
        find('projects', projectId),
        find('workspaces', workspace_id),
        find('tasks', parent_task_id),
        find('workflows', workflow_id ?? STANDARD_WORKFLOW_ID),
        query('tasks', Q.where('parent_task_id', taskId), Q.sortBy('sort_order'), Q.sortBy('id')),
        dependencies(),
        query(
          'activity_feed',
          Q.where('task_id', taskId),
          Q.sortBy('created_at', Q.desc),
          Q.sortBy('id', Q.desc),
          Q.take(20),
        ),
        knowledge('patterns'),
        knowledge('best_practices'),
      ]);
    const ids = (records: Model[]) => records.map(({ id }) => id);
    return () => ({
      task: taskId,
      milestone: milestone?.id ?? null,
      project: project?.id ?? null,
      workspace: workspace?.id ?? null,
      parent: parent?.id ?? null,
      workflow: workflow?.id ?? null,
      subtasks: ids(subtasks),
      dependencies: ids(depends),
      activities: ids(activities),
      patterns: ids(patterns),
      best_practices: ids(practices),
    });
  }

  async emptyCall(): Promise<void> {
    await (await this.connected()).rpc('bench_empty' as never);
  }

  async counts(): Promise<Record<string, number>> {
    const counts = MIRRORED.map(
      async (table) => [table, await this.database.get(table).query().fetchCount()] as const,
    );
    return Object.fromEntries(await Promise.all(counts));
  }

  async close(): Promise<void> {}

  private get database(): Database {
    if (!this.opened) throw new Error('not open');
    return this.opened;
  }

  private async connected(): Promise<ConvoyClient> {
    this.client ??= await signedIn(this.setup);
    return this.client;
  }

  private async fetch(table: string, ids: readonly string[]): Promise<Model[]> {
    const found = await this.database
      .get(table)
      .query(Q.where('id', Q.oneOf([...ids])))
      .fetch();
    const byId = new Map(found.map((record) => [record.id, record]));
    return ids.map((id) => byId.get(id) as Model);
  }
}
