/** Live lists of local records as plain objects, for screens. */

import { combineLatest, map, type Observable } from 'rxjs';
import type { EntityOf, Task } from '@/domain/entities';
import { containsText, plainPart } from '@/domain/search';
import type { ConvoyDatabase } from '../database';
import { matcherOf, Q, type Raw, type RawValue } from '../models/watermelondb';
import { observeRows } from '../observation/liveRows';
import { observeRead } from '../observation/observeRead';
import { entityReader, toEntity } from './localStore';

export type { EntityOf };

/** `new`: the server does not have the record. `changed`: it has unsynced edits. */
export type RecordSync = 'new' | 'changed' | 'synced' | 'refused';
export type Observed<T> = T & { sync: RecordSync };

/** Columns and the value each must have, or a list of allowed values. */
export type Where = Readonly<Record<string, RawValue | readonly string[]>>;

/** Read beside the columns of entities; `syncOf` goes by them. */
const BOOKKEEPING = ['remote_id', '_status', 'sync_error'];

function queryOf(database: ConvoyDatabase, table: keyof EntityOf, where: Where) {
  const clauses = Object.entries(where).map(([column, wanted]) =>
    Array.isArray(wanted) ? Q.where(column, Q.oneOf(wanted)) : Q.where(column, wanted as RawValue),
  );
  return database.records(table).query(...clauses);
}

/**
 * The matching records now, and again whenever one appears, disappears or changes. An unchanged record
 * keeps its object. The order is not defined.
 */
export function observeRecords<Table extends keyof EntityOf>(
  database: ConvoyDatabase,
  table: Table,
  where: Where = {},
): Observable<Observed<EntityOf[Table]>[]> {
  return observeEntities<EntityOf[Table]>(database, table, where, []);
}

/** A task without its long texts, of which a list shows none. */
export type TaskLine = Omit<Task, 'description'>;

/** As `observeRecords`, of tasks for a list. */
export function observeTaskLines(
  database: ConvoyDatabase,
  where: Where = {},
): Observable<Observed<TaskLine>[]> {
  return observeEntities<TaskLine>(database, 'tasks', where, ['description']);
}

function observeEntities<T extends { workspace_id: string }>(
  database: ConvoyDatabase,
  table: keyof EntityOf,
  where: Where,
  without: readonly string[],
): Observable<Observed<T>[]> {
  const reader = entityReader<T>(table, without);
  const columns = [...reader.columns, ...BOOKKEEPING];
  const conditions = conditionsOf(where);
  const matches = matcherOf(queryOf(database, table, where).description) as (raw: Raw) => boolean;
  const rows = observeRows<Observed<T>>(database, {
    table,
    columns,
    select: {
      sql: `select ${columns.map((name) => `"${name}"`).join()} from "${table}" where ${conditions.sql}`,
      args: conditions.args,
    },
    matches,
    shownAs: (row) => Object.assign(reader.toEntity(row), { sync: syncOf(row.slice(-BOOKKEEPING.length)) }),
  });
  return combineLatest([rows, database.standing.observeLeaving()]).pipe(
    map(([all, leaving]) =>
      leaving.size === 0 ? all : all.filter(({ workspace_id }) => !database.isLeaving(workspace_id)),
    ),
  );
}

/** As `queryOf` has it, in SQL: records that are not marked as deleted, with these values. */
function conditionsOf(where: Where): { sql: string; args: (string | number | null)[] } {
  const all = Object.entries(where).map(([column, wanted]) =>
    Array.isArray(wanted)
      ? { sql: `"${column}" in (select "value" from json_each(?))`, arg: JSON.stringify(wanted) }
      : { sql: `"${column}" is ?`, arg: wanted as string | number | null },
  );
  return {
    sql: ['"_status" <> \'deleted\'', ...all.map(({ sql }) => sql)].join(' and '),
    args: all.map(({ arg }) => arg),
  };
}

/** The number of matching records, now and whenever it changes. */
export function observeCount(
  database: ConvoyDatabase,
  table: keyof EntityOf,
  where: Where = {},
): Observable<number> {
  const count = () => {
    const { leaving } = database.standing;
    const all = queryOf(database, table, where);
    const shown = leaving.size === 0 ? all : all.extend(Q.where('workspace_id', Q.notIn([...leaving])));
    return shown.fetchCount();
  };
  return observeRead(database, [table], count);
}

/** @param values those of `BOOKKEEPING` */
function syncOf([remoteId, status, error]: readonly RawValue[]): RecordSync {
  if (error) return 'refused';
  if (remoteId === null) return 'new';
  return status === 'synced' ? 'synced' : 'changed';
}

/**
 * Tasks whose milestone, project and tasks above are here. The others stand under a record whose deletion, or restore, is
 * under way on the server (U44), or their parents have not been pulled yet (P10).
 */
const IN_PLACE = Q.unsafeSqlExpr(`
  exists (
    select 1 from milestones m join projects p on p.id = m.project_id
    where m.id = tasks.milestone_id and m._status <> 'deleted' and p._status <> 'deleted')
  and not exists (
    with recursive above (id) as (
      select tasks.parent_task_id union select t.parent_task_id from above a join tasks t on t.id = a.id)
    select 1 from above a where a.id is not null
      and not exists (select 1 from tasks t where t.id = a.id and t._status <> 'deleted'))`);

/** Tasks of which is asked at once whether they are in place. */
const CANDIDATES = 200;

/** @returns at most `limit` tasks, each with its place in the workspace, whose title contains the text (`containsText`); any tasks for ''. */
export async function findTasks(
  database: ConvoyDatabase,
  text: string,
  where: Where,
  limit: number,
): Promise<Task[]> {
  // No title has to be read for it.
  if (text.trim() === '') {
    const any = await queryOf(database, 'tasks', where).extend(IN_PLACE, Q.take(limit)).fetch();
    return any.map(({ raw }) => toEntity<Task>('tasks', raw));
  }
  const found: Task[] = [];
  const ids = await idsByTitle(database, text, where);
  for (let at = 0; at < ids.length && found.length < limit; at += CANDIDATES) {
    const some = Q.where('id', Q.oneOf(ids.slice(at, at + CANDIDATES)));
    const records = await database
      .records('tasks')
      .query(some, IN_PLACE, Q.take(limit - found.length))
      .fetch();
    found.push(...records.map(({ raw }) => toEntity<Task>('tasks', raw)));
  }
  return found;
}

/** Titles are compared here, since SQLite folds the case of ASCII alone; a record is made of none. */
async function idsByTitle(database: ConvoyDatabase, text: string, where: Where): Promise<string[]> {
  const { sql, args } = conditionsOf(where);
  const plain = plainPart(text);
  const titles = plain === '' ? [] : [plain];
  const narrowed = plain === '' ? sql : `${sql} and "title" like '%' || ? || '%'`;
  const [rows = []] = await database.readAll([
    { sql: `select "id", "title" from "tasks" where ${narrowed}`, args: [...args, ...titles] },
  ]);
  return rows.flatMap(([id, title]) => (containsText(String(title), text) ? [String(id)] : []));
}
