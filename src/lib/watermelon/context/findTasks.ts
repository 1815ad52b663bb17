/** Tasks by their keys and by words of their titles. */

import type { Task } from '@/domain/entities';
import { containsText, isKeyTyped, keyEnd, plainPart } from '@/domain/search';
import type { ConvoyDatabase } from '../database';
import { Q } from '../models/watermelondb';
import { conditionsOf, queryOf, type Where } from './liveRecords';
import { toEntity } from './localStore';

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

/**
 * @returns at most `limit` tasks, each with its place in the workspace: those that the text names by their keys (`isKeyTyped`), then
 *   those whose title contains it (`containsText`); any tasks for ''
 */
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
  const { named, titled } = await idsByText(database, text, where);
  const parts = [named];
  for (let at = 0; at < titled.length; at += CANDIDATES) parts.push(titled.slice(at, at + CANDIDATES));
  for (const ids of parts) {
    if (ids.length === 0 || found.length >= limit) continue;
    const records = await database
      .records('tasks')
      .query(Q.where('id', Q.oneOf(ids)), IN_PLACE, Q.take(limit - found.length))
      .fetch();
    found.push(...records.map(({ raw }) => toEntity<Task>('tasks', raw)));
  }
  return found;
}

/** Titles are compared here, since SQLite folds the case of ASCII alone; a record is made of none. */
async function idsByText(database: ConvoyDatabase, text: string, where: Where) {
  const { sql, args } = conditionsOf(where);
  // No character of a key stands for others.
  const end = keyEnd(text);
  const [rows = []] = await database.readAll([
    {
      sql: `select "id", "title", "key" from "tasks"
        where ${sql} and ("title" like '%' || ? || '%' or "key" like '%' || ?
          or replace("key", '-', '') = ?)`,
      args: [...args, plainPart(text), end, text.trim().toUpperCase()],
    },
  ]);
  const named: string[] = [];
  const titled: string[] = [];
  for (const [id, title, key] of rows) {
    if (typeof key === 'string' && isKeyTyped(key, text)) named.push(String(id));
    else if (containsText(String(title), text)) titled.push(String(id));
  }
  return { named, titled };
}
