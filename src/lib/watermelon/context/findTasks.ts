/** Tasks by words of their titles. */

import type { Task } from '@/domain/entities';
import { containsText, plainPart } from '@/domain/search';
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
