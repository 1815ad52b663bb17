/**
 * The physical limit: `pg` straight into `better-sqlite3` with prepared statements, indexes built when
 * everything is there, and raw SQL reads. It has Convoy's local tables and indexes, and none of its promises
 * but durability. It reads and writes plain tables of the server.
 */

import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import type { SyncedTable } from '@/domain/schema';
import { GLOBAL_SCOPE_ID, STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { schema } from '@/lib/watermelon/models';
import { encodeSchema } from '@/platform/sqlite/watermelondb';
import { MIRRORED, mirroredColumns } from './columns';
import type { ContextIds, Setup, Subject, Synced } from './subject';

const ROWS_PER_FETCH = 5_000;
type Cells = (string | number | null)[];

/** Whole numbers as numbers, everything else as the text that travelled. */
const types = {
  getTypeParser: (oid: number) => (oid === 20 || oid === 701 ? Number : (text: string) => text),
} as unknown as pg.CustomTypesConfig;

const [tables, indexes] = split(encodeSchema(schema));

function split(sql: string): [tables: string, indexes: string] {
  const statements = sql.split(';').filter((statement) => statement.trim() !== '');
  const isIndex = (statement: string) => /^\s*create index/.test(statement);
  const joined = (some: string[]) => some.map((statement) => `${statement};`).join('\n');
  return [joined(statements.filter((one) => !isIndex(one))), joined(statements.filter(isIndex))];
}

export class Limit implements Subject {
  private database: Sqlite.Database | null = null;
  private server: pg.Client | null = null;
  private readonly statements = new Map<string, Sqlite.Statement>();

  constructor(private readonly setup: Setup) {}

  async open(): Promise<void> {
    const database = new Sqlite(join(this.setup.folder, 'limit.db'));
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    this.database = database;
  }

  async sync(): Promise<Synced> {
    const server = await this.connected();
    const bytesBefore = bytesRead(server);
    const isFresh = this.all("select 1 from sqlite_master where name = 'tasks'").length === 0;
    if (isFresh) this.local.exec(tables);
    else await this.push(server);
    const cursor = String(this.all(`select value from local_storage where key = 'cursor'`)[0]?.[0] ?? '');
    const pulled = await this.pull(server, cursor, isFresh);
    return { pulled, received: bytesRead(server) - bytesBefore };
  }

  private async pull(server: pg.Client, cursor: string, isFresh: boolean): Promise<number> {
    const scopes = [...this.setup.workspaceIds, GLOBAL_SCOPE_ID];
    const heads = await server.query<[string, string | null]>({
      name: 'heads',
      text: MIRRORED.map(
        (table) => `select '${table}', max(m)::text from unnest($1::uuid[]) w,
          lateral (select max(updated_at) as m from stock.${table} where workspace_id = w) t`,
      ).join(' union all '),
      values: [scopes],
      rowMode: 'array',
    });
    const news = heads.rows.flatMap(([table, at]) => (at !== null && at > cursor ? [{ table, at }] : []));
    if (news.length === 0) return 0;
    let pulled = 0;
    this.local.exec('begin immediate');
    for (const table of MIRRORED.filter((name) => news.some((one) => one.table === name))) {
      pulled += await this.pullTable(server, table, isFresh ? null : cursor, scopes);
    }
    if (isFresh) this.local.exec(indexes);
    const newest = news.map(({ at }) => at).sort();
    this.setCursor(newest.at(-1));
    this.local.exec('commit');
    return pulled;
  }

  private async pullTable(server: pg.Client, table: SyncedTable, cursor: string | null, scopes: string[]) {
    const columns = mirroredColumns(table);
    const read = columns.map(([name, kind]) =>
      kind === 'time' ? `extract(epoch from ${name}) * 1000` : name,
    );
    const all = ['id', ...columns.map(([name]) => name)];
    const insert = this.prepared(
      `insert or replace into "${table}" (${all.map((name) => `"${name}"`).join()}, "remote_id", "_status", "_changed", "is_synced", "sync_status")
       values (${all.map(() => '?').join()}, ?, 'synced', '', 1, 'synced')`,
    );
    const select = `select id, ${read.join()} from stock.${table} where workspace_id = any ($1)`;
    if (cursor !== null) {
      const text = `${select} and updated_at > $2`;
      const { rows } = await server.query<Cells>({
        name: table,
        text,
        values: [scopes, cursor],
        rowMode: 'array',
        types,
      });
      for (const row of rows) insert.run(...row, row[0]);
      return rows.length;
    }
    // A table at once would not fit into memory.
    await server.query('begin');
    await server.query(`declare rows no scroll cursor for ${select}`, [scopes]);
    for (let pulled = 0; ; ) {
      const text = `fetch ${ROWS_PER_FETCH} from rows`;
      const { rows } = await server.query<Cells>({ text, rowMode: 'array', types });
      for (const row of rows) insert.run(...row, row[0]);
      pulled += rows.length;
      if (rows.length < ROWS_PER_FETCH) {
        await server.query('commit');
        return pulled;
      }
    }
  }

  private setCursor(at: string | undefined): void {
    this.prepared(`insert or replace into local_storage (key, value) values ('cursor', ?)`).run(at);
  }

  private async push(server: pg.Client): Promise<void> {
    const dirty = this.all(`select id, title from tasks where _status in ('updated', 'created')`);
    if (dirty.length === 0) return;
    const { rows } = await server.query({
      text: `update stock.tasks t set title = u.title, updated_at = now()
        from unnest($1::uuid[], $2::text[]) u (id, title) where t.id = u.id returning updated_at::text`,
      values: [dirty.map(([id]) => id), dirty.map(([, title]) => title)],
      rowMode: 'array',
    });
    this.local.exec('begin immediate');
    const clean = this.prepared(
      `update tasks set _status = 'synced', _changed = '', sync_status = 'synced', is_synced = 1 where id = ?`,
    );
    for (const [id] of dirty) clean.run(id);
    // The page holds this subject's own push, which is stored already.
    this.setCursor(rows[0]?.[0]);
    this.local.exec('commit');
  }

  async prepareEdits(edits: Parameters<Subject['prepareEdits']>[0]) {
    const update = this.prepared(
      `update tasks set title = ?, _status = 'updated', _changed = 'title', sync_status = 'updated', is_synced = 0 where id = ?`,
    );
    return async () => {
      this.local.exec('begin immediate');
      for (const { id, title } of edits) update.run(title, id);
      this.local.exec('commit');
    };
  }

  async titles(ids: readonly string[]): Promise<string[]> {
    return ids.map((id) => String(this.all('select title from tasks where id = ?', id)[0]?.[0]));
  }

  async firstRow(taskId: string): Promise<string> {
    return (await this.titles([taskId]))[0] ?? '';
  }

  async context(taskId: string): Promise<() => ContextIds> {
    const one = (table: string, id: unknown) =>
      id === null ? [] : this.all(`select * from ${table} where id = ? and _status <> 'deleted'`, id);
    const column = (table: 'tasks' | 'milestones', name: string) =>
      3 + mirroredColumns(table).findIndex(([column]) => column === name);
    const [task] = one('tasks', taskId);
    if (!task) throw new Error(`no task ${taskId}`);
    const workspaceId = task[column('tasks', 'workspace_id')];
    const milestone = one('milestones', task[column('tasks', 'milestone_id')]);
    const projectId = milestone[0]?.[column('milestones', 'project_id')] ?? null;
    const project = one('projects', projectId);
    const workspace = one('workspaces', workspaceId);
    const parent = one('tasks', task[column('tasks', 'parent_task_id')]);
    const workflow = one('workflows', task[column('tasks', 'workflow_id')] ?? STANDARD_WORKFLOW_ID);
    const subtasks = this.all(
      `select * from tasks where parent_task_id = ? and _status <> 'deleted' order by sort_order, id`,
      taskId,
    );
    const dependencies = this.all(
      `select t.* from task_dependencies d join tasks t on t.id = d.depends_on_task_id
       where d.task_id = ? and d._status <> 'deleted' and t._status <> 'deleted' order by t.title, t.id`,
      taskId,
    );
    const activities = this.all(
      `select * from activity_feed where task_id = ? and _status <> 'deleted' order by created_at desc, id desc limit 20`,
      taskId,
    );
    const knowledge = (table: string) =>
      this.all(
        `select * from ${table} where workspace_id in (?, ?) and _status <> 'deleted'
         and (project_id is null or project_id = ?) order by name, id`,
        GLOBAL_SCOPE_ID,
        workspaceId,
        projectId,
      );
    const patterns = knowledge('patterns');
    const practices = knowledge('best_practices');
    const id = (rows: Cells[]) => (rows[0] ? String(rows[0][0]) : null);
    const ids = (rows: Cells[]) => rows.map((row) => String(row[0]));
    return () => ({
      task: taskId,
      milestone: id(milestone),
      project: id(project),
      workspace: id(workspace),
      parent: id(parent),
      workflow: id(workflow),
      subtasks: ids(subtasks),
      dependencies: ids(dependencies),
      activities: ids(activities),
      patterns: ids(patterns),
      best_practices: ids(practices),
    });
  }

  async emptyCall(): Promise<void> {
    await (await this.connected()).query('select 1');
  }

  async counts(): Promise<Record<string, number>> {
    return Object.fromEntries(
      MIRRORED.map((table) => [table, Number(this.all(`select count(*) from ${table}`)[0]?.[0])]),
    );
  }

  async close(): Promise<void> {
    this.statements.clear();
    this.database?.close();
    await this.server?.end();
  }

  private get local(): Sqlite.Database {
    if (!this.database) throw new Error('not open');
    return this.database;
  }

  private async connected(): Promise<pg.Client> {
    if (!this.server) {
      this.server = new pg.Client({ connectionString: this.setup.databaseUrl });
      await this.server.connect();
    }
    return this.server;
  }

  private prepared(sql: string): Sqlite.Statement {
    const known = this.statements.get(sql);
    if (known) return known;
    const statement = this.local.prepare(sql);
    this.statements.set(sql, statement);
    return statement;
  }

  private all(sql: string, ...args: unknown[]): Cells[] {
    return this.prepared(sql)
      .raw()
      .all(...args) as Cells[];
  }
}

function bytesRead(client: pg.Client): number {
  return (client as unknown as { connection: { stream: { bytesRead: number } } }).connection.stream.bytesRead;
}
